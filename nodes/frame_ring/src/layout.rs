//! Where a picture's pixels lie in its data, also where `step` or the number of rows is wrong beside whole data.
//!
//! Drivers send no step, the bytes of a pixel for it, rows behind the picture that an encoder needed, a last row without
//! its padding, or a buffer of whole pages. What the frame says about itself counts wherever the data can be read so; else
//! what the length of the data says counts, where it says one thing only. Data that are too short for the picture are
//! never repaired.

use crate::Encoding;

/// Most rows behind a picture: encoders work on 16, 32 or 64 at once.
const MOST_ROWS_BEHIND: usize = 63;
/// Most bytes that fill a row up: to a multiple of 256.
const MOST_PADDING: usize = 255;
/// Bytes of a page: buffers of the kernel's are a whole number of them.
const PAGE: usize = 4096;

/// Where the pixels lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Bytes from one row to the next in the first plane.
    pub step: usize,
    /// Rows of the first plane, with those behind the picture.
    pub rows: usize,
    /// What the frame says about itself was wrong.
    pub repaired: bool,
}

/// What a frame says about itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub encoding: Encoding,
    pub width: usize,
    pub height: usize,
    pub step: usize,
}

impl Claim {
    /// Where the pixels lie in `found` bytes; `None` where they don't, or may lie in several ways.
    pub fn layout(&self, found: usize) -> Option<Layout> {
        let (row, height) = (self.row_bytes(), self.height);
        if self.step >= row && found == self.data_bytes(self.step) {
            return Some(Layout { step: self.step, rows: height, repaired: false });
        }
        let repaired = |step, rows| Some(Layout { step, rows, repaired: true });
        if found == self.data_bytes(row) {
            return repaired(row, height);
        }
        if self.step >= row {
            let said = self.rows_as_said(found).and_then(|rows| repaired(self.step, rows));
            return said.or_else(|| self.padded(found)).or_else(|| self.paged(found));
        }
        match (self.padded(found), self.rows(row, found)) {
            (None, None) => self.paged(found),
            (padded, None) => padded,
            (None, Some(rows)) => repaired(row, rows),
            (Some(_), Some(_)) => None,
        }
    }

    /// Rows of the first plane where the step may be right: the last row comes without some of its padding, or bytes
    /// follow the picture, a whole number of rows or less than one.
    fn rows_as_said(&self, found: usize) -> Option<usize> {
        let whole = self.data_bytes(self.step);
        let shortest = whole - (self.step - self.row_bytes());
        let behind =
            found.checked_sub(whole).filter(|behind| *behind < self.step && !found.is_multiple_of(self.height));
        let is_whole = (shortest..whole).contains(&found) || behind.is_some();
        if is_whole { Some(self.height) } else { self.rows(self.step, found) }
    }

    /// Rows of the first plane, if they are more than the picture's and fill the data.
    fn rows(&self, step: usize, found: usize) -> Option<usize> {
        let rows = found.saturating_mul(2) / self.encoding.data_bytes(step, 2).max(1);
        // As many again are a second picture.
        let most = self.height + MOST_ROWS_BEHIND.min(self.height - 1);
        ((self.height + 1..=most).contains(&rows) && self.encoding.data_bytes(step, rows) == found).then_some(rows)
    }

    /// Rows that are padded though the step says that they are not.
    fn padded(&self, found: usize) -> Option<Layout> {
        let row = self.row_bytes();
        let step = found / self.encoding.data_bytes(1, self.height).max(1);
        let most = row + MOST_PADDING.min(row - 1);
        let fits = (row + 1..=most).contains(&step) && self.data_bytes(step) == found;
        (fits && self.step <= row).then_some(Layout { step, rows: self.height, repaired: true })
    }

    /// A whole picture at the start of a buffer of whole pages, with the step that is said where that may be right.
    fn paged(&self, found: usize) -> Option<Layout> {
        let fits = |step: &usize| self.data_bytes(*step).checked_next_multiple_of(PAGE) == Some(found);
        let step = [self.step.max(self.row_bytes()), self.row_bytes()].into_iter().find(fits)?;
        Some(Layout { step, rows: self.height, repaired: true })
    }

    /// Bytes of a row's pixels in the first plane.
    pub fn row_bytes(&self) -> usize {
        self.encoding.row_bytes(self.width)
    }

    /// Bytes of the whole picture with that step.
    pub fn data_bytes(&self, step: usize) -> usize {
        self.encoding.data_bytes(step, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::{Channels, Sample};

    const RGB: Encoding = Encoding::Packed(Channels::Rgb, Sample::Byte);

    /// Step and rows that a picture of 64x48 is taken to have.
    fn found(encoding: Encoding, step: usize, bytes: usize) -> Option<(usize, usize, bool)> {
        let claim = Claim { encoding, width: 64, height: 48, step };
        claim.layout(bytes).map(|layout| (layout.step, layout.rows, layout.repaired))
    }

    #[test]
    fn what_is_said_counts_where_the_data_agree() {
        assert_eq!(found(RGB, 192, 192 * 48), Some((192, 48, false)));
        assert_eq!(found(RGB, 200, 200 * 48), Some((200, 48, false)));
        assert_eq!(found(Encoding::Nv12, 64, 64 * 72), Some((64, 48, false)));
        assert_eq!(found(Encoding::Nv24, 80, 80 * 48 * 3), Some((80, 48, false)));
    }

    #[test]
    fn a_wrong_step_beside_whole_data_is_the_rows_own() {
        for step in [0, 1, 3, 4, 191, 256, 4_000_000_000] {
            assert_eq!(found(RGB, step, 192 * 48), Some((192, 48, true)), "{step}");
        }
        for step in [0, 96, 192] {
            assert_eq!(found(Encoding::Nv21, step, 64 * 72), Some((64, 48, true)), "{step}");
        }
    }

    #[test]
    fn rows_behind_the_picture_are_left_out() {
        for behind in [1, 8, 16, 47] {
            assert_eq!(found(RGB, 192, 192 * (48 + behind)), Some((192, 48 + behind, true)), "{behind}");
            assert_eq!(found(RGB, 224, 224 * (48 + behind)), Some((224, 48 + behind, true)), "{behind}");
        }
        assert_eq!(found(Encoding::Nv12, 64, 64 * 84), Some((64, 56, true)), "its chroma lies behind them");
        assert_eq!(found(RGB, 192, 192 * (48 + 64)), None);
    }

    #[test]
    fn a_last_row_may_lack_its_padding_and_less_than_a_row_may_follow() {
        for bytes in [200 * 48 - 8, 200 * 48 - 1, 200 * 48 + 1, 200 * 48 + 199] {
            assert_eq!(found(RGB, 200, bytes), Some((200, 48, true)), "{bytes}");
        }
        assert_eq!(found(RGB, 200, 200 * 48 - 9), None, "a pixel is missing");
    }

    #[test]
    fn a_buffer_of_whole_pages_may_end_behind_the_picture() {
        // 160x90: less than a page, several rows and a part of one behind it.
        for (encoding, row) in [(RGB, 480), (Encoding::Nv12, 160), (Encoding::Yuyv, 320)] {
            let claim = |step| Claim { encoding, width: 160, height: 90, step };
            let whole = claim(row).data_bytes(row);
            let pages = whole.next_multiple_of(4096);
            assert!(pages - whole > row && !(pages - whole).is_multiple_of(row), "{encoding:?}");
            for step in [row, 0, 3] {
                let layout = claim(step).layout(pages).expect("whole");
                assert_eq!((layout.step, layout.rows, layout.repaired), (row, 90, true), "{encoding:?} {step}");
            }
            assert!(
                claim(row).layout(pages + 4096).is_none() && claim(row).layout(pages - 1).is_none(),
                "{encoding:?}"
            );
        }
    }

    #[test]
    fn padded_rows_are_known_by_the_length() {
        let claim = Claim { encoding: RGB, width: 63, height: 47, step: 189 };
        let layout = claim.layout(192 * 47).expect("whole");
        assert_eq!((layout.step, layout.rows), (192, 47));
    }

    #[test]
    fn what_is_short_or_may_be_two_things_is_not_repaired() {
        for step in [0, 4, 192, 200, 100_000] {
            for bytes in [0, 1, 191, 192 * 47, 192 * 48 - 1, 192 * 48 - 100] {
                assert_eq!(found(RGB, step, bytes), None, "step {step}, {bytes} bytes");
            }
        }
        assert_eq!(found(RGB, 0, 224 * 48), None, "rows of 224 bytes, or 8 rows too many");
        assert_eq!(found(RGB, 192, 192 * 48 * 2), None);
    }
}
