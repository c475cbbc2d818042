//! `perception_node`: topics, service and action on one thread, the pipeline's worker on another.
//!
//! Every image that DDS hands over is counted by the frame ring, which keeps `frame_rate_hz` of them; the others cost
//! no more than a look at their header. Whether frames are stale is measured from their arrival on a clock that never
//! jumps, neither by their stamps nor by ROS time: a camera whose clock is wrong, a replayed recording and a simulation
//! slower than real time are all fresh as long as they arrive, and a paused one is not.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::task::LocalSpawnExt;
use futures::{Stream, StreamExt, future};
use msgs::SpatialAnswer;
use perception::{Answerer, Clock, Perception, VlmAnswerer};
use r2r::spacer_msgs::action::AnswerSpatialQuery;
use r2r::spacer_msgs::msg as ros;
use r2r::spacer_msgs::srv::AskSpatial;
use r2r::{QosProfile, geometry_msgs, nav_msgs, sensor_msgs, tf2_msgs};

use crate::asking::Switchboard;
use crate::diagnostics::{ShellCounts, diagnostics_message};
use crate::executor::{Executor, lock, warn_on_error};
use crate::frames::FrameIntake;
use crate::outbox::Outbox;
use crate::perception_parameters::Parameters;
use crate::perception_publishers::Publishers;
use crate::placed_map::PlacedMap;
use crate::text_message::read_text;
use crate::transforms::RobotState;

/// Questions that DDS holds for a node that is busy with others; more than a burst of strangers sends.
const QUESTION_DEPTH: usize = 2000;
/// How long a running answer may take to notice that the node ends.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(2);
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
    robot: RobotState,
    publishers: Publishers,
    parameters: Parameters,
    node_name: String,
    ros_clock: Arc<Mutex<r2r::Clock>>,
    counts: ShellCounts,
    deferred: Vec<SpatialAnswer>,
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
    let shell = Rc::new(RefCell::new(Shell {
        perception: Perception::start_with(settings, clock, outbox.clone(), load)?,
        outbox,
        switchboard: Switchboard::default(),
        intake: FrameIntake::new(&parameters.camera_frame),
        robot: RobotState::new(parameters.map_frames()),
        publishers: Publishers::new(&mut executor.node)?,
        node_name: executor.node.fully_qualified_name()?,
        ros_clock: executor.node.get_ros_clock(),
        parameters: parameters.clone(),
        counts: ShellCounts::default(),
        deferred: Vec::new(),
        diagnostics_due: Instant::now(),
    }));
    listen_to_camera(&mut executor, &shell)?;
    listen_to_robot(&mut executor, &shell)?;
    listen_to_askers(&mut executor, &shell)?;
    tracing::info!(model_dir = parameters.model_dir, "up");
    let turned = shell.clone();
    executor.run(move || {
        turned.borrow_mut().turn();
        true
    });
    shell.borrow_mut().shut_down();
    Ok(())
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

fn listen_to_camera(executor: &mut Executor, shell: &Rc<RefCell<Shell>>) -> anyhow::Result<()> {
    // r2r takes one message of a topic a turn: the depth covers turns in which other topics are busy.
    let qos = || QosProfile::sensor_data().keep_last(10);
    let node = &mut executor.node;
    let images = node.subscribe_native::<sensor_msgs::msg::Image>("image_raw", qos())?;
    let compressed = node.subscribe::<sensor_msgs::msg::CompressedImage>("image_raw/compressed", qos())?;
    let infos = node.subscribe::<sensor_msgs::msg::CameraInfo>("camera_info", qos())?;
    on_each(executor, shell, images, |shell, image| {
        if shell.intake.take_image(&shell.perception, &image, &shell.robot) {
            shell.robot.restart();
        }
    })?;
    on_each(executor, shell, compressed, |shell, image| {
        if shell.intake.take_compressed(&shell.perception, &image, &shell.robot) {
            shell.robot.restart();
        }
    })?;
    on_each(executor, shell, infos, |shell, info| shell.robot.take_camera_info(&info))
}

fn listen_to_robot(executor: &mut Executor, shell: &Rc<RefCell<Shell>>) -> anyhow::Result<()> {
    let deep = || QosProfile::default().keep_last(100);
    let node = &mut executor.node;
    let moving = node.subscribe::<tf2_msgs::msg::TFMessage>("/tf", deep())?;
    let fixed = node.subscribe::<tf2_msgs::msg::TFMessage>("/tf_static", deep().transient_local())?;
    let odometry = node.subscribe::<nav_msgs::msg::Odometry>("odom", QosProfile::default())?;
    let transforms = |fixed: bool| {
        move |shell: &mut Shell, message: tf2_msgs::msg::TFMessage| {
            let transforms: &[geometry_msgs::msg::TransformStamped] = &message.transforms;
            shell.robot.take_transforms(transforms, fixed);
        }
    };
    on_each(executor, shell, moving, transforms(false))?;
    on_each(executor, shell, fixed, transforms(true))?;
    on_each(executor, shell, odometry, |shell, odometry| shell.robot.take_odometry(&odometry))
}

fn listen_to_askers(executor: &mut Executor, shell: &Rc<RefCell<Shell>>) -> anyhow::Result<()> {
    let deep = || QosProfile::default().keep_last(QUESTION_DEPTH);
    let node = &mut executor.node;
    let questions = node.subscribe_raw("ask", "std_msgs/msg/String", deep())?;
    let queries = node.subscribe::<ros::SpatialQuery>("query", deep())?;
    let feedback = node.subscribe::<ros::AnswerFeedback>("feedback", QosProfile::default())?;
    let service = node.create_service::<AskSpatial::Service>("ask_spatial", QosProfile::default())?;
    let action = node.create_action_server::<AnswerSpatialQuery::Action>("answer_spatial_query")?;
    on_each(executor, shell, questions, |shell, bytes| match read_text(&bytes) {
        Ok(text) => shell.ask(ros::SpatialQuery { text, ..ros::SpatialQuery::default() }),
        Err(why) => {
            shell.counts.unreadable += 1;
            let refusal = shell.switchboard.refuse(why);
            shell.deliver(refusal);
        }
    })?;
    on_each(executor, shell, queries, Shell::ask)?;
    on_each(executor, shell, feedback, |shell, feedback| {
        shell.counts.feedback += 1;
        let ros::AnswerFeedback { query_id, value, text, .. } = feedback;
        tracing::info!(query_id, value, text, "feedback");
    })?;
    on_each(executor, shell, service, |shell, request| {
        shell.tell_camera_facts();
        shell.switchboard.ask_from_service(&shell.perception, request);
        shell.deliver_all();
    })?;
    on_each(executor, shell, action, |shell, request| {
        shell.tell_camera_facts();
        let capacity = shell.parameters.queue_capacity as usize;
        shell.switchboard.ask_from_action(&shell.perception, request, capacity);
        shell.deliver_all();
    })
}

impl Shell {
    fn ask(&mut self, query: ros::SpatialQuery) {
        self.tell_camera_facts();
        self.switchboard.ask_from_topic(&self.perception, query);
        self.deliver_all();
    }

    fn tell_camera_facts(&self) {
        self.perception.set_camera_facts(self.robot.camera_facts(&self.intake.camera_frame));
    }

    fn turn(&mut self) {
        self.switchboard.attend_goals(&self.perception, &self.outbox.phases());
        self.deliver_all();
        let now = Instant::now();
        if now >= self.diagnostics_due {
            self.diagnostics_due = now + DIAGNOSTICS_PERIOD;
            self.tell_camera_facts();
            self.publish_diagnostics();
        }
    }

    fn deliver_all(&mut self) {
        let mut answers = std::mem::take(&mut self.deferred);
        answers.extend(self.outbox.take_answers());
        for answer in answers {
            self.deliver(answer);
        }
    }

    /// Publishes one answer, its map, and replies to its asker.
    fn deliver(&mut self, mut answer: SpatialAnswer) {
        if self.switchboard.must_wait(&answer.query_id) {
            return self.deferred.push(answer);
        }
        let number = self.switchboard.restore_id(&mut answer);
        let map = answer.map.clone().map(|map| {
            let stamp = answer.newest_stamp_nanos;
            PlacedMap::new(map, &self.parameters.map_frames(), stamp, self.robot.robot_at(stamp))
        });
        let message = crate::convert::answer_message(&answer, map.as_ref(), &self.intake.camera_frame);
        self.publishers.publish(&message, map.as_ref());
        self.switchboard.reply(&number, &message, answer.status);
        // At debug: a flood of questions must not become a flood of lines.
        tracing::debug!(query_id = answer.query_id, status = answer.status.name(), "{}", answer.text);
    }

    fn publish_diagnostics(&mut self) {
        self.counts.undecodable = self.intake.undecodable;
        let now = lock(&self.ros_clock).get_now().unwrap_or_default();
        let stamp = r2r::Clock::to_builtin_time(&now);
        let header = r2r::std_msgs::msg::Header { stamp, ..Default::default() };
        let diagnostics = self.perception.diagnostics();
        let max_age_secs = self.parameters.max_frame_age_secs;
        let message = diagnostics_message(&self.node_name, header, &diagnostics, &self.counts, max_age_secs);
        warn_on_error(self.publishers.diagnostics.publish(&message));
    }

    /// Cancels what waits and runs; the answers still go out, as the node lives on until this returns.
    fn shut_down(&mut self) {
        self.switchboard.cancel_all(&self.perception);
        let until = Instant::now() + SHUTDOWN_LIMIT;
        while !self.switchboard.is_empty() && Instant::now() < until {
            self.deliver_all();
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
