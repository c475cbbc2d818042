//! The pipeline's handle: frames and questions in, answers out.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use frame_ring::{FrameError, FrameRing, Pushed, RawFrame, RingSettings, Shot, SlotSize};
use geometry::CameraReport;
use msgs::{SpatialAnswer, SpatialQuery, Status};
use processor::PreprocessorConfig;

use crate::answerer::{Answerer, Progress};
use crate::clock::{Clock, SystemClock, seconds_between};
use crate::deadlines;
use crate::model_watch;
use crate::query::read_query;
use crate::queue::{Cancelled, Job};
use crate::reply::refusal;
use crate::shared::{Diagnostics, Shared};
use crate::worker::{self, Factory};
use crate::{AnswerError, Settings, StartError, VlmAnswerer, room};

const LONGEST_DEADLINE_SECS: f64 = 86_400.0;

/// Where answers go. Called from the worker and, for questions refused at once, from the thread that asks; so it must
/// not wait for that thread. Every question asked is answered exactly once.
pub trait Sink: Send + Sync {
    /// An answer.
    fn answer(&self, answer: SpatialAnswer);

    /// What happens meanwhile; ignored unless implemented.
    fn progress(&self, _query_id: &str, _progress: Progress<'_>) {}
}

impl<F: Fn(SpatialAnswer) + Send + Sync> Sink for F {
    fn answer(&self, answer: SpatialAnswer) {
        self(answer);
    }
}

/// How long the end waits for threads. Loading can't be interrupted: ONNX Runtime reads, optimises and packs for as long as
/// the model takes. What still runs then is left behind: it holds nothing that anybody waits for, finds the queue closed
/// when it is done, and ends.
const END: Duration = Duration::from_millis(1500);
/// How often the end looks at them.
const END_POLL: Duration = Duration::from_millis(5);

/// The running pipeline. Dropping it answers what waits with `CANCELLED` and ends its threads, within 1.5 s: a model that is
/// still being loaded then is left to its thread.
pub struct Perception {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Perception {
    /// Starts with the network of `settings.model`. A model that is missing, truncated or tampered with does not
    /// fail the start: the pipeline stays up and answers `MODEL_ERROR`, naming file, expected and found.
    ///
    /// # Errors
    /// [`StartError`] for settings out of range.
    pub fn start(settings: Settings, sink: Arc<dyn Sink>) -> Result<Self, StartError> {
        let for_worker = settings.clone();
        let load = move || VlmAnswerer::load(&for_worker).map(|loaded| Box::new(loaded) as Box<dyn Answerer>);
        Self::start_with(settings, Arc::new(SystemClock), sink, load)
    }

    /// Starts with another answerer, made on the worker thread, and another clock.
    ///
    /// # Errors
    /// [`StartError`] for settings out of range.
    pub fn start_with(
        settings: Settings,
        clock: Arc<dyn Clock>,
        sink: Arc<dyn Sink>,
        load: impl FnOnce() -> Result<Box<dyn Answerer>, AnswerError> + Send + 'static,
    ) -> Result<Self, StartError> {
        let settings = settings.with_models_window();
        settings.validate()?;
        let ring = FrameRing::with_embeds(RingSettings {
            capacity: settings.ring_frames(),
            slot_size: input_size(&settings),
            frame_rate_hz: Some(settings.frame_rate_hz),
            still: settings.still(),
        })?;
        let shared = Arc::new(Shared::new(settings, ring, clock, sink));
        let mut perception = Self { shared, threads: Vec::new() };
        let factory = Box::new(load) as Factory;
        perception.spawn("perception", move |shared| worker::run(shared, factory))?;
        perception.spawn("spacer-vision", |shared| worker::see(shared))?;
        perception.spawn("spacer-deadline", |shared| deadlines::keep(shared))?;
        perception.spawn("spacer-watch", |shared| model_watch::keep(shared))?;
        Ok(perception)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce(&Arc<Shared>) + Send + 'static) -> Result<(), StartError> {
        let shared = Arc::clone(&self.shared);
        self.threads.push(std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&shared))?);
        Ok(())
    }

    /// [`Perception::push_at`] of a frame of which nothing is known.
    ///
    /// # Errors
    /// As [`Perception::push_at`].
    pub fn push(&self, frame: &RawFrame<'_>) -> Result<Pushed, FrameError> {
        self.push_at(frame, &Shot::default())
    }

    /// Takes a frame in; `shot`: how it was taken, see [`FrameRing::push_at`]. Set `received_at_nanos` from
    /// [`Perception::now_nanos`].
    ///
    /// # Errors
    /// [`FrameError`] if the frame is not what it says or of a size that the model takes none of; it is counted.
    pub fn push_at(&self, frame: &RawFrame<'_>, shot: &Shot) -> Result<Pushed, FrameError> {
        let vision = &self.shared.vision;
        let pushed = vision.ring.push_at(frame, shot);
        match &pushed {
            Err(error) => self.note_refused(error.to_string()),
            Ok(pushed) => {
                self.shared.note_taken();
                if pushed.kept && self.shared.settings.hot_prefix {
                    vision.frame_came();
                }
            }
        }
        pushed
    }

    /// Says that a frame came which could not even be pushed, for instance because it can't be decoded, and why. Until
    /// one is taken, whoever asks in vain for want of frames is told so.
    pub fn note_refused(&self, why: String) {
        self.shared.note_refused(why);
    }

    /// The pipeline's clock.
    pub fn now_nanos(&self) -> i64 {
        self.shared.clock.now_nanos()
    }

    /// Tells what is known of the camera from now on; answers carry it in words.
    pub fn set_camera(&self, camera: CameraReport) {
        self.shared.set_camera(camera);
    }

    /// Asks. The answer comes through the sink, at once where the question is refused (`BAD_QUERY`, `BUSY`). Returns
    /// the id under which it comes: the query's own, or a new one where that is empty.
    pub fn ask(&self, query: SpatialQuery) -> String {
        let shared = &self.shared;
        let now = shared.clock.now_nanos();
        let number = shared.number_question();
        let query_id = if query.query_id.is_empty() { format!("q{number}") } else { query.query_id.clone() };
        let question = match read_query(&query) {
            Ok(question) => question,
            Err(error) => {
                shared.emit(refusal(&query_id, Status::BadQuery, error.to_string()));
                return query_id;
            }
        };
        let wanted = if query.deadline_secs == 0.0 { shared.settings.deadline_secs } else { query.deadline_secs };
        let deadline_nanos = now.saturating_add((wanted.min(LONGEST_DEADLINE_SECS) * 1e9) as i64);
        let job = Job {
            query_id: query_id.clone(),
            question,
            arrived_at_nanos: now,
            deadline_nanos,
            cancel: Arc::new(AtomicBool::new(false)),
        };
        if let Err(job) = shared.queue.push(job) {
            let text = format!("{} questions wait already; ask again later.", shared.settings.queue_capacity);
            let kind = Some(job.question.kind);
            shared.emit(SpatialAnswer { kind, ..refusal(&query_id, Status::Busy, text) });
        }
        query_id
    }

    /// Cancels a question that waits or runs; false if there is none of that id. It is answered `CANCELLED`, unless
    /// its answer was ready already.
    pub fn cancel(&self, query_id: &str) -> bool {
        match self.shared.queue.cancel(query_id) {
            Cancelled::Waiting(job) => {
                self.emit_cancelled(&job, "Cancelled before it was begun.");
                true
            }
            Cancelled::Running => true,
            Cancelled::Unknown => false,
        }
    }

    fn emit_cancelled(&self, job: &Job, text: &str) {
        let mut answer = refusal(&job.query_id, Status::Cancelled, text);
        answer.kind = Some(job.question.kind);
        answer.timing.total_secs = seconds_between(job.arrived_at_nanos, self.now_nanos());
        answer.timing.queue_secs = answer.timing.total_secs;
        self.shared.emit(answer);
    }

    /// A reading of everything worth showing.
    pub fn diagnostics(&self) -> Diagnostics {
        self.shared.diagnostics()
    }
}

impl Drop for Perception {
    fn drop(&mut self) {
        for job in self.shared.queue.close() {
            self.emit_cancelled(&job, "The node is shutting down.");
        }
        self.shared.vision.close();
        let end = Instant::now() + END;
        while self.threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < end {
            std::thread::sleep(END_POLL);
        }
        for thread in self.threads.drain(..).filter(JoinHandle::is_finished) {
            // Panics of models are caught; one of a sink has been printed already.
            let _ = thread.join();
        }
    }
}

/// What the model's preprocessor makes of the camera's frames, as far as memory has room for the ring. Where its
/// configuration can't be read the model will be refused, and frames are kept in a size that no model needs to fit.
fn input_size(settings: &Settings) -> SlotSize {
    let Ok(config) = PreprocessorConfig::from_dir(&settings.model) else { return SlotSize::fixed((140, 112)) };
    let frames = settings.ring_frames();
    SlotSize::new(move |(width, height)| {
        let size = config.video_size(height as usize, width as usize).map_err(|error| error.to_string())?;
        if !room::holds_ring(frames, size.0.saturating_mul(size.1)) {
            return Err(format!("{frames} frames of {}x{} do not fit into half of free memory", size.1, size.0));
        }
        Ok((size.1 as u32, size.0 as u32))
    })
}
