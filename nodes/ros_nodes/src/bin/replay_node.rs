//! What a bag's robot sensed, at its own pace: the ROS shell around `recording`'s reader.

use ros_nodes::executor::{Executor, start_logging};
use ros_nodes::replay::{Parameters, run};

fn main() -> anyhow::Result<()> {
    start_logging();
    let mut executor = Executor::new("replay_node")?;
    let parameters = executor.parameters(Parameters::default())?;
    run(executor, &parameters)
}
