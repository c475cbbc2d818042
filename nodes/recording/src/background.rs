//! Recording on a thread of its own, so that a slow disk never holds up who listens.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::qos::Qos;
use crate::writer::{BagWriter, TopicId};

/// How long the thread waits for a message before it looks whether a chunk is due.
const PATIENCE: Duration = Duration::from_millis(100);

/// What may wait to be written; more is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// Messages.
    pub messages: usize,
    /// Bytes of messages.
    pub bytes: u64,
}

impl Default for QueueLimits {
    /// 4,096 messages of 256 MiB: nine seconds of 640×480 pictures at 30 Hz.
    fn default() -> Self {
        Self { messages: 4096, bytes: 256 << 20 }
    }
}

/// What became of the messages offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingCounts {
    /// Written.
    pub recorded: u64,
    /// Bytes of these.
    pub recorded_bytes: u64,
    /// Rejected, because too much was waiting or the recording had ended.
    pub dropped: u64,
    /// Bytes that wait.
    pub waiting_bytes: u64,
    /// Why the recording ended, if it has.
    pub error: Option<String>,
}

#[derive(Default)]
struct Shared {
    recorded: AtomicU64,
    recorded_bytes: AtomicU64,
    dropped: AtomicU64,
    waiting_bytes: AtomicU64,
    error: Mutex<Option<String>>,
}

enum Job {
    Message { topic: TopicId, log_time_nanos: u64, cdr: Vec<u8> },
    Offered { topic: TopicId, qos: Qos },
}

/// A [`BagWriter`] behind a bounded queue that rejects new messages when it is full, and counts them.
pub struct BackgroundWriter {
    folder: PathBuf,
    queue: SyncSender<Job>,
    limit_bytes: u64,
    thread: JoinHandle<Result<()>>,
    shared: Arc<Shared>,
}

impl BackgroundWriter {
    /// Starts the thread `recorder`.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(writer: BagWriter, limits: QueueLimits) -> Result<Self> {
        let (queue, jobs) = sync_channel(limits.messages);
        let shared = Arc::new(Shared::default());
        let (counted, folder) = (shared.clone(), writer.folder().to_owned());
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || record(writer, &jobs, &counted))
            .map_err(Error::io(&folder))?;
        Ok(Self { folder, queue, limit_bytes: limits.bytes, thread, shared })
    }

    /// Hands a serialized message over without waiting; `false` when it was rejected.
    pub fn offer(&self, topic: TopicId, log_time_nanos: u64, cdr: Vec<u8>) -> bool {
        let bytes = cdr.len() as u64;
        let waiting = self.shared.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let taken = waiting + bytes <= self.limit_bytes
            && match self.queue.try_send(Job::Message { topic, log_time_nanos, cdr }) {
                Ok(()) => true,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
            };
        if !taken {
            self.shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Tells how a topic is offered, as [`BagWriter::set_offered`]; `false` when the queue is full.
    pub fn set_offered(&self, topic: TopicId, qos: Qos) -> bool {
        self.queue.try_send(Job::Offered { topic, qos }).is_ok()
    }

    /// Counts a message as dropped that its listener could not even offer.
    pub fn reject(&self) {
        self.shared.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// What became of the messages so far.
    pub fn counts(&self) -> RecordingCounts {
        let Shared { recorded, recorded_bytes, dropped, waiting_bytes, error } = &*self.shared;
        RecordingCounts {
            recorded: recorded.load(Ordering::Relaxed),
            recorded_bytes: recorded_bytes.load(Ordering::Relaxed),
            dropped: dropped.load(Ordering::Relaxed),
            waiting_bytes: waiting_bytes.load(Ordering::Relaxed),
            error: error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Writes what waits and closes the bag.
    ///
    /// # Errors
    /// The error that ended the recording, now or before.
    pub fn close(self) -> Result<()> {
        drop(self.queue);
        self.thread.join().unwrap_or(Err(Error::Ended(self.folder)))
    }
}

fn record(writer: BagWriter, jobs: &Receiver<Job>, shared: &Shared) -> Result<()> {
    let ended = write_all(writer, jobs, shared);
    if let Err(error) = &ended {
        *shared.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        // What still waits is lost with the disk.
        for job in jobs.try_iter() {
            let Job::Message { cdr, .. } = job else { continue };
            shared.dropped.fetch_add(1, Ordering::Relaxed);
            shared.waiting_bytes.fetch_sub(cdr.len() as u64, Ordering::Relaxed);
        }
    }
    ended
}

fn write_all(mut writer: BagWriter, jobs: &Receiver<Job>, shared: &Shared) -> Result<()> {
    loop {
        match jobs.recv_timeout(PATIENCE) {
            Ok(Job::Offered { topic, qos }) => writer.set_offered(topic, qos),
            Ok(Job::Message { topic, log_time_nanos, cdr }) => {
                let bytes = cdr.len() as u64;
                shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
                writer.write(topic, log_time_nanos, &cdr)?;
                shared.recorded.fetch_add(1, Ordering::Relaxed);
                shared.recorded_bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            Err(RecvTimeoutError::Timeout) => writer.flush_if_due()?,
            Err(RecvTimeoutError::Disconnected) => return writer.close(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::StringMessage;
    use crate::{BagReader, Definitions, Topic, WriterSettings};

    #[test]
    fn what_is_offered_is_recorded_or_counted_as_dropped() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("bag");
        let mut writer = BagWriter::create(&folder, WriterSettings::default()).unwrap();
        let topic = writer.add_topic(Topic::of::<StringMessage>("/ask", &Definitions::new("")).unwrap());
        let background = BackgroundWriter::start(writer, QueueLimits { messages: 8, bytes: 1000 }).unwrap();
        let message = crate::to_cdr(&StringMessage { data: "x".repeat(100) }).unwrap();
        let taken = (0..1000).filter(|time| background.offer(topic, *time, message.clone())).count() as u64;
        assert!(!background.offer(topic, 1000, vec![0; 2000]), "larger than all that may wait");
        let before = background.counts();
        assert_eq!(taken + before.dropped, 1001);
        background.close().unwrap();
        assert_eq!(BagReader::open(&folder).unwrap().messages().count() as u64, taken);
    }

    #[test]
    fn the_bag_says_how_a_topic_was_offered() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("bag");
        let mut writer = BagWriter::create(&folder, WriterSettings::default()).unwrap();
        let definitions = Definitions::new("");
        let topics =
            ["/early", "/late"].map(|name| writer.add_topic(Topic::of::<StringMessage>(name, &definitions).unwrap()));
        let background = BackgroundWriter::start(writer, QueueLimits::default()).unwrap();
        let message = crate::to_cdr(&StringMessage { data: "x".to_owned() }).unwrap();
        let best_effort = Qos { reliable: false, transient_local: true, depth: 3 };
        // Known before the first message of one topic, and after that of the other: that stays as it began.
        assert!(background.offer(topics[1], 1, message.clone()));
        assert!(topics.iter().all(|topic| background.set_offered(*topic, best_effort)));
        assert!(background.offer(topics[0], 2, message));
        background.close().unwrap();
        let metadata = std::fs::read_to_string(folder.join("metadata.yaml")).unwrap();
        assert_eq!(metadata.matches("reliability: 2").count(), 1, "{metadata}");
        assert_eq!(metadata.matches("depth: 3").count(), 1, "{metadata}");
    }
}
