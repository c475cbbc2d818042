//! What the pipeline's threads share, and what may be read of it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use frame_ring::{Counters, FrameRing};
use geometry::CameraReport;
use model_dir::Stamps;
use msgs::{SpatialAnswer, Status, Timing};
use vlm::ImageEmbeds;

use crate::Settings;
use crate::answerer::RunsOn;
use crate::clock::{Clock, seconds_between};
use crate::perception::Sink;
use crate::queue::Queue;
use crate::vision::{Vision, VisionCounters};
use crate::worker::nothing_to_see;

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
    pub answered: [u64; Status::COUNT],
    /// What became of the frames on the vision thread.
    pub vision: VisionCounters,
    /// Memory held by what is ready for the next question, bytes: prefixes, and embeds in the ring.
    pub ready_bytes: usize,
    /// Whether there is a model.
    pub model: ModelState,
    /// Which file of the model has changed since it was verified; answers are those of the model as it was.
    pub model_changed: Option<String>,
    /// Text of the newest `MODEL_ERROR` answer or refused frame.
    pub last_error: Option<String>,
    /// Timing of the newest answer that ran the model.
    pub last_timing: Option<Timing>,
    /// Age of the newest frame, seconds since it was received.
    pub newest_frame_age_secs: Option<f64>,
    /// What the model is told about the camera.
    pub camera: CameraReport,
    /// What is wrong with the pictures as such: that they show nothing, or are frozen.
    pub sight: Option<&'static str>,
}

/// What the last of each kind was.
#[derive(Debug)]
pub(crate) struct Latest {
    model: ModelState,
    camera: CameraReport,
    stamps: Option<Stamps>,
    changed: Option<String>,
    error: Option<String>,
    /// Why the newest frame was refused; `None` where it was taken.
    refused: Option<String>,
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
    answered: [AtomicU64; Status::COUNT],
}

impl Latest {
    fn new() -> Self {
        Self {
            model: ModelState::Loading,
            camera: CameraReport::default(),
            stamps: None,
            changed: None,
            error: None,
            refused: None,
            timing: None,
        }
    }
}

impl Shared {
    /// Nothing has come yet.
    pub fn new(settings: Settings, ring: FrameRing<ImageEmbeds>, clock: Arc<dyn Clock>, sink: Arc<dyn Sink>) -> Self {
        Self {
            queue: Queue::new(settings.queue_capacity),
            vision: Vision::new(ring, settings.hop() < settings.window_frames),
            settings,
            clock,
            sink,
            latest: Mutex::new(Latest::new()),
            ready_bytes: AtomicUsize::new(0),
            asked: AtomicU64::new(0),
            answered: Default::default(),
        }
    }

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

    pub fn model(&self) -> ModelState {
        self.latest(|latest| latest.model.clone())
    }

    /// What the files of the model were when it was verified.
    pub fn set_stamps(&self, stamps: Option<Stamps>) {
        self.latest(|latest| latest.stamps = stamps);
    }

    /// Compares them with what they are now.
    pub fn look_at_model_files(&self) {
        let Some(stamps) = self.latest(|latest| latest.stamps.clone()) else { return };
        let changed = stamps.changed().map(|path| {
            let path = path.display();
            format!(
                "{path} has changed since it was verified; answers are those of the model as it was: restart to use it"
            )
        });
        self.latest(|latest| latest.changed = changed);
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

    /// The newest frame was refused for this reason.
    pub fn note_refused(&self, why: String) {
        self.latest(|latest| {
            latest.error = Some(why.clone());
            latest.refused = Some(why);
        });
    }

    /// The newest frame was taken.
    pub fn note_taken(&self) {
        self.latest(|latest| latest.refused = None);
    }

    /// Why the newest frame was refused; `None` where it was taken, or none came.
    pub fn refused(&self) -> Option<String> {
        self.latest(|latest| latest.refused.clone())
    }

    pub fn set_camera(&self, camera: CameraReport) {
        self.latest(|latest| latest.camera = camera);
    }

    pub fn camera(&self) -> CameraReport {
        self.latest(|latest| latest.camera.clone())
    }

    /// The number of a new question.
    pub fn number_question(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed)
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

    /// A reading of everything worth showing.
    pub fn diagnostics(&self) -> Diagnostics {
        let newest = self.vision.ring.newest_received_at_nanos();
        let now = self.clock.now_nanos();
        let (model, model_changed) = self.latest(|latest| (latest.model.clone(), latest.changed.clone()));
        let (last_error, last_timing) = self.latest(|latest| (latest.error.clone(), latest.timing));
        Diagnostics {
            frames: self.vision.ring.counters(),
            queue_len: self.queue.len(),
            asked: self.asked.load(Ordering::Relaxed),
            answered: std::array::from_fn(|code| self.answered[code].load(Ordering::Relaxed)),
            vision: self.vision.counters(),
            ready_bytes: self.ready_bytes.load(Ordering::Relaxed) + self.vision.bytes(),
            model,
            model_changed,
            last_error,
            last_timing,
            newest_frame_age_secs: newest.map(|received| seconds_between(received, now)),
            camera: self.camera(),
            sight: self.vision.ring.sight().and_then(|sight| nothing_to_see(&sight)).map(|(_, text)| text),
        }
    }
}
