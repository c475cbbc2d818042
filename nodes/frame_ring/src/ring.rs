//! The ring itself.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::frame::RawFrame;
use crate::intake::{Intake, upright_size};
use crate::order::Order;
use crate::sight::{Sight, detail};
use crate::slots::Slots;
use crate::still::Look;
use crate::{Counters, Frame, FrameError, RingSettings, SettingsError, Shot, Snapshot, Span, Window};

/// Stamps that ran backwards: a looped recording, a restarted simulation, a corrected clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StampJump {
    /// Newest stamp before, nanoseconds.
    pub from_nanos: i64,
    /// Stamp of this frame, nanoseconds.
    pub to_nanos: i64,
}

/// Pictures that came in another size: another mode of the camera, or another camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resized {
    /// Width and height of the upright pictures before, pixels.
    pub from: (u32, u32),
    /// Width and height of this one.
    pub to: (u32, u32),
}

/// What [`FrameRing::push`] did with a valid frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// False if the frame was late, came sooner than the rate asks for, or showed nothing new.
    pub kept: bool,
    /// Set if stamps jumped back, which emptied the ring first.
    pub jump: Option<StampJump>,
    /// Set if the size of the pictures changed, which emptied the ring first.
    pub resized: Option<Resized>,
}

/// A ring of RGB frames of one size, shared by one pushing and any number of reading threads.
///
/// A slot owns, beside its frame, the embeds `E` that somebody made of it and the frame after it: they leave together.
/// All other memory is taken when the ring is planned: by the first frame, and by one whose upright size differs from
/// that of the one before, which also empties the ring, so that frames of two sizes never share a window. The first
/// frame with a pixel map takes two pictures of its size more. A refused frame's texts are copied into its error. No
/// other push allocates.
#[derive(Debug)]
pub struct FrameRing<E = ()> {
    settings: RingSettings,
    // Lock order: intake, then slots. Readers take only `slots`, for the time of a few small copies.
    intake: Mutex<Intake>,
    slots: Mutex<Slots<E>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FrameRing {
    /// A ring of frames alone.
    ///
    /// # Errors
    /// [`SettingsError`] where a setting is out of range.
    pub fn new(settings: RingSettings) -> Result<Self, SettingsError> {
        Self::with_embeds(settings)
    }
}

impl<E> FrameRing<E> {
    /// A ring that keeps embeds beside its frames; they come with [`FrameRing::attach`].
    ///
    /// # Errors
    /// [`SettingsError`] where a setting is out of range.
    pub fn with_embeds(settings: RingSettings) -> Result<Self, SettingsError> {
        settings.validate()?;
        let intake = Mutex::new(Intake::new(settings.frame_rate_hz));
        let slots = Mutex::new(Slots::new(settings.capacity));
        Ok(Self { settings, intake, slots })
    }

    /// The settings that the ring was started with.
    pub fn settings(&self) -> &RingSettings {
        &self.settings
    }

    /// [`FrameRing::push_at`] of a frame of which nothing is known: whether it shows anything new, its picture alone says.
    ///
    /// # Errors
    /// As [`FrameRing::push_at`].
    pub fn push(&self, raw: &RawFrame<'_>) -> Result<Pushed, FrameError> {
        self.push_at(raw, &Shot::default())
    }

    /// Checks, converts, straightens and downsizes a frame into the ring; the oldest frame makes room (`keep_last`).
    /// `shot`: how it was taken.
    ///
    /// A frame that is older than the newest one seen is late: it is counted and left out. Three in a row that are more
    /// than a second behind are a clock that was set back, which empties the ring. A frame before its moment on the rate's
    /// grid (or a tenth of a period before it, for jitter) is counted and left out, and so is one that shows nothing new,
    /// see [`crate::StillSettings`]. A frame in time whose upright size is another one empties the ring, too.
    ///
    /// # Errors
    /// [`FrameError`] if the frame is not what it says, its pixel map is for another size, or there are no slots for its
    /// size; it is counted and the ring stays as it was.
    pub fn push_at(&self, raw: &RawFrame<'_>, shot: &Shot) -> Result<Pushed, FrameError> {
        let pushed = self.take(&mut lock(&self.intake), raw, shot);
        if let Err(error) = &pushed {
            self.count(|counters| counters.rejected.count(error));
        }
        pushed
    }

    fn take(&self, intake: &mut Intake, raw: &RawFrame<'_>, shot: &Shot) -> Result<Pushed, FrameError> {
        let source = raw.source()?;
        let pixel_map = shot.pixel_map.as_deref();
        let size = upright_size(&source, pixel_map)?;
        let planned = intake.planned() == Some(size);
        // Before anything is changed: a frame that has no slot is refused and leaves no trace.
        let slot = if planned { None } else { Some(self.settings.slot_size.of(size)?) };
        let jump = match intake.order.take(raw.stamp_nanos) {
            Order::InTime => None,
            Order::Late => {
                self.count(|counters| counters.late += 1);
                return Ok(Pushed { kept: false, jump: None, resized: None });
            }
            Order::SetBack(jump) => Some(self.start_anew(intake, jump)),
        };
        if intake.pace.as_mut().is_some_and(|pace| !pace.is_due(raw.stamp_nanos)) {
            self.count(|counters| counters.skipped_rate += 1);
            return Ok(Pushed { kept: false, jump, resized: None });
        }
        let resized = slot.and_then(|slot| self.plan(intake, size, slot));
        intake.pace.iter_mut().for_each(|pace| pace.keep(raw.stamp_nanos));
        intake.convert(&source, pixel_map);
        let kept = self.shows_something_new(intake, raw, shot);
        let frozen = intake.freeze.take(&intake.scratch, shot.pose, raw.stamp_nanos);
        let mut slots = lock(&self.slots);
        slots.frozen = frozen;
        slots.counters.received += 1;
        slots.counters.repaired += u64::from(source.layout.repaired);
        if kept {
            slots.counters.pushed += 1;
            let detail = detail(&intake.scratch, slots.size().0 as usize);
            slots.keep(&mut intake.scratch, (raw.stamp_nanos, raw.received_at_nanos), shot.pose, detail);
        } else {
            slots.counters.skipped_still += 1;
        }
        Ok(Pushed { kept, jump, resized })
    }

    /// Counts a frame that was received and not kept.
    fn count(&self, reason: impl FnOnce(&mut Counters)) {
        let counters = &mut lock(&self.slots).counters;
        counters.received += 1;
        reason(counters);
    }

    /// Empties the ring: what it holds is of a clock that was set back.
    fn start_anew(&self, intake: &mut Intake, jump: StampJump) -> StampJump {
        intake.start_anew();
        let mut slots = lock(&self.slots);
        slots.counters.stamp_jumps += 1;
        slots.clear();
        jump
    }

    /// Plans for upright pictures of another size, or of the first.
    fn plan(&self, intake: &mut Intake, to: (u32, u32), slot: (u32, u32)) -> Option<Resized> {
        let before = intake.planned();
        intake.plan(to, slot);
        let mut slots = lock(&self.slots);
        slots.resize(slot);
        slots.counters.resized += u64::from(before.is_some());
        before.map(|from| Resized { from, to })
    }

    /// Compares the frame in `intake.scratch` with the last kept one, and remembers it if it is to be kept.
    fn shows_something_new(&self, intake: &mut Intake, raw: &RawFrame<'_>, shot: &Shot) -> bool {
        let Some(still) = &self.settings.still else { return true };
        let width = lock(&self.slots).size().0 as usize;
        let look = Look::new(&intake.scratch, width, shot.pose, (raw.stamp_nanos, raw.received_at_nanos));
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
        slots.window_of((first..held.end).filter_map(|number| slots.frame(number).cloned()).collect())
    }

    /// When the newest frame arrived, nanoseconds of the caller's clock.
    pub fn newest_received_at_nanos(&self) -> Option<i64> {
        let slots = lock(&self.slots);
        let newest = slots.held().last()?;
        slots.frame(newest).map(|frame| frame.received_at_nanos)
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
        let sight = Sight { detail: slots.most_detail(first..held.end), frozen: slots.frozen };
        Snapshot { first, sight, window: slots.window_of(frames), embeds }
    }

    /// What the frames held show, as pictures; `None` where none is held.
    pub fn sight(&self) -> Option<Sight> {
        let slots = lock(&self.slots);
        let held = slots.held();
        (!held.is_empty()).then(|| Sight { detail: slots.most_detail(held), frozen: slots.frozen })
    }

    /// A copy of frame `first` or of it and the next; `None` where they have left or not come.
    pub fn frames(&self, first: u64, span: Span) -> Option<Window> {
        let slots = lock(&self.slots);
        let numbers = (first..).take(span.frames());
        let frames = numbers.map(|number| slots.frame(number).cloned()).collect::<Option<_>>()?;
        Some(slots.window_of(frames))
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
