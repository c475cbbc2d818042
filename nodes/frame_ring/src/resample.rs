//! Antialiased Catmull-Rom resampling from a driver's picture into RGB, planned once and then free of allocation.
//!
//! `fast_image_resize` computes its coefficients anew for every picture, hundreds of allocations each; that is why the
//! plan lives here. A test holds the two within rounding of each other. The vertical pass comes first, on numbers as they
//! are packed; conversion to RGB and reordering of channels come last, on few output rows and pixels. Every step before
//! the final rounding is linear, so the order does not change the result.

use pulp::{Arch, Simd, WithSimd};

use crate::Encoding;
use crate::axis::Axis;
use crate::source::Source;
use crate::vertical::{ROWS, Vertical, band_len};
use crate::yuv::Pair;
use crate::{horizontal, yuv};

/// Resamples pictures of one size into RGB pictures of another.
#[derive(Debug)]
pub(crate) struct Resampler {
    arch: Arch,
    x: Axis,
    y: Axis,
    room: Room,
}

/// Room for one band, kept from one picture to the next.
#[derive(Debug)]
struct Room {
    vertical: Vertical,
    /// The band of the first plane: four numbers a pixel at most.
    first: Vec<i16>,
    /// That of chroma: two numbers a pixel.
    chroma: Vec<i16>,
    /// What is made of both: three numbers a pixel.
    rgb: Vec<i16>,
    /// Finished bytes, four numbers a pixel at most.
    done: Vec<u8>,
}

impl Resampler {
    /// A resampler that is not planned yet: everything becomes nothing.
    pub fn new() -> Self {
        let (vertical, first, chroma, rgb, done) = (Vertical::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let room = Room { vertical, first, chroma, rgb, done };
        Self { arch: Arch::new(), x: Axis::default(), y: Axis::default(), room }
    }

    /// Plans for pictures of `source` to become `output` (width, height); allocates where an earlier plan was smaller.
    pub fn plan(&mut self, source: (usize, usize), output: (usize, usize)) {
        self.x.plan(source.0, output.0);
        self.y.plan(source.1, output.1);
        let Room { vertical, first, chroma, rgb, done } = &mut self.room;
        vertical.plan(&self.y);
        first.resize(band_len(source.0 * 4), 0);
        chroma.resize(band_len(source.0 * 2), 0);
        // Of whole pairs of pixels.
        rgb.resize(band_len(source.0 * 3 + 3), 0);
        done.resize(output.0 * 4 * ROWS, 0);
    }

    /// Writes `source`, which is of the planned size and no Bayer picture, into `output`, `width * height * 3` bytes.
    /// Numbers of two bytes have `word_bits` bits.
    pub fn run(&mut self, source: &Source<'_>, word_bits: u32, output: &mut [u8]) {
        let (x, y, room) = (&self.x, &self.y, &mut self.room);
        self.arch.dispatch(Pass { source, word_bits, x, y, room, output });
    }
}

struct Pass<'a> {
    source: &'a Source<'a>,
    word_bits: u32,
    x: &'a Axis,
    y: &'a Axis,
    room: &'a mut Room,
    output: &'a mut [u8],
}

impl WithSimd for Pass<'_> {
    type Output = ();

    // Compiled once per instruction set; the plain loops of the passes are what gets vectorised.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { source, word_bits, x, y, room, output } = self;
        let (plane, chroma) = (source.plane(word_bits), source.chroma());
        let mut read = (0, 0);
        for (band, out) in output.chunks_mut(x.outputs() * 3 * ROWS).enumerate() {
            let outputs = band * ROWS..(band * ROWS + ROWS).min(y.outputs());
            room.vertical.run(&plane, y, outputs.clone(), &mut read.0, &mut room.first);
            if let Some(chroma) = &chroma {
                room.vertical.run(chroma, y, outputs, &mut read.1, &mut room.chroma);
            }
            finish(source.encoding, x, room, out);
        }
    }
}

/// Numbers of a band's pixels, one for each row.
const ONE: usize = ROWS;
const THREE: usize = 3 * ROWS;
const FOUR: usize = 4 * ROWS;

/// From bands to finished rows.
#[inline(always)]
fn finish(encoding: Encoding, x: &Axis, room: &mut Room, out: &mut [u8]) {
    let Room { first, chroma, rgb, done, .. } = room;
    match encoding {
        Encoding::Packed(channels, _) => {
            let order = channels.order();
            return match channels.count() {
                1 => horizontal::run::<ONE>(x, first, done, out, order),
                3 => horizontal::run::<THREE>(x, first, done, out, order),
                _ => horizontal::run::<FOUR>(x, first, done, out, order),
            };
        }
        Encoding::Yuyv => yuv::band_to_rgb::<4, 4>(first, first, rgb, &Pair { luma: [0, 2], chroma: [[1, 3]; 2] }),
        Encoding::Uyvy => yuv::band_to_rgb::<4, 4>(first, first, rgb, &Pair { luma: [1, 3], chroma: [[0, 2]; 2] }),
        Encoding::Nv12 => yuv::band_to_rgb::<2, 2>(first, chroma, rgb, &Pair { luma: [0, 1], chroma: [[0, 1]; 2] }),
        Encoding::Nv21 => yuv::band_to_rgb::<2, 2>(first, chroma, rgb, &Pair { luma: [0, 1], chroma: [[1, 0]; 2] }),
        Encoding::Nv24 => {
            yuv::band_to_rgb::<2, 4>(first, chroma, rgb, &Pair { luma: [0, 1], chroma: [[0, 1], [2, 3]] });
        }
        Encoding::Bayer(..) => return,
    }
    horizontal::run::<THREE>(x, rgb, done, out, [0, 1, 2]);
}
