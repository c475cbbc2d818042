//! The decode loop: sample, stream, stop.
//!
//! Token i of a completion sits at position len + i + rope_delta on all three axes.
//! Deadline and cancellation are looked at before prefill and between tokens, never
//! inside a run, so each takes effect after at most one prefill or one step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use processor::{ModelInputs, StreamDecoder};

use crate::decoder::KvState;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::sampler::{Choice, Sampler, Sampling};
use crate::vision::ImageEmbeds;

/// When and how a completion is made.
#[derive(Debug, Clone)]
pub struct GenerateSettings {
    /// Longest completion in tokens.
    pub max_new_tokens: usize,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Added to the logits of these tokens before one is chosen; reported log-probabilities are without.
    pub logit_bias: Vec<(u32, f32)>,
    /// The completion ends with the first of these strings to appear; it is kept, what follows is cut off.
    pub stop: Vec<String>,
    /// Tokens that end the completion (`generation_config.json`); empty never does.
    pub eos_ids: Vec<u32>,
    /// No token is begun after this instant.
    pub deadline: Option<Instant>,
    /// No token is begun after this is true.
    pub cancel: Option<Arc<AtomicBool>>,
}

impl Default for GenerateSettings {
    fn default() -> Self {
        Self {
            max_new_tokens: 512,
            sampling: Sampling::Greedy,
            logit_bias: Vec::new(),
            stop: Vec::new(),
            eos_ids: Vec::new(),
            deadline: None,
            cancel: None,
        }
    }
}

impl GenerateSettings {
    fn interruption(&self) -> Option<FinishReason> {
        if self.cancel.as_ref().is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Some(FinishReason::Cancelled);
        }
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline).then_some(FinishReason::Deadline)
    }
}

/// Why a completion ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// An end-of-sequence token.
    Eos,
    /// A stop string.
    Stop,
    /// `max_new_tokens`.
    Length,
    /// The deadline.
    Deadline,
    /// The caller.
    Cancelled,
}

/// One token as it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenEvent {
    /// Token id.
    pub id: u32,
    /// Text that became certain with it; empty for an end-of-sequence token and inside a UTF-8 character.
    pub text_piece: String,
    /// The model's natural log-probability of it, before temperature, top-k and top-p.
    pub logprob: f32,
}

/// A completion.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Tokens, a final end-of-sequence token included.
    pub token_ids: Vec<u32>,
    /// As [`TokenEvent::logprob`], one for each token.
    pub logprobs: Vec<f32>,
    /// Decoded text, cut after the stop string, without the end-of-sequence token.
    pub text: String,
    /// Why it ended.
    pub finish: FinishReason,
    /// Reading the prompt, in seconds; 0 for a state that was already there.
    pub prefill_secs: f64,
    /// From the call to the first token, in seconds; 0 when there was none.
    pub first_token_secs: f64,
    /// From the first sampling to the end, in seconds.
    pub decode_secs: f64,
}

/// The caller's view of tokens as they are made.
pub type OnToken<'f> = dyn FnMut(&TokenEvent) + 'f;

impl Engine {
    /// Completes a prompt; `image_embeds` as for [`Engine::prefill`].
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::TooLong`] (before any work), [`Error::Shape`],
    /// [`Error::NonFinite`], [`Error::Run`].
    pub fn generate(
        &self,
        inputs: &ModelInputs,
        image_embeds: &[ImageEmbeds],
        settings: &GenerateSettings,
        on_token: &mut OnToken<'_>,
    ) -> Result<Generation> {
        settings.sampling.validate()?;
        self.check_room(inputs.input_ids.len(), settings)?;
        let start = Instant::now();
        if let Some(finish) = settings.interruption() {
            return Completion::new(self).finish(finish, 0.0);
        }
        let mut state = self.prefill(inputs, image_embeds)?;
        let prefill_secs = start.elapsed().as_secs_f64();
        let mut generation = self.complete(&mut state, settings, on_token)?;
        generation.prefill_secs = prefill_secs;
        if !generation.token_ids.is_empty() {
            generation.first_token_secs += prefill_secs;
        }
        Ok(generation)
    }

    /// Completes what `state` has read. Afterwards `state` has read the completion
    /// but for its last token.
    ///
    /// # Errors
    /// As [`Self::generate`].
    pub fn complete(
        &self,
        state: &mut KvState,
        settings: &GenerateSettings,
        on_token: &mut OnToken<'_>,
    ) -> Result<Generation> {
        self.check_room(state.tokens(), settings)?;
        let mut sampler = Sampler::new(&settings.sampling)?;
        let mut completion = Completion::new(self);
        // A placeholder stands for pixels; no word of a completion is one.
        let banned = [self.dims.image_token_id, self.dims.video_token_id].map(|id| (id, f32::NEG_INFINITY));
        let bias: Vec<(u32, f32)> = settings.logit_bias.iter().copied().chain(banned).collect();
        let start = Instant::now();
        let finish = loop {
            if completion.token_ids.len() >= settings.max_new_tokens {
                break FinishReason::Length;
            }
            if let Some(interruption) = settings.interruption() {
                break interruption;
            }
            if let Some(&last) = completion.token_ids.last() {
                self.step(state, last, state.next_position())?;
            }
            let choice = sampler.choose(state.logits(), &bias)?;
            if completion.token_ids.is_empty() {
                completion.first_token_secs = start.elapsed().as_secs_f64();
            }
            let ended = completion.push(choice, settings, on_token)?;
            if let Some(reason) = ended {
                break reason;
            }
        };
        completion.finish(finish, start.elapsed().as_secs_f64())
    }

    fn check_room(&self, prompt: usize, settings: &GenerateSettings) -> Result<()> {
        let found = prompt.saturating_add(settings.max_new_tokens);
        if found > self.context() {
            return Err(Error::TooLong { expected: self.context(), found });
        }
        Ok(())
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
        Ok(Generation { token_ids, logprobs, text, finish, prefill_secs: 0.0, first_token_secs, decode_secs })
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

    #[test]
    fn cancellation_and_deadline_interrupt() {
        let cancel = Arc::new(AtomicBool::new(false));
        let mut settings = GenerateSettings { cancel: Some(cancel.clone()), ..Default::default() };
        assert_eq!(settings.interruption(), None);
        settings.deadline = Some(Instant::now());
        assert_eq!(settings.interruption(), Some(FinishReason::Deadline));
        cancel.store(true, Ordering::Relaxed);
        assert_eq!(settings.interruption(), Some(FinishReason::Cancelled));
    }
}
