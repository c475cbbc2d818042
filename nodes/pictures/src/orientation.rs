//! How a camera was held, as EXIF tells it.

/// What was done to the pixels as stored so that the picture stands upright. EXIF numbers these from 1 to 8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orientation {
    /// Quarter turns clockwise, 0 to 3.
    quarter_turns: u8,
    /// Left and right were swapped after the turn.
    mirrored: bool,
}

impl Orientation {
    /// EXIF's number, 1 to 8. Any other says nothing, so the picture stays as it is.
    pub fn from_exif(number: u8) -> Self {
        let (quarter_turns, mirrored) = match number {
            2 => (0, true),
            3 => (2, false),
            4 => (2, true),
            5 => (1, true),
            6 => (1, false),
            7 => (3, true),
            8 => (3, false),
            _ => (0, false),
        };
        Self { quarter_turns, mirrored }
    }

    /// The orientation that EXIF's TIFF structure tells; upright where it tells none.
    pub(crate) fn of_exif(tiff: Option<&[u8]>) -> Self {
        let told = tiff.and_then(image::metadata::Orientation::from_exif_chunk);
        told.map(|told| Self::from_exif(told.to_exif())).unwrap_or_default()
    }

    /// Quarter turns clockwise, 0 to 3, that the pixels as stored were given.
    pub fn quarter_turns(self) -> u8 {
        self.quarter_turns
    }

    /// Whether left and right were swapped, after the turn.
    pub fn is_mirrored(self) -> bool {
        self.mirrored
    }

    /// Whether nothing was done.
    pub fn is_upright(self) -> bool {
        self == Self::default()
    }

    /// Whether width and height are swapped against the pixels as stored.
    pub fn swaps_sides(self) -> bool {
        self.quarter_turns % 2 == 1
    }

    /// Where a point of the upright picture lies in the picture as stored, which is `width` × `height`. Pixels, x to the
    /// right, y down, the first pixel's centre at (0.5, 0.5).
    pub fn stored_from_upright(self, [x, y]: [f64; 2], (width, height): (u32, u32)) -> [f64; 2] {
        let (width, height) = (f64::from(width), f64::from(height));
        let upright_width = if self.swaps_sides() { height } else { width };
        let x = if self.mirrored { upright_width - x } else { x };
        match self.quarter_turns {
            0 => [x, y],
            1 => [y, height - x],
            2 => [width - x, height - y],
            _ => [width - y, x],
        }
    }

    /// Rows of `N` bytes a pixel, `width` × `height`, turned upright.
    pub(crate) fn upright<const N: usize>(self, rows: &[u8], (width, height): (u32, u32)) -> Vec<u8> {
        let (pixels, _) = rows.as_chunks::<N>();
        let (to_width, to_height) = if self.swaps_sides() { (height, width) } else { (width, height) };
        let mut upright = Vec::with_capacity(rows.len());
        for y in 0..to_height {
            // Along a row of the upright picture, the place in the stored one moves by a fixed step.
            let place = |x: u32| self.place(x, y, (width, height));
            let (first, second) = (place(0), place(1));
            for x in 0..to_width as usize {
                let at = first as isize + x as isize * (second - first) as isize;
                upright.extend_from_slice(&pixels[at as usize]);
            }
        }
        upright
    }

    /// Index of the stored pixel that pixel (`x`, `y`) of the upright picture is; `x` may be one beyond the row.
    fn place(self, x: u32, y: u32, (width, height): (u32, u32)) -> i64 {
        let centre = [f64::from(x) + 0.5, f64::from(y) + 0.5];
        let [x, y] = self.stored_from_upright(centre, (width, height)).map(|at| at.floor() as i64);
        y * i64::from(width) + x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 3 x 2: its first row is 1 2 3.
    const STORED: [u8; 6] = [1, 2, 3, 4, 5, 6];

    #[test]
    fn all_eight_are_turned_as_exif_defines_them() {
        let upright: [&[u8]; 8] = [
            &[1, 2, 3, 4, 5, 6],
            &[3, 2, 1, 6, 5, 4],
            &[6, 5, 4, 3, 2, 1],
            &[4, 5, 6, 1, 2, 3],
            &[1, 4, 2, 5, 3, 6],
            &[4, 1, 5, 2, 6, 3],
            &[6, 3, 5, 2, 4, 1],
            &[3, 6, 2, 5, 1, 4],
        ];
        for (number, expected) in (1..).zip(upright) {
            assert_eq!(Orientation::from_exif(number).upright::<1>(&STORED, (3, 2)), expected, "{number}");
        }
        assert!(Orientation::from_exif(0).is_upright() && Orientation::from_exif(9).is_upright());
    }

    #[test]
    fn a_point_is_found_where_it_was_stored() {
        // The lower left pixel of a picture that was turned clockwise was the lower right one... of a camera on its side.
        let turned = Orientation::from_exif(6);
        assert!(turned.swaps_sides() && turned.quarter_turns() == 1 && !turned.is_mirrored());
        assert_eq!(turned.stored_from_upright([0.5, 0.5], (640, 480)), [0.5, 479.5]);
        assert_eq!(turned.stored_from_upright([479.5, 639.5], (640, 480)), [639.5, 0.5]);
    }
}
