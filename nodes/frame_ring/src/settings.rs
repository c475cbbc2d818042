//! Settings of a ring, validated.

use crate::frame::MAX_SIDE;
use crate::{SettingsError, StillSettings};

/// A frame may come this share of a period early and still be kept, so that jitter does not halve the rate.
pub(crate) const EARLY_SHARE: f64 = 0.1;

/// Settings of a ring.
#[derive(Clone, Debug, PartialEq)]
pub struct RingSettings {
    /// Frames held; the oldest is dropped for the newest (`keep_last`).
    pub capacity: usize,
    /// Width of every slot: the model's input width, pixels.
    pub width: u32,
    /// Height of every slot: the model's input height, pixels.
    pub height: u32,
    /// Frames kept per second of stamps; `None` keeps all.
    pub frame_rate_hz: Option<f64>,
    /// Which of the frames that come in time show nothing new and are left out; `None` keeps all.
    pub still: Option<StillSettings>,
    /// Width and height of the camera's frames, so that the first push needs no planning.
    pub expected_source: (u32, u32),
}

impl RingSettings {
    pub(crate) fn validate(&self) -> Result<(), SettingsError> {
        let (source_width, source_height) = self.expected_source;
        for (name, found) in [
            ("capacity", self.capacity),
            ("width", self.width as usize),
            ("height", self.height as usize),
            ("expected_source width", source_width as usize),
            ("expected_source height", source_height as usize),
        ] {
            if found == 0 {
                return Err(SettingsError::Zero { name });
            }
        }
        for (width, height) in [(self.width, self.height), self.expected_source] {
            if width > MAX_SIDE || height > MAX_SIDE {
                return Err(SettingsError::TooLarge { expected: MAX_SIDE, width, height });
            }
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
