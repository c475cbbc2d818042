//! Plays a camera device, a video file, an image folder or a stream on `image_raw`.

use ros_nodes::camera::{Parameters, run};
use ros_nodes::executor::{Executor, start_logging};

fn main() -> anyhow::Result<()> {
    start_logging();
    let mut executor = Executor::new("camera_node")?;
    let parameters = executor.parameters(Parameters::default())?;
    run(executor, parameters)
}
