//! From the vocabulary's types to ROS messages.

use msgs::{GRID_SIZE, SpatialAnswer};
use r2r::geometry_msgs::msg::{Point, Pose, Quaternion};
use r2r::spacer_msgs::msg as ros;
use r2r::std_msgs::msg::Header;

use crate::placed_map::PlacedMap;
use crate::time::time_from_nanos;

/// The ROS form of an answer. `map`: its map as placed, `camera_frame`: the frame of the frames used.
pub fn answer_message(answer: &SpatialAnswer, map: Option<&PlacedMap>, camera_frame: &str) -> ros::SpatialAnswer {
    let interval = answer.interval;
    let has_frames = answer.frames_used > 0;
    let frame_id = if has_frames { camera_frame.to_owned() } else { String::new() };
    ros::SpatialAnswer {
        header: Header { stamp: time_from_nanos(answer.newest_stamp_nanos), frame_id },
        query_id: without_nul(&answer.query_id),
        status: answer.status.code(),
        kind: answer.kind.map_or(String::new(), |kind| kind.name().to_owned()),
        text: without_nul(&answer.text),
        value: answer.value.unwrap_or(f64::NAN),
        unit: answer.unit.map_or(String::new(), |unit| unit.symbol().to_owned()),
        lower: interval.map_or(f64::NAN, |i| i.lower),
        upper: interval.map_or(f64::NAN, |i| i.upper),
        coverage: interval.map_or(f64::NAN, |i| i.coverage),
        option: answer.option.map_or(String::new(), String::from),
        confidence: answer.confidence,
        thinking: without_nul(&answer.thinking),
        has_map: map.is_some(),
        map: map.map(map_message).unwrap_or_default(),
        oldest_stamp: time_from_nanos(answer.oldest_stamp_nanos),
        newest_stamp: time_from_nanos(answer.newest_stamp_nanos),
        frames_used: answer.frames_used,
        timing: timing_message(answer),
        prompt_tokens: answer.tokens.prompt,
        cached_tokens: answer.tokens.cached,
        generated_tokens: answer.tokens.generated,
        model: without_nul(&answer.model),
        camera: without_nul(&answer.camera),
    }
}

fn timing_message(answer: &SpatialAnswer) -> ros::Timing {
    let timing = answer.timing;
    ros::Timing {
        queue: timing.queue_secs,
        vision: timing.vision_secs,
        prefill: timing.prefill_secs,
        first_token: timing.first_token_secs,
        decode: timing.decode_secs,
        total: timing.total_secs,
    }
}

/// The ROS form of a map.
pub fn map_message(placed: &PlacedMap) -> ros::ImaginedMap {
    let map = &placed.map;
    let robot = map.robot.unwrap_or(msgs::Cell { x: 0, y: 0 });
    let objects = map.objects.iter().enumerate().map(|(index, object)| ros::MapObject {
        category: without_nul(&object.category),
        x: object.cell.x,
        y: object.cell.y,
        pose: placed.position(index).map_or_else(unknown_pose, |(x, y)| pose(x, y, 0.0)),
    });
    ros::ImaginedMap {
        header: placed.header(),
        size: GRID_SIZE as u8,
        cell_size_m: map.cell_size_m.unwrap_or(0.0),
        has_robot: map.robot.is_some(),
        robot_x: robot.x,
        robot_y: robot.y,
        origin: placed.corner().map_or_else(unknown_pose, |(x, y, yaw)| pose(x, y, yaw)),
        objects: objects.collect(),
        registered: placed.registered,
        agreement: f32::NAN,
    }
}

/// A pose on the ground.
pub fn pose(x: f64, y: f64, yaw_rad: f64) -> Pose {
    let (sin, cos) = (yaw_rad / 2.0).sin_cos();
    Pose { position: Point { x, y, z: 0.0 }, orientation: Quaternion { x: 0.0, y: 0.0, z: sin, w: cos } }
}

fn unknown_pose() -> Pose {
    let nan = f64::NAN;
    Pose { position: Point { x: nan, y: nan, z: nan }, orientation: Quaternion { x: nan, y: nan, z: nan, w: nan } }
}

/// C strings end at a NUL; a model may write one.
pub fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}
