//! A bounded queue that drops its oldest for the newest (`keep_last`).

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    dropped: u64,
    closed: bool,
}

#[derive(Debug)]
pub(crate) struct KeepLastQueue<T> {
    capacity: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

impl<T> KeepLastQueue<T> {
    pub fn new(capacity: usize) -> Self {
        let state = State { waiting: VecDeque::with_capacity(capacity), dropped: 0, closed: false };
        Self { capacity, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn push(&self, item: T) {
        let mut state = self.lock();
        if state.waiting.len() >= self.capacity {
            state.waiting.pop_front();
            state.dropped += 1;
        }
        state.waiting.push_back(item);
        self.changed.notify_one();
    }

    /// Waits for the oldest; `None` once the queue is closed.
    pub fn next(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(item) = state.waiting.pop_front() {
                return Some(item);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Items dropped so far.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_counts_the_dropped_and_ends_when_closed() {
        let queue = KeepLastQueue::new(2);
        (0..5).for_each(|i| queue.push(i));
        assert_eq!((queue.dropped(), queue.next(), queue.next()), (3, Some(3), Some(4)));
        queue.push(5);
        queue.close();
        assert_eq!(queue.next(), None);
    }
}
