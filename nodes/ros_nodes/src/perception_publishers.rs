//! What `perception_node` publishes.

use r2r::diagnostic_msgs::msg::DiagnosticArray;
use r2r::nav_msgs::msg::OccupancyGrid;
use r2r::spacer_msgs::msg::{ImaginedMap, SpatialAnswer};
use r2r::std_msgs::msg::String as Text;
use r2r::visualization_msgs::msg::MarkerArray;
use r2r::{Node, Publisher, QosProfile};

use crate::convert::map_message;
use crate::executor::warn_on_error;
use crate::placed_map::PlacedMap;

/// Answers that DDS holds for a reader that is slower than a burst of refusals.
const ANSWER_DEPTH: usize = 2000;

/// The publishers.
pub struct Publishers {
    answer: Publisher<SpatialAnswer>,
    answer_text: Publisher<Text>,
    map: Publisher<ImaginedMap>,
    grid: Publisher<OccupancyGrid>,
    markers: Publisher<MarkerArray>,
    /// `/diagnostics`.
    pub diagnostics: Publisher<DiagnosticArray>,
}

impl Publishers {
    /// Creates them.
    ///
    /// # Errors
    /// When ROS refuses one.
    pub fn new(node: &mut Node) -> r2r::Result<Self> {
        let deep = || QosProfile::default().keep_last(ANSWER_DEPTH);
        let latched = || QosProfile::default().keep_last(1).transient_local();
        Ok(Self {
            answer: node.create_publisher("answer", deep())?,
            answer_text: node.create_publisher("answer_text", deep())?,
            map: node.create_publisher("imagined_map", latched())?,
            grid: node.create_publisher("imagined_map/grid", latched())?,
            markers: node.create_publisher("imagined_map/markers", latched())?,
            diagnostics: node.create_publisher("/diagnostics", QosProfile::default())?,
        })
    }

    /// Sends an answer and its map.
    pub fn publish(&self, answer: &SpatialAnswer, map: Option<&PlacedMap>) {
        if let Some(map) = map {
            warn_on_error(self.map.publish(&map_message(map)));
            warn_on_error(self.grid.publish(&map.grid_message()));
            warn_on_error(self.markers.publish(&map.marker_message()));
        }
        warn_on_error(self.answer.publish(answer));
        warn_on_error(self.answer_text.publish(&Text { data: answer.text.clone() }));
    }
}
