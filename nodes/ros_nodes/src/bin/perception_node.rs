//! Frames and questions in, typed answers and maps out: the ROS shell around `perception`.

use ros_nodes::executor::{Executor, start_logging};
use ros_nodes::perception_parameters::Parameters;
use ros_nodes::perception_shell::run;

fn main() -> anyhow::Result<()> {
    start_logging();
    let mut executor = Executor::new("perception_node")?;
    let parameters = executor.parameters(Parameters::default())?;
    run(executor, &parameters)
}
