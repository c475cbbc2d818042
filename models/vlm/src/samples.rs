//! Several samples of one question, decoded together: one run reads the weights
//! once for all of them.
//!
//! The samples start from one KV state and stay of one length, so that a batch needs
//! no padding; one that has ended leaves the batch. Sample i is seeded as
//! [`Sampling::of_sample`] says and chooses as if it were alone. A batch holds the
//! keys and values of the prompt once for each sample that runs, which
//! [`KvState::bytes`] tells beforehand.
//!
//! [`Sampling::of_sample`]: crate::Sampling::of_sample

use crate::cursor::Cursor;
use crate::decoder::{Feed, Logits};
use crate::engine::{Engine, Profile};
use crate::error::{Error, Result};
use crate::generate::{FinishReason, GenerateSettings, Generation, TokenEvent};
use crate::kv::KvState;

/// The caller's view of tokens as they are made, with the sample's index.
pub type OnSampleToken<'f> = dyn FnMut(usize, &TokenEvent) + 'f;

/// A sample that runs.
struct Running<'s> {
    index: usize,
    cursor: Cursor<'s>,
}

impl Engine {
    /// Completes what `state` has read `count` times, in the order of the samples; `state` stays as it is. Drafting
    /// settings have no effect.
    ///
    /// # Errors
    /// As [`Engine::complete`]; [`Error::Setting`] for no samples.
    pub fn complete_samples(
        &self,
        state: &KvState,
        settings: &GenerateSettings,
        count: usize,
        on_token: &mut OnSampleToken<'_>,
    ) -> Result<Vec<Generation>> {
        if count == 0 {
            return Err(Error::Setting { name: "samples", expected: "at least one", found: "0".into() });
        }
        if state.logits.is_empty() {
            return Err(Error::Shape {
                what: "logits of the state",
                expected: "a state that has read".into(),
                found: "none".into(),
            });
        }
        self.check_room(state.tokens(), settings)?;
        if let Profile::Fixed(_) = self.profile {
            return (0..count).map(|index| self.complete_sample(state, settings, index, on_token)).collect();
        }
        let mut generations: Vec<Option<Generation>> = vec![None; count];
        let start = |index| {
            Cursor::new(self, settings, &settings.sampling.of_sample(index)).map(|cursor| Running { index, cursor })
        };
        let mut running = (0..count).map(start).collect::<Result<Vec<_>>>()?;
        let mut batch = Batch { state: state.clone(), rows: 1 };
        let mut logits = Logits { rows: count, vocab: state.logits.len(), data: state.logits.repeat(count) };
        // The batch's row of each sample; at first the one row of `state` for all.
        let mut rows = vec![0; count];
        loop {
            let rows_of_logits = logits.data.chunks_exact(logits.vocab);
            let mut left = Vec::with_capacity(running.len());
            for ((mut sample, row), row_logits) in running.into_iter().zip(rows).zip(rows_of_logits) {
                match turn(&mut sample, row_logits, on_token)? {
                    None => left.push((sample, row)),
                    Some(reason) => generations[sample.index] = Some(sample.cursor.finish(reason)?),
                }
            }
            if left.is_empty() {
                break;
            }
            (running, rows) = left.into_iter().unzip();
            self.select(&mut batch, &rows)?;
            let last: Vec<u32> = running.iter().filter_map(|sample| sample.cursor.last()).collect();
            logits = self.step_batch(&mut batch, &last)?;
            rows = (0..running.len()).collect();
        }
        let unfinished = || Error::Shape { what: "samples", expected: count.to_string(), found: "fewer".into() };
        generations.into_iter().map(|generation| generation.ok_or_else(unfinished)).collect()
    }

    /// One sample by itself, for graphs that take one sequence at a time.
    fn complete_sample(
        &self,
        state: &KvState,
        settings: &GenerateSettings,
        index: usize,
        on_token: &mut OnSampleToken<'_>,
    ) -> Result<Generation> {
        let sampling = settings.sampling.of_sample(index);
        let settings = GenerateSettings { sampling, draft: None, ..settings.clone() };
        self.complete(&mut state.clone(), &settings, &mut |event| on_token(index, event))
    }

    /// Makes `batch` of its rows `rows`, unless it is.
    fn select(&self, batch: &mut Batch, rows: &[usize]) -> Result<()> {
        if rows.iter().copied().eq(0..batch.rows) {
            return Ok(());
        }
        batch.state.lease = self.copied(&batch.state.lease, rows, batch.state.tokens() + 1)?;
        batch.rows = rows.len();
        Ok(())
    }

    /// Reads one token in each row; logits \[rows, vocab\].
    fn step_batch(&self, batch: &mut Batch, tokens: &[u32]) -> Result<Logits> {
        let (rows, state) = (batch.rows, &mut batch.state);
        let embeds = self.embed([rows, 1], tokens, &[])?;
        let past = state.tokens();
        self.make_room(&mut state.lease, past + 1)?;
        let positions = std::array::from_fn(|_| vec![state.next_position(); rows]);
        let feed = Feed { embeds, positions, past, batch: rows, length: 1, wanted: rows };
        let logits = self.run_decoder(&state.lease, feed)?;
        if logits.rows != rows {
            let (expected, found) = (rows.to_string(), logits.rows.to_string());
            return Err(Error::Shape { what: "rows of logits of model.onnx", expected, found });
        }
        // Only their number counts: the rows have different ones.
        state.ids.extend(tokens.first());
        Ok(logits)
    }
}

/// KV states of one length, one behind the other in each tensor's first dimension.
struct Batch {
    state: KvState,
    rows: usize,
}

/// Chooses the sample's next token; why it ended, if it did.
fn turn(
    Running { index, cursor }: &mut Running<'_>,
    logits: &[f32],
    on_token: &mut OnSampleToken<'_>,
) -> Result<Option<FinishReason>> {
    match cursor.halted() {
        Some(reason) => Ok(Some(reason)),
        None => cursor.advance(logits, &mut |event| on_token(*index, event)),
    }
}
