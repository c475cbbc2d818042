//! A bounded queue of questions that refuses new ones when it is full (`reject_new`).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

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
    changed: Condvar,
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
        Self { capacity, state: Mutex::default(), changed: Condvar::new() }
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
        state.waiting.drain(..).collect()
    }

    pub fn len(&self) -> usize {
        self.lock().waiting.len()
    }
}
