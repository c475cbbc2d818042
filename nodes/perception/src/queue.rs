//! A bounded queue of questions that refuses new ones when it is full (`reject_new`).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grounding::ParsedQuestion;

/// A question that waits.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub query_id: String,
    pub question: ParsedQuestion,
    pub arrived_at_nanos: i64,
    pub deadline_nanos: i64,
    pub cancel: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    running: Option<Job>,
    /// Frames have come since the worker last looked.
    frames: bool,
    closed: bool,
}

#[derive(Debug)]
pub(crate) struct Queue {
    capacity: usize,
    state: Mutex<State>,
    /// There is work.
    changed: Condvar,
    /// A question has come, or the end.
    asked: Condvar,
}

/// What the worker is to do next.
pub(crate) enum Work {
    /// Answer this question.
    Question(Job),
    /// Look at the newest frames.
    Frames,
    /// Stop.
    End,
}

/// Where a cancelled question was.
pub(crate) enum Cancelled {
    /// It waited and is out of the queue; the caller answers it.
    Waiting(Job),
    /// It is being answered; the worker will notice.
    Running,
    /// No question of that id.
    Unknown,
}

impl Queue {
    pub fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default(), changed: Condvar::new(), asked: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a job in, or gives it back if the queue is full or closed.
    pub fn push(&self, job: Job) -> Result<(), Box<Job>> {
        let mut state = self.lock();
        if state.closed || state.waiting.len() >= self.capacity {
            return Err(Box::new(job));
        }
        state.waiting.push_back(job);
        self.changed.notify_one();
        self.asked.notify_all();
        Ok(())
    }

    /// Says that frames have come. However many have before the worker looks, it looks once (`keep_last`).
    pub fn frames_came(&self) {
        self.lock().frames = true;
        self.changed.notify_one();
    }

    /// Waits for work; questions, which are marked as running, go before frames.
    pub fn next(&self) -> Work {
        let mut state = self.lock();
        state.running = None;
        loop {
            if state.closed {
                return Work::End;
            }
            if let Some(job) = state.waiting.pop_front() {
                state.running = Some(job.clone());
                return Work::Question(job);
            }
            if std::mem::take(&mut state.frames) {
                return Work::Frames;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until a question waits, and then for `period`; false at the end.
    pub fn waits(&self, period: Duration) -> bool {
        let is_idle = |state: &mut State| !state.closed && state.waiting.is_empty();
        let state = self.asked.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
        drop(state);
        !self.closes_within(period)
    }

    /// Waits for the end, as long as `period`; whether it came.
    pub fn closes_within(&self, period: Duration) -> bool {
        let waited = self.asked.wait_timeout_while(self.lock(), period, |state| !state.closed);
        waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Takes out the questions that wait though their deadline has come.
    pub fn take_expired(&self, now: i64) -> Vec<Job> {
        let mut state = self.lock();
        let (expired, waiting): (Vec<_>, Vec<_>) = state.waiting.drain(..).partition(|job| now >= job.deadline_nanos);
        state.waiting = waiting.into();
        expired
    }

    pub fn cancel(&self, query_id: &str) -> Cancelled {
        let mut state = self.lock();
        if let Some(index) = state.waiting.iter().position(|job| job.query_id == query_id)
            && let Some(job) = state.waiting.remove(index)
        {
            return Cancelled::Waiting(job);
        }
        match &state.running {
            Some(job) if job.query_id == query_id => {
                job.cancel.store(true, Ordering::Relaxed);
                Cancelled::Running
            }
            _ => Cancelled::Unknown,
        }
    }

    /// Closes the queue, cancels the running job and returns those that waited.
    pub fn close(&self) -> Vec<Job> {
        let mut state = self.lock();
        state.closed = true;
        if let Some(job) = &state.running {
            job.cancel.store(true, Ordering::Relaxed);
        }
        self.changed.notify_all();
        self.asked.notify_all();
        state.waiting.drain(..).collect()
    }

    pub fn len(&self) -> usize {
        self.lock().waiting.len()
    }
}
