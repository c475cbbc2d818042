//! The thread that owns the model and answers one question after another, and the one that sees meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use frame_ring::{Sight, Snapshot};
use msgs::{SpatialAnswer, Status, Timing};
use vlm::ImageEmbeds;

use crate::AnswerError;
use crate::answerer::{Answerer, Completion, Finish, Progress, Ready, Request, View, halted};
use crate::clock::seconds_between;
use crate::deadlines;
use crate::queue::{Job, Work};
use crate::reply::{refusal, reply};
use crate::shared::{ModelState, Shared};
use crate::vision::panic_text;
use crate::windows::Windows;

/// Pictures with less detail show nothing, luma 0 to 255: see [`Sight::detail`].
const LEAST_DETAIL: f64 = 1.0;

/// Makes the answerer on the worker thread.
pub(crate) type Factory = Box<dyn FnOnce() -> Result<Box<dyn Answerer>, AnswerError> + Send>;

/// The vision thread: each frame that came is encoded, then the worker looks at it.
pub(crate) fn see(shared: &Shared) {
    shared.vision.run(|encoded| {
        if let Err(error) = encoded {
            shared.note_error(format!("The model failed on new frames: {error}"));
        }
        shared.queue.frames_came();
    });
}

pub(crate) fn run(shared: &Shared, factory: Factory) {
    let loaded = catch_unwind(AssertUnwindSafe(factory))
        .unwrap_or_else(|panic| Err(AnswerError::Other(format!("loading panicked: {}", panic_text(&*panic)))));
    match loaded {
        Ok(answerer) => {
            if let Some(encoder) = answerer.encoder() {
                shared.vision.set_encoder(encoder);
            }
            shared.set_stamps(answerer.stamps());
            shared.set_model(ModelState::Ready { model: answerer.model(), runs_on: answerer.runs_on() });
            Worker { shared, answerer: Some(answerer), windows: Windows::new(&shared.settings) }.run();
        }
        Err(error) => {
            shared.set_model(ModelState::Failed { reason: error.to_string() });
            Worker { shared, answerer: None, windows: Windows::new(&shared.settings) }.run();
        }
    }
}

/// The worker thread, with a model or without.
struct Worker<'s> {
    shared: &'s Shared,
    answerer: Option<Box<dyn Answerer>>,
    windows: Windows,
}

impl Worker<'_> {
    fn run(mut self) {
        loop {
            match self.shared.queue.next() {
                Work::Question(job) => self.settle(&job),
                Work::Frames => self.get_ready(),
                Work::End => return,
            }
        }
    }

    /// Answers one question, whatever happens.
    fn settle(&mut self, job: &Job) {
        let shared = self.shared;
        let started_at = shared.clock.now_nanos();
        let mut answer = self.answer(job, started_at);
        answer.kind = Some(job.question.kind);
        answer.timing.queue_secs = seconds_between(job.arrived_at_nanos, started_at);
        answer.timing.total_secs = seconds_between(job.arrived_at_nanos, shared.clock.now_nanos());
        if let Some(answerer) = &self.answerer {
            answer.model = answerer.model();
            shared.ready_bytes.store(answerer.ready_bytes(), Ordering::Relaxed);
        }
        shared.emit(answer);
    }

    /// Looks at the newest frames while nobody asks: one slice of work, then questions go first again.
    fn get_ready(&mut self) {
        let Some(answerer) = &mut self.answerer else { return };
        let ring = &self.shared.vision.ring;
        let held = ring.held();
        let serving = ring.snapshot(self.windows.serving(&held));
        if serving.window.frames.is_empty() {
            return;
        }
        let next = self.windows.next(&held).map(|first| ring.snapshot(first));
        match catch_unwind(AssertUnwindSafe(|| slice(self.shared, answerer.as_mut(), &serving, next.as_ref()))) {
            Ok(Ok(ready)) => {
                self.windows.set_next_is_read(next.is_some() && ready.next);
                if !(ready.serving && ready.next) {
                    self.shared.queue.frames_came();
                }
            }
            Ok(Err(error)) => self.shared.note_error(format!("The model failed on new frames: {error}")),
            Err(panic) => {
                self.shared.note_error(format!("The model panicked on new frames: {}", panic_text(&*panic)));
            }
        }
        self.shared.ready_bytes.store(answerer.ready_bytes(), Ordering::Relaxed);
    }

    fn answer(&mut self, job: &Job, now: i64) -> SpatialAnswer {
        let shared = self.shared;
        let refuse = |status, text: String| refusal(&job.query_id, status, text);
        if job.cancel.load(Ordering::Relaxed) {
            return refuse(Status::Cancelled, "Cancelled before it was begun.".to_owned());
        }
        if now >= job.deadline_nanos {
            return deadlines::timeout(shared, job, now);
        }
        let Some(answerer) = &mut self.answerer else {
            return refuse(Status::ModelError, shared.model_error());
        };
        // Before frames are asked for: more of them would not help.
        if let Some(text) = answerer.unsupported(&job.question) {
            return refuse(Status::Unsupported, text);
        }
        let ring = &shared.vision.ring;
        let mut snapshot = ring.snapshot(self.windows.serving(&ring.held()));
        let Some(newest) = snapshot.window.frames.last() else {
            return refuse(Status::NoFrames, no_frames(shared.refused()));
        };
        let age_secs = seconds_between(newest.received_at_nanos, now);
        let limit_secs = shared.settings.stale_after_secs;
        if age_secs > limit_secs {
            let mut text = format!("The newest frame is {age_secs:.1} s old; expected at most {limit_secs} s.");
            if let Some(why) = shared.refused() {
                text.push_str(&format!(" Newer ones were refused: {why}."));
            }
            return refuse(Status::StaleFrames, text);
        }
        if let Some((status, text)) = nothing_to_see(&snapshot.sight) {
            return refuse(status, text.to_owned());
        }
        complete(shared, answerer.as_mut(), job, &mut snapshot, now)
    }
}

/// Why there is no frame; `refused`: why the last that came was of no use.
fn no_frames(refused: Option<String>) -> String {
    match refused {
        Some(why) => format!("No frame could be used; the last was refused: {why}."),
        None => "No frame has arrived yet.".to_owned(),
    }
}

/// Why the model is not asked about frames that show nothing, whatever it would say of them.
pub(crate) fn nothing_to_see(sight: &Sight) -> Option<(Status, &'static str)> {
    if sight.frozen {
        return Some((Status::StaleFrames, "The picture is frozen: it stays the same while the camera moves."));
    }
    let text = "I see nothing: the picture is of one colour. Is the lens covered, or the camera without a signal?";
    (sight.detail < LEAST_DETAIL).then_some((Status::NotSeen, text))
}

/// One pair encoded that the vision thread dropped or that came before the model, else one slice of the answerer's.
fn slice(
    shared: &Shared,
    answerer: &mut dyn Answerer,
    serving: &Snapshot<ImageEmbeds>,
    next: Option<&Snapshot<ImageEmbeds>>,
) -> Result<Ready, AnswerError> {
    if shared.vision.encode_one([serving].into_iter().chain(next))? {
        return Ok(Ready { serving: false, next: false });
    }
    let next = next.map(|next| view(shared, next));
    answerer.get_ready(&view(shared, serving), next.as_ref())
}

fn view<'a>(shared: &Shared, snapshot: &'a Snapshot<ImageEmbeds>) -> View<'a> {
    View {
        window: &snapshot.window,
        embeds: &snapshot.embeds,
        frame_rate_hz: shared.settings.frame_rate_hz,
        facts: shared.camera().facts(),
    }
}

fn complete(
    shared: &Shared,
    answerer: &mut dyn Answerer,
    job: &Job,
    snapshot: &mut Snapshot<ImageEmbeds>,
    now: i64,
) -> SpatialAnswer {
    let left = Duration::from_secs_f64(seconds_between(now, job.deadline_nanos).min(1e6));
    let deadline = Instant::now() + left;
    let mut progress = |progress: Progress<'_>| shared.sink.progress(&job.query_id, progress);
    let camera = shared.camera();
    let completed = catch_unwind(AssertUnwindSafe(|| {
        let start = Instant::now();
        progress(Progress::Vision);
        shared.vision.complete(snapshot, || halted(&job.cancel, deadline))?;
        let encode_secs = start.elapsed().as_secs_f64();
        let request = Request {
            view: View { facts: camera.facts(), ..view(shared, snapshot) },
            question: &job.question,
            deadline,
            cancel: Arc::clone(&job.cancel),
            max_new_tokens: shared.settings.max_new_tokens,
        };
        let mut completion = answerer.answer(&request, &mut progress)?;
        completion.vision_secs += encode_secs;
        completion.first_token_secs += encode_secs;
        let mut answer = reply(job, &completion, &snapshot.window, |kind, value| answerer.interval(kind, value));
        answer.camera = camera.to_string();
        Ok::<_, AnswerError>((completion, answer))
    }));
    let failed = |text: String| refusal(&job.query_id, Status::ModelError, text);
    let (completion, answer) = match completed {
        Ok(Ok(pair)) => pair,
        Ok(Err(error)) => return failed(format!("The model failed: {error}")),
        Err(panic) => return failed(format!("The model panicked: {}", panic_text(&*panic))),
    };
    let timing = timing(&completion, seconds_between(job.arrived_at_nanos, now));
    let refuse = |status, text| SpatialAnswer { timing, ..refusal(&job.query_id, status, text) };
    match completion.finish {
        Finish::Complete => SpatialAnswer { timing, ..answer },
        Finish::Deadline => refuse(Status::Timeout, "The deadline passed while the model answered."),
        Finish::Cancelled => refuse(Status::Cancelled, "Cancelled while the model answered."),
    }
}

fn timing(completion: &Completion, queue_secs: f64) -> Timing {
    Timing {
        queue_secs,
        vision_secs: completion.vision_secs,
        prefill_secs: completion.prefill_secs,
        first_token_secs: queue_secs + completion.first_token_secs,
        decode_secs: completion.decode_secs,
        total_secs: 0.0,
    }
}
