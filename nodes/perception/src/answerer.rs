//! The seam between the pipeline and a model.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use frame_ring::{Frame, Pose, Window};
use geometry::{CameraFacts, PlanPose, rigid_transform};
use grounding::ParsedQuestion;
use model_dir::Stamps;
use msgs::{Interval, QuestionKind, TokenCounts};
use vlm::ImageEmbeds;

use crate::AnswerError;
use crate::vision::PairEncoder;

/// What there is to see.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// At least one frame, oldest first. Pixels may be missing where embeds are not.
    pub window: &'a Window,
    /// For each two frames, and for the odd one at the end, the embeds, where they are there. May be shorter.
    pub embeds: &'a [Option<Arc<ImageEmbeds>>],
    /// Rate at which the window's frames were kept, frames per second.
    pub frame_rate_hz: f64,
    /// What is known of the camera.
    pub facts: CameraFacts,
}

impl View<'_> {
    /// Where the camera was at the newer frame of each pair, oldest first; `None` where one is not known.
    pub fn cameras(&self) -> Option<Vec<PlanPose>> {
        let plan = |pair: &[Frame]| {
            let Pose { position_m, orientation } = pair.last()?.pose?;
            Some(PlanPose::of_camera(&rigid_transform(position_m, orientation)))
        };
        self.window.frames.chunks(2).map(plan).collect()
    }
}

/// What a model is given for one answer.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What the question is about.
    pub view: View<'a>,
    /// The question.
    pub question: &'a ParsedQuestion,
    /// No token is begun after this.
    pub deadline: Instant,
    /// No token is begun after this is true.
    pub cancel: Arc<AtomicBool>,
    /// Longest completion, tokens.
    pub max_new_tokens: usize,
}

impl Request<'_> {
    /// Why nothing more may be begun.
    pub fn halted(&self) -> Option<Finish> {
        halted(&self.cancel, self.deadline)
    }
}

/// Why nothing may be begun that can be cancelled and has a deadline.
pub(crate) fn halted(cancel: &AtomicBool, deadline: Instant) -> Option<Finish> {
    if cancel.load(Ordering::Relaxed) {
        return Some(Finish::Cancelled);
    }
    (Instant::now() >= deadline).then_some(Finish::Deadline)
}

/// Why a completion ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Finish {
    /// By itself, or at its greatest length.
    #[default]
    Complete,
    /// At the deadline.
    Deadline,
    /// At the asker's wish.
    Cancelled,
}

/// A completion and what it cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    /// The text.
    pub text: String,
    /// For each token, the byte of `text` at which it ends and its natural log-probability.
    pub token_ends: Vec<(usize, f32)>,
    /// Why it ended.
    pub finish: Finish,
    /// Preprocessing and encoding of frames and reading the prompt up to them, as far as not done ahead, seconds.
    pub vision_secs: f64,
    /// The rest of the prompt to KV cache, seconds.
    pub prefill_secs: f64,
    /// Begin of the request to the first token, seconds.
    pub first_token_secs: f64,
    /// First to last token, seconds.
    pub decode_secs: f64,
    /// Tokens of prompt and completion.
    pub tokens: TokenCounts,
}

/// What an asker may watch while waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Frames are being encoded.
    Vision,
    /// The prompt is being read.
    Prefill,
    /// A piece of text became certain.
    Decode(&'a str),
}

/// What a model runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunsOn {
    /// Name of the execution provider; empty when the answerer has none.
    pub provider: String,
    /// Providers that were asked for and refused, each with its reason.
    pub refusals: Vec<String>,
}

/// How far [`Answerer::get_ready`] got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Nothing is left to do for the serving window.
    pub serving: bool,
    /// Nothing is left to do for the next window, where there is one.
    pub next: bool,
}

/// A model that answers. Lives on the worker thread; the real one is [`crate::VlmAnswerer`].
pub trait Answerer {
    /// Name and version.
    fn model(&self) -> String;

    /// What it runs on, and what it was refused.
    fn runs_on(&self) -> RunsOn {
        RunsOn::default()
    }

    /// What the model's files were when they were verified; `None` where there are none.
    fn stamps(&self) -> Option<Stamps> {
        None
    }

    /// The model's vision tower, which then encodes frames on a thread of its own as they come; the embeds arrive in
    /// [`View::embeds`]. Without one they never do.
    fn encoder(&self) -> Option<Arc<dyn PairEncoder>> {
        None
    }

    /// Gets ready for questions about `serving` and, after that, for those about `next`, the window that will follow:
    /// called while no question waits, after frames have come, and again as long as anything is left to do. One call is
    /// short, for a question may come meanwhile. What is ready for other windows may be forgotten. Does nothing unless
    /// implemented; a question must be answered the same without it.
    ///
    /// # Errors
    /// [`AnswerError`] if a step failed; it is shown in the diagnostics, and questions go on.
    fn get_ready(&mut self, _serving: &View<'_>, _next: Option<&View<'_>>) -> Result<Ready, AnswerError> {
        Ok(Ready { serving: true, next: true })
    }

    /// Memory that [`Answerer::get_ready`] holds, bytes.
    fn ready_bytes(&self) -> usize {
        0
    }

    /// Why the model can't be asked this, where it was not taught to answer it, with what it answers; such a
    /// question is answered `UNSUPPORTED` and never reaches [`Answerer::answer`]. One that answers all has
    /// nothing to implement.
    fn unsupported(&self, _question: &ParsedQuestion) -> Option<String> {
        None
    }

    /// Completes one request.
    ///
    /// # Errors
    /// [`AnswerError`] if a step failed; the pipeline answers `MODEL_ERROR` and goes on.
    fn answer(
        &mut self,
        request: &Request<'_>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Completion, AnswerError>;

    /// The calibrated interval around a value; `None` without calibration for the kind.
    fn interval(&self, kind: QuestionKind, value: f64) -> Option<Interval>;
}
