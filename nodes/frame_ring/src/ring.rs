//! The ring itself.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::frame::{Encoding, RawFrame};
use crate::resample::{Resampler, Source};
use crate::settings::EARLY_SHARE;
use crate::slots::Slots;
use crate::still::{Look, Pose};
use crate::{Counters, Frame, FrameError, RingSettings, SettingsError, Snapshot, Span, Window};

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
    /// False if the frame came sooner than the rate asks for, or showed nothing new.
    pub kept: bool,
    /// Set if stamps jumped back, which emptied the ring first.
    pub jump: Option<StampJump>,
}

/// What only the pushing side touches.
#[derive(Debug)]
struct Intake {
    resampler: Resampler,
    /// The slot being written; swapped with the oldest one when it is ready.
    scratch: Vec<u8>,
    newest_seen_nanos: Option<i64>,
    /// Stamp of the last frame that came in time, kept or not.
    last_timely_nanos: Option<i64>,
    last_kept: Option<Look>,
}

/// A ring of RGB frames of one size, shared by one pushing and any number of reading threads.
///
/// A slot owns, beside its frame, the embeds `E` that somebody made of it and the frame after it: they leave together.
/// All other memory is taken by [`FrameRing::new`]. A source whose size differs from the one before is planned anew,
/// which may allocate once if it is larger than every one so far; a refused encoding's name is copied into its error; no
/// other push allocates. Frames are stretched to the slot's size, so choose a slot of the camera's aspect.
#[derive(Debug)]
pub struct FrameRing<E = ()> {
    settings: RingSettings,
    min_gap_nanos: i64,
    // Lock order: intake, then slots. Readers take only `slots`, for the time of a few small copies.
    intake: Mutex<Intake>,
    slots: Mutex<Slots<E>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FrameRing {
    /// A ring of frames alone. Allocates every slot.
    ///
    /// # Errors
    /// [`SettingsError`] where a setting is out of range.
    pub fn new(settings: RingSettings) -> Result<Self, SettingsError> {
        Self::with_embeds(settings)
    }
}

impl<E> FrameRing<E> {
    /// A ring that keeps embeds beside its frames. Allocates every slot; embeds come with [`FrameRing::attach`].
    ///
    /// # Errors
    /// [`SettingsError`] where a setting is out of range.
    pub fn with_embeds(settings: RingSettings) -> Result<Self, SettingsError> {
        settings.validate()?;
        let (width, height) = (settings.width as usize, settings.height as usize);
        let bytes = width * height * 3;
        let expected = (settings.expected_source.0 as usize, settings.expected_source.1 as usize);
        let intake = Intake {
            resampler: Resampler::new((width, height), expected),
            scratch: vec![0; bytes],
            newest_seen_nanos: None,
            last_timely_nanos: None,
            last_kept: None,
        };
        let min_gap_nanos = settings.frame_rate_hz.map_or(0, |hz| (1e9 / hz * (1.0 - EARLY_SHARE)) as i64);
        let slots = Slots::new(settings.capacity, bytes);
        Ok(Self { settings, min_gap_nanos, intake: Mutex::new(intake), slots: Mutex::new(slots) })
    }

    /// The settings that the ring was started with.
    pub fn settings(&self) -> &RingSettings {
        &self.settings
    }

    /// [`FrameRing::push_at`] without a pose: whether the frame shows anything new, its picture alone says.
    ///
    /// # Errors
    /// As [`FrameRing::push_at`].
    pub fn push(&self, raw: &RawFrame<'_>) -> Result<Pushed, FrameError> {
        self.push_at(raw, None)
    }

    /// Checks, converts and downsizes a frame into the ring; the oldest frame makes room (`keep_last`). `pose`: where
    /// it was taken, as far as known.
    ///
    /// A stamp older than the newest seen empties the ring first. A frame nearer than one period (less a tenth, for
    /// jitter) to the last one that came in time is counted and left out, and so is one that shows nothing new, see
    /// [`crate::StillSettings`].
    ///
    /// # Errors
    /// [`FrameError`] if the frame is not what it says; it is counted and the ring stays as it was.
    pub fn push_at(&self, raw: &RawFrame<'_>, pose: Option<Pose>) -> Result<Pushed, FrameError> {
        let mut intake = lock(&self.intake);
        let encoding = match raw.validate() {
            Ok(encoding) => encoding,
            Err(error) => {
                self.count(|counters| counters.rejected.count(&error));
                return Err(error);
            }
        };
        let jump = self.note_stamp(&mut intake, raw.stamp_nanos);
        let gap = intake.last_timely_nanos.map(|last| raw.stamp_nanos.saturating_sub(last));
        if gap.is_some_and(|gap| self.settings.frame_rate_hz.is_some() && gap < self.min_gap_nanos.max(1)) {
            self.count(|counters| counters.skipped_rate += 1);
            return Ok(Pushed { kept: false, jump });
        }
        intake.last_timely_nanos = Some(raw.stamp_nanos);
        intake.resample(raw, encoding);
        if !self.shows_something_new(&mut intake, raw, pose) {
            self.count(|counters| counters.skipped_still += 1);
            return Ok(Pushed { kept: false, jump });
        }
        let mut slots = lock(&self.slots);
        slots.counters.received += 1;
        slots.counters.pushed += 1;
        slots.keep(&mut intake.scratch, (raw.stamp_nanos, raw.received_at_nanos), pose);
        Ok(Pushed { kept: true, jump })
    }

    /// Counts a frame that was received and not kept.
    fn count(&self, reason: impl FnOnce(&mut Counters)) {
        let counters = &mut lock(&self.slots).counters;
        counters.received += 1;
        reason(counters);
    }

    fn note_stamp(&self, intake: &mut Intake, stamp_nanos: i64) -> Option<StampJump> {
        let before = intake.newest_seen_nanos.replace(stamp_nanos);
        let from_nanos = before.filter(|&before| stamp_nanos < before)?;
        (intake.last_timely_nanos, intake.last_kept) = (None, None);
        let mut slots = lock(&self.slots);
        slots.counters.stamp_jumps += 1;
        slots.clear();
        Some(StampJump { from_nanos, to_nanos: stamp_nanos })
    }

    /// Compares the frame in `intake.scratch` with the last kept one, and remembers it if it is to be kept.
    fn shows_something_new(&self, intake: &mut Intake, raw: &RawFrame<'_>, pose: Option<Pose>) -> bool {
        let Some(still) = &self.settings.still else { return true };
        let stamps = (raw.stamp_nanos, raw.received_at_nanos);
        let look = Look::new(&intake.scratch, self.settings.width as usize, pose, stamps);
        if intake.last_kept.as_ref().is_some_and(|kept| look.repeats(kept, still)) {
            return false;
        }
        intake.last_kept = Some(look);
        true
    }

    /// A copy of the newest `n` frames (fewer if fewer are held), oldest first.
    pub fn window(&self, n: usize) -> Window {
        let slots = lock(&self.slots);
        let held = slots.held();
        let first = held.end - n.min(slots.len()) as u64;
        self.window_of((first..held.end).filter_map(|number| slots.frame(number).cloned()).collect())
    }

    /// When the newest frame arrived, nanoseconds of the caller's clock.
    pub fn newest_received_at_nanos(&self) -> Option<i64> {
        let slots = lock(&self.slots);
        let newest = slots.held().last()?;
        slots.frame(newest).map(|frame| frame.received_at_nanos)
    }

    fn window_of(&self, frames: Vec<Frame>) -> Window {
        Window { frames, width: self.settings.width, height: self.settings.height }
    }

    /// Numbers of the frames held. Frames are numbered in the order they are kept; no number comes twice, and the first
    /// frame after stamps jumped back has an even one.
    pub fn held(&self) -> Range<u64> {
        lock(&self.slots).held()
    }

    /// The frames from number `first` on, or from the oldest where that has left, with their embeds.
    pub fn snapshot(&self, first: u64) -> Snapshot<E> {
        let slots = lock(&self.slots);
        let held = slots.held();
        let first = first.clamp(held.start, held.end);
        let (mut frames, mut embeds) = (Vec::new(), Vec::new());
        for number in (first..held.end).step_by(2) {
            let span = Span::of((held.end - number).min(2) as usize);
            let known = slots.embeds(number, span);
            for frame in (number..held.end).take(span.frames()).filter_map(|number| slots.frame(number)) {
                let rgb = if known.is_some() { Vec::new() } else { frame.rgb.clone() };
                frames.push(Frame { rgb, ..*frame });
            }
            embeds.push(known);
        }
        Snapshot { first, window: self.window_of(frames), embeds }
    }

    /// A copy of frame `first` or of it and the next; `None` where they have left or not come.
    pub fn frames(&self, first: u64, span: Span) -> Option<Window> {
        let slots = lock(&self.slots);
        let numbers = (first..).take(span.frames());
        let frames = numbers.map(|number| slots.frame(number).cloned()).collect::<Option<_>>()?;
        Some(self.window_of(frames))
    }

    /// The embeds of those frames, where they are held.
    pub fn embeds(&self, first: u64, span: Span) -> Option<Arc<E>> {
        lock(&self.slots).embeds(first, span)
    }

    /// Lays embeds beside their first frame; false, and nothing is kept, where the frames have left. Those of a pair
    /// replace those of its first frame alone.
    pub fn attach(&self, first: u64, span: Span, embeds: Arc<E>) -> bool {
        lock(&self.slots).attach(first, span, embeds)
    }

    /// The sum of `measure` over all embeds held, for instance bytes.
    pub fn sum_embeds(&self, measure: impl Fn(&E) -> usize) -> usize {
        lock(&self.slots).attached().map(|embeds| measure(embeds)).sum()
    }

    /// Number of frames held.
    pub fn len(&self) -> usize {
        lock(&self.slots).len()
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

impl Intake {
    fn resample(&mut self, raw: &RawFrame<'_>, encoding: Encoding) {
        let (width, height, step) = (raw.width as usize, raw.height as usize, raw.step as usize);
        self.resampler.run(&Source { encoding, width, height, step, data: raw.data }, &mut self.scratch);
    }
}
