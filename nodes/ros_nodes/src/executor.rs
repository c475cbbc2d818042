//! One node, its streams, its parameters and its log on one thread.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use futures::Stream;
use futures::executor::{LocalPool, LocalSpawner};
use r2r::{NativeMsg, Node, ParameterValue, QosProfile, RosParams, WrappedTypesupport};

use crate::duplicates::Duplicates;
pub use crate::logging::start_logging;
use crate::parameter_services;
use crate::parameters::Registry;
use crate::rosout::Rosout;
use crate::stopping::stop_flag;
use crate::subscriptions::{Listener, Slot, Topic, TopicState};
use crate::topic_names::TopicNames;

/// How long one turn waits for messages, and so the longest that an answer from another thread waits for its
/// turn.
const TURN: Duration = Duration::from_millis(5);
/// How often what publishers offer is looked at. Until then a topic is heard in the way that misses nobody.
const FOLLOW_PERIOD: Duration = Duration::from_millis(250);
/// How long two subscriptions of a topic are heard side by side where nothing may be missed.
const OVERLAP: Duration = Duration::from_secs(2);

/// A node with its executor. Streams and timers are spawned on [`Executor::spawner`], topics are listened to
/// with [`Executor::listen`] and its kin, then [`Executor::run`] turns until the process is told to stop.
pub struct Executor {
    /// The node.
    pub node: Node,
    pool: LocalPool,
    names: TopicNames,
    listeners: Vec<Listener>,
    states: Rc<RefCell<Vec<TopicState>>>,
    rosout: Rosout,
    stop: Arc<AtomicBool>,
}

impl Executor {
    /// Creates the node `name`; `--ros-args` may rename it, set its namespace and its parameters.
    ///
    /// # Errors
    /// When ROS refuses, for instance arguments that it can't read; a parameter of a wrong type is refused in
    /// [`Executor::parameters`].
    pub fn new(name: &str) -> anyhow::Result<Self> {
        crate::dds_profile::ensure();
        let stop = stop_flag();
        let mut node = Node::create(context()?, name, "")?;
        let names = TopicNames::new(&node.namespace()?, &node.name()?, std::env::args());
        let rosout = Rosout::new(&mut node)?;
        let (listeners, states) = (Vec::new(), Rc::default());
        Ok(Self { node, pool: LocalPool::new(), names, listeners, states, rosout, stop })
    }

    /// Declares the fields of `defaults` as ROS parameters and returns them with what the command line and
    /// parameter files say. They are read at start: a later wish to set one is refused with what to do
    /// instead.
    ///
    /// # Errors
    /// [`crate::parameters::ParameterError`] for a value that a parameter can't have.
    pub fn parameters<P: RosParams>(&mut self, defaults: P) -> anyhow::Result<P> {
        let mut parameters = defaults;
        let params = self.node.params.clone();
        let given = lock(&params);
        let (mut registry, unknown) = Registry::read(&mut parameters, &given)?;
        for complaint in unknown {
            tracing::warn!("{complaint}");
        }
        let sim_time = given.get("use_sim_time").map(|parameter| &parameter.value);
        let off = ParameterValue::Bool(false);
        let sim_time = registry.declare("use_sim_time", "Take the time from /clock", off, sim_time)?;
        if sim_time == ParameterValue::Bool(true) {
            self.node.get_time_source().enable_sim_time(&mut self.node)?;
        }
        parameter_services::serve(&mut self.node, &self.pool.spawner(), registry)?;
        Ok(parameters)
    }

    /// Where streams and timers are spawned.
    pub fn spawner(&self) -> LocalSpawner {
        self.pool.spawner()
    }

    /// The node's remapping rules.
    pub fn topic_names(&self) -> &TopicNames {
        &self.names
    }

    /// Listens to a topic, in the way that hears its publishers best.
    ///
    /// # Errors
    /// When ROS refuses the topic.
    pub fn listen<T>(&mut self, topic: Topic, mut handle: impl FnMut(T) + 'static) -> anyhow::Result<()>
    where
        T: WrappedTypesupport + 'static,
    {
        let open = |node: &mut Node, name: &str, profile| node.subscribe::<T>(name, profile);
        self.add(topic, open, move |_, message| handle(message))
    }

    /// As [`Executor::listen`], without a copy of each message.
    ///
    /// # Errors
    /// As [`Executor::listen`].
    pub fn listen_native<T>(
        &mut self,
        topic: Topic,
        mut handle: impl FnMut(NativeMsg<T>) + 'static,
    ) -> anyhow::Result<()>
    where
        T: WrappedTypesupport + 'static,
    {
        let open = |node: &mut Node, name: &str, profile| node.subscribe_native::<T>(name, profile);
        self.add(topic, open, move |_, message| handle(message))
    }

    /// As [`Executor::listen`], for messages as they travel, of any type. Nothing is missed and nothing comes
    /// twice while the topic is subscribed to anew.
    ///
    /// # Errors
    /// As [`Executor::listen`]; also when the type is none of those that the node was built with.
    pub fn listen_raw(&mut self, topic: Topic, mut handle: impl FnMut(Vec<u8>) + 'static) -> anyhow::Result<()> {
        let type_name = topic.type_name().to_owned();
        let open = move |node: &mut Node, name: &str, profile| node.subscribe_raw(name, &type_name, profile);
        let mut duplicates = Duplicates::default();
        self.add(topic.overlapping(OVERLAP), open, move |slot, message| {
            if duplicates.take(slot, &message, Instant::now()) {
                handle(message);
            }
        })
    }

    fn add<S: Stream + Unpin + 'static>(
        &mut self,
        topic: Topic,
        open: impl FnMut(&mut Node, &str, QosProfile) -> r2r::Result<S> + 'static,
        handle: impl FnMut(Slot, S::Item) + 'static,
    ) -> anyhow::Result<()> {
        let full_name = self.names.resolve(topic.name());
        let spawner = self.pool.spawner();
        self.listeners.push(Listener::new((topic, full_name), (&mut self.node, &spawner), open, handle)?);
        Ok(())
    }

    /// How the topics are heard that are listened to, in the order in which that began; kept up to date by
    /// [`Executor::run`].
    pub fn topic_states(&self) -> Rc<RefCell<Vec<TopicState>>> {
        self.states.clone()
    }

    /// Turns until SIGINT or SIGTERM, or until `each_turn` returns `false`.
    pub fn run(&mut self, mut each_turn: impl FnMut() -> bool) {
        let mut due = Instant::now();
        while !self.stop.load(Ordering::Relaxed) && each_turn() {
            self.node.spin_once(TURN);
            let now = Instant::now();
            if now >= due {
                due = now + FOLLOW_PERIOD;
                self.follow_publishers(now);
            }
            self.pool.run_until_stalled();
            self.rosout.publish();
        }
        self.rosout.publish();
    }

    fn follow_publishers(&mut self, now: Instant) {
        let spawner = self.pool.spawner();
        for listener in &mut self.listeners {
            listener.follow(&mut self.node, &spawner, now);
        }
        *self.states.borrow_mut() = self.listeners.iter().map(|listener| listener.state().clone()).collect();
    }
}

/// ROS's context, which reads the command line. r2r panics over arguments that can't be read.
fn context() -> anyhow::Result<r2r::Context> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let created = catch_unwind(AssertUnwindSafe(r2r::Context::create));
    std::panic::set_hook(hook);
    let created = created.map_err(|panic| {
        let reason = panic.downcast_ref::<String>().map_or("unknown reason", String::as_str);
        anyhow!("ROS refuses the command line: {}", crate::log_line::one_line(reason))
    })?;
    Ok(created?)
}

/// The value behind a lock; a thread that panicked while holding it left it whole.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Logs a reply of `service` that could not be delivered.
pub fn warn_unless_delivered(service: &str, reply: r2r::Result<()>) {
    if let Err(error) = reply {
        tracing::warn!(service, "no reply: the asker is gone or its QoS does not fit: {error}");
    }
}

/// Logs what could not be sent.
pub fn warn_on_error(result: r2r::Result<()>) {
    if let Err(error) = result {
        tracing::warn!("not sent: {error}");
    }
}
