//! The pipeline's handle: frames and questions in, answers out.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use frame_ring::{Counters, FrameError, FrameRing, Pose, Pushed, RawFrame, RingSettings};
use geometry::CameraFacts;
use grounding::{MAX_QUESTION_BYTES, ParsedQuestion, parse_question};
use msgs::{QuestionKind, SpatialAnswer, SpatialQuery, Status, Timing};
use processor::PreprocessorConfig;

use crate::answerer::{Answerer, Progress, RunsOn};
use crate::clock::{Clock, SystemClock, seconds_between};
use crate::queue::{Cancelled, Job, Queue};
use crate::reply::refusal;
use crate::vision::{Vision, VisionCounters};
use crate::worker::{self, Factory};
use crate::{AnswerError, Settings, StartError, VlmAnswerer};

const MAX_OPTIONS: usize = 26;
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

/// Whether there is a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelState {
    /// Being verified and loaded; questions wait.
    Loading,
    /// Ready.
    Ready {
        /// Name and version.
        model: String,
        /// What it runs on.
        runs_on: RunsOn,
    },
    /// Refused; every question is answered `MODEL_ERROR` with this reason.
    Failed {
        /// Which file, expected and found.
        reason: String,
    },
}

/// A reading of everything worth showing.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostics {
    /// What became of every frame.
    pub frames: Counters,
    /// Questions waiting.
    pub queue_len: usize,
    /// Questions asked so far.
    pub asked: u64,
    /// Questions answered so far, by [`Status::code`].
    pub answered: [u64; 9],
    /// What became of the frames on the vision thread.
    pub vision: VisionCounters,
    /// Memory held by what is ready for the next question, bytes: prefixes, and embeds in the ring.
    pub ready_bytes: usize,
    /// Whether there is a model.
    pub model: ModelState,
    /// Text of the newest `MODEL_ERROR` answer or refused frame.
    pub last_error: Option<String>,
    /// Timing of the newest answer that ran the model.
    pub last_timing: Option<Timing>,
    /// Age of the newest frame, seconds since it was received.
    pub newest_frame_age_secs: Option<f64>,
}

/// What the last of each kind was.
#[derive(Debug)]
struct Latest {
    model: ModelState,
    facts: CameraFacts,
    error: Option<String>,
    timing: Option<Timing>,
}

pub(crate) struct Shared {
    pub settings: Settings,
    pub vision: Vision,
    pub queue: Queue,
    pub clock: Arc<dyn Clock>,
    pub sink: Arc<dyn Sink>,
    latest: Mutex<Latest>,
    /// Of the answerer.
    pub ready_bytes: AtomicUsize,
    asked: AtomicU64,
    answered: [AtomicU64; 9],
}

impl Shared {
    fn latest<T>(&self, read: impl FnOnce(&mut Latest) -> T) -> T {
        read(&mut self.latest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn set_model(&self, model: ModelState) {
        self.latest(|latest| {
            if let ModelState::Failed { reason } = &model {
                latest.error = Some(reason.clone());
            }
            latest.model = model;
        });
    }

    pub fn model_error(&self) -> String {
        self.latest(|latest| match &latest.model {
            ModelState::Failed { reason } => format!("No usable model: {reason}"),
            _ => "No usable model.".to_owned(),
        })
    }

    pub fn note_error(&self, text: String) {
        self.latest(|latest| latest.error = Some(text));
    }

    pub fn camera_facts(&self) -> CameraFacts {
        self.latest(|latest| latest.facts)
    }

    pub fn emit(&self, answer: SpatialAnswer) {
        self.answered[usize::from(answer.status.code())].fetch_add(1, Ordering::Relaxed);
        self.latest(|latest| {
            if answer.status == Status::ModelError {
                latest.error = Some(answer.text.clone());
            }
            if answer.tokens.generated > 0 {
                latest.timing = Some(answer.timing);
            }
        });
        self.sink.answer(answer);
    }
}

/// The running pipeline. Dropping it answers what waits with `CANCELLED` and joins its threads.
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
        settings.validate()?;
        let (width, height) = input_size(&settings);
        let ring = FrameRing::with_embeds(RingSettings {
            capacity: settings.ring_frames(),
            width,
            height,
            frame_rate_hz: Some(settings.frame_rate_hz),
            still: settings.still(),
            expected_source: settings.camera_size,
        })?;
        let latest = Latest { model: ModelState::Loading, facts: CameraFacts::default(), error: None, timing: None };
        let shared = Arc::new(Shared {
            queue: Queue::new(settings.queue_capacity),
            vision: Vision::new(ring, settings.hop() < settings.window_frames),
            settings,
            clock,
            sink,
            latest: Mutex::new(latest),
            ready_bytes: AtomicUsize::new(0),
            asked: AtomicU64::new(0),
            answered: Default::default(),
        });
        let mut perception = Self { shared, threads: Vec::new() };
        let factory = Box::new(load) as Factory;
        perception.spawn("perception", move |shared| worker::run(shared, factory))?;
        perception.spawn("spacer-vision", |shared| worker::see(shared))?;
        Ok(perception)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce(&Arc<Shared>) + Send + 'static) -> Result<(), StartError> {
        let shared = Arc::clone(&self.shared);
        self.threads.push(std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&shared))?);
        Ok(())
    }

    /// [`Perception::push_at`] without a pose.
    ///
    /// # Errors
    /// As [`Perception::push_at`].
    pub fn push(&self, frame: &RawFrame<'_>) -> Result<Pushed, FrameError> {
        self.push_at(frame, None)
    }

    /// Takes a frame in, taken at `pose`, as far as known; see [`FrameRing::push_at`]. Set `received_at_nanos` from
    /// [`Perception::now_nanos`].
    ///
    /// # Errors
    /// [`FrameError`] if the frame is not what it says; it is counted.
    pub fn push_at(&self, frame: &RawFrame<'_>, pose: Option<Pose>) -> Result<Pushed, FrameError> {
        let vision = &self.shared.vision;
        let pushed = vision.ring.push_at(frame, pose);
        match &pushed {
            Err(error) => self.shared.note_error(error.to_string()),
            Ok(pushed) if pushed.kept && self.shared.settings.hot_prefix => vision.frame_came(),
            Ok(_) => {}
        }
        pushed
    }

    /// The pipeline's clock.
    pub fn now_nanos(&self) -> i64 {
        self.shared.clock.now_nanos()
    }

    /// Tells what is known of the camera from now on.
    pub fn set_camera_facts(&self, facts: CameraFacts) {
        self.shared.latest(|latest| latest.facts = facts);
    }

    /// Asks. The answer comes through the sink, at once where the question is refused (`BAD_QUERY`, `BUSY`). Returns
    /// the id under which it comes: the query's own, or a new one where that is empty.
    pub fn ask(&self, query: SpatialQuery) -> String {
        let shared = &self.shared;
        let now = shared.clock.now_nanos();
        let number = shared.asked.fetch_add(1, Ordering::Relaxed);
        let query_id = if query.query_id.is_empty() { format!("q{number}") } else { query.query_id.clone() };
        let question = match read_query(&query) {
            Ok(question) => question,
            Err(text) => {
                shared.emit(refusal(&query_id, Status::BadQuery, text));
                return query_id;
            }
        };
        let wanted = if query.deadline_secs == 0.0 { shared.settings.deadline_secs } else { query.deadline_secs };
        let deadline_nanos = now.saturating_add((wanted.min(LONGEST_DEADLINE_SECS) * 1e9) as i64);
        let job = Job {
            query_id: query_id.clone(),
            question,
            options: query.options.len(),
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
        let shared = &self.shared;
        let newest = shared.vision.ring.newest_received_at_nanos();
        let now = shared.clock.now_nanos();
        let (model, last_error, last_timing) =
            shared.latest(|latest| (latest.model.clone(), latest.error.clone(), latest.timing));
        Diagnostics {
            frames: shared.vision.ring.counters(),
            queue_len: shared.queue.len(),
            asked: shared.asked.load(Ordering::Relaxed),
            answered: std::array::from_fn(|code| shared.answered[code].load(Ordering::Relaxed)),
            vision: shared.vision.counters(),
            ready_bytes: shared.ready_bytes.load(Ordering::Relaxed) + shared.vision.bytes(),
            model,
            last_error,
            last_timing,
            newest_frame_age_secs: newest.map(|received| seconds_between(received, now)),
        }
    }
}

impl Drop for Perception {
    fn drop(&mut self) {
        for job in self.shared.queue.close() {
            self.emit_cancelled(&job, "The node is shutting down.");
        }
        self.shared.vision.close();
        for thread in self.threads.drain(..) {
            // Panics of models are caught; one of a sink has been printed already.
            let _ = thread.join();
        }
    }
}

/// What the model's preprocessor makes of the camera's frames. Where its configuration can't be read the model will be
/// refused, and frames are kept in a size that no model needs to fit.
fn input_size(settings: &Settings) -> (u32, u32) {
    let (width, height) = (settings.camera_size.0 as usize, settings.camera_size.1 as usize);
    let size = PreprocessorConfig::from_dir(&settings.model).and_then(|config| config.video_size(height, width));
    let (height, width) = size.unwrap_or((112, 140));
    (width as u32, height as u32)
}

/// The question in words, options included; the error says what is wrong with it.
fn read_query(query: &SpatialQuery) -> Result<ParsedQuestion, String> {
    let deadline = query.deadline_secs;
    if !(deadline.is_finite() && deadline >= 0.0) {
        return Err(format!("deadline_secs: expected a finite number of at least 0, found {deadline}"));
    }
    let mut question = parse_question(&query.text).map_err(|error| error.to_string())?;
    if query.options.is_empty() {
        return Ok(question);
    }
    let bytes = query.options.iter().fold(0usize, |sum, option| sum.saturating_add(option.len()));
    if query.options.len() > MAX_OPTIONS || bytes > MAX_QUESTION_BYTES {
        let found = query.options.len();
        return Err(format!(
            "options: expected at most {MAX_OPTIONS} of {MAX_QUESTION_BYTES} bytes in all, found {found} of {bytes} bytes"
        ));
    }
    (question.kind, question.object) = (QuestionKind::FreeForm, None);
    for (letter, option) in ('A'..='Z').zip(&query.options) {
        let option: String = option.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        question.text.push_str(&format!("\n{letter}. {}", option.trim()));
    }
    Ok(question)
}
