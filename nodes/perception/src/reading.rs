//! What the decoder has read before a question comes: the system turn and the whole pairs of a window.

use std::sync::Arc;

use frame_ring::{Frame, Window};
use vlm::{ImageEmbeds, Prefix};

use crate::AnswerError;
use crate::answerer::View;
use crate::network::Network;
use crate::vision::PairEncoder;

/// What tells one pair of frames from another. The time of receipt is part of it, because a looped recording or a
/// restarted simulation brings the same stamps with other pictures.
type PairKey = [(i64, i64); 2];

/// What a window's prompt begins with.
#[derive(Clone, Debug, PartialEq)]
struct Opening {
    /// The system turn, in which what is known of the camera is rounded.
    system: String,
    frame_rate_hz: f64,
    /// Width and height of the frames, pixels.
    size: (u32, u32),
}

/// Room behind a prefix for a question and its answer, so that neither copies the prefix.
const QUESTION_TOKENS: usize = 1024;

/// A prefix and what it is of.
#[derive(Debug)]
pub(crate) struct Reading {
    opening: Opening,
    pairs: Vec<PairKey>,
    embeds: Vec<Arc<ImageEmbeds>>,
    prefix: Prefix,
}

impl Reading {
    /// Nothing read yet, of a window like `view`.
    pub fn new(network: &Network, view: &View<'_>) -> Result<Self, AnswerError> {
        let prefix = network.engine.empty_prefix();
        Ok(Self { opening: opening(network, view), pairs: Vec::new(), embeds: Vec::new(), prefix })
    }

    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// Memory of the prefix, bytes.
    pub fn bytes(&self) -> usize {
        self.prefix.bytes()
    }

    /// Whether all that is read is what `view` begins with.
    pub fn begins(&self, network: &Network, view: &View<'_>) -> bool {
        self.opening == opening(network, view) && begins(&self.pairs, &view.window.frames)
    }

    /// Whether all whole pairs of `view` are read.
    pub fn is_whole(&self, view: &View<'_>) -> bool {
        self.prefix.tokens() > 0 && self.pairs.len() == view.window.frames.len() / 2
    }

    /// Reads on in `view`, which begins with what is read, by at most `pairs` pairs. An odd frame at the end is left to
    /// each question: it changes when its partner comes.
    pub fn read(&mut self, network: &Network, view: &View<'_>, pairs: usize) -> Result<(), AnswerError> {
        let before = self.pairs.len();
        let read = self.take_pairs(network, view, pairs).and_then(|()| self.extend(network, view));
        if read.is_err() {
            self.pairs.truncate(before);
            self.embeds.truncate(before);
        }
        read
    }

    fn take_pairs(&mut self, network: &Network, view: &View<'_>, pairs: usize) -> Result<(), AnswerError> {
        let unread = view.window.frames.chunks_exact(2).enumerate().skip(self.pairs.len());
        for (nth, pair) in unread.take(pairs) {
            self.embeds.push(embeds_of(network, view, nth, pair)?);
            self.pairs.push(key(pair));
        }
        Ok(())
    }

    fn extend(&mut self, network: &Network, view: &View<'_>) -> Result<(), AnswerError> {
        let inputs = network.inputs(view, String::new())?;
        let grid: usize = inputs.videos.iter().map(|video| video.patches()).sum();
        let merge = network.processor.config().vision.spatial_merge_size.pow(2);
        let chunks = view.window.frames.len().div_ceil(2).max(1);
        let unread = grid / merge / chunks * (chunks - self.pairs.len());
        let upto = network.engine.vision_end(&inputs).saturating_sub(unread);
        let embeds = self.all_embeds(None);
        let engine = &network.engine;
        engine.extend_prefix(&mut self.prefix, &inputs, &embeds, upto)?;
        let room = QUESTION_TOKENS.min(engine.context().saturating_sub(self.prefix.tokens()));
        Ok(engine.reserve_prefix(&mut self.prefix, room)?)
    }

    /// What a question about `view` reads its frames from, where [`Reading::is_whole`]; empty where nothing is left to
    /// read.
    pub fn embeds(&self, network: &Network, view: &View<'_>) -> Result<Vec<ImageEmbeds>, AnswerError> {
        let pairs = view.window.frames.chunks_exact(2);
        let odd = pairs.remainder();
        if odd.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.all_embeds(Some(embeds_of(network, view, self.pairs.len(), odd)?)))
    }

    fn all_embeds(&self, last: Option<Arc<ImageEmbeds>>) -> Vec<ImageEmbeds> {
        self.embeds.iter().chain(&last).map(|embeds| ImageEmbeds::clone(embeds)).collect()
    }
}

fn opening(network: &Network, view: &View<'_>) -> Opening {
    let size = (view.window.width, view.window.height);
    Opening { system: network.system(view), frame_rate_hz: view.frame_rate_hz, size }
}

fn key(pair: &[Frame]) -> PairKey {
    let frame = |nth: usize| pair.get(nth).map_or((0, 0), |frame| (frame.stamp_nanos, frame.received_at_nanos));
    [frame(0), frame(1)]
}

fn begins(read: &[PairKey], frames: &[Frame]) -> bool {
    let pairs = frames.chunks_exact(2);
    read.len() <= pairs.len() && read.iter().zip(pairs).all(|(read, pair)| *read == key(pair))
}

/// The embeds that `view` brings for its `nth` two frames, or those made now.
fn embeds_of(
    network: &Network,
    view: &View<'_>,
    nth: usize,
    frames: &[Frame],
) -> Result<Arc<ImageEmbeds>, AnswerError> {
    if let Some(Some(embeds)) = view.embeds.get(nth) {
        return Ok(Arc::clone(embeds));
    }
    let pair = Window { frames: frames.to_vec(), ..*view.window };
    Ok(Arc::new(network.encode(&pair)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growing_window_is_read_on_and_a_slid_one_is_not() {
        let frames = |numbers: std::ops::Range<i64>| -> Vec<Frame> {
            numbers.map(|i| Frame { rgb: Vec::new(), stamp_nanos: i, received_at_nanos: i, pose: None }).collect()
        };
        let read: Vec<PairKey> = frames(0..4).chunks_exact(2).map(key).collect();
        assert!(begins(&read, &frames(0..4)) && begins(&read, &frames(0..5)) && begins(&read, &frames(0..6)));
        assert!(!begins(&read, &frames(0..3)) && !begins(&read, &frames(2..6)));
        let mut looped = frames(0..4);
        looped[3].received_at_nanos = 100;
        assert!(!begins(&read, &looped), "the same stamps, received again");
    }
}
