//! Vision as frames come: pairs are encoded on a thread of their own and laid beside their frames in the ring.
//!
//! In Qwen2.5-VL attention in the vision tower never crosses a pair of frames: encoding pair by pair is exact. Whoever
//! needs embeds asks [`Vision::embeds`]; a pair is encoded by the first that asks, and others wait for it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use frame_ring::{FrameRing, Snapshot, Span, Window};
use vlm::ImageEmbeds;

use crate::AnswerError;
use crate::answerer::Finish;
use crate::keep_last::KeepLastQueue;

/// Frames that may wait for the vision thread. A pair whose frame is dropped is encoded when it is needed.
const QUEUE_CAPACITY: usize = 4;

/// A vision tower. Called from two threads, never at the same time.
pub trait PairEncoder: Send + Sync {
    /// Encodes `pair`, a window of two frames, or of one that is taken twice.
    ///
    /// # Errors
    /// [`AnswerError`] if frames do not fit the model or a step failed.
    fn encode(&self, pair: &Window) -> Result<ImageEmbeds, AnswerError>;
}

/// What became of the frames that came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VisionCounters {
    /// Pairs, and single frames, encoded.
    pub encoded: u64,
    /// Those that failed.
    pub failed: u64,
    /// Frames dropped from the queue (`keep_last`); what they complete is encoded when it is needed.
    pub dropped: u64,
}

/// The ring with what is encoded of it.
pub(crate) struct Vision {
    pub ring: FrameRing<ImageEmbeds>,
    /// Pairs are those of even and next number; else every frame makes a pair with the one before it.
    even_pairs: bool,
    encoder: OnceLock<Arc<dyn PairEncoder>>,
    /// Held while a pair is encoded.
    lane: Mutex<()>,
    queue: KeepLastQueue<u64>,
    encoded: AtomicU64,
    failed: AtomicU64,
}

impl Vision {
    pub fn new(ring: FrameRing<ImageEmbeds>, even_pairs: bool) -> Self {
        Self {
            ring,
            even_pairs,
            encoder: OnceLock::new(),
            lane: Mutex::default(),
            queue: KeepLastQueue::new(QUEUE_CAPACITY),
            encoded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// Sets the vision tower, once; before, and without one, nothing is encoded.
    pub fn set_encoder(&self, encoder: Arc<dyn PairEncoder>) {
        let _ = self.encoder.set(encoder);
    }

    pub fn counters(&self) -> VisionCounters {
        let [encoded, failed] = [&self.encoded, &self.failed].map(|counter| counter.load(Ordering::Relaxed));
        VisionCounters { encoded, failed, dropped: self.queue.dropped() }
    }

    /// Memory of the embeds in the ring, bytes.
    pub fn bytes(&self) -> usize {
        self.ring.sum_embeds(|embeds| embeds.data.len() * size_of::<f32>())
    }

    /// Says that the newest frame in the ring is new.
    pub fn frame_came(&self) {
        if let Some(newest) = self.ring.held().last() {
            self.queue.push(newest);
        }
    }

    /// The vision thread: encodes the pair that each new frame completes, then says so. Ends with [`Vision::close`].
    pub fn run(&self, on_frame: impl Fn(Result<(), AnswerError>)) {
        while let Some(number) = self.queue.next() {
            let completes = number > 0 && (!self.even_pairs || number % 2 == 1);
            let encoded = if completes { self.embeds(number - 1, Span::Pair).map(drop) } else { Ok(()) };
            on_frame(encoded);
        }
    }

    pub fn close(&self) {
        self.queue.close();
    }

    /// The embeds of these frames, encoded now where nobody has. `None` where the frames have left, or without a
    /// vision tower.
    pub fn embeds(&self, first: u64, span: Span) -> Result<Option<Arc<ImageEmbeds>>, AnswerError> {
        let Some(encoder) = self.encoder.get() else { return Ok(None) };
        if let Some(embeds) = self.ring.embeds(first, span) {
            return Ok(Some(embeds));
        }
        let _lane = self.lane.lock().unwrap_or_else(PoisonError::into_inner);
        // The one before us on the lane may have encoded the same pair.
        if let Some(embeds) = self.ring.embeds(first, span) {
            return Ok(Some(embeds));
        }
        let Some(pair) = self.ring.frames(first, span) else { return Ok(None) };
        let encoded = catch_unwind(AssertUnwindSafe(|| encoder.encode(&pair))).unwrap_or_else(|panic| {
            Err(AnswerError::Other(format!("the vision tower panicked: {}", panic_text(&*panic))))
        });
        let counter = if encoded.is_ok() { &self.encoded } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        let embeds = Arc::new(encoded?);
        self.ring.attach(first, span, Arc::clone(&embeds));
        Ok(Some(embeds))
    }

    /// Fills in the embeds that `snapshot` lacks, as far as `halted` lets it.
    pub fn complete(
        &self,
        snapshot: &mut Snapshot<ImageEmbeds>,
        halted: impl Fn() -> Option<Finish>,
    ) -> Result<(), AnswerError> {
        let missing: Vec<_> = snapshot.missing().collect();
        for (first, span) in missing {
            if halted().is_some() {
                return Ok(());
            }
            let nth = ((first - snapshot.first) / 2) as usize;
            let embeds = self.embeds(first, span)?;
            if let Some(slot) = snapshot.embeds.get_mut(nth) {
                *slot = embeds;
            }
        }
        Ok(())
    }

    /// Encodes the first pair that `snapshots` lack; false where they lack none, or there is no vision tower.
    pub fn encode_one<'a>(
        &self,
        snapshots: impl IntoIterator<Item = &'a Snapshot<ImageEmbeds>>,
    ) -> Result<bool, AnswerError> {
        let mut missing = snapshots.into_iter().flat_map(Snapshot::missing).filter(|(_, span)| *span == Span::Pair);
        match missing.next().filter(|_| self.encoder.get().is_some()) {
            Some((first, span)) => self.embeds(first, span).map(|_| true),
            None => Ok(false),
        }
    }
}

/// What a caught panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use frame_ring::{RawFrame, RingSettings, SlotSize};

    use super::*;

    /// Embeds that hold the first byte of each frame. Blinks at 13.
    struct FirstBytes;

    impl PairEncoder for FirstBytes {
        fn encode(&self, pair: &Window) -> Result<ImageEmbeds, AnswerError> {
            let data: Vec<f32> =
                pair.frames.iter().filter_map(|frame| frame.rgb.first()).map(|b| f32::from(*b)).collect();
            assert!(!data.contains(&13.0), "blinked");
            Ok(ImageEmbeds { rows: data.len(), hidden: 1, data })
        }
    }

    fn vision(even_pairs: bool) -> Vision {
        let slot_size = SlotSize::fixed((4, 4));
        let settings = RingSettings { capacity: 4, slot_size, frame_rate_hz: None, still: None };
        let vision = Vision::new(FrameRing::with_embeds(settings).expect("settings"), even_pairs);
        vision.set_encoder(Arc::new(FirstBytes));
        vision
    }

    fn push(vision: &Vision, shade: u8) {
        let data = [shade; 16];
        let raw = RawFrame {
            encoding: "mono8",
            is_bigendian: false,
            width: 4,
            height: 4,
            step: 4,
            data: &data,
            stamp_nanos: i64::from(shade),
            received_at_nanos: 0,
        };
        assert!(vision.ring.push(&raw).expect("valid").kept);
        vision.frame_came();
    }

    #[test]
    fn the_thread_encodes_each_pair_when_its_second_frame_comes() {
        for (even_pairs, expected) in [(true, vec![0, 2]), (false, vec![0, 1, 2])] {
            let vision = vision(even_pairs);
            std::thread::scope(|scope| {
                let (done, waits) = std::sync::mpsc::sync_channel(9);
                let vision = &vision;
                scope.spawn(move || vision.run(|encoded| done.send(encoded.is_ok()).expect("the test waits")));
                for shade in 1..=4 {
                    push(vision, shade);
                    assert_eq!(waits.recv(), Ok(true));
                }
                vision.close();
            });
            let held: Vec<u64> = (0..4).filter(|first| vision.ring.embeds(*first, Span::Pair).is_some()).collect();
            assert_eq!((held, vision.counters().encoded), (expected.clone(), expected.len() as u64));
        }
    }

    #[test]
    fn a_dropped_pair_is_encoded_when_needed_and_a_lone_frame_again_with_its_partner() {
        let vision = vision(true);
        (1..=3).for_each(|shade| push(&vision, shade));
        let completed = |vision: &Vision| {
            let mut snapshot = vision.ring.snapshot(0);
            vision.complete(&mut snapshot, || None).expect("encoded");
            snapshot.embeds.into_iter().flatten().map(|embeds| embeds.data.clone()).collect::<Vec<_>>()
        };
        assert_eq!(completed(&vision), [vec![1.0, 2.0], vec![3.0]]);
        push(&vision, 4);
        assert_eq!(completed(&vision), [vec![1.0, 2.0], vec![3.0, 4.0]]);
        assert_eq!((vision.counters().encoded, vision.counters().dropped), (3, 0));
        (5..=6).for_each(|shade| push(&vision, shade));
        assert_eq!(vision.counters().dropped, 2);
        assert!(vision.encode_one([&vision.ring.snapshot(0)]).expect("encoded"));
        assert!(!vision.encode_one([&vision.ring.snapshot(0)]).expect("nothing left"));
    }

    #[test]
    fn a_vision_tower_that_panics_is_an_error() {
        let vision = vision(true);
        [13, 14].into_iter().for_each(|shade| push(&vision, shade));
        let error = vision.embeds(0, Span::Pair).expect_err("blinks").to_string();
        assert!(error.contains("blinked"), "{error}");
        assert_eq!(vision.counters().failed, 1);
    }
}
