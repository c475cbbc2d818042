//! The frame header: how large the picture is, and how its blocks are counted (ITU T.81, A.1, A.2 and B.2.2).

use super::cursor::{damaged, unsupported};
use crate::error::Result;
use crate::{MAX_PIXELS, MAX_PROGRESSIVE_PIXELS, check_size};

/// Side of a block.
const BLOCK: usize = 8;

/// One colour plane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks of a unit, across and down.
    pub(super) across: usize,
    pub(super) down: usize,
    /// Number of its quantisation table.
    pub(super) quantisation: usize,
}

/// What the frame header says.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) is_progressive: bool,
    pub(super) components: Vec<Component>,
}

impl Frame {
    /// Reads the segment behind the marker `FF marker`; its kinds 0 to 2 are read.
    ///
    /// # Errors
    /// When it is of another kind, too large, or contradicts itself.
    pub(super) fn read(marker: u8, body: &[u8]) -> Result<Self> {
        let [precision, h1, h0, w1, w0, count, components @ ..] = body else {
            return Err(damaged(format!("expected a frame header of at least 9 bytes, found {}", body.len())));
        };
        let (width, height) = (u16::from_be_bytes([*w1, *w0]), u16::from_be_bytes([*h1, *h0]));
        let is_progressive = marker == 0xC2;
        let limit = if is_progressive { MAX_PROGRESSIVE_PIXELS } else { MAX_PIXELS };
        check_size(width.into(), height.into(), limit)?;
        if *precision != 8 {
            return Err(unsupported("8 bits a colour", format!("{precision}")));
        }
        if !matches!(count, 1 | 3 | 4) || components.len() != 3 * usize::from(*count) {
            return Err(damaged(format!("expected 1, 3 or 4 colours, found {count} in {} bytes", body.len())));
        }
        let components = components.chunks_exact(3).map(component).collect::<Result<Vec<_>>>()?;
        Ok(Self { width: width.into(), height: height.into(), is_progressive, components })
    }

    /// Units of several interleaved components.
    pub(super) fn units(&self) -> usize {
        let (across, down) = self.largest();
        self.width.div_ceil(BLOCK * across) * self.height.div_ceil(BLOCK * down)
    }

    /// Blocks of component `index` where its scan holds no other.
    pub(super) fn blocks(&self, index: usize) -> usize {
        let (across, down) = self.largest();
        let component = self.components[index];
        let width = (self.width * component.across).div_ceil(across);
        let height = (self.height * component.down).div_ceil(down);
        width.div_ceil(BLOCK) * height.div_ceil(BLOCK)
    }

    fn largest(&self) -> (usize, usize) {
        let most = |side: fn(&Component) -> usize| self.components.iter().map(side).max().unwrap_or(1);
        (most(|component| component.across), most(|component| component.down))
    }
}

fn component(bytes: &[u8]) -> Result<Component> {
    let (across, down) = (usize::from(bytes[1] >> 4), usize::from(bytes[1] & 15));
    if !(1..=4).contains(&across) || !(1..=4).contains(&down) {
        return Err(damaged(format!("expected 1 to 4 blocks a unit, found {across}x{down}")));
    }
    Ok(Component { id: bytes[0], across, down, quantisation: usize::from(bytes[2]) })
}
