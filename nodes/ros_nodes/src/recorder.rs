//! `recorder_node`: serialized messages from DDS into a bag, byte for byte.
//!
//! Listening costs one copy a message; writing happens on the thread of [`BackgroundWriter`], behind a bounded queue
//! whose drops are counted. A full disk ends the recording and is an error on `/diagnostics`; the node lives on. Topics
//! are subscribed to as their publishers offer them, which is also what the bag says; a message that comes by two
//! subscriptions meanwhile is recorded once.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use r2r::diagnostic_msgs::msg::{DiagnosticArray, DiagnosticStatus};
use r2r::{Publisher, QosProfile, RosParams};
use recording::{
    BackgroundWriter, BagWriter, Compression, Definitions, Qos, QueueLimits, RecordingCounts, Topic, TopicId,
    WriterSettings,
};

use crate::diagnostics::{Level, array_of, status, topics_status};
use crate::executor::{Executor, lock, warn_on_error};
use crate::recorded_topics::{RecordedTopic, recorded_topics};
use crate::subscriptions::TopicState;

const DIAGNOSTICS_PERIOD: Duration = Duration::from_secs(1);
/// Messages that are held until simulated time begins.
const EARLY_MESSAGES: usize = 100;
/// How long messages wait until the graph says how their topic is offered.
const LONGEST_HOLD: Duration = Duration::from_secs(1);
/// Bytes of messages that wait so.
const HELD_BYTES: usize = 64 << 20;

/// As written; `launch/config/parameters.toml` describes each.
#[derive(RosParams, Debug, Clone)]
pub struct Parameters {
    /// Folder that gets a new bag at every start
    pub folder: String,
    /// What is recorded: name:type parted by spaces; empty = an episode
    pub topics: String,
    /// Compression of chunks: none, lz4 or zstd
    pub compression: String,
    /// Size at which a new file is begun, in MiB; 0 = never
    pub split_mib: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        let (folder, compression) = ("episodes".to_owned(), "none".to_owned());
        Self { folder, topics: String::new(), compression, split_mib: 1024 }
    }
}

impl Parameters {
    fn settings(&self) -> anyhow::Result<WriterSettings> {
        let compression = match self.compression.as_str() {
            "none" => Compression::None,
            "lz4" => Compression::Lz4,
            "zstd" => Compression::Zstd,
            other => bail!("compression: expected none, lz4 or zstd, found {other:?}"),
        };
        Ok(WriterSettings { compression, split_bytes: u64::from(self.split_mib) << 20, ..WriterSettings::default() })
    }
}

/// From the listeners to the writer.
struct Intake {
    background: BackgroundWriter,
    clock: Arc<Mutex<r2r::Clock>>,
    /// What came before simulated time began; it is recorded at that beginning.
    early: RefCell<Vec<(TopicId, Vec<u8>)>>,
    held: RefCell<Held>,
}

/// What waits until it is known how its topic is offered, and all that came behind it.
#[derive(Default)]
struct Held {
    /// Topics of which that is not known.
    unknown: Vec<TopicId>,
    messages: Vec<(TopicId, u64, Vec<u8>)>,
    bytes: usize,
    since: Option<Instant>,
}

impl Intake {
    fn take(&self, topic: TopicId, cdr: Vec<u8>) {
        let now = lock(&self.clock).get_now().unwrap_or_default();
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        if now > 0 {
            self.offer_early(now);
            self.record(topic, now, cdr);
        } else if self.early.borrow().len() < EARLY_MESSAGES {
            self.early.borrow_mut().push((topic, cdr));
        } else {
            self.background.reject();
        }
    }

    fn offer_early(&self, log_time_nanos: u64) {
        for (topic, cdr) in self.early.take() {
            self.record(topic, log_time_nanos, cdr);
        }
    }

    fn record(&self, topic: TopicId, log_time_nanos: u64, cdr: Vec<u8>) {
        let mut held = self.held.borrow_mut();
        if held.messages.is_empty() && !held.unknown.contains(&topic) {
            self.background.offer(topic, log_time_nanos, cdr);
            return;
        }
        held.since.get_or_insert_with(Instant::now);
        held.bytes += cdr.len();
        held.messages.push((topic, log_time_nanos, cdr));
    }

    /// Hands over what has waited for long enough.
    fn release(&self, is_last: bool) {
        let mut held = self.held.borrow_mut();
        let Some(since) = held.since else { return };
        let is_over = is_last || since.elapsed() >= LONGEST_HOLD || held.bytes > HELD_BYTES;
        if !is_over && held.messages.iter().any(|(topic, ..)| held.unknown.contains(topic)) {
            return;
        }
        let Held { unknown, messages, .. } = std::mem::take(&mut *held);
        let is_recorded = |topic: &TopicId| messages.iter().any(|(recorded, ..)| recorded == topic);
        held.unknown = unknown.into_iter().filter(|topic| !is_recorded(topic)).collect();
        for (topic, log_time_nanos, cdr) in messages {
            self.background.offer(topic, log_time_nanos, cdr);
        }
    }
}

/// How r2r offers or asks for what a bag says.
pub fn qos_profile(qos: Qos) -> QosProfile {
    let profile = QosProfile::default().keep_last(qos.depth.max(1) as usize);
    let profile = if qos.reliable { profile.reliable() } else { profile.best_effort() };
    if qos.transient_local { profile.transient_local() } else { profile.volatile() }
}

/// Records until the node is told to stop, then closes the bag.
///
/// # Errors
/// When parameters are wrong, ROS refuses a topic, or no bag can be begun. One that ends early is no such error.
pub fn run(mut executor: Executor, parameters: &Parameters) -> anyhow::Result<()> {
    let wanted = recorded_topics(&parameters.topics)?;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let folder = Path::new(&parameters.folder).join(format!("episode_{seconds}"));
    let topics = described(&executor, &wanted)?;
    let mut writer = BagWriter::create(&folder, parameters.settings()?)?;
    let ids: Vec<TopicId> = topics.into_iter().map(|topic| writer.add_topic(topic)).collect();
    let clock = executor.node.get_ros_clock();
    let background = BackgroundWriter::start(writer, QueueLimits::default())?;
    let intake = Rc::new(Intake {
        background,
        clock: clock.clone(),
        early: RefCell::default(),
        held: RefCell::new(Held { unknown: ids.clone(), ..Held::default() }),
    });
    for (topic, id) in wanted.iter().zip(&ids) {
        listen(&mut executor, topic, *id, intake.clone())?;
    }
    let states = executor.topic_states();
    let mut offered: Vec<Qos> = wanted.iter().map(|topic| topic.qos).collect();
    let diagnostics = executor.node.create_publisher::<DiagnosticArray>("/diagnostics", QosProfile::default())?;
    let node = executor.node.fully_qualified_name()?;
    tracing::info!(bag = %folder.display(), topics = wanted.len(), "recording");

    let (mut due, mut told) = (Instant::now(), false);
    executor.run(|| {
        let states = states.borrow();
        note_offers(&intake, &states, &ids, &mut offered);
        intake.release(false);
        if Instant::now() >= due {
            due = Instant::now() + DIAGNOSTICS_PERIOD;
            let counts = intake.background.counts();
            if let (Some(error), false) = (&counts.error, told) {
                told = true;
                tracing::error!("the recording ended: {error}");
            }
            let statuses = vec![recording_status(&folder, &counts), topics_status(&states, None)];
            publish(&diagnostics, &node, &clock, statuses);
        }
        true
    });
    // The listeners hold the intake too.
    drop(executor);
    let Some(intake) = Rc::into_inner(intake) else {
        bail!("{}: not closed, as it is still listened", folder.display())
    };
    intake.offer_early(0);
    intake.release(true);
    let counts = intake.background.counts();
    let closed = intake.background.close();
    tracing::info!(bag = %folder.display(), dropped = counts.dropped, "closed");
    // An error that was told while recording is not this stop's.
    match closed {
        Err(error) if counts.error.is_none() => Err(error.into()),
        _ => Ok(()),
    }
}

/// The topics under the node's own full names, whatever they are remapped to, with the definitions of their types.
fn described(executor: &Executor, wanted: &[RecordedTopic]) -> anyhow::Result<Vec<Topic>> {
    let definitions = Definitions::new(&std::env::var("AMENT_PREFIX_PATH").unwrap_or_default());
    let namespace = executor.node.namespace()?;
    let describe = |topic: &RecordedTopic| {
        let RecordedTopic { name, type_name, qos } = topic.clone();
        let is_absolute = name.starts_with('/');
        let name = if is_absolute { name } else { format!("{}/{name}", namespace.trim_end_matches('/')) };
        Ok(Topic { name, schema: definitions.schema(&type_name)?, type_name, qos })
    };
    wanted.iter().map(describe).collect()
}

fn listen(executor: &mut Executor, topic: &RecordedTopic, id: TopicId, intake: Rc<Intake>) -> anyhow::Result<()> {
    let listening = executor.listen_raw(topic.listening(), move |cdr| intake.take(id, cdr));
    listening.with_context(|| format!("topic {} of type {}", topic.name, topic.type_name))
}

/// Tells the bag how publishers offer their topics, where that is new.
fn note_offers(intake: &Intake, states: &[TopicState], ids: &[TopicId], told: &mut [Qos]) {
    for ((state, id), told) in states.iter().zip(ids).zip(told) {
        let Some(fit) = state.offered else { continue };
        let depth = u32::try_from(state.depth).ok().filter(|depth| *depth > 0).unwrap_or(told.depth);
        let offered = Qos { reliable: fit.reliable, transient_local: fit.transient_local, depth };
        if offered != *told && intake.background.set_offered(*id, offered) {
            *told = offered;
        }
        intake.held.borrow_mut().unknown.retain(|unknown| unknown != id);
    }
}

fn recording_status(folder: &Path, counts: &RecordingCounts) -> DiagnosticStatus {
    let (level, message) = match &counts.error {
        Some(error) => (Level::Error, format!("the recording ended: {error}")),
        None if counts.dropped > 0 => (Level::Warn, "some messages were dropped".to_owned()),
        None => (Level::Ok, "recording".to_owned()),
    };
    let values = [
        ("bag", folder.display().to_string()),
        ("recorded", counts.recorded.to_string()),
        ("recorded_bytes", counts.recorded_bytes.to_string()),
        ("dropped", counts.dropped.to_string()),
        ("waiting_bytes", counts.waiting_bytes.to_string()),
    ];
    status("recording", level, message, &values)
}

fn publish(to: &Publisher<DiagnosticArray>, node: &str, clock: &Mutex<r2r::Clock>, statuses: Vec<DiagnosticStatus>) {
    let now = lock(clock).get_now().unwrap_or_default();
    let stamp = r2r::Clock::to_builtin_time(&now);
    let header = r2r::std_msgs::msg::Header { stamp, ..Default::default() };
    warn_on_error(to.publish(&array_of(node, header, statuses)));
}
