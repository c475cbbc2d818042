//! A furnished room, a walking camera and the exact truth, as a robot would publish them.

use std::time::{Duration, Instant};

use r2r::nav_msgs::msg::Odometry;
use r2r::rosgraph_msgs::msg::Clock;
use r2r::sensor_msgs::msg::{CameraInfo, Image};
use r2r::std_msgs::msg::String as Text;
use r2r::tf2_msgs::msg::TFMessage;
use r2r::{Node, Publisher, QosProfile, RosParams};
use ros_nodes::executor::{Executor, start_logging, warn_on_error};
use ros_nodes::sim_messages::{camera_info, fixed_transforms, image, moving_transforms, odometry};
use ros_nodes::simulation::{Simulation, SimulationSettings};
use ros_nodes::time::time_from_nanos;
use sim::camera::Pose;

#[derive(RosParams, Debug, Clone)]
struct Parameters {
    /// Chooses the room, its objects and the path
    seed: i64,
    /// Image width, in px
    width: u16,
    /// Image height, in px
    height: u16,
    /// Images a second of simulated time, in Hz
    rate_hz: f64,
    /// Set of rooms: train, heldout, novel or calibration
    rooms: String,
    /// How varied the world is: clip (what spacer-nano was trained on) or full
    world: String,
}

struct Publishers {
    images: Publisher<Image>,
    infos: Publisher<CameraInfo>,
    odometry: Publisher<Odometry>,
    transforms: Publisher<TFMessage>,
    fixed_transforms: Publisher<TFMessage>,
    clock: Publisher<Clock>,
    truth: Publisher<Text>,
}

impl Publishers {
    fn new(node: &mut Node) -> r2r::Result<Self> {
        let latched = QosProfile::default().keep_last(1).transient_local();
        Ok(Self {
            images: node.create_publisher("image_raw", QosProfile::sensor_data())?,
            infos: node.create_publisher("camera_info", QosProfile::sensor_data())?,
            odometry: node.create_publisher("odom", QosProfile::default())?,
            transforms: node.create_publisher("/tf", QosProfile::default().keep_last(100))?,
            fixed_transforms: node.create_publisher("/tf_static", latched.clone())?,
            clock: node.create_publisher("/clock", QosProfile::default())?,
            truth: node.create_publisher("sim/truth", latched.keep_last(10))?,
        })
    }

    /// Sends everything about the next frame; the picture last, so that its transform is there when it arrives.
    fn publish_next(&self, simulation: &mut Simulation, before: Option<&Pose>) -> Pose {
        let frame = simulation.next_frame();
        let (stamp, pose, believed) = (frame.stamp_nanos, frame.pose, frame.believed);
        let (camera, kind) = (simulation.camera(), simulation.kind());
        warn_on_error(self.clock.publish(&Clock { clock: time_from_nanos(stamp) }));
        if before.is_none() {
            warn_on_error(self.fixed_transforms.publish(&fixed_transforms(kind, &pose, stamp)));
        }
        warn_on_error(self.transforms.publish(&moving_transforms(kind, &pose, &believed, stamp)));
        let odometry = odometry(&believed, before, 1.0 / simulation.rate_hz(), stamp);
        warn_on_error(self.odometry.publish(&odometry));
        warn_on_error(self.truth.publish(&Text { data: frame.truth.to_string() }));
        warn_on_error(self.infos.publish(&camera_info(&camera, stamp)));
        warn_on_error(self.images.publish(&image(&camera, frame)));
        believed
    }
}

fn main() -> anyhow::Result<()> {
    start_logging();
    let mut executor = Executor::new("sim_node")?;
    let defaults = Parameters {
        seed: 1,
        width: 640,
        height: 480,
        rate_hz: 10.0,
        rooms: "heldout".to_owned(),
        world: "clip".to_owned(),
    };
    let parameters = executor.parameters(defaults)?;
    let mut simulation = Simulation::new(&SimulationSettings {
        seed: parameters.seed as u64,
        rooms: parameters.rooms.clone(),
        world: parameters.world.clone(),
        width: usize::from(parameters.width),
        height: usize::from(parameters.height),
        rate_hz: parameters.rate_hz,
    })?;
    let publishers = Publishers::new(&mut executor.node)?;
    tracing::info!(?parameters, "walking");

    let period = Duration::from_secs_f64(1.0 / parameters.rate_hz);
    let mut due = Instant::now();
    let mut before = None;
    executor.run(move || {
        // Slower than real time where rendering takes longer than a period; simulated time never skips.
        if Instant::now() >= due {
            before = Some(publishers.publish_next(&mut simulation, before.as_ref()));
            due = (due + period).max(Instant::now());
        }
        true
    });
    Ok(())
}
