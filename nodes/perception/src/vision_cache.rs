//! Encoded frame pairs, so that a second question on the same window pays for no vision.
//!
//! In Qwen2.5-VL attention in the vision tower never crosses a pair of frames: encoding pair by pair is exact.

use std::collections::VecDeque;
use std::sync::Arc;

use frame_ring::Frame;
use vlm::ImageEmbeds;

/// What tells one pair from another. The time of receipt is part of it, because a looped recording or a restarted
/// simulation brings the same stamps with other pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PairKey([(i64, i64); 2]);

impl PairKey {
    pub fn new(first: &Frame, second: &Frame) -> Self {
        Self([first, second].map(|frame| (frame.stamp_nanos, frame.received_at_nanos)))
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

    pub fn put(&mut self, key: PairKey, embeds: Arc<ImageEmbeds>) {
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
        }
        self.entries.push_back((key, embeds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stamp_nanos: i64, received_at_nanos: i64) -> Frame {
        Frame { rgb: Vec::new(), stamp_nanos, received_at_nanos }
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
