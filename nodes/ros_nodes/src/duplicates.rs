//! Messages that come twice, because a topic is heard by two subscriptions for a while: each is taken once.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};
use std::time::{Duration, Instant};

use crate::subscriptions::Slot;

/// How long after its first arrival a message may come by another subscription.
pub const WINDOW: Duration = Duration::from_secs(5);
/// Messages that are remembered: those of a topic of 1 kHz.
const REMEMBERED: usize = 5000;
/// Bytes at both ends that tell messages apart, besides their length: header and stamp stand in the first.
const TELLING_BYTES: usize = 1024;

/// A message that was taken.
struct Taken {
    hash: u64,
    at: Instant,
    /// By which subscriptions it came, by number.
    slots: Vec<u32>,
}

/// What came of a topic of late.
#[derive(Default)]
pub struct Duplicates {
    taken: VecDeque<Taken>,
    /// When each subscription last had something.
    slots: HashMap<u32, Instant>,
}

impl Duplicates {
    /// Whether a message that came by `slot` is to be taken: it did not come by another subscription before.
    /// One that was published twice is taken twice.
    pub fn take(&mut self, slot: Slot, message: &[u8], now: Instant) -> bool {
        let is_old = |at: &Instant| now.saturating_duration_since(*at) > WINDOW;
        while self.taken.front().is_some_and(|taken| is_old(&taken.at) || self.taken.len() >= REMEMBERED) {
            self.taken.pop_front();
        }
        self.slots.retain(|_, at| !is_old(at));
        self.slots.insert(slot.number, now);
        let hash = hash(message);
        if self.slots.len() > 1 {
            // What was there before the subscription comes by it only where it was kept.
            let may_come = |taken: &Taken| slot.transient_local || taken.at >= slot.since;
            let is_unpaired = |taken: &Taken| taken.hash == hash && !taken.slots.contains(&slot.number);
            if let Some(taken) = self.taken.iter_mut().find(|taken| is_unpaired(taken) && may_come(taken)) {
                taken.slots.push(slot.number);
                return false;
            }
        }
        self.taken.push_back(Taken { hash, at: now, slots: vec![slot.number] });
        true
    }
}

fn hash(message: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_usize(message.len());
    hasher.write(&message[..message.len().min(TELLING_BYTES)]);
    hasher.write(&message[message.len().saturating_sub(TELLING_BYTES)..]);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: u32, since: Instant, transient_local: bool) -> Slot {
        Slot { number, since, transient_local }
    }

    /// Arrivals as `subscription:message`; returns those that were taken. Subscriptions 8 and 9 begin late; 8
    /// is transient local.
    fn taken(arrivals: &str) -> String {
        let (mut duplicates, mut now) = (Duplicates::default(), Instant::now());
        let late = now + WINDOW / 2;
        let is_taken = |arrival: &&str| {
            let (number, message) = arrival.split_once(':').unwrap();
            let number: u32 = number.parse().unwrap();
            now = if number >= 8 { late } else { now };
            let since = if number >= 8 { late } else { now };
            duplicates.take(slot(number, since, number == 8), message.as_bytes(), now)
        };
        arrivals.split(' ').filter(is_taken).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_comes_by_both_subscriptions_is_taken_once_in_any_order() {
        assert_eq!(taken("1:a 1:b 2:b 2:c 1:c 2:d"), "1:a 1:b 2:c 2:d");
        assert_eq!(taken("1:a 1:b 8:a 8:b"), "1:a 1:b", "what a publisher kept");
    }

    #[test]
    fn what_is_said_twice_is_taken_twice() {
        assert_eq!(taken("1:a 1:a 1:a"), "1:a 1:a 1:a");
        assert_eq!(taken("1:a 2:a 1:a 2:a"), "1:a 1:a");
        assert_eq!(taken("1:a 2:a 2:a"), "1:a 2:a", "the second by one only");
        assert_eq!(taken("1:a 9:a"), "1:a 9:a", "by one that can't know the first");
    }

    #[test]
    fn the_past_is_forgotten() {
        let (mut duplicates, now) = (Duplicates::default(), Instant::now());
        assert!(duplicates.take(slot(1, now, true), b"a", now));
        assert!(duplicates.take(slot(2, now, true), b"a", now + WINDOW * 2));
        for index in 0..3 * REMEMBERED {
            duplicates.take(slot(1, now, true), &index.to_le_bytes(), now + WINDOW * 2);
        }
        assert!(duplicates.taken.len() <= REMEMBERED);
    }
}
