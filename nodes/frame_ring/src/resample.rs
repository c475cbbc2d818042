//! Antialiased Catmull-Rom resampling from a packed source into RGB, planned once and then free of allocation.
//!
//! Pixel grid: pixel `i` covers `[i, i + 1)`, so output centre `o` maps to `(o + 0.5) * source / output`. The kernel
//! (a = -0.5) widens with the reduction, as in Pillow and `fast_image_resize`. The latter computes its coefficients
//! anew for every picture, hundreds of allocations each; that is why the plan lives here. A test holds the two within
//! rounding of each other. The vertical pass comes first, on packed bytes; reordering of channels comes last, on the
//! few output pixels. Every step before the final rounding is linear, so the order does not change the result.

use pulp::{Arch, Simd, WithSimd};

use crate::convert::yuv_to_rgb;
use crate::frame::Encoding;

/// Bytes of a packed row that are summed in registers at once.
const BLOCK: usize = 96;

/// Filter weights along one axis.
#[derive(Clone, Debug, Default)]
struct Axis {
    /// First source index of each output.
    starts: Vec<u32>,
    /// `taps` weights per output, zero where the kernel leaves the picture.
    weights: Vec<f32>,
    taps: usize,
}

fn catmull_rom(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

impl Axis {
    /// Fills the plan in place; allocates only where an earlier plan was smaller.
    fn plan(&mut self, source: usize, output: usize) {
        let scale = source as f64 / output as f64;
        let stretch = scale.max(1.0);
        let radius = 2.0 * stretch;
        self.taps = (radius.ceil() as usize * 2 + 1).min(source);
        self.starts.clear();
        self.weights.clear();
        self.weights.resize(self.taps * output, 0.0);
        for (o, weights) in self.weights.chunks_exact_mut(self.taps).enumerate() {
            let centre = (o as f64 + 0.5) * scale;
            let lowest = (centre - radius).floor().max(0.0) as usize;
            let start = lowest.min(source - self.taps);
            let mut sum = 0.0;
            for k in 0..weights.len() {
                sum += catmull_rom(((start + k) as f64 + 0.5 - centre) / stretch);
            }
            for (k, weight) in weights.iter_mut().enumerate() {
                *weight = (catmull_rom(((start + k) as f64 + 0.5 - centre) / stretch) / sum) as f32;
            }
            self.starts.push(start as u32);
        }
    }

    fn output(&self, o: usize) -> (usize, &[f32]) {
        (self.starts[o] as usize, &self.weights[o * self.taps..(o + 1) * self.taps])
    }
}

/// A packed picture to read from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub encoding: Encoding,
    pub width: usize,
    pub height: usize,
    pub step: usize,
    pub data: &'a [u8],
}

/// Resamples pictures of one size into RGB pictures of another.
#[derive(Debug)]
pub(crate) struct Resampler {
    arch: Arch,
    /// Width of the pictures that come out.
    width: usize,
    x: Axis,
    y: Axis,
    /// One row after the vertical pass, packed like the source; up to 4 padding elements at its end.
    packed: Vec<f32>,
    /// The same row as RGB; used by 4:2:2 only.
    rgb: Vec<f32>,
}

impl Resampler {
    /// A resampler that is not planned yet: everything becomes nothing.
    pub fn new() -> Self {
        let (x, y) = (Axis::default(), Axis::default());
        Self { arch: Arch::new(), width: 0, x, y, packed: Vec::new(), rgb: Vec::new() }
    }

    /// Plans for pictures of `source` to become `output` (width, height); allocates where an earlier plan was smaller.
    pub fn plan(&mut self, source: (usize, usize), output: (usize, usize)) {
        self.width = output.0;
        self.x.plan(source.0, output.0);
        self.y.plan(source.1, output.1);
        self.packed.resize(source.0 * 4 + BLOCK, 0.0);
        self.rgb.resize(source.0 * 3 + 4, 0.0);
    }

    /// Writes `source` into `output`, `width * height * 3` bytes. The source must have been validated and be of the
    /// planned size.
    pub fn run(&mut self, source: &Source<'_>, output: &mut [u8]) {
        let (x, y, width) = (&self.x, &self.y, self.width);
        let (packed, rgb) = (&mut self.packed[..], &mut self.rgb[..]);
        self.arch.dispatch(Pass { source, x, y, packed, rgb, output, width });
    }
}

struct Pass<'a> {
    source: &'a Source<'a>,
    x: &'a Axis,
    y: &'a Axis,
    packed: &'a mut [f32],
    rgb: &'a mut [f32],
    output: &'a mut [u8],
    width: usize,
}

impl WithSimd for Pass<'_> {
    type Output = ();

    // Compiled once per instruction set; the plain loops below are what gets vectorised.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (o, out) in self.output.chunks_exact_mut(self.width * 3).enumerate() {
            let (start, weights) = self.y.output(o);
            sum_rows(self.source, start, weights, self.packed);
            match self.source.encoding {
                Encoding::Rgb8 => sum_columns::<3>(self.x, self.packed, out, [0, 1, 2]),
                Encoding::Bgr8 => sum_columns::<3>(self.x, self.packed, out, [2, 1, 0]),
                Encoding::Rgba8 => sum_columns::<4>(self.x, self.packed, out, [0, 1, 2]),
                Encoding::Bgra8 => sum_columns::<4>(self.x, self.packed, out, [2, 1, 0]),
                Encoding::Mono8 => sum_columns::<1>(self.x, self.packed, out, [0, 0, 0]),
                Encoding::Yuyv => {
                    yuyv_to_rgb(&self.packed[..self.source.width * 2], self.rgb);
                    sum_columns::<3>(self.x, self.rgb, out, [0, 1, 2]);
                }
            }
        }
    }
}

/// Vertical pass of one output row: `packed[i] = sum over k of weights[k] * row(start + k)[i]`.
#[inline(always)]
fn sum_rows(source: &Source<'_>, start: usize, weights: &[f32], packed: &mut [f32]) {
    let bytes = source.width * source.encoding.bytes_per_pixel();
    let mut at = 0;
    while at + BLOCK <= bytes {
        let mut sums = [0f32; BLOCK];
        for (k, &weight) in weights.iter().enumerate() {
            let from = (start + k) * source.step + at;
            if let Some(row) = source.data[from..].first_chunk::<BLOCK>() {
                for (sum, &byte) in sums.iter_mut().zip(row) {
                    *sum += weight * f32::from(byte);
                }
            }
        }
        packed[at..at + BLOCK].copy_from_slice(&sums);
        at += BLOCK;
    }
    packed[at..bytes].fill(0.0);
    for (k, &weight) in weights.iter().enumerate() {
        let from = (start + k) * source.step;
        for (sum, &byte) in packed[at..bytes].iter_mut().zip(&source.data[from + at..from + bytes]) {
            *sum += weight * f32::from(byte);
        }
    }
}

/// Horizontal pass of one output row over pixels of `N` floats; `order` picks red, green and blue among them.
#[inline(always)]
fn sum_columns<const N: usize>(x: &Axis, packed: &[f32], out: &mut [u8], order: [usize; 3]) {
    for (o, pixel) in out.chunks_exact_mut(3).enumerate() {
        let (start, weights) = x.output(o);
        // Four floats are read per pixel whatever N is: one vector load; the surplus lanes are never used.
        let mut sums = [0f32; 4];
        let row = &packed[start * N..];
        for (k, &weight) in weights.iter().enumerate() {
            if let Some(values) = row.get(k * N..).and_then(|rest| rest.first_chunk::<4>()) {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += weight * value;
                }
            }
        }
        for (byte, from) in pixel.iter_mut().zip(order) {
            // `as` saturates: overshoot of the kernel is clipped to 0..=255.
            *byte = (sums[from] + 0.5) as u8;
        }
    }
}

#[inline(always)]
fn yuyv_to_rgb(packed: &[f32], rgb: &mut [f32]) {
    for (pair, out) in packed.chunks_exact(4).zip(rgb.chunks_exact_mut(6)) {
        for (luma, pixel) in [pair[0], pair[2]].into_iter().zip(out.chunks_exact_mut(3)) {
            pixel.copy_from_slice(&yuv_to_rgb(luma, [pair[1], pair[3]]));
        }
    }
}
