//! Catmull-Rom weights along one axis, in whole numbers.
//!
//! Pixel grid: pixel `i` covers `[i, i + 1)`, so output centre `o` maps to `(o + 0.5) * source / output`. The kernel
//! (a = -0.5) widens with the reduction, as in Pillow and `fast_image_resize`.

/// Weights are counted in parts of two to this power, or to one less where one of them is one or more.
const FINE: u32 = 15;
/// Weights of an output are a multiple of this many, where the picture is that large.
const LANES: usize = 4;

/// Filter weights along one axis.
#[derive(Clone, Debug, Default)]
pub(crate) struct Axis {
    /// First source index of each output.
    starts: Vec<u32>,
    /// `taps` weights per output, zero where the kernel leaves the picture; together they are one.
    weights: Vec<i16>,
    taps: usize,
    /// Bits that weights are coarser than [`FINE`].
    coarser: u32,
}

/// The weights of one output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taps<'a> {
    /// Source index of the first.
    pub start: usize,
    /// In parts of 2^15, or of 2^14 where the axis is coarser.
    pub weights: &'a [i16],
}

impl Taps<'_> {
    /// Index after the last.
    pub fn end(&self) -> usize {
        self.start + self.weights.len()
    }

    /// What [`multiply`] loses in all of these products, on average.
    #[inline(always)]
    pub fn lost(&self) -> i16 {
        (self.weights.len() / 2) as i16
    }
}

impl Axis {
    /// Fills the plan in place; allocates only where an earlier plan was smaller.
    pub fn plan(&mut self, source: usize, output: usize) {
        self.coarser = 0;
        if !self.fill(source, output) {
            self.coarser = 1;
            self.fill(source, output);
        }
    }

    /// False if a weight is too great.
    fn fill(&mut self, source: usize, output: usize) -> bool {
        let (one, mut fits) = (f64::from(1 << (FINE - self.coarser)), true);
        let scale = source as f64 / output as f64;
        let stretch = scale.max(1.0);
        let radius = 2.0 * stretch;
        self.taps = (radius.ceil() as usize * 2 + 1).next_multiple_of(LANES).min(source);
        self.starts.clear();
        self.weights.clear();
        self.weights.resize(self.taps * output, 0);
        for (o, weights) in self.weights.chunks_exact_mut(self.taps).enumerate() {
            let centre = (o as f64 + 0.5) * scale;
            let lowest = (centre - radius).floor().max(0.0) as usize;
            let start = lowest.min(source - self.taps);
            let kernel = |k: usize| catmull_rom(((start + k) as f64 + 0.5 - centre) / stretch);
            let sum: f64 = (0..weights.len()).map(kernel).sum();
            let (mut exact, mut given) = (0.0, 0.0);
            for (k, weight) in weights.iter_mut().enumerate() {
                // What rounding leaves over goes to the next one, so that together they stay one.
                exact += one * kernel(k) / sum;
                let whole = f64::round(exact - given);
                given += whole;
                fits &= whole <= f64::from(i16::MAX);
                // `as` saturates.
                *weight = whole as i16;
            }
            self.starts.push(start as u32);
        }
        fits
    }

    /// The weights of output `o`.
    #[inline(always)]
    pub fn taps(&self, o: usize) -> Taps<'_> {
        Taps { start: self.starts[o] as usize, weights: &self.weights[o * self.taps..(o + 1) * self.taps] }
    }

    /// Bits that sums of products are coarser than where weights are counted in parts of 2^15.
    pub fn coarser(&self) -> u32 {
        self.coarser
    }

    /// Outputs.
    pub fn outputs(&self) -> usize {
        self.starts.len()
    }
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

/// A value times a weight, half as fine as the value: floor(value * weight / 2^16), which loses a half on average.
#[inline(always)]
pub(crate) fn multiply(value: i16, weight: i16) -> i16 {
    ((i32::from(value) * i32::from(weight)) >> 16) as i16
}
