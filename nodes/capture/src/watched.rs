//! A source that is read on a thread of its own, and opened again when it is gone.
//!
//! Cameras are unplugged, and streams break off. OpenCV then waits for seconds or says that nothing is left, so whoever must
//! answer others meanwhile can't wait for it. Of a live source the newest frame is kept, of a recorded one every frame waits
//! until it is taken. A recorded source ends; a live one never does.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::{Bgr8Frame, Capture, is_live};

/// So many broken frames in a row, and a live source is opened again.
const MOST_BROKEN: u32 = 10;
/// How long the thread may take to notice that nobody wants frames any more.
const STOP_LIMIT: Duration = Duration::from_secs(1);

/// What came from the source.
#[derive(Debug)]
pub enum Event {
    /// A frame, and when it was read.
    Frame(Bgr8Frame, Instant),
    /// A frame that could not be read, and why.
    Skipped(String),
    /// A recorded source has no more frames.
    End,
}

/// A live source that gives no frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Since when.
    pub since: Instant,
    /// What was said at the last try.
    pub reason: String,
}

#[derive(Default)]
struct State {
    event: Option<Event>,
    absence: Option<Absence>,
    rate_hz: Option<f64>,
    stopped: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits at most `pause`, or until the source is no longer wanted.
    fn wait(&self, pause: Duration) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_timeout_while(self.lock(), pause, |state| !state.stopped);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Puts an event where it is taken from: in the place of an older one where the source is live, else when there is
    /// room. Tells whether more are wanted.
    fn put(&self, event: Event, is_live: bool) -> bool {
        let mut state = self.lock();
        while !is_live && state.event.is_some() && !state.stopped {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if matches!(event, Event::Frame(..)) {
            state.absence = None;
        }
        state.event = Some(event);
        !state.stopped
    }

    fn miss(&self, reason: String) {
        let mut state = self.lock();
        let since = state.absence.as_ref().map_or_else(Instant::now, |absence| absence.since);
        state.absence = Some(Absence { since, reason });
    }
}

/// Pauses between tries: each twice as long as the one before, up to the longest.
#[derive(Clone, Copy, Debug)]
struct Pauses(Duration);

impl Pauses {
    const FIRST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(30);

    fn new() -> Self {
        Self(Self::FIRST)
    }

    fn take(&mut self) -> Duration {
        let next = (self.0 * 2).min(Self::LONGEST);
        std::mem::replace(&mut self.0, next)
    }
}

/// A source that is being read. Dropping it ends the thread.
pub struct Watched {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    is_live: bool,
}

impl Watched {
    /// Begins to read `source`, what [`Capture::open`] takes; `again`: a recorded one from its start when it has ended.
    ///
    /// # Errors
    /// When a recorded source can't be opened, or the system gives no thread. A live one may come later.
    pub fn start(source: &str, again: bool) -> Result<Self> {
        let is_live = is_live(source);
        let shared = Arc::new(Shared::default());
        let capture = if is_live { None } else { Some(Capture::open(source)?) };
        shared.lock().rate_hz = capture.as_ref().and_then(Capture::rate_hz);
        let reader = Reader {
            shared: shared.clone(),
            source: source.to_owned(),
            again,
            is_live,
            capture,
            pauses: Pauses::new(),
            shows: false,
        };
        let thread = std::thread::Builder::new().name("spacer-camera".to_owned()).spawn(move || reader.run());
        Ok(Self { shared, thread: Some(thread.map_err(Error::Thread)?), is_live })
    }

    /// Whether the source is a device or a stream.
    pub fn is_live(&self) -> bool {
        self.is_live
    }

    /// The source's own rate in hertz, where it is open and states a believable one.
    pub fn rate_hz(&self) -> Option<f64> {
        self.shared.lock().rate_hz
    }

    /// Takes what came. Waits for nothing.
    pub fn take(&self) -> Option<Event> {
        let event = self.shared.lock().event.take();
        self.shared.changed.notify_all();
        event
    }

    /// Says that a live source gives nothing now.
    pub fn absence(&self) -> Option<Absence> {
        self.shared.lock().absence.clone()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.changed.notify_all();
        let until = Instant::now() + STOP_LIMIT;
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The thread's side.
struct Reader {
    shared: Arc<Shared>,
    source: String,
    again: bool,
    is_live: bool,
    capture: Option<Capture>,
    pauses: Pauses,
    /// A frame came since the source began.
    shows: bool,
}

impl Reader {
    fn run(mut self) {
        let mut broken = 0u32;
        while !self.shared.lock().stopped {
            let Some(capture) = self.opened() else { continue };
            let goes_on = match capture.read() {
                Ok(Some(frame)) => {
                    (broken, self.pauses, self.shows) = (0, Pauses::new(), true);
                    self.shared.put(Event::Frame(frame, Instant::now()), self.is_live)
                }
                Ok(None) => self.at_end(),
                Err(error) => {
                    broken += 1;
                    if self.is_live && broken.is_multiple_of(MOST_BROKEN) {
                        self.lose(error.to_string());
                    }
                    self.shared.put(Event::Skipped(error.to_string()), self.is_live)
                }
            };
            if !goes_on {
                return;
            }
        }
    }

    /// The open source; `None` after a pause where it can't be had.
    fn opened(&mut self) -> Option<&mut Capture> {
        if self.capture.is_none() {
            match Capture::open(&self.source) {
                Ok(capture) => {
                    self.shared.lock().rate_hz = capture.rate_hz();
                    self.capture = Some(capture);
                }
                Err(error) => self.lose(error.to_string()),
            }
        }
        self.capture.as_mut()
    }

    /// Notes that the source is gone, and waits before the next try.
    fn lose(&mut self, reason: String) {
        self.capture = None;
        self.shared.miss(reason);
        drop(self.shared.wait(self.pauses.take()));
    }

    /// No frame is left: a live source is gone, a recorded one begins anew or ends.
    fn at_end(&mut self) -> bool {
        let is_whole = self.capture.as_ref().is_some_and(Capture::has_end);
        if self.is_live && !is_whole {
            self.lose("no more frames came".to_owned());
            return true;
        }
        if !self.again {
            self.shared.put(Event::End, false);
            return false;
        }
        // One that shows nothing would begin anew for ever, as fast as it can.
        if !std::mem::take(&mut self.shows) {
            return self.give_up("no frame of it can be read".to_owned());
        }
        match self.capture.as_mut().map(Capture::rewind) {
            Some(Err(error)) => self.give_up(error.to_string()),
            _ => true,
        }
    }

    /// Says why a recorded source ends that was to begin anew.
    fn give_up(&self, reason: String) -> bool {
        self.shared.put(Event::Skipped(reason), false);
        self.shared.put(Event::End, false);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_half_a_minute() {
        let mut pauses = Pauses::new();
        let taken: Vec<u64> = (0..9).map(|_| pauses.take().as_millis() as u64).collect();
        assert_eq!(taken, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
    }

    #[test]
    fn a_live_source_shows_its_newest_frame_and_comes_back() {
        let shared = Shared::default();
        let frame = |grey| Event::Frame(Bgr8Frame { width: 1, height: 1, data: vec![grey; 3] }, Instant::now());
        assert!(shared.put(frame(1), true) && shared.put(frame(2), true));
        let Some(Event::Frame(newest, _)) = shared.lock().event.take() else { panic!("a frame") };
        assert_eq!(newest.data, [2; 3]);
        shared.miss("unplugged".to_owned());
        let first = shared.lock().absence.clone().expect("gone");
        shared.miss("no such device".to_owned());
        let second = shared.lock().absence.clone().expect("gone");
        assert_eq!((second.since, second.reason.as_str()), (first.since, "no such device"));
        shared.put(frame(3), true);
        assert_eq!(shared.lock().absence, None);
    }
}
