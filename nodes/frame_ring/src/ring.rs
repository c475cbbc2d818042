//! The ring itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::frame::{Encoding, MAX_SIDE, RawFrame};
use crate::resample::{Resampler, Source};
use crate::{FrameError, SettingsError};

/// A frame may come this share of a period early and still be kept, so that jitter does not halve the rate.
const EARLY_SHARE: f64 = 0.1;

/// Settings of a ring.
#[derive(Clone, Debug, PartialEq)]
pub struct RingSettings {
    /// Frames held; the oldest is dropped for the newest (`keep_last`).
    pub capacity: usize,
    /// Width of every slot: the model's input width, pixels.
    pub width: u32,
    /// Height of every slot: the model's input height, pixels.
    pub height: u32,
    /// Frames kept per second of stamps; `None` keeps all.
    pub frame_rate_hz: Option<f64>,
    /// Width and height of the camera's frames, so that the first push needs no planning.
    pub expected_source: (u32, u32),
}

impl RingSettings {
    fn validate(&self) -> Result<(), SettingsError> {
        let (source_width, source_height) = self.expected_source;
        for (name, found) in [
            ("capacity", self.capacity),
            ("width", self.width as usize),
            ("height", self.height as usize),
            ("expected_source width", source_width as usize),
            ("expected_source height", source_height as usize),
        ] {
            if found == 0 {
                return Err(SettingsError::Zero { name });
            }
        }
        for (width, height) in [(self.width, self.height), self.expected_source] {
            if width > MAX_SIDE || height > MAX_SIDE {
                return Err(SettingsError::TooLarge { expected: MAX_SIDE, width, height });
            }
        }
        match self.frame_rate_hz {
            Some(found) if !(found.is_finite() && found > 0.0) => Err(SettingsError::FrameRate { found }),
            _ => Ok(()),
        }
    }
}

/// How many frames were refused, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// The encoding is unknown.
    pub unknown_encoding: u64,
    /// Width or height is zero.
    pub zero_size: u64,
    /// A side exceeds [`MAX_SIDE`].
    pub too_large: u64,
    /// A 4:2:2 frame of odd width.
    pub odd_width: u64,
    /// `step` is shorter than a row.
    pub short_step: u64,
    /// `data` is not `step * height` long.
    pub wrong_length: u64,
}

impl Rejected {
    /// The sum of all reasons.
    pub fn total(&self) -> u64 {
        self.unknown_encoding + self.zero_size + self.too_large + self.odd_width + self.short_step + self.wrong_length
    }

    fn count(&mut self, error: &FrameError) {
        let counter = match error {
            FrameError::UnknownEncoding { .. } => &mut self.unknown_encoding,
            FrameError::ZeroSize { .. } => &mut self.zero_size,
            FrameError::TooLarge { .. } => &mut self.too_large,
            FrameError::OddWidth { .. } => &mut self.odd_width,
            FrameError::ShortStep { .. } => &mut self.short_step,
            FrameError::WrongLength { .. } => &mut self.wrong_length,
        };
        *counter += 1;
    }
}

/// What became of every frame: `received = pushed + skipped_rate + rejected.total()`, and of those pushed
/// `dropped_oldest + cleared` are gone again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames handed to [`FrameRing::push`].
    pub received: u64,
    /// Frames that entered the ring.
    pub pushed: u64,
    /// Frames that came sooner than the rate asks for.
    pub skipped_rate: u64,
    /// Frames dropped to make room for newer ones.
    pub dropped_oldest: u64,
    /// Times that stamps jumped back and the ring was cleared.
    pub stamp_jumps: u64,
    /// Frames lost by those clearings.
    pub cleared: u64,
    /// Frames refused.
    pub rejected: Rejected,
}

/// Stamps that ran backwards: a looped recording, a restarted simulation, a corrected clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StampJump {
    /// Newest stamp before, nanoseconds.
    pub from_nanos: i64,
    /// Stamp of this frame, nanoseconds.
    pub to_nanos: i64,
}

/// What [`FrameRing::push`] did with a valid frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// False if the frame came sooner than the rate asks for.
    pub kept: bool,
    /// Set if stamps jumped back, which emptied the ring first.
    pub jump: Option<StampJump>,
}

/// One frame of a window: RGB, row by row from the top left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// `height * width * 3` bytes.
    pub rgb: Vec<u8>,
    /// When light hit the sensor, nanoseconds.
    pub stamp_nanos: i64,
    /// When we got it, nanoseconds of the caller's clock.
    pub received_at_nanos: i64,
}

/// A copy of the newest frames, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The frames.
    pub frames: Vec<Frame>,
    /// Width of each, pixels.
    pub width: u32,
    /// Height of each, pixels.
    pub height: u32,
}

/// What only the pushing side touches.
#[derive(Debug)]
struct Intake {
    resampler: Resampler,
    /// The slot being written; swapped with the oldest one when it is ready.
    scratch: Vec<u8>,
    newest_seen_nanos: Option<i64>,
    last_kept_nanos: Option<i64>,
}

#[derive(Debug)]
struct Slots {
    frames: Vec<Frame>,
    /// Index of the oldest frame.
    head: usize,
    len: usize,
    counters: Counters,
}

/// A ring of RGB frames of one size, shared by one pushing and any number of reading threads.
///
/// All memory is taken by [`FrameRing::new`]. A source whose size differs from the one before is planned anew, which
/// may allocate once if it is larger than every one so far; a refused encoding's name is copied into its error; no
/// other push allocates. Frames are stretched to the slot's size, so choose a slot of the camera's aspect.
#[derive(Debug)]
pub struct FrameRing {
    settings: RingSettings,
    min_gap_nanos: i64,
    // Lock order: intake, then slots. Readers take only `slots`, for the time of a few small copies.
    intake: Mutex<Intake>,
    slots: Mutex<Slots>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FrameRing {
    /// Allocates every slot.
    ///
    /// # Errors
    /// [`SettingsError`] where a setting is out of range.
    pub fn new(settings: RingSettings) -> Result<Self, SettingsError> {
        settings.validate()?;
        let (width, height) = (settings.width as usize, settings.height as usize);
        let bytes = width * height * 3;
        let frame = || Frame { rgb: vec![0; bytes], stamp_nanos: 0, received_at_nanos: 0 };
        let frames = (0..settings.capacity).map(|_| frame()).collect();
        let expected = (settings.expected_source.0 as usize, settings.expected_source.1 as usize);
        let intake = Intake {
            resampler: Resampler::new((width, height), expected),
            scratch: vec![0; bytes],
            newest_seen_nanos: None,
            last_kept_nanos: None,
        };
        let min_gap_nanos = settings.frame_rate_hz.map_or(0, |hz| (1e9 / hz * (1.0 - EARLY_SHARE)) as i64);
        let slots = Slots { frames, head: 0, len: 0, counters: Counters::default() };
        Ok(Self { settings, min_gap_nanos, intake: Mutex::new(intake), slots: Mutex::new(slots) })
    }

    /// The settings that the ring was started with.
    pub fn settings(&self) -> &RingSettings {
        &self.settings
    }

    /// Checks, converts and downsizes a frame into the ring; the oldest frame makes room (`keep_last`).
    ///
    /// A stamp older than the newest seen empties the ring first. A frame nearer than one period (less a tenth, for
    /// jitter) to the last kept one is counted and left out.
    ///
    /// # Errors
    /// [`FrameError`] if the frame is not what it says; it is counted and the ring stays as it was.
    pub fn push(&self, raw: &RawFrame<'_>) -> Result<Pushed, FrameError> {
        let mut intake = lock(&self.intake);
        let encoding = match raw.validate() {
            Ok(encoding) => encoding,
            Err(error) => {
                let mut slots = lock(&self.slots);
                slots.counters.received += 1;
                slots.counters.rejected.count(&error);
                return Err(error);
            }
        };
        let jump = self.note_stamp(&mut intake, raw.stamp_nanos);
        let gap = intake.last_kept_nanos.map(|last| raw.stamp_nanos.saturating_sub(last));
        if gap.is_some_and(|gap| self.settings.frame_rate_hz.is_some() && gap < self.min_gap_nanos.max(1)) {
            let mut slots = lock(&self.slots);
            slots.counters.received += 1;
            slots.counters.skipped_rate += 1;
            return Ok(Pushed { kept: false, jump });
        }
        self.keep(&mut intake, raw, encoding);
        Ok(Pushed { kept: true, jump })
    }

    fn note_stamp(&self, intake: &mut Intake, stamp_nanos: i64) -> Option<StampJump> {
        let before = intake.newest_seen_nanos.replace(stamp_nanos);
        let from_nanos = before.filter(|&before| stamp_nanos < before)?;
        intake.last_kept_nanos = None;
        let mut slots = lock(&self.slots);
        slots.counters.stamp_jumps += 1;
        slots.counters.cleared += slots.len as u64;
        (slots.head, slots.len) = (0, 0);
        Some(StampJump { from_nanos, to_nanos: stamp_nanos })
    }

    fn keep(&self, intake: &mut Intake, raw: &RawFrame<'_>, encoding: Encoding) {
        let (width, height, step) = (raw.width as usize, raw.height as usize, raw.step as usize);
        let Intake { resampler, scratch, .. } = &mut *intake;
        resampler.run(&Source { encoding, width, height, step, data: raw.data }, scratch);
        let mut slots = lock(&self.slots);
        let capacity = slots.frames.len();
        let index = (slots.head + slots.len) % capacity;
        if slots.len == capacity {
            slots.head = (slots.head + 1) % capacity;
            slots.counters.dropped_oldest += 1;
        } else {
            slots.len += 1;
        }
        slots.counters.received += 1;
        slots.counters.pushed += 1;
        let slot = &mut slots.frames[index];
        std::mem::swap(&mut slot.rgb, scratch);
        (slot.stamp_nanos, slot.received_at_nanos) = (raw.stamp_nanos, raw.received_at_nanos);
        intake.last_kept_nanos = Some(raw.stamp_nanos);
    }

    /// A copy of the newest `n` frames (fewer if fewer are held), oldest first.
    pub fn window(&self, n: usize) -> Window {
        let slots = lock(&self.slots);
        let n = n.min(slots.len);
        let capacity = slots.frames.len();
        let first = slots.head + slots.len - n;
        let frames = (0..n).map(|i| slots.frames[(first + i) % capacity].clone()).collect();
        Window { frames, width: self.settings.width, height: self.settings.height }
    }

    /// Number of frames held.
    pub fn len(&self) -> usize {
        lock(&self.slots).len
    }

    /// True if no frame is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What became of every frame so far.
    pub fn counters(&self) -> Counters {
        lock(&self.slots).counters
    }
}
