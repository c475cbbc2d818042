//! Where each pixel of the straightened, upright picture comes from in the picture as it was sent.
//!
//! Pixel grid: pixel `i` covers `[i, i + 1)`, so pixel centres are at half integers on both sides. A place between
//! centres is bilinear between the four around it; places outside repeat the edge.

use crate::PixelMapError;
use crate::frame::MAX_SIDE;

/// One is this many parts: weights between two pixels are counted in them.
const ONE: u32 = 256;

/// The four source pixels of an output pixel, by the upper left one, and how far it is from that towards the others.
#[derive(Clone, Copy, Debug)]
struct Place {
    column: u16,
    row: u16,
    /// Right and down, 0 to 255 parts of [`ONE`].
    between: [u8; 2],
}

/// A picture's way from the sensor to upright and straight, made once for a camera and shared by all its frames.
/// Six bytes for each output pixel.
#[derive(Clone, Debug)]
pub struct PixelMap {
    source: (u32, u32),
    output: (u32, u32),
    /// Row by row from the top left of the output.
    places: Vec<Place>,
}

impl PixelMap {
    /// A map from pictures of `source` width and height to pictures of `output` width and height, pixels. `source_of`:
    /// from a place `[x, y]` in the output to the one in the source that is shown there, pixel centres at half integers.
    /// A place that is no number shows the first column or row.
    ///
    /// # Errors
    /// [`PixelMapError`] where a side is zero or longer than [`MAX_SIDE`].
    pub fn new(
        source: (u32, u32),
        output: (u32, u32),
        source_of: impl Fn([f64; 2]) -> [f64; 2],
    ) -> Result<Self, PixelMapError> {
        for (width, height) in [source, output] {
            if ![width, height].iter().all(|side| (1..=MAX_SIDE).contains(side)) {
                return Err(PixelMapError { expected: MAX_SIDE, width, height });
            }
        }
        let mut places = Vec::with_capacity(output.0 as usize * output.1 as usize);
        for row in 0..output.1 {
            for column in 0..output.0 {
                let [x, y] = source_of([f64::from(column) + 0.5, f64::from(row) + 0.5]);
                let ((column, right), (row, down)) = (between(x, source.0), between(y, source.1));
                places.push(Place { column, row, between: [right, down] });
            }
        }
        Ok(Self { source, output, places })
    }

    /// Width and height of the pictures as they are sent.
    pub fn source(&self) -> (u32, u32) {
        self.source
    }

    /// Width and height of the pictures that come out.
    pub fn output(&self) -> (u32, u32) {
        self.output
    }

    /// Writes the straightened, upright picture of `source` into `output`; both RGB, of this map's sizes.
    pub(crate) fn apply(&self, source: &[u8], output: &mut [u8]) {
        let width = self.source.0 as usize;
        let (last_column, last_row) = (width - 1, self.source.1 as usize - 1);
        for (pixel, place) in output.chunks_exact_mut(3).zip(&self.places) {
            let (left, top) = (usize::from(place.column), usize::from(place.row));
            let (right, bottom) = ((left + 1).min(last_column), (top + 1).min(last_row));
            let at = |column: usize, row: usize| source[(row * width + column) * 3..].first_chunk::<3>();
            let corners = [at(left, top), at(right, top), at(left, bottom), at(right, bottom)];
            if let [Some(upper_left), Some(upper_right), Some(lower_left), Some(lower_right)] = corners {
                let [right, down] = place.between.map(u32::from);
                for (channel, byte) in pixel.iter_mut().enumerate() {
                    let mix = |from: &[u8; 3], to: &[u8; 3]| {
                        u32::from(from[channel]) * (ONE - right) + u32::from(to[channel]) * right
                    };
                    let sum = mix(upper_left, upper_right) * (ONE - down) + mix(lower_left, lower_right) * down;
                    *byte = ((sum + ONE * ONE / 2) / (ONE * ONE)) as u8;
                }
            }
        }
    }
}

/// The pixel before a place along an axis of `pixels`, and how far the place is from its centre towards the next one's.
fn between(place: f64, pixels: u32) -> (u16, u8) {
    let parts = f64::from(ONE);
    // `as` makes 0 of what is no number.
    let steps = ((place - 0.5).clamp(0.0, f64::from(pixels - 1)) * parts).round() as u32;
    ((steps / ONE) as u16, (steps % ONE) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3x2 pixels of the shades 0, 30, 60 and 90, 120, 150.
    fn shades() -> Vec<u8> {
        (0..6u8).flat_map(|i| [i * 30; 3]).collect()
    }

    fn applied(output: (u32, u32), source_of: impl Fn([f64; 2]) -> [f64; 2]) -> Vec<u8> {
        let map = PixelMap::new((3, 2), output, source_of).expect("sizes");
        let mut rgb = vec![0; (output.0 * output.1 * 3) as usize];
        map.apply(&shades(), &mut rgb);
        assert!(rgb.chunks(3).all(|pixel| pixel[0] == pixel[1] && pixel[0] == pixel[2]));
        rgb.into_iter().step_by(3).collect()
    }

    #[test]
    fn the_place_itself_is_the_picture_itself() {
        assert_eq!(applied((3, 2), |place| place), [0, 30, 60, 90, 120, 150]);
    }

    #[test]
    fn half_and_quarter_turns_are_exact() {
        assert_eq!(applied((3, 2), |[x, y]| [3.0 - x, 2.0 - y]), [150, 120, 90, 60, 30, 0]);
        assert_eq!(applied((2, 3), |[x, y]| [y, 2.0 - x]), [90, 0, 120, 30, 150, 60]);
    }

    #[test]
    fn a_place_between_pixels_is_between_their_shades_and_one_outside_is_the_edge() {
        assert_eq!(applied((1, 1), |_| [1.25, 0.5]), [23], "three quarters of the way from 0 to 30");
        assert_eq!(applied((1, 1), |_| [1.0, 1.0]), [60], "the middle of four");
        for (place, shade) in [([-9.0, 0.5], 0), ([99.0, 0.5], 60), ([0.5, 1e300], 90), ([f64::NAN, 0.5], 0)] {
            assert_eq!(applied((1, 1), |_| place), [shade], "{place:?}");
        }
    }

    #[test]
    fn sizes_out_of_range_are_refused() {
        for (source, output) in [((0, 2), (3, 2)), ((3, 2), (3, 0)), ((3, 2), (MAX_SIDE + 1, 2))] {
            assert!(PixelMap::new(source, output, |place| place).is_err(), "{source:?} {output:?}");
        }
    }
}
