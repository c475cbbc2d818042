//! Settings of a ring, validated.

use std::fmt;
use std::sync::Arc;

use crate::frame::MAX_SIDE;
use crate::{FrameError, SettingsError, StillSettings};

/// Which size the slots have: the model's input size, by the size of the camera's pictures. A ring asks for it when the
/// first picture comes, and again when pictures come in another size.
#[derive(Clone)]
pub struct SlotSize(Arc<SizeOf>);

type SizeOf = dyn Fn((u32, u32)) -> Result<(u32, u32), String> + Send + Sync;

impl SlotSize {
    /// `size_of`: from width and height of upright pictures to width and height of the slots, pixels, or the reason why
    /// there are none for them. Frames are stretched to the slot's size, so it should keep the aspect.
    pub fn new(size_of: impl Fn((u32, u32)) -> Result<(u32, u32), String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(size_of))
    }

    /// Slots of one width and height whatever comes, pixels.
    pub fn fixed(size: (u32, u32)) -> Self {
        Self::new(move |_| Ok(size))
    }

    /// The size of the slots for upright pictures of this size.
    ///
    /// # Errors
    /// [`FrameError::NoSlot`] where there is none, or one with a side of zero or over [`MAX_SIDE`].
    pub(crate) fn of(&self, (width, height): (u32, u32)) -> Result<(u32, u32), FrameError> {
        let reason = match (self.0)((width, height)) {
            Ok(size) if [size.0, size.1].iter().all(is_side) => return Ok(size),
            Ok(size) => format!("expected slots with sides of 1 to {MAX_SIDE}, found {}x{}", size.0, size.1),
            Err(reason) => reason,
        };
        Err(FrameError::NoSlot { width, height, reason })
    }
}

fn is_side(pixels: &u32) -> bool {
    (1..=MAX_SIDE).contains(pixels)
}

impl fmt::Debug for SlotSize {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SlotSize")
    }
}

/// Settings of a ring.
#[derive(Clone, Debug)]
pub struct RingSettings {
    /// Frames held; the oldest is dropped for the newest (`keep_last`).
    pub capacity: usize,
    /// Size of every slot, by that of the pictures.
    pub slot_size: SlotSize,
    /// Frames kept per second of stamps; `None` keeps all.
    pub frame_rate_hz: Option<f64>,
    /// Which of the frames that come in time show nothing new and are left out; `None` keeps all.
    pub still: Option<StillSettings>,
}

impl RingSettings {
    pub(crate) fn validate(&self) -> Result<(), SettingsError> {
        if self.capacity == 0 {
            return Err(SettingsError::Zero { name: "capacity" });
        }
        match self.frame_rate_hz {
            Some(found) if !(found.is_finite() && found > 0.0) => Err(SettingsError::FrameRate { found }),
            _ => self.still.map_or(Ok(()), |still| validate_still(&still)),
        }
    }
}

fn validate_still(still: &StillSettings) -> Result<(), SettingsError> {
    let limits = [("still luma", still.luma), ("still move_m", still.move_m), ("still turn_deg", still.turn_deg)];
    for (name, found) in limits {
        if !(found.is_finite() && found >= 0.0) {
            return Err(SettingsError::Still { name, expected: "a finite number of at least 0", found });
        }
    }
    let found = still.longest_gap_secs;
    if !(found.is_finite() && found > 0.0) {
        let (name, expected) = ("still longest_gap_secs", "a positive finite number");
        return Err(SettingsError::Still { name, expected, found });
    }
    Ok(())
}
