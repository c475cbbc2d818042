//! The thread that owns the model and answers one question after another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use frame_ring::Window;
use msgs::{SpatialAnswer, Status, Timing};

use crate::AnswerError;
use crate::answerer::{Answerer, Completion, Finish, Request, View};
use crate::clock::seconds_between;
use crate::perception::{ModelState, Shared};
use crate::queue::{Job, Work};
use crate::reply::{refusal, reply};

/// Makes the answerer on the worker thread.
pub(crate) type Factory = Box<dyn FnOnce() -> Result<Box<dyn Answerer>, AnswerError> + Send>;

pub(crate) fn run(shared: &Arc<Shared>, factory: Factory) {
    let loaded = catch_unwind(AssertUnwindSafe(factory))
        .unwrap_or_else(|panic| Err(AnswerError::Other(format!("loading panicked: {}", panic_text(&*panic)))));
    let mut answerer = match loaded {
        Ok(answerer) => {
            shared.set_model(ModelState::Ready { model: answerer.model(), runs_on: answerer.runs_on() });
            Some(answerer)
        }
        Err(error) => {
            shared.set_model(ModelState::Failed { reason: error.to_string() });
            None
        }
    };
    loop {
        let job = match shared.queue.next() {
            Work::Question(job) => job,
            Work::Frames => {
                get_ready(shared, answerer.as_mut());
                continue;
            }
            Work::End => return,
        };
        let started_at = shared.clock.now_nanos();
        let mut answer = answer(shared, answerer.as_mut(), &job, started_at);
        answer.kind = Some(job.question.kind);
        answer.timing.queue_secs = seconds_between(job.arrived_at_nanos, started_at);
        answer.timing.total_secs = seconds_between(job.arrived_at_nanos, shared.clock.now_nanos());
        if let Some(answerer) = &answerer {
            answer.model = answerer.model();
            shared.ready_bytes.store(answerer.ready_bytes(), Ordering::Relaxed);
        }
        shared.emit(answer);
    }
}

/// Looks at the newest frames while nobody asks.
fn get_ready(shared: &Shared, answerer: Option<&mut Box<dyn Answerer>>) {
    let Some(answerer) = answerer else { return };
    let window = shared.ring.window(shared.settings.window_frames);
    if window.frames.is_empty() {
        return;
    }
    let ready = catch_unwind(AssertUnwindSafe(|| answerer.get_ready(&view(shared, &window))));
    match ready {
        Ok(Ok(())) => {}
        Ok(Err(error)) => shared.note_error(format!("The model failed on new frames: {error}")),
        Err(panic) => shared.note_error(format!("The model panicked on new frames: {}", panic_text(&*panic))),
    }
    shared.ready_bytes.store(answerer.ready_bytes(), Ordering::Relaxed);
}

fn view<'a>(shared: &Shared, window: &'a Window) -> View<'a> {
    View { window, frame_rate_hz: shared.settings.frame_rate_hz, facts: shared.camera_facts() }
}

fn answer(shared: &Shared, answerer: Option<&mut Box<dyn Answerer>>, job: &Job, now: i64) -> SpatialAnswer {
    let refuse = |status, text: String| refusal(&job.query_id, status, text);
    if job.cancel.load(Ordering::Relaxed) {
        return refuse(Status::Cancelled, "Cancelled before it was begun.".to_owned());
    }
    if now >= job.deadline_nanos {
        return refuse(Status::Timeout, "The deadline passed while the question waited.".to_owned());
    }
    let Some(answerer) = answerer else {
        return refuse(Status::ModelError, shared.model_error());
    };
    let window = shared.ring.window(shared.settings.window_frames);
    let Some(newest) = window.frames.last() else {
        return refuse(Status::NoFrames, "No frame has arrived yet.".to_owned());
    };
    let age_secs = seconds_between(newest.received_at_nanos, now);
    let limit_secs = shared.settings.stale_after_secs;
    if age_secs > limit_secs {
        let text = format!("The newest frame is {age_secs:.1} s old; expected at most {limit_secs} s.");
        return refuse(Status::StaleFrames, text);
    }
    complete(shared, answerer.as_mut(), job, &window, now)
}

fn complete(shared: &Shared, answerer: &mut dyn Answerer, job: &Job, window: &Window, now: i64) -> SpatialAnswer {
    let left = Duration::from_secs_f64(seconds_between(now, job.deadline_nanos).min(1e6));
    let request = Request {
        view: view(shared, window),
        question: &job.question,
        deadline: Instant::now() + left,
        cancel: Arc::clone(&job.cancel),
        max_new_tokens: shared.settings.max_new_tokens,
    };
    let mut progress = |progress: crate::Progress<'_>| shared.sink.progress(&job.query_id, progress);
    let completed = catch_unwind(AssertUnwindSafe(|| {
        let completion = answerer.answer(&request, &mut progress)?;
        let answer = reply(job, &completion, window, |kind, value| answerer.interval(kind, value));
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

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
