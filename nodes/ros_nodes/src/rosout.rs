//! A node's log on `/rosout`.

use std::time::Duration;

use r2r::rcl_interfaces::msg::Log;
use r2r::{Node, Publisher, QosProfile};
use tracing::Level;

use crate::convert::without_nul;
use crate::logging::{LogLine, take_lines};
use crate::time::time_from_nanos;

/// What rcl offers by default: late listeners get what was said of late.
const DEPTH: usize = 1000;
const LIFESPAN: Duration = Duration::from_secs(10);

/// The publisher, and the name that the node's lines bear.
pub struct Rosout {
    publisher: Publisher<Log>,
    name: String,
}

impl Rosout {
    /// For the lines of `node`.
    ///
    /// # Errors
    /// When ROS refuses the topic.
    pub fn new(node: &mut Node) -> r2r::Result<Self> {
        let profile = QosProfile::default().keep_last(DEPTH).transient_local().lifespan(LIFESPAN);
        let publisher = node.create_publisher("/rosout", profile)?;
        Ok(Self { publisher, name: node.logger().to_owned() })
    }

    /// Publishes what was logged since.
    pub fn publish(&self) {
        for line in take_lines() {
            // A line about this would be the next one to publish.
            let _ = self.publisher.publish(&self.message(line));
        }
    }

    fn message(&self, line: LogLine) -> Log {
        let LogLine { nanos, level, text, place: (file, line) } = line;
        Log {
            stamp: time_from_nanos(nanos),
            level: severity(level),
            name: self.name.clone(),
            msg: without_nul(&text),
            file,
            function: String::new(),
            line,
        }
    }
}

/// By `rcl_interfaces/msg/Log`.
fn severity(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        _ => 10,
    }
}
