//! Promise: after planning, a push allocates nothing. A file of its own, because it replaces the allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use frame_ring::{FrameRing, RawFrame, RingSettings, SlotSize, StillSettings};

struct Counting;

thread_local! {
    /// Of this thread: the test harness allocates on its own while tests run.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn no_push_after_planning_allocates() {
    let (frame_rate_hz, still) = (Some(10.0), Some(StillSettings::default()));
    let slot_size = SlotSize::new(|(width, height)| Ok((width * 112 / 640, height * 84 / 480)));
    let ring = FrameRing::new(RingSettings { capacity: 3, slot_size, frame_rate_hz, still }).expect("valid settings");
    let mut data = vec![77u8; 640 * 480 * 4];
    let layouts = [("rgb8", 3), ("bgr8", 3), ("rgba8", 4), ("bgra8", 4), ("mono8", 1), ("yuyv", 2), ("mono16", 2)];
    let mut before = ALLOCATIONS.get();
    for i in 0..60i64 {
        // Half of the frames that come in time show nothing new.
        data.fill(i as u8 / 6 * 20);
        let (encoding, bytes) = layouts[i as usize % layouts.len()];
        let step = 640 * bytes as u32;
        let (stamp_nanos, received_at_nanos) = (i * 40_000_000, i * 40_000_000);
        let data = &data[..step as usize * 480];
        let (is_bigendian, width, height) = (false, 640, 480);
        let frame = RawFrame { encoding, is_bigendian, width, height, step, data, stamp_nanos, received_at_nanos };
        assert!(ring.push(&frame).is_ok());
        if i == 0 {
            assert!(ALLOCATIONS.get() > before, "the first frame plans");
            before = ALLOCATIONS.get();
        }
        // A lying frame costs nothing either.
        assert!(ring.push(&RawFrame { step: 1, data: &data[1..], ..frame }).is_err());
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    let counters = ring.counters();
    assert!(counters.dropped_oldest > 0 && counters.skipped_still > 0, "{counters:?}");
}
