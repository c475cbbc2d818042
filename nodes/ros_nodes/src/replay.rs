//! `replay_node`: what a bag's robot sensed, at its own pace, with `/clock` at the time of recording.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;
use r2r::rosgraph_msgs::msg::Clock;
use r2r::{Publisher, PublisherUntyped, QosProfile, RosParams};
use recording::{BagMessage, BagReader, Messages};

use crate::executor::{Executor, warn_on_error};
use crate::recorder::qos_profile;
use crate::replayed_topics::replayed_topics;
use crate::time::time_from_nanos;

/// How long messages are published before something else has its turn.
const LONGEST_TURN: Duration = Duration::from_millis(10);

/// As written; `launch/config/parameters.toml` describes each.
#[derive(RosParams, Debug, Clone)]
pub struct Parameters {
    /// rosbag2 folder or .mcap file
    pub bag: String,
    /// Image topic of the bag; empty = the only one
    pub image_topic: String,
    /// Pace; 1 = as recorded
    pub rate: f64,
    /// Publish the questions of the bag too
    pub questions: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { bag: String::new(), image_topic: String::new(), rate: 1.0, questions: false }
    }
}

/// The bag's messages against the wall clock.
struct Replay {
    messages: Messages,
    next: Option<BagMessage>,
    publishers: BTreeMap<String, PublisherUntyped>,
    clock: Publisher<Clock>,
    rate: f64,
    /// When the first message went out, and its time in the bag.
    begun: Option<(Instant, u64)>,
}

impl Replay {
    /// Publishes what is due; `false` at the end.
    fn turn(&mut self) -> bool {
        let Some(first) = &self.next else { return false };
        let (start, first_nanos) = *self.begun.get_or_insert((Instant::now(), first.log_time_nanos()));
        let now_nanos = first_nanos.saturating_add((start.elapsed().as_nanos() as f64 * self.rate) as u64);
        let turn = Instant::now();
        while let Some(message) = self.next.take_if(|message| message.log_time_nanos() <= now_nanos) {
            self.publish_clock(message.log_time_nanos());
            self.publish(&message);
            self.next = self.messages.next();
            // Whoever asks something of this node, or ends it, is heard while it is behind.
            if turn.elapsed() > LONGEST_TURN {
                return self.next.is_some();
            }
        }
        self.publish_clock(now_nanos);
        self.next.is_some()
    }

    fn publish(&self, message: &BagMessage) {
        if let Some(publisher) = self.publishers.get(message.topic()) {
            warn_on_error(publisher.publish_raw(message.cdr()));
        }
    }

    fn publish_clock(&self, nanos: u64) {
        let clock = time_from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX));
        warn_on_error(self.clock.publish(&Clock { clock }));
    }
}

/// Waits until somebody listens to the images, then publishes the bag until its end, or until told to stop.
///
/// # Errors
/// When parameters are out of range, the bag can't be read, or ROS refuses a topic.
pub fn run(mut executor: Executor, parameters: &Parameters) -> anyhow::Result<()> {
    let rate = parameters.rate;
    if !(rate.is_finite() && rate > 0.0) {
        bail!("rate: expected a pace above 0, found {rate}");
    }
    let bag = BagReader::open(Path::new(&parameters.bag))?.named_by("the parameter {role}_topic");
    let image_topic = Some(parameters.image_topic.as_str()).filter(|topic| !topic.is_empty());
    let topics = replayed_topics(&bag, image_topic, parameters.questions)?;
    let mut publishers = BTreeMap::new();
    let mut images = None;
    for (recorded, topic) in topics {
        let publisher = executor.node.create_publisher_untyped(topic.name, &topic.type_name, qos_profile(topic.qos))?;
        tracing::info!(recorded, published = topic.name, "replays");
        if topic.is_images {
            images = Some(recorded.clone());
        }
        publishers.insert(recorded, publisher);
    }
    let clock = executor.node.create_publisher("/clock", QosProfile::default())?;
    let mut messages = bag.messages();
    let mut replay = Replay { next: messages.next(), messages, publishers, clock, rate, begun: None };
    executor.run(|| {
        let listeners = images.as_ref().and_then(|name| replay.publishers.get(name));
        let listeners = listeners.map_or(Ok(1), PublisherUntyped::get_inter_process_subscription_count);
        let goes_on = replay.begun.is_none() && listeners.unwrap_or(0) == 0 || replay.turn();
        if !goes_on {
            tracing::info!("end of the bag");
        }
        goes_on
    });
    for damage in replay.messages.damage() {
        tracing::warn!("damaged: {damage}");
    }
    Ok(())
}
