//! The imagined map on its way out: placed in the fixed frame where TF allows, as a sketch where not.

use geometry::PlanPose;
use imagined_map::{base_from_cell, raster};
use msgs::{GRID_SIZE, ImaginedMap};
use r2r::geometry_msgs::msg::{Point, Vector3};
use r2r::nav_msgs::msg::{MapMetaData, OccupancyGrid};
use r2r::std_msgs::msg::{ColorRGBA, Header};
use r2r::visualization_msgs::msg::{Marker, MarkerArray};

use crate::convert::{pose, without_nul};
use crate::time::time_from_nanos;

/// Side of a marker relative to its cell.
const MARKER_SIZE: f64 = 0.5;

/// A map with the frame that it is published in.
#[derive(Clone, Debug)]
pub struct PlacedMap {
    /// As the model wrote it.
    pub map: ImaginedMap,
    /// The fixed frame when registered, else the base frame.
    pub frame_id: String,
    /// Stamp of the newest frame used, nanoseconds.
    pub stamp_nanos: i64,
    /// Whether cell size, robot cell and TF were all known.
    pub registered: bool,
    robot: PlanPose,
}

/// Names of the frames a map can be published in.
#[derive(Clone, Debug)]
pub struct MapFrames {
    /// For instance `odom`.
    pub fixed: String,
    /// For instance `base_link`.
    pub base: String,
}

impl PlacedMap {
    /// Places `map`. `robot`: the robot's pose in the fixed frame at the newest frame, where TF knows it.
    pub fn new(map: ImaginedMap, frames: &MapFrames, stamp_nanos: i64, robot: Option<PlanPose>) -> Self {
        let metric = map.cell_size_m.is_some() && map.robot.is_some();
        let registered = metric && robot.is_some();
        let frame_id = if registered { frames.fixed.clone() } else { frames.base.clone() };
        let robot = robot.filter(|_| registered).unwrap_or_default();
        Self { map, frame_id, stamp_nanos, registered, robot }
    }

    /// Stamp and frame.
    pub fn header(&self) -> Header {
        Header { stamp: time_from_nanos(self.stamp_nanos), frame_id: self.frame_id.clone() }
    }

    /// Centre of an object's cell in the map's frame, metres; `None` without scale.
    pub fn position(&self, index: usize) -> Option<(f64, f64)> {
        let (forward, left) = base_from_cell(&self.map, self.map.objects.get(index)?.cell)?;
        Some(self.robot.fixed_from_base(forward, left))
    }

    /// Outer corner of the bottom-left cell and the direction of its row to the right; `None` without scale.
    pub fn corner(&self) -> Option<(f64, f64, f64)> {
        let half = f64::from(self.map.cell_size_m?) / 2.0;
        let (forward, left) = base_from_cell(&self.map, msgs::Cell { x: 0, y: GRID_SIZE as u8 - 1 })?;
        let (x, y) = self.robot.fixed_from_base(forward - half, left + half);
        Some((x, y, self.robot.yaw_rad - std::f64::consts::FRAC_PI_2))
    }

    /// The map as a grid for planners; empty without scale.
    pub fn grid_message(&self) -> OccupancyGrid {
        let Some(raster) = raster(&self.map, &self.robot) else {
            return OccupancyGrid { header: self.header(), ..OccupancyGrid::default() };
        };
        let origin = raster.origin;
        let info = MapMetaData {
            map_load_time: time_from_nanos(self.stamp_nanos),
            resolution: raster.resolution_m as f32,
            width: raster.size as u32,
            height: raster.size as u32,
            origin: pose(origin.x, origin.y, origin.yaw_rad),
        };
        let data = raster.cells.iter().map(|cell| cell.occupancy()).collect();
        OccupancyGrid { header: self.header(), info, data }
    }

    /// One cube and one label per object, behind a marker that clears the last map's.
    pub fn marker_message(&self) -> MarkerArray {
        let clear = Marker { header: self.header(), action: i32::from(Marker::DELETEALL as i8), ..Marker::default() };
        let mut markers = vec![clear];
        for (index, object) in self.map.objects.iter().enumerate() {
            let Some((x, y)) = self.position(index) else { continue };
            let side = f64::from(self.map.cell_size_m.unwrap_or_default()) * MARKER_SIZE;
            let cube = Marker {
                header: self.header(),
                ns: "objects".to_owned(),
                id: index as i32,
                type_: Marker::CUBE as i32,
                pose: pose(x, y, self.robot.yaw_rad),
                scale: Vector3 { x: side, y: side, z: side },
                color: ColorRGBA { r: 0.2, g: 0.6, b: 0.9, a: 0.6 },
                ..Marker::default()
            };
            let mut label = Marker {
                ns: "labels".to_owned(),
                type_: Marker::TEXT_VIEW_FACING as i32,
                text: without_nul(&object.category),
                scale: Vector3 { x: 0.0, y: 0.0, z: 0.2 },
                color: ColorRGBA { r: 1.0, g: 1.0, b: 1.0, a: 1.0 },
                ..cube.clone()
            };
            label.pose.position = Point { x, y, z: side };
            markers.extend([cube, label]);
        }
        MarkerArray { markers }
    }
}
