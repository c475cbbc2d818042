//! The frames held, oldest first, each with what was made of it.

use std::ops::Range;
use std::sync::Arc;

use crate::{Counters, Frame, Pose, Span, Window};

/// A frame and, once somebody has made them, the embeds that begin with it.
#[derive(Debug)]
struct Slot<E> {
    frame: Frame,
    /// How much there is to see in it, see [`crate::Sight`].
    detail: f64,
    embeds: Option<(Span, Arc<E>)>,
}

/// Bytes of an RGB picture of this width and height.
pub(crate) fn rgb_bytes((width, height): (u32, u32)) -> usize {
    width as usize * height as usize * 3
}

/// Frames are numbered in the order they are kept. After a clearing numbers go on with an even one, so that the pairs
/// of even and next number are pairs of one recording.
#[derive(Debug)]
pub(crate) struct Slots<E> {
    slots: Vec<Slot<E>>,
    /// Index of the oldest frame.
    head: usize,
    len: usize,
    /// Number of the frame that comes next.
    next: u64,
    /// Width and height of every frame, pixels; zero before the first.
    size: (u32, u32),
    /// Whether the newest picture is frozen.
    pub frozen: bool,
    pub counters: Counters,
}

impl<E> Slots<E> {
    /// `capacity` slots without a size.
    pub fn new(capacity: usize) -> Self {
        let slots = (0..capacity).map(|_| Slot { frame: Frame::default(), detail: 0.0, embeds: None }).collect();
        Self { slots, head: 0, len: 0, next: 0, size: (0, 0), frozen: false, counters: Counters::default() }
    }

    /// Width and height of every frame, pixels; zero before the first.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// These frames of the slots as a window.
    pub fn window_of(&self, frames: Vec<Frame>) -> Window {
        Window { frames, width: self.size.0, height: self.size.1 }
    }

    /// Empties the slots and gives each this width and height.
    pub fn resize(&mut self, size: (u32, u32)) {
        self.clear();
        self.size = size;
        for slot in &mut self.slots {
            slot.frame.rgb.resize(rgb_bytes(size), 0);
        }
    }

    /// Numbers of the frames held.
    pub fn held(&self) -> Range<u64> {
        self.next - self.len as u64..self.next
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn clear(&mut self) {
        self.counters.cleared += self.len as u64;
        for slot in &mut self.slots {
            slot.embeds = None;
        }
        (self.head, self.len) = (0, 0);
        self.next = self.next.next_multiple_of(2);
    }

    /// Swaps `rgb` with the slot of a new frame; the oldest one makes room, and takes its embeds with it.
    pub fn keep(
        &mut self,
        rgb: &mut Vec<u8>,
        (stamp_nanos, received_at_nanos): (i64, i64),
        pose: Option<Pose>,
        detail: f64,
    ) {
        let capacity = self.slots.len();
        let index = (self.head + self.len) % capacity;
        if self.len == capacity {
            self.head = (self.head + 1) % capacity;
            self.counters.dropped_oldest += 1;
        } else {
            self.len += 1;
        }
        self.next += 1;
        if let Some(slot) = self.slots.get_mut(index) {
            slot.embeds = None;
            std::mem::swap(&mut slot.frame.rgb, rgb);
            (slot.frame.stamp_nanos, slot.frame.received_at_nanos) = (stamp_nanos, received_at_nanos);
            slot.frame.pose = pose;
            slot.detail = detail;
        }
    }

    fn index(&self, number: u64) -> Option<usize> {
        let held = self.held();
        let nth = held.contains(&number).then(|| (number - held.start) as usize)?;
        Some((self.head + nth) % self.slots.len())
    }

    fn slot(&self, number: u64) -> Option<&Slot<E>> {
        self.slots.get(self.index(number)?)
    }

    /// How much there is to see in the one of these frames that shows most.
    pub fn most_detail(&self, numbers: Range<u64>) -> f64 {
        numbers.filter_map(|number| self.slot(number)).map(|slot| slot.detail).fold(0.0, f64::max)
    }

    pub fn frame(&self, number: u64) -> Option<&Frame> {
        self.slot(number).map(|slot| &slot.frame)
    }

    pub fn embeds(&self, first: u64, span: Span) -> Option<Arc<E>> {
        let (held, embeds) = self.slot(first)?.embeds.as_ref()?;
        (*held == span).then(|| Arc::clone(embeds))
    }

    /// False where the frames have left. Those of a frame alone never replace those of its pair.
    pub fn attach(&mut self, first: u64, span: Span, embeds: Arc<E>) -> bool {
        let last = first + span.frames() as u64 - 1;
        if !self.held().contains(&last) {
            return false;
        }
        let Some(slot) = self.index(first).and_then(|index| self.slots.get_mut(index)) else { return false };
        if span == Span::Pair || slot.embeds.is_none() {
            slot.embeds = Some((span, embeds));
        }
        true
    }

    /// All embeds held.
    pub fn attached(&self) -> impl Iterator<Item = &Arc<E>> {
        self.slots.iter().filter_map(|slot| slot.embeds.as_ref().map(|(_, embeds)| embeds))
    }
}
