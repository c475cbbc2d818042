//! One node, its streams and its parameters on one thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::executor::{LocalPool, LocalSpawner};
use futures::task::LocalSpawnExt;
use r2r::RosParams;

/// How long one turn waits for messages, and so the longest that an answer from another thread waits for its turn.
const TURN: Duration = Duration::from_millis(5);

/// A node with its executor. Streams and timers are spawned on [`Executor::spawner`], then [`Executor::run`] turns
/// until the process is told to stop.
pub struct Executor {
    /// The node.
    pub node: r2r::Node,
    pool: LocalPool,
}

impl Executor {
    /// Creates the node `name`; `--ros-args` may rename it, set its namespace and its parameters.
    ///
    /// # Errors
    /// When ROS refuses; a parameter of a wrong type is refused in [`Executor::parameters`].
    pub fn new(name: &str) -> anyhow::Result<Self> {
        let context = r2r::Context::create()?;
        Ok(Self { node: r2r::Node::create(context, name, "")?, pool: LocalPool::new() })
    }

    /// Declares the fields of `defaults` as ROS parameters and returns them with what the command line and parameter
    /// files say. Later changes are accepted and shown, and used at the next start.
    ///
    /// # Errors
    /// When a given value has another type than the field.
    pub fn parameters<P: RosParams + Clone + Send + 'static>(&mut self, defaults: P) -> anyhow::Result<P> {
        let parameters = Arc::new(Mutex::new(defaults));
        let (handler, _events) = self.node.make_derived_parameter_handler(parameters.clone())?;
        self.spawner().spawn_local(handler)?;
        let read = lock(&parameters).clone();
        Ok(read)
    }

    /// Where streams and timers are spawned.
    pub fn spawner(&self) -> LocalSpawner {
        self.pool.spawner()
    }

    /// Turns until SIGINT or SIGTERM, or until `each_turn` returns `false`.
    pub fn run(&mut self, mut each_turn: impl FnMut() -> bool) {
        let stop = stop_flag();
        while !stop.load(Ordering::Relaxed) && each_turn() {
            self.node.spin_once(TURN);
            self.pool.run_until_stalled();
        }
    }
}

/// Set once the process is told to stop. `rcl` installs no handlers of its own when used from here.
fn stop_flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        if let Err(error) = signal_hook::flag::register(signal, flag.clone()) {
            tracing::warn!(signal, %error, "no handler for this signal; the node ends without saying so");
        }
    }
    flag
}

/// Logging to standard error, at the level of `RUST_LOG` or `info`.
pub fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(std::io::stderr).init();
}

/// The value behind a lock; a thread that panicked while holding it left it whole.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Logs what could not be sent.
pub fn warn_on_error(result: r2r::Result<()>) {
    if let Err(error) = result {
        tracing::warn!("not sent: {error}");
    }
}
