//! `perception_node`: topics, service and action on one thread, the pipeline's worker on another.
//!
//! Every image that DDS hands over is counted by the frame ring, which keeps `frame_rate_hz` of them; the others cost
//! no more than a look at their header. Whether frames are stale is measured from their arrival on a clock that never
//! jumps, neither by their stamps nor by ROS time: a camera whose clock is wrong, a replayed recording and a simulation
//! slower than real time are all fresh as long as they arrive, and a paused one is not.

mod askers;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::task::LocalSpawnExt;
use futures::{Stream, StreamExt, future};
use msgs::SpatialAnswer;
use perception::{Answerer, Clock, Perception, VlmAnswerer};
use r2r::spacer_msgs::msg as ros;
use r2r::{WrappedTypesupport, nav_msgs, sensor_msgs, tf2_msgs};

use crate::action_server::ActionServer;
use crate::asking::Switchboard;
use crate::camera_topics::CameraTopics;
use crate::compressed::Decoder;
use crate::dds_profile::{LARGE_PICTURE_BYTES, advice};
use crate::diagnostics::{ShellCounts, diagnostics_message, with_topics};
use crate::executor::{Executor, lock, warn_on_error};
use crate::frames::FrameIntake;
use crate::model_news::ModelNews;
use crate::outbox::Outbox;
use crate::perception_parameters::Parameters;
use crate::perception_publishers::Publishers;
use crate::placed_map::PlacedMap;
use crate::stopping::{drop_within, end_process};
use crate::subscriptions::{Topic, TopicState};
use crate::transforms::RobotState;

/// How long a running answer may take to notice that the node ends.
const SHUTDOWN_LIMIT: Duration = Duration::from_millis(1500);
/// How long the pipeline's threads may take after that; a model that is being loaded does not stop.
const THREADS_LIMIT: Duration = Duration::from_millis(700);
const DIAGNOSTICS_PERIOD: Duration = Duration::from_secs(1);

/// Time since the node began.
struct SteadyClock(Instant);

impl Clock for SteadyClock {
    fn now_nanos(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }
}

struct Shell {
    perception: Perception,
    outbox: Arc<Outbox>,
    switchboard: Switchboard,
    intake: FrameIntake,
    decoder: Decoder,
    robot: RobotState,
    publishers: Publishers,
    parameters: Parameters,
    node_name: String,
    ros_clock: Arc<Mutex<r2r::Clock>>,
    counts: ShellCounts,
    topics: Rc<RefCell<Vec<TopicState>>>,
    /// What to tell a user whose pictures are large, once they are.
    advice: Option<String>,
    model_news: ModelNews,
    diagnostics_due: Instant,
}

/// Runs the node until it is told to stop; what waits then is answered `CANCELLED`.
///
/// # Errors
/// When parameters are out of range or ROS refuses a topic. A model that can't be used is no such error.
pub fn run(mut executor: Executor, parameters: &Parameters) -> anyhow::Result<()> {
    let settings = parameters.settings()?;
    let outbox = Arc::new(Outbox::default());
    let clock = Arc::new(SteadyClock(Instant::now()));
    let for_worker = settings.clone();
    let load = move || VlmAnswerer::load(&for_worker).map(|loaded| Box::new(loaded) as Box<dyn Answerer>);
    let camera_topics = CameraTopics::new(executor.topic_names());
    let (actions, requests) = ActionServer::new(&mut executor.node, "answer_spatial_query")?;
    let shell = Rc::new(RefCell::new(Shell {
        perception: Perception::start_with(settings, clock, outbox.clone(), load)?,
        outbox,
        switchboard: Switchboard::new(actions),
        intake: FrameIntake::default(),
        decoder: Decoder::start()?,
        robot: RobotState::new(parameters.tracker_settings(), camera_topics.is_rectified()),
        publishers: Publishers::new(&mut executor.node)?,
        node_name: executor.node.fully_qualified_name()?,
        ros_clock: executor.node.get_ros_clock(),
        parameters: parameters.clone(),
        counts: ShellCounts::default(),
        topics: executor.topic_states(),
        advice: None,
        model_news: ModelNews::default(),
        diagnostics_due: Instant::now(),
    }));
    listen_to_camera(&mut executor, &shell, &camera_topics)?;
    listen_to_robot(&mut executor, &shell)?;
    askers::listen(&mut executor, &shell)?;
    askers::serve_goals(&executor, &shell, requests)?;
    tracing::info!(model_dir = parameters.model_dir, "up");
    let turned = shell.clone();
    executor.run(move || {
        turned.borrow_mut().turn();
        true
    });
    shell.borrow_mut().shut_down();
    // From here on others know that the node is gone. What it ran holds the shell too.
    drop(executor);
    let perception = Rc::into_inner(shell).map(|shell| shell.into_inner().perception);
    if !drop_within(perception, THREADS_LIMIT) {
        tracing::warn!("the model is still being loaded or run; the node ends without it");
        end_process();
    }
    Ok(())
}

/// Listens to a topic; `handle` gets the shell and each message.
fn listen<T: WrappedTypesupport + 'static>(
    executor: &mut Executor,
    shell: &Rc<RefCell<Shell>>,
    topic: Topic,
    mut handle: impl FnMut(&mut Shell, T) + 'static,
) -> anyhow::Result<()> {
    let shell = shell.clone();
    executor.listen(topic, move |message| handle(&mut shell.borrow_mut(), message))
}

/// Spawns a handler for the items of a stream.
fn on_each<S: Stream + Unpin + 'static>(
    executor: &Executor,
    shell: &Rc<RefCell<Shell>>,
    stream: S,
    mut handle: impl FnMut(&mut Shell, S::Item) + 'static,
) -> anyhow::Result<()> {
    let shell = shell.clone();
    executor.spawner().spawn_local(stream.for_each(move |item| {
        handle(&mut shell.borrow_mut(), item);
        future::ready(())
    }))?;
    Ok(())
}

fn listen_to_camera(executor: &mut Executor, shell: &Rc<RefCell<Shell>>, topics: &CameraTopics) -> anyhow::Result<()> {
    // r2r takes one message of a topic a turn: the depth covers turns in which other topics are busy.
    let topic = |name: &str, type_name| Topic::new(name, type_name, 10);
    let for_images = shell.clone();
    let images = topic(&topics.image, "sensor_msgs/msg/Image");
    executor.listen_native::<sensor_msgs::msg::Image>(images, move |image| {
        let shell = &mut *for_images.borrow_mut();
        shell.note_size(image.data.size);
        let now_nanos = shell.ros_now_nanos();
        shell.intake.take_image(&shell.perception, &image, &mut shell.robot, now_nanos);
    })?;
    let compressed = topic(&topics.compressed, "sensor_msgs/msg/CompressedImage");
    listen(executor, shell, compressed, |shell, image: sensor_msgs::msg::CompressedImage| {
        shell.note_size(image.data.len());
        if !shell.intake.is_copy() {
            shell.decoder.give(image, shell.perception.now_nanos());
        }
    })?;
    let infos = topic(&topics.info, "sensor_msgs/msg/CameraInfo");
    listen(executor, shell, infos, |shell, info| shell.robot.take_camera_info(&info))
}

fn listen_to_robot(executor: &mut Executor, shell: &Rc<RefCell<Shell>>) -> anyhow::Result<()> {
    let transforms = |fixed: bool| {
        move |shell: &mut Shell, message: tf2_msgs::msg::TFMessage| {
            let now_nanos = shell.ros_now_nanos();
            shell.robot.take_transforms(&message.transforms, fixed, now_nanos);
        }
    };
    let moving = Topic::new("/tf", "tf2_msgs/msg/TFMessage", 100);
    let fixed = Topic::new("/tf_static", "tf2_msgs/msg/TFMessage", 100).latched();
    let odometry = Topic::new("odom", "nav_msgs/msg/Odometry", 10);
    listen(executor, shell, moving, transforms(false))?;
    listen(executor, shell, fixed, transforms(true))?;
    listen(executor, shell, odometry, |shell, message: nav_msgs::msg::Odometry| {
        let now_nanos = shell.ros_now_nanos();
        shell.robot.take_odometry(&message, now_nanos);
    })
}

impl Shell {
    fn ask(&mut self, query: ros::SpatialQuery) {
        self.tell_camera();
        let refusal = self.switchboard.ask_from_topic(&self.perception, query);
        self.deliver_all(refusal);
    }

    fn tell_camera(&self) {
        self.perception.set_camera(self.robot.camera());
    }

    /// ROS time, nanoseconds; 0 before a simulation's clock has begun.
    fn ros_now_nanos(&self) -> i64 {
        let now = lock(&self.ros_clock).get_now().unwrap_or_default();
        i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
    }

    fn turn(&mut self) {
        if let Some(image) = self.decoder.take() {
            let now_nanos = self.ros_now_nanos();
            self.intake.take_decoded(&self.perception, &image, &mut self.robot, now_nanos);
        }
        self.switchboard.attend_goals(&self.outbox.phases());
        self.deliver_all(None);
        let now = Instant::now();
        if now >= self.diagnostics_due {
            self.diagnostics_due = now + DIAGNOSTICS_PERIOD;
            self.tell_camera();
            self.publish_diagnostics();
        }
    }

    /// Delivers the answers that are there, and that to a question which the pipeline never saw.
    fn deliver_all(&mut self, refusal: Option<SpatialAnswer>) {
        self.counts.unreadable += u64::from(refusal.is_some());
        for answer in refusal.into_iter().chain(self.outbox.take_answers()) {
            self.deliver(answer);
        }
    }

    /// Publishes one answer, its map, and replies to its asker.
    fn deliver(&mut self, mut answer: SpatialAnswer) {
        let number = self.switchboard.restore_id(&mut answer);
        let map = answer.map.clone().map(|map| {
            let stamp = answer.newest_stamp_nanos;
            PlacedMap::new(map, &self.parameters.map_frames(), stamp, self.robot.robot_at(stamp))
        });
        let message = crate::convert::answer_message(&answer, map.as_ref(), self.robot.camera_frame());
        self.publishers.publish(&message, map.as_ref());
        self.switchboard.reply(&number, &message, answer.status);
        // At debug: a flood of questions must not become a flood of lines.
        tracing::debug!(query_id = answer.query_id, status = answer.status.name(), "{}", answer.text);
    }

    fn publish_diagnostics(&mut self) {
        self.counts.undecodable = self.intake.undecodable;
        self.counts.copies = self.intake.copies;
        self.counts.dropped_compressed = self.decoder.dropped;
        self.counts.tf_age_secs = self.robot.tf_age_secs(self.ros_now_nanos());
        let now = lock(&self.ros_clock).get_now().unwrap_or_default();
        let stamp = r2r::Clock::to_builtin_time(&now);
        let header = r2r::std_msgs::msg::Header { stamp, ..Default::default() };
        let diagnostics = self.perception.diagnostics();
        let max_age_secs = self.parameters.max_frame_age_secs;
        let message = diagnostics_message(&self.node_name, header, &diagnostics, &self.counts, max_age_secs);
        let message = with_topics(message, &self.node_name, &self.topics.borrow(), self.advice.as_deref());
        warn_on_error(self.publishers.diagnostics.publish(&message));
        self.model_news.tell(diagnostics.model, diagnostics.model_changed);
    }

    /// Says once what large pictures need.
    fn note_size(&mut self, bytes: usize) {
        if bytes > LARGE_PICTURE_BYTES && self.advice.is_none() {
            self.advice = advice();
            if let Some(advice) = &self.advice {
                tracing::warn!("{advice}");
            }
        }
    }

    /// Cancels what waits and runs; the answers still go out, as the node lives on until this returns.
    fn shut_down(&mut self) {
        self.switchboard.cancel_all(&self.perception);
        let until = Instant::now() + SHUTDOWN_LIMIT;
        while !self.switchboard.is_empty() && Instant::now() < until {
            self.deliver_all(None);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
