//! Compressed pictures, decoded on a thread of their own, so that a large one holds up no question.
//!
//! A decoder that is busy keeps the newest pictures that wait and drops older ones, counted. What it decoded waits for the
//! node's turn, one picture at a time: whatever a stranger sends, memory for a few pictures is all that it takes.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use pictures::Picture;
use r2r::sensor_msgs::msg::CompressedImage;

use crate::executor::lock;
use crate::time::nanos_from_time;

/// Largest compressed picture that is looked at, bytes.
const MAX_BYTES: usize = 64 << 20;
/// Pictures that wait.
const MOST_WAITING: usize = 4;

/// A picture that came compressed.
#[derive(Debug)]
pub struct Decoded {
    /// When light hit the sensor, nanoseconds.
    pub stamp_nanos: i64,
    /// When it came, nanoseconds of the pipeline's clock.
    pub received_at_nanos: i64,
    /// The optical frame.
    pub frame_id: String,
    /// The pixels as stored, or why there are none.
    pub picture: Result<Picture, String>,
}

/// What waits, newest last.
#[derive(Default)]
struct Waiting {
    messages: VecDeque<(CompressedImage, i64)>,
    ended: bool,
}

impl Waiting {
    /// Takes a message in; tells how many older ones had to go.
    fn keep_last(&mut self, message: CompressedImage, received_at_nanos: i64) -> u64 {
        self.messages.push_back((message, received_at_nanos));
        let mut dropped = 0;
        while self.messages.len() > 1 && (self.messages.len() > MOST_WAITING || self.bytes() > MAX_BYTES) {
            self.messages.pop_front();
            dropped += 1;
        }
        dropped
    }

    fn bytes(&self) -> usize {
        self.messages.iter().map(|(message, _)| message.data.len()).sum()
    }
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Queue {
    /// Waits for a message; `None` when no more come.
    fn next(&self) -> Option<(CompressedImage, i64)> {
        let mut waiting = lock(&self.waiting);
        loop {
            if waiting.ended {
                return None;
            }
            if let Some(next) = waiting.messages.pop_front() {
                return Some(next);
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The decoding thread. It ends when this is dropped.
pub struct Decoder {
    queue: Arc<Queue>,
    decoded: Receiver<Decoded>,
    /// Pictures that were dropped because newer ones came before they could be decoded.
    pub dropped: u64,
}

impl Decoder {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start() -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let (sender, decoded) = sync_channel(1);
        let of_thread = queue.clone();
        std::thread::Builder::new()
            .name("spacer-pictures".to_owned())
            .spawn(move || decode_all(&of_thread, &sender))?;
        Ok(Self { queue, decoded, dropped: 0 })
    }

    /// Takes a message in. It comes out of [`Decoder::take`], unless four newer ones come before it is decoded.
    pub fn give(&mut self, message: CompressedImage, received_at_nanos: i64) {
        self.dropped += lock(&self.queue.waiting).keep_last(message, received_at_nanos);
        self.queue.changed.notify_all();
    }

    /// The next decoded picture, in the order in which they came. Waits for nothing.
    pub fn take(&self) -> Option<Decoded> {
        self.decoded.try_recv().ok()
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        lock(&self.queue.waiting).ended = true;
        self.queue.changed.notify_all();
    }
}

fn decode_all(queue: &Queue, decoded: &SyncSender<Decoded>) {
    while let Some((message, received_at_nanos)) = queue.next() {
        let picture = decode(&message);
        let stamp_nanos = nanos_from_time(&message.header.stamp);
        let picture = Decoded { stamp_nanos, received_at_nanos, frame_id: message.header.frame_id, picture };
        // The node is gone.
        if decoded.send(picture).is_err() {
            return;
        }
    }
}

fn decode(message: &CompressedImage) -> Result<Picture, String> {
    if message.data.len() > MAX_BYTES {
        return Err(format!("expected at most {MAX_BYTES} bytes, found {}", message.data.len()));
    }
    pictures::decode_message(&message.format, &message.data).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn message(number: i32, bytes: usize) -> CompressedImage {
        let mut message = CompressedImage { format: "jpeg".to_owned(), data: vec![0; bytes], ..Default::default() };
        message.header.stamp.sec = number;
        message
    }

    #[test]
    fn the_newest_wait_and_no_more_than_a_few() {
        let mut waiting = Waiting::default();
        let dropped: u64 = (0..10).map(|number| waiting.keep_last(message(number, 10), 0)).sum();
        let seconds: Vec<i32> = waiting.messages.iter().map(|(message, _)| message.header.stamp.sec).collect();
        assert_eq!((dropped, seconds), (6, vec![6, 7, 8, 9]));
        assert_eq!(waiting.keep_last(message(10, MAX_BYTES - 5), 0), 4);
        assert_eq!(waiting.messages.len(), 1);
    }

    #[test]
    fn pictures_come_out_in_order_with_what_is_wrong_with_them() {
        let mut decoder = Decoder::start().expect("a thread");
        let grey = b"P5 2 1 255\n\x07\x09".to_vec();
        let no_picture = CompressedImage { data: b"no picture".to_vec(), ..message(2, 0) };
        decoder.give(CompressedImage { data: grey, ..message(1, 0) }, 77);
        decoder.give(no_picture, 78);
        let mut taken = Vec::new();
        let until = Instant::now() + Duration::from_secs(10);
        while taken.len() < 2 && Instant::now() < until {
            taken.extend(decoder.take());
            std::thread::sleep(Duration::from_millis(1));
        }
        let [first, second] = taken.try_into().expect("two pictures");
        let picture = first.picture.expect("a picture");
        assert_eq!((first.stamp_nanos, first.received_at_nanos, picture.data), (1_000_000_000, 77, vec![7, 9]));
        assert!(second.picture.expect_err("no picture").contains("expected a JPEG or PNG"));
        assert_eq!(decoder.dropped, 0);
    }
}
