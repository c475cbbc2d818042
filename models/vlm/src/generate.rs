//! The decode loop: choose, stream, stop.
//!
//! Token i of a completion sits at position len + i + rope_delta on all three axes.
//! Deadline and cancellation are looked at before prefill and between tokens, never
//! inside a run, so each takes effect after at most one prefill or one step.
//!
//! A run reads the last chosen token and, where some are planned, the tokens
//! expected behind it: those that a grammar forces, else a draft. It gives the
//! logits behind each, the tokens are chosen as if read one by one, and from the
//! first that is not the planned one on, the KV state forgets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use processor::ModelInputs;

use crate::constraint::Constraint;
use crate::cursor::Cursor;
use crate::decoder::Chunk;
use crate::draft::{DraftSettings, Drafter};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::kv::KvState;
use crate::sampler::Sampling;
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
    /// What the completion must be; from [`Engine::constraint`] of the same engine. A completion that is whole and
    /// can't go on ends as with a stop string.
    pub constraint: Option<Constraint>,
    /// Self-speculative drafting; used by greedy decoding only. Off by default: it pays where answers repeat their
    /// prompt and a run costs the same for a few tokens as for one (weights read from memory, not small models).
    pub draft: Option<DraftSettings>,
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
            constraint: None,
            draft: None,
        }
    }
}

impl GenerateSettings {
    pub(crate) fn interruption(&self) -> Option<FinishReason> {
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
    /// A stop string, or a grammar that allows no more.
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
    /// Prompt tokens that a hot prefix had read.
    pub cached_tokens: usize,
    /// Tokens drafted.
    pub drafted_tokens: usize,
    /// Those of them that stood.
    pub accepted_tokens: usize,
}

/// The caller's view of tokens as they are made.
pub type OnToken<'f> = dyn FnMut(&TokenEvent) + 'f;

impl Engine {
    /// Completes a prompt; `image_embeds` as for [`Engine::prefill`].
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::TooLong`] (before any work), [`Error::Shape`],
    /// [`Error::NonFinite`], [`Error::Run`], [`Error::Constraint`].
    pub fn generate(
        &self,
        inputs: &ModelInputs,
        image_embeds: &[ImageEmbeds],
        settings: &GenerateSettings,
        on_token: &mut OnToken<'_>,
    ) -> Result<Generation> {
        self.complete_prompt(inputs.input_ids.len(), || self.prefill(inputs, image_embeds), settings, on_token)
    }

    /// Completes the prompt of `tokens` tokens that `prefill` reads.
    pub(crate) fn complete_prompt(
        &self,
        tokens: usize,
        prefill: impl FnOnce() -> Result<KvState>,
        settings: &GenerateSettings,
        on_token: &mut OnToken<'_>,
    ) -> Result<Generation> {
        settings.sampling.validate()?;
        self.check_room(tokens, settings)?;
        let start = Instant::now();
        if let Some(finish) = settings.interruption() {
            return Cursor::new(self, settings, &settings.sampling)?.finish(finish);
        }
        let mut state = prefill()?;
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
        let mut cursor = Cursor::new(self, settings, &settings.sampling)?;
        let greedy = settings.sampling == Sampling::Greedy && self.logits_of_all;
        let mut drafter = settings.draft.filter(|_| greedy).map(Drafter::new);
        let mut last: Option<u32> = None;
        let finish = loop {
            if let Some(reason) = cursor.halted() {
                break reason;
            }
            let (planned, drafted) = self.plan(state, last, &cursor, drafter.as_ref());
            let mut rows = self.read_on(state, last, &planned)?;
            let walk = walk(&rows, &planned, &mut cursor, on_token)?;
            // Everything chosen is read but for the last token.
            let kept = state.tokens() - planned.len() + walk.chosen - 1;
            self.truncate(state, kept)?;
            state.logits = std::mem::take(&mut rows[walk.chosen - 1]);
            if let Some(drafter) = drafter.as_mut().filter(|_| drafted) {
                drafter.settle(planned.len(), walk.chosen - 1);
            }
            if let Some(reason) = walk.finish {
                break reason;
            }
            last = cursor.last();
        };
        let mut generation = cursor.finish(finish)?;
        if let Some(drafter) = drafter {
            (generation.drafted_tokens, generation.accepted_tokens) = (drafter.drafted, drafter.accepted);
        }
        Ok(generation)
    }

    /// Tokens expected behind `last`, and whether they are a draft.
    fn plan(
        &self,
        state: &KvState,
        last: Option<u32>,
        cursor: &Cursor<'_>,
        drafter: Option<&Drafter>,
    ) -> (Vec<u32>, bool) {
        // The token behind the planned ones is chosen in the same turn.
        let room = cursor.room().saturating_sub(1);
        if !self.logits_of_all || room == 0 {
            return (Vec::new(), false);
        }
        let forced: Vec<u32> = cursor.forced().take(room).collect();
        let Some(drafter) = drafter.filter(|_| forced.is_empty()) else { return (forced, false) };
        let history: Vec<u32> = state.ids().iter().copied().chain(last).collect();
        let draft = drafter.propose(&history, room, [self.dims.image_token_id, self.dims.video_token_id]);
        let drafted = !draft.is_empty();
        (draft, drafted)
    }

    /// Reads `last` and `planned`; logits before the first and behind each of the planned tokens.
    fn read_on(&self, state: &mut KvState, last: Option<u32>, planned: &[u32]) -> Result<Vec<Vec<f32>>> {
        let ids: Vec<u32> = last.iter().chain(planned).copied().collect();
        let mut rows = Vec::with_capacity(planned.len() + 1);
        if last.is_none() {
            rows.push(state.logits.clone());
        }
        if ids.is_empty() {
            return Ok(rows);
        }
        let positions: Vec<i64> = (state.next_position()..).take(ids.len()).collect();
        let chunk = Chunk { input_ids: &ids, position_ids: [&positions; 3], image_embeds: &[] };
        let logits = self.forward(state, &chunk, ids.len())?;
        if logits.rows != ids.len() {
            let (expected, found) = (ids.len().to_string(), logits.rows.to_string());
            return Err(Error::Shape { what: "rows of logits of model.onnx", expected, found });
        }
        if logits.rows == 1 {
            rows.push(logits.data);
        } else {
            rows.extend(logits.data.chunks_exact(logits.vocab).map(<[f32]>::to_vec));
        }
        Ok(rows)
    }

    pub(crate) fn check_room(&self, prompt: usize, settings: &GenerateSettings) -> Result<()> {
        let found = prompt.saturating_add(settings.max_new_tokens);
        if found > self.context() {
            return Err(Error::TooLong { expected: self.context(), found });
        }
        Ok(())
    }
}

/// What became of a turn's rows.
struct Walk {
    /// Tokens chosen, ≥ 1.
    chosen: usize,
    finish: Option<FinishReason>,
}

/// Chooses a token from each of `rows` until one is not the planned one, or the completion ends.
fn walk(rows: &[Vec<f32>], planned: &[u32], cursor: &mut Cursor<'_>, on_token: &mut OnToken<'_>) -> Result<Walk> {
    let mut chosen = 0;
    for (index, row) in rows.iter().enumerate() {
        if let Some(reason) = cursor.halted().filter(|_| chosen > 0) {
            return Ok(Walk { chosen, finish: Some(reason) });
        }
        let finish = cursor.advance(row, on_token)?;
        chosen += 1;
        if finish.is_some() || cursor.last() != planned.get(index).copied() {
            return Ok(Walk { chosen, finish });
        }
    }
    Ok(Walk { chosen, finish: None })
}

#[cfg(test)]
mod tests {
    use super::*;

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
