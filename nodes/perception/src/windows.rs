//! Which frames a question is asked about, as frames come.
//!
//! A window that slides by hops starts on every `hop`-th frame: it grows from `window - hop` frames to `window`, pair by
//! pair, and the next frame takes `hop` frames off its front. What the decoder has read of it can be extended all the
//! while and must be read anew after a hop, because the positions of video tokens count from the window's start. Read
//! ahead, the next window is ready when the old one is full; as long as it is not, the old one serves, and takes up to
//! `hop` frames more.
//!
//! With a hop of a whole window nothing would be carried over, so nothing needs to be a multiple of anything: the window
//! is simply the newest `window` frames.

use std::ops::Range;

use crate::Settings;

#[derive(Debug)]
pub(crate) struct Windows {
    window: u64,
    hop: u64,
    /// Windows are read ahead of questions.
    ahead: bool,
    /// Number of the first frame of the serving window.
    start: u64,
    next_is_read: bool,
}

impl Windows {
    pub fn new(settings: &Settings) -> Self {
        let (window, hop) = (settings.window_frames as u64, settings.hop() as u64);
        Self { window, hop, ahead: settings.hot_prefix, start: 0, next_is_read: false }
    }

    fn hops(&self) -> bool {
        self.hop < self.window
    }

    /// Number of the first frame of the window that serves, with the frames `held` in the ring.
    pub fn serving(&mut self, held: &Range<u64>) -> u64 {
        if !self.hops() {
            return held.start.max(held.end.saturating_sub(self.window));
        }
        while held.end.saturating_sub(self.start) > self.limit() {
            self.start += self.hop;
            self.next_is_read = false;
        }
        if self.start < held.start {
            // The ring was emptied: it begins with an even number then, as every window does.
            (self.start, self.next_is_read) = (held.start, false);
        }
        self.start
    }

    /// Frames that the serving window may have.
    fn limit(&self) -> u64 {
        if self.ahead && !self.next_is_read { self.window + self.hop } else { self.window }
    }

    /// Number of the first frame of the window to read ahead; `None` before the serving one is full.
    pub fn next(&self, held: &Range<u64>) -> Option<u64> {
        let full = self.hops() && self.ahead && held.end.saturating_sub(self.start) >= self.window;
        full.then_some(self.start + self.hop)
    }

    /// Says whether [`Windows::next`] is read as far as frames have come.
    pub fn set_next_is_read(&mut self, is_read: bool) {
        self.next_is_read = is_read;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(window_frames: usize, hop_frames: usize, hot_prefix: bool) -> Windows {
        Windows::new(&Settings { window_frames, hop_frames, hot_prefix, ..Settings::new("/nowhere") })
    }

    /// The serving window after each of `count` frames, where a window is read ahead as soon as it may be, or never.
    fn served(mut windows: Windows, count: u64, reads: bool) -> Vec<Range<u64>> {
        let serve = |end: u64| {
            let held = end.saturating_sub(windows.window + windows.hop)..end;
            let start = windows.serving(&held);
            let next = windows.next(&held);
            windows.set_next_is_read(reads && next.is_some());
            start..end
        };
        (1..=count).map(serve).collect()
    }

    #[test]
    fn a_window_grows_to_its_length_and_hops() {
        let expected = [0..1, 0..2, 0..3, 0..4, 0..5, 0..6, 2..7, 2..8, 4..9, 4..10, 6..11];
        for (ahead, reads) in [(true, true), (false, false)] {
            assert_eq!(served(windows(6, 2, ahead), 11, reads), expected, "read ahead: {ahead}");
        }
    }

    #[test]
    fn the_old_window_serves_until_the_next_is_read_and_a_hop_longer_at_most() {
        let late = served(windows(4, 2, true), 9, false);
        assert_eq!(late, [0..1, 0..2, 0..3, 0..4, 0..5, 0..6, 2..7, 2..8, 4..9]);
    }

    #[test]
    fn a_hop_of_a_whole_window_is_the_newest_frames() {
        assert_eq!(served(windows(2, 0, true), 4, true), [0..1, 0..2, 1..3, 2..4]);
        assert_eq!(windows(2, 2, true).next(&(0..2)), None);
    }

    #[test]
    fn an_emptied_ring_starts_anew_and_many_frames_at_once_hop_far() {
        let mut windows = windows(4, 2, true);
        assert_eq!(windows.serving(&(0..4)), 0);
        assert_eq!(windows.serving(&(14..20)), 14, "read nothing meanwhile");
        assert_eq!(windows.serving(&(40..41)), 40, "emptied after frame 38");
    }
}
