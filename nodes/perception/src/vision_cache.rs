//! Encoded frame pairs, so that a second question on the same window pays for no vision.
//!
//! In Qwen2.5-VL attention in the vision tower never crosses a pair of frames: encoding pair by pair is exact.

use std::collections::VecDeque;
use std::sync::Arc;

use frame_ring::Frame;
use vlm::ImageEmbeds;

use crate::answerer::View;

/// What tells one pair from another. The time of receipt is part of it, because a looped recording or a restarted
/// simulation brings the same stamps with other pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PairKey([(i64, i64); 2]);

impl PairKey {
    pub fn new(first: &Frame, second: &Frame) -> Self {
        Self([first, second].map(|frame| (frame.stamp_nanos, frame.received_at_nanos)))
    }
}

/// What tells one look from another: its pairs in order, and the words before them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HotKey {
    pairs: Vec<PairKey>,
    /// The last pair is one frame twice, which changes when another comes.
    odd: bool,
    system: String,
    frame_rate_hz: f64,
}

impl HotKey {
    /// `system`: the system turn, in which what is known of the camera is rounded.
    pub fn new(view: &View<'_>, system: String) -> Self {
        let frames = &view.window.frames;
        let pairs = frames.chunks(2).map(|pair| PairKey::new(&pair[0], &pair[pair.len() - 1])).collect();
        Self { pairs, odd: frames.len() % 2 == 1, system, frame_rate_hz: view.frame_rate_hz }
    }

    /// Whether this is `older` with more pairs behind it.
    pub fn continues(&self, older: &Self) -> bool {
        let same = self.system == older.system && self.frame_rate_hz == older.frame_rate_hz;
        same && !older.odd && self.pairs.starts_with(&older.pairs)
    }
}

/// A few encoded pairs; the least recently added is dropped (`keep_last`).
#[derive(Debug)]
pub(crate) struct VisionCache {
    capacity: usize,
    entries: VecDeque<(PairKey, Arc<ImageEmbeds>)>,
}

impl VisionCache {
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), entries: VecDeque::with_capacity(capacity.max(1)) }
    }

    pub fn get(&self, key: PairKey) -> Option<Arc<ImageEmbeds>> {
        self.entries.iter().find(|(held, _)| *held == key).map(|(_, embeds)| Arc::clone(embeds))
    }

    /// Memory held, bytes.
    pub fn bytes(&self) -> usize {
        self.entries.iter().map(|(_, embeds)| embeds.data.len() * size_of::<f32>()).sum()
    }

    pub fn put(&mut self, key: PairKey, embeds: Arc<ImageEmbeds>) {
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
        }
        self.entries.push_back((key, embeds));
    }
}

#[cfg(test)]
mod tests {
    use frame_ring::Window;

    use super::*;

    fn frame(stamp_nanos: i64, received_at_nanos: i64) -> Frame {
        Frame { rgb: Vec::new(), stamp_nanos, received_at_nanos }
    }

    #[test]
    fn a_growing_window_continues_and_a_sliding_one_does_not() {
        let key = |stamps: std::ops::Range<i64>| {
            let window = Window { frames: stamps.map(|i| frame(i, i)).collect(), ..Window::default() };
            let view = View { window: &window, frame_rate_hz: 2.0, facts: geometry::CameraFacts::default() };
            HotKey::new(&view, "camera".to_owned())
        };
        assert!(key(0..4).continues(&key(0..2)) && key(0..3).continues(&key(0..2)));
        assert!(!key(0..4).continues(&key(0..3)), "the odd frame has got its partner");
        assert!(!key(2..6).continues(&key(0..4)));
        assert_ne!(key(0..1), key(0..2));
    }

    #[test]
    fn keeps_the_last_and_tells_looped_recordings_apart() {
        let mut cache = VisionCache::new(2);
        let keys: Vec<PairKey> = (0..3).map(|i| PairKey::new(&frame(i, i), &frame(i + 1, i + 1))).collect();
        for key in &keys {
            cache.put(*key, Arc::new(ImageEmbeds::default()));
        }
        let held: Vec<bool> = keys.iter().map(|key| cache.get(*key).is_some()).collect();
        assert_eq!(held, [false, true, true]);
        assert!(cache.get(PairKey::new(&frame(1, 101), &frame(2, 102))).is_none());
    }
}
