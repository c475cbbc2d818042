//! What a picture's file says about the way in which it was held, beside what TF knows of the camera.

use crate::QuarterTurn;

/// How pixels as stored become upright by what their file (EXIF) says: left and right are swapped first, then the picture
/// is turned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExifTurn {
    /// Left and right are swapped.
    pub mirrored: bool,
    /// The turn behind that.
    pub turn: QuarterTurn,
}

impl ExifTurn {
    /// From EXIF's own order: `quarter_turns` clockwise first, then left and right are swapped where it is `mirrored`.
    pub fn new(quarter_turns: u8, mirrored: bool) -> Self {
        let turn = match (quarter_turns % 4, mirrored) {
            (0, _) => QuarterTurn::None,
            (2, _) => QuarterTurn::Half,
            // Swapped ahead of the turn instead of behind it, the turn is the other way round.
            (1, false) | (3, true) => QuarterTurn::Right,
            _ => QuarterTurn::Left,
        };
        Self { mirrored, turn }
    }

    /// What is done to pixels of a camera whose mounting asks for `mounted`. TF knows better how a camera hangs, and a
    /// picture that TF turns is not turned again. A mirrored picture is that of no frame that TF could name, so what the
    /// file says counts.
    pub(crate) fn beside(self, mounted: Option<QuarterTurn>) -> Self {
        match mounted {
            Some(turn) if !self.mirrored => Self { mirrored: false, turn },
            _ => self,
        }
    }

    /// Where a point of the upright picture is in the picture as stored, of `size` (width, height); pixels, centres at
    /// half integers.
    pub(crate) fn as_sent(self, upright: [f64; 2], size: (u32, u32)) -> [f64; 2] {
        let [x, y] = self.turn.as_sent(upright, size);
        [if self.mirrored { f64::from(size.0) - x } else { x }, y]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 3 x 2 whose first row is 1 2 3, and what EXIF's numbers 1 to 8 make of it.
    #[test]
    fn all_eight_are_turned_as_exif_defines_them() {
        let stored = [1, 2, 3, 4, 5, 6];
        let cases = [
            (0, false, [1, 2, 3, 4, 5, 6]),
            (0, true, [3, 2, 1, 6, 5, 4]),
            (2, false, [6, 5, 4, 3, 2, 1]),
            (2, true, [4, 5, 6, 1, 2, 3]),
            (1, true, [1, 4, 2, 5, 3, 6]),
            (1, false, [4, 1, 5, 2, 6, 3]),
            (3, true, [6, 3, 5, 2, 4, 1]),
            (3, false, [3, 6, 2, 5, 1, 4]),
        ];
        for (quarter_turns, mirrored, expected) in cases {
            let told = ExifTurn::new(quarter_turns, mirrored);
            let (width, height) = told.turn.size((3, 2));
            let places = (0..height).flat_map(|y| (0..width).map(move |x| [x, y]));
            let found: Vec<u8> = places
                .map(|place| told.as_sent(place.map(|at| f64::from(at) + 0.5), (3, 2)).map(|at| at as usize))
                .map(|[x, y]| stored[3 * y + x])
                .collect();
            assert_eq!(found, expected, "{quarter_turns} {mirrored}");
        }
    }

    #[test]
    fn a_picture_is_never_turned_by_both() {
        let half = ExifTurn::new(2, false);
        assert_eq!(half.beside(Some(QuarterTurn::Half)), half);
        assert_eq!(half.beside(Some(QuarterTurn::None)), ExifTurn::default());
        assert_eq!(half.beside(None), half);
        let mirrored = ExifTurn::new(2, true);
        assert_eq!(mirrored.beside(Some(QuarterTurn::None)), mirrored);
    }
}
