//! What is true in a simulated room: the JSON that `sim/truth` carries with every frame.

use std::collections::BTreeMap;

use msgs::{Cell, ImaginedMap, MapObject};
use serde::{Deserialize, Serialize};

use crate::channel::TopicInfo;
use crate::messages::StringMessage;

/// End of the topic's name.
pub const SIM_TRUTH_TOPIC: &str = "sim/truth";

/// Whether a topic carries [`SimTruth`].
pub fn is_sim_truth(topic: &TopicInfo) -> bool {
    topic.name.ends_with(SIM_TRUTH_TOPIC) && topic.is::<StringMessage>()
}

/// The truth at one frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SimTruth {
    /// Stamp of the frame, nanoseconds.
    pub stamp_nanos: i64,
    /// Everything in the room, seen or not.
    pub objects: Vec<TrueObject>,
    /// The map, as a perfect model would write it.
    pub map: CellMap,
}

/// One object of the room.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrueObject {
    /// Lower-case class, for instance `door`.
    pub category: String,
    /// Plan distance from the camera's ground point to the object's outline, metres.
    pub distance_m: f64,
    /// Its centre, metres along x of the frame `map`.
    pub x_m: f64,
    /// Its centre, metres along y of the frame `map`.
    pub y_m: f64,
    /// Whether the frames of the window show it.
    pub seen: bool,
}

/// A map as a dictionary from category to cells `[x, y]`: x grows right, y grows down, up is the robot's heading.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CellMap {
    /// Side of a cell, metres, where known.
    #[serde(default)]
    pub cell_size_m: Option<f64>,
    /// The robot's cell, where known.
    #[serde(default)]
    pub robot: Option<[u8; 2]>,
    /// Cells by lower-case category.
    pub objects: BTreeMap<String, Vec<[u8; 2]>>,
}

impl From<&CellMap> for ImaginedMap {
    fn from(cells: &CellMap) -> Self {
        let cell = |[x, y]: [u8; 2]| Cell { x, y };
        let objects = cells.objects.iter().flat_map(|(category, of)| {
            of.iter().map(move |&at| MapObject { category: category.clone(), cell: cell(at) })
        });
        Self {
            objects: objects.collect(),
            cell_size_m: cells.cell_size_m.map(|size| size as f32),
            robot: cells.robot.map(cell),
        }
    }
}

impl From<&ImaginedMap> for CellMap {
    fn from(map: &ImaginedMap) -> Self {
        let mut objects: BTreeMap<String, Vec<[u8; 2]>> = BTreeMap::new();
        for object in &map.objects {
            objects.entry(object.category.clone()).or_default().push([object.cell.x, object.cell.y]);
        }
        objects.values_mut().for_each(|cells| cells.sort_unstable());
        // As many digits as the prompt's: 0.6, not 0.6000000238418579.
        let cell_size_m = map.cell_size_m.map(|size| (f64::from(size) * 1e3).round() / 1e3);
        Self { cell_size_m, robot: map.robot.map(|cell| [cell.x, cell.y]), objects }
    }
}
