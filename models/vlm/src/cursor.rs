//! One completion in the making: its sampler, its place in a grammar, its text.
//! Logits in, one token at a time; who runs the network, and for how many
//! completions at once, is not known here.

use std::time::Instant;

use processor::StreamDecoder;

use crate::constraint::Guide;
use crate::engine::Engine;
use crate::error::Result;
use crate::generate::{FinishReason, GenerateSettings, Generation, OnToken, TokenEvent};
use crate::sampler::{Choice, Sampler, Sampling, biased};
use crate::softmax::log_prob;

/// Chooses the tokens of one completion.
pub(crate) struct Cursor<'s> {
    settings: &'s GenerateSettings,
    /// The settings' bias and what no completion may hold.
    bias: Vec<(u32, f32)>,
    sampler: Sampler,
    guide: Option<Guide>,
    completion: Completion,
    start: Instant,
}

impl<'s> Cursor<'s> {
    pub(crate) fn new(engine: &Engine, settings: &'s GenerateSettings, sampling: &Sampling) -> Result<Self> {
        // A placeholder stands for pixels; no word of a completion is one.
        let banned = [engine.dims.image_token_id, engine.dims.video_token_id].map(|id| (id, f32::NEG_INFINITY));
        Ok(Self {
            settings,
            bias: settings.logit_bias.iter().copied().chain(banned).collect(),
            sampler: Sampler::new(sampling)?,
            guide: settings.constraint.as_ref().map(|constraint| constraint.guide()),
            completion: Completion::new(engine),
            start: Instant::now(),
        })
    }

    /// Why no further token may be begun.
    pub(crate) fn halted(&self) -> Option<FinishReason> {
        if self.room() == 0 {
            return Some(FinishReason::Length);
        }
        self.settings.interruption()
    }

    /// Tokens left of the longest completion.
    pub(crate) fn room(&self) -> usize {
        self.settings.max_new_tokens.saturating_sub(self.completion.token_ids.len())
    }

    /// The last token chosen.
    pub(crate) fn last(&self) -> Option<u32> {
        self.completion.token_ids.last().copied()
    }

    /// Tokens that come next without a choice.
    pub(crate) fn forced(&self) -> impl Iterator<Item = u32> {
        self.guide.iter().flat_map(Guide::forced)
    }

    /// Chooses the next token by `logits` \[vocab\], tells the caller, and says whether it ended the completion.
    pub(crate) fn advance(&mut self, logits: &[f32], on_token: &mut OnToken<'_>) -> Result<Option<FinishReason>> {
        let choice = self.choose(logits)?;
        if self.completion.token_ids.is_empty() {
            self.completion.first_token_secs = self.start.elapsed().as_secs_f64();
        }
        let ended = self.completion.push(choice, self.settings, on_token)?;
        let whole = match &mut self.guide {
            Some(guide) => guide.consume(choice.id)?,
            None => false,
        };
        Ok(ended.or(whole.then_some(FinishReason::Stop)))
    }

    fn choose(&mut self, logits: &[f32]) -> Result<Choice> {
        let Some(guide) = &mut self.guide else { return self.sampler.choose(logits, &self.bias) };
        let id = match guide.next_forced() {
            Some(id) => id,
            None => {
                let mut allowed = biased(logits, &self.bias).into_owned();
                guide.mask(&mut allowed)?;
                self.sampler.pick(&allowed)?
            }
        };
        Ok(Choice { id, logprob: log_prob(logits, id) as f32 })
    }

    pub(crate) fn finish(self, finish: FinishReason) -> Result<Generation> {
        let decode_secs = if self.completion.token_ids.is_empty() { 0.0 } else { self.start.elapsed().as_secs_f64() };
        self.completion.finish(finish, decode_secs)
    }
}

/// A completion in the making.
struct Completion {
    stream: Option<StreamDecoder>,
    token_ids: Vec<u32>,
    logprobs: Vec<f32>,
    text: String,
    first_token_secs: f64,
}

impl Completion {
    fn new(engine: &Engine) -> Self {
        let stream = Some(engine.tokens.stream());
        Self { stream, token_ids: Vec::new(), logprobs: Vec::new(), text: String::new(), first_token_secs: 0.0 }
    }

    /// Takes a token, tells the caller, and says whether it ended the completion.
    fn push(
        &mut self,
        choice: Choice,
        settings: &GenerateSettings,
        on_token: &mut OnToken<'_>,
    ) -> Result<Option<FinishReason>> {
        self.token_ids.push(choice.id);
        self.logprobs.push(choice.logprob);
        let eos = settings.eos_ids.contains(&choice.id);
        let appended = if eos { self.flush(&settings.stop)? } else { self.read(choice.id, &settings.stop)? };
        let Appended { text_piece, stopped } = appended;
        on_token(&TokenEvent { id: choice.id, text_piece, logprob: choice.logprob });
        let stop = stopped.then_some(FinishReason::Stop);
        Ok(if eos { Some(FinishReason::Eos) } else { stop })
    }

    fn read(&mut self, id: u32, stops: &[String]) -> Result<Appended> {
        let piece = self.stream.as_mut().map_or(Ok(String::new()), |stream| stream.push(id))?;
        Ok(append(&mut self.text, &piece, stops))
    }

    /// What the decoder still holds back of an incomplete character.
    fn flush(&mut self, stops: &[String]) -> Result<Appended> {
        let piece = self.stream.take().map_or(Ok(String::new()), StreamDecoder::finish)?;
        Ok(append(&mut self.text, &piece, stops))
    }

    fn finish(mut self, finish: FinishReason, decode_secs: f64) -> Result<Generation> {
        if finish != FinishReason::Stop {
            self.flush(&[])?;
        }
        let Self { token_ids, logprobs, text, first_token_secs, .. } = self;
        Ok(Generation {
            token_ids,
            logprobs,
            text,
            finish,
            prefill_secs: 0.0,
            first_token_secs,
            decode_secs,
            cached_tokens: 0,
            drafted_tokens: 0,
            accepted_tokens: 0,
        })
    }
}

/// What became of a piece of text.
#[derive(Debug, PartialEq)]
struct Appended {
    /// The part kept.
    text_piece: String,
    /// Whether it completed a stop string.
    stopped: bool,
}

/// Appends `piece` to `text` up to the end of the stop string that ends first; a
/// stop string may have begun in earlier pieces.
fn append(text: &mut String, piece: &str, stops: &[String]) -> Appended {
    let before = text.len();
    text.push_str(piece);
    let longest = stops.iter().map(String::len).max().unwrap_or(0);
    let mut from = before.saturating_sub(longest);
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    let ends = stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| first_end(text, stop, from, before));
    let end = ends.min();
    text.truncate(end.unwrap_or(text.len()));
    Appended { text_piece: text[before..].to_owned(), stopped: end.is_some() }
}

/// End of the first `stop` in `text[from..]` that ends after `before`.
fn first_end(text: &str, stop: &str, from: usize, before: usize) -> Option<usize> {
    text[from..].match_indices(stop).map(|(at, _)| from + at + stop.len()).find(|&end| end > before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pieces: &[&str], stops: &[&str]) -> (String, Vec<Appended>) {
        let stops: Vec<String> = stops.iter().map(ToString::to_string).collect();
        let mut text = String::new();
        let appended = pieces.iter().map(|piece| append(&mut text, piece, &stops)).collect();
        (text, appended)
    }

    #[test]
    fn a_stop_string_is_found_across_pieces_kept_and_what_follows_is_cut() {
        let (text, appended) = run(&["2 m</ans", "wer", ">\nand more"], &["</answer>"]);
        assert_eq!(text, "2 m</answer>");
        assert_eq!(appended[2], Appended { text_piece: ">".into(), stopped: true });
        assert!(!appended[1].stopped);
    }

    #[test]
    fn the_stop_string_that_ends_first_wins() {
        let (text, _) = run(&["a b c"], &["c", "b"]);
        assert_eq!(text, "a b");
    }

    #[test]
    fn multi_byte_text_before_a_stop_string_is_not_split() {
        let (text, appended) = run(&["一间房", "间。", "</a>x"], &["</a>"]);
        assert_eq!(text, "一间房间。</a>");
        assert!(appended[2].stopped);
    }

    #[test]
    fn without_stop_strings_everything_is_kept() {
        let (text, appended) = run(&["a", "", "b"], &[""]);
        assert_eq!(text, "ab");
        assert!(appended.iter().all(|piece| !piece.stopped));
    }
}
