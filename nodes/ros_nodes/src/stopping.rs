//! Being told to stop: a node ends within [`LONGEST_END`] of SIGINT or SIGTERM, whatever it waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::Builder;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::exit;

/// From the signal to the end of the process at the latest. ROS's launch waits for 5 s, a container for 10 s.
pub const LONGEST_END: Duration = Duration::from_millis(2700);
/// Exit status of a process that could not finish in that time.
const UNFINISHED: i32 = 75;

/// A flag that is set once the process is told to stop. Called first of all, so that a node which is told so
/// while it starts ends in order too. From then on the process has [`LONGEST_END`]; where it is not done by
/// then (a disk, a camera or a model that hangs), it is ended with status 75 and says so.
pub fn stop_flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    let watch = move |mut signals: Signals| {
        if signals.forever().next().is_some() {
            set.store(true, Ordering::Relaxed);
            std::thread::sleep(LONGEST_END);
            tracing::error!("not done {} s after the signal to stop; ended as it is", LONGEST_END.as_secs_f64());
            exit(UNFINISHED);
        }
    };
    let watched = Signals::new([SIGINT, SIGTERM])
        .and_then(|signals| Builder::new().name("stop".to_owned()).spawn(move || watch(signals)));
    if let Err(error) = watched {
        tracing::warn!(%error, "signals can't be watched; the node ends without saying so");
    }
    flag
}

/// Drops `value` on a thread of its own and waits for that at most so long; whether it was done by then.
pub fn drop_within<T: Send + 'static>(value: T, limit: Duration) -> bool {
    let (done, is_done) = sync_channel(1);
    let dropping = Builder::new().name("drop".to_owned()).spawn(move || {
        drop(value);
        // Nobody may wait any more.
        let _ = done.send(());
    });
    // Without a thread it was dropped right here.
    dropping.is_err() || is_done.recv_timeout(limit).is_ok()
}

/// Ends the process at once, leaving threads that can't be stopped as they are. Nothing may be left to write.
pub fn end_process() -> ! {
    exit(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Slow(Duration);

    impl Drop for Slow {
        fn drop(&mut self) {
            std::thread::sleep(self.0);
        }
    }

    #[test]
    fn what_takes_too_long_is_not_waited_for() {
        assert!(drop_within(Slow(Duration::from_millis(1)), Duration::from_secs(10)));
        assert!(!drop_within(Slow(Duration::from_secs(10)), Duration::from_millis(10)));
    }
}
