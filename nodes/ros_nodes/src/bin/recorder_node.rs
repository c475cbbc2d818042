//! Episodes to rosbag2 folders: the ROS shell around `recording`'s writer.

use ros_nodes::executor::{Executor, start_logging};
use ros_nodes::recorder::{Parameters, run};

fn main() -> anyhow::Result<()> {
    start_logging();
    let mut executor = Executor::new("recorder_node")?;
    let parameters = executor.parameters(Parameters::default())?;
    run(executor, &parameters)
}
