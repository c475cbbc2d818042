//! The speed of memory, as STREAM's copy measures it.

use std::hint::black_box;
use std::time::Instant;

use super::model::THREADS;

/// Far more than any cache.
const BYTES: usize = 128 << 20;

/// Bytes read and written per second by [`THREADS`] threads that copy, the best of three.
pub(super) fn copy_bytes_per_sec() -> f64 {
    let mut buffers: Vec<_> = (0..THREADS).map(|_| (vec![1u8; BYTES], vec![0u8; BYTES])).collect();
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for (from, to) in &mut buffers {
                scope.spawn(|| black_box(&mut *to).copy_from_slice(black_box(from)));
            }
        });
        best = best.min(start.elapsed().as_secs_f64());
    }
    (2 * THREADS * BYTES) as f64 / best
}
