//! The thread that answers `TIMEOUT` to questions that wait when their deadline comes: while the model is loaded, which may
//! take minutes or never end, and while it answers another question.

use std::time::Duration;

use msgs::{SpatialAnswer, Status};

use crate::clock::seconds_between;
use crate::queue::Job;
use crate::reply::refusal;
use crate::shared::{ModelState, Shared};

/// How late an answer may be; only while questions wait does the thread wake up at all.
const POLL: Duration = Duration::from_millis(50);

/// Ends with the queue.
pub(crate) fn keep(shared: &Shared) {
    while shared.queue.waits(POLL) {
        let now = shared.clock.now_nanos();
        for job in shared.queue.take_expired(now) {
            shared.emit(timeout(shared, &job, now));
        }
    }
}

/// The answer to a question that was not begun in time.
pub(crate) fn timeout(shared: &Shared, job: &Job, now: i64) -> SpatialAnswer {
    let text = match shared.model() {
        ModelState::Loading => "The deadline passed while the model was still being loaded.",
        _ => "The deadline passed while the question waited.",
    };
    let mut answer = refusal(&job.query_id, Status::Timeout, text);
    answer.kind = Some(job.question.kind);
    answer.timing.queue_secs = seconds_between(job.arrived_at_nanos, now);
    answer.timing.total_secs = answer.timing.queue_secs;
    answer
}
