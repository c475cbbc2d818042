//! Being told to stop: Ctrl-C and SIGTERM end a run after its step, with a checkpoint.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use anyhow::Result;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::exit;

/// Which signal told this process to stop.
#[derive(Clone, Debug, Default)]
pub struct StopRequest(Arc<AtomicI32>);

impl StopRequest {
    /// Listens from now on. A second signal ends the process at once.
    ///
    /// # Errors
    /// When the system gives no thread or no signals.
    pub fn listen() -> Result<Self> {
        let request = Self::default();
        let told = Arc::clone(&request.0);
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        std::thread::Builder::new().name("stop".to_owned()).spawn(move || {
            for signal in signals.forever() {
                if told.swap(signal, Ordering::Relaxed) != 0 {
                    exit(status(signal));
                }
                // Nobody may read it any more; that is no reason not to stop.
                let _ =
                    writeln!(std::io::stderr(), "stops after this step, with a checkpoint; once more stops at once");
            }
        })?;
        Ok(request)
    }

    /// Whether this process was told to stop.
    pub fn is_made(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Ends the process as one that a signal has ended, where one has.
    pub fn exit_if_made(&self) {
        match self.0.load(Ordering::Relaxed) {
            0 => {}
            signal => exit(status(signal)),
        }
    }
}

/// As shells report a process that a signal has ended.
fn status(signal: i32) -> i32 {
    128 + signal
}
