//! How varied simulated rooms, cameras and walks are.

use crate::odometry::Drift;

/// What scenes may hold. The default is what `spacer-nano` 0.2.0 was trained and examined on, to the byte;
/// [`Variety::full`] is the whole specification.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Variety {
    /// Two-room flats, swinging doors, clutter, 8–25 objects, free space that stays connected, novel patterns in novel
    /// rooms. Else rectangles and L with 4–15 objects.
    pub full_rooms: bool,
    /// Every lamp casts shadows.
    pub shadows: bool,
    /// Lenses bend and pictures have been through JPEG.
    pub lenses: bool,
    /// Robots of all heights and hand-held cameras, on shortest ways with dwells and one full turn. Else a camera that
    /// is carried level and looks around.
    pub planned_walks: bool,
    /// Share of the full rooms in which a door opens or a thing is moved.
    pub moving_share: f64,
    /// How odometry errs.
    pub drift: Drift,
    /// Height of every camera over the floor, metres; drawn for each where absent.
    pub camera_height_m: Option<f64>,
}

impl Variety {
    /// The whole specification, in rooms where nothing moves.
    pub fn full() -> Self {
        Self {
            full_rooms: true,
            shadows: true,
            lenses: true,
            planned_walks: true,
            moving_share: 0.0,
            drift: Drift::wheels(),
            camera_height_m: None,
        }
    }
}
