//! Plays a camera device, a video file, an image folder or a stream on `image_raw`.

use ros_nodes::camera::{Parameters, run};
use ros_nodes::executor::{Executor, start_logging};

fn main() -> anyhow::Result<()> {
    start_logging();
    let mut executor = Executor::new("camera_node")?;
    let parameters = executor.parameters(Parameters::default())?;
    // `loop` is a keyword, so that no field can bear the name. Absent is `None`.
    let again = executor.node.get_parameter::<Option<bool>>("loop")?.unwrap_or(false);
    run(executor, parameters, again)
}
