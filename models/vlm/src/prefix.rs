//! The hot prefix: what many questions have in common (system prompt, window of
//! vision tokens), read once, before they come.
//!
//! A prefix is extended as frames arrive ([`Engine::extend_prefix`]) and forked by
//! each question ([`Engine::fork`]), which pays for its own tokens only. Everything
//! is said in whole prompts, as the processor prepares them: the ids and positions
//! of a prompt's head are compared with what the prefix has read, so that a prompt
//! of another wording or another number of frames is refused. Pixels are not
//! compared: whose frames a prefix holds, its owner knows.

use processor::ModelInputs;

use crate::decoder::Chunk;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::generate::{GenerateSettings, Generation, OnToken};
use crate::kv::KvState;
use crate::vision::ImageEmbeds;

/// The head of a prompt, read.
#[derive(Debug, Clone)]
pub struct Prefix {
    state: KvState,
    /// \[3\]\[tokens\].
    position_ids: [Vec<i64>; 3],
    /// Placeholders among the tokens.
    vision_tokens: usize,
}

impl Prefix {
    /// Tokens read.
    pub fn tokens(&self) -> usize {
        self.state.tokens()
    }

    /// Vision tokens among them.
    pub fn vision_tokens(&self) -> usize {
        self.vision_tokens
    }

    /// Memory held, in bytes.
    pub fn bytes(&self) -> usize {
        self.state.bytes() + 3 * self.tokens() * size_of::<i64>()
    }

    /// The KV state behind it.
    pub fn state(&self) -> &KvState {
        &self.state
    }

    /// Length of the head that `inputs` shares with this prefix, in tokens; all of the prefix where it can be forked.
    pub fn shared_tokens(&self, inputs: &ModelInputs) -> usize {
        let shared = self.state.ids().iter().zip(&inputs.input_ids).take_while(|(ours, theirs)| ours == theirs).count();
        let axes = self.position_ids.iter().zip(&inputs.position_ids);
        axes.map(|(ours, theirs)| ours.iter().zip(theirs).take_while(|(a, b)| a == b).count()).fold(shared, usize::min)
    }

    fn check_head_of(&self, inputs: &ModelInputs) -> Result<()> {
        let shared = self.shared_tokens(inputs);
        if shared == self.tokens() {
            return Ok(());
        }
        Err(Error::Prefix { expected: self.tokens(), found: shared })
    }
}

/// Length of the head that two prompts share, in tokens: as much as a prefix for both may read.
pub fn shared_tokens(a: &ModelInputs, b: &ModelInputs) -> usize {
    let same = |index: &usize| {
        a.input_ids.get(*index) == b.input_ids.get(*index)
            && (0..3).all(|axis| a.position_ids[axis].get(*index) == b.position_ids[axis].get(*index))
    };
    (0..a.input_ids.len().min(b.input_ids.len())).take_while(same).count()
}

impl Engine {
    /// A prefix that has read nothing.
    pub fn empty_prefix(&self) -> Prefix {
        Prefix { state: self.empty_state(), position_ids: Default::default(), vision_tokens: 0 }
    }

    /// Makes room behind `prefix` for questions and completions of up to `further` tokens: a fork then writes there and
    /// copies nothing. Without it the first fork that outgrows the room copies the prefix.
    ///
    /// # Errors
    /// As [`Engine::reserve`].
    pub fn reserve_prefix(&self, prefix: &mut Prefix, further: usize) -> Result<()> {
        self.reserve(&mut prefix.state, further)
    }

    /// Index behind the last placeholder of a prompt: what lies before is the same for every question about the same
    /// window. 0 without pictures.
    pub fn vision_end(&self, inputs: &ModelInputs) -> usize {
        inputs.input_ids.iter().rposition(|id| self.is_placeholder(*id)).map_or(0, |last| last + 1)
    }

    /// Reads on in `prefix` up to token `upto` of the prompt `inputs`; `image_embeds` are those of the whole prompt, in
    /// the order of the placeholders, cut anywhere (the pairs of a video may stand one by one): what was read is
    /// skipped.
    /// The last frame pair of an odd window changes when its partner arrives: read whole pairs only. On an error
    /// `prefix` is unchanged.
    ///
    /// # Errors
    /// [`Error::Prefix`] when `inputs` begins otherwise, [`Error::Shape`], [`Error::TooLong`], [`Error::Run`].
    pub fn extend_prefix(
        &self,
        prefix: &mut Prefix,
        inputs: &ModelInputs,
        image_embeds: &[ImageEmbeds],
        upto: usize,
    ) -> Result<()> {
        prefix.check_head_of(inputs)?;
        let from = prefix.tokens();
        if upto > inputs.input_ids.len() || upto < from {
            return Err(Error::Shape {
                what: "end of the prefix",
                expected: format!("{from} to {} tokens", inputs.input_ids.len()),
                found: upto.to_string(),
            });
        }
        if upto == from {
            return Ok(());
        }
        let stretch = &inputs.input_ids[from..upto];
        let vision_tokens = stretch.iter().filter(|id| self.is_placeholder(**id)).count();
        let embeds = rows(image_embeds, prefix.vision_tokens, vision_tokens);
        let chunk = Chunk {
            input_ids: stretch,
            position_ids: [0, 1, 2].map(|axis| inputs.position_ids[axis].get(from..upto).unwrap_or_default()),
            image_embeds: &embeds,
        };
        self.extend(&mut prefix.state, &chunk)?;
        for (ours, theirs) in prefix.position_ids.iter_mut().zip(chunk.position_ids) {
            ours.extend_from_slice(theirs);
        }
        prefix.vision_tokens += vision_tokens;
        Ok(())
    }

    /// The state after the whole prompt `inputs`, of which `prefix` has read the head; `image_embeds` as for
    /// [`Self::extend_prefix`]. `prefix` stays as it is; the fork writes behind it where nobody else does.
    ///
    /// # Errors
    /// As [`Self::extend_prefix`].
    pub fn fork(&self, prefix: &Prefix, inputs: &ModelInputs, image_embeds: &[ImageEmbeds]) -> Result<KvState> {
        let mut fork = prefix.clone();
        self.extend_prefix(&mut fork, inputs, image_embeds, inputs.input_ids.len())?;
        fork.state.set_rope_delta(inputs.rope_delta);
        Ok(fork.state)
    }

    /// [`Engine::generate`] from a hot prefix: the same completion, `prefill_secs` for the question's own tokens only.
    ///
    /// # Errors
    /// As [`Engine::generate`] and [`Self::fork`].
    pub fn generate_from(
        &self,
        prefix: &Prefix,
        (inputs, image_embeds): (&ModelInputs, &[ImageEmbeds]),
        settings: &GenerateSettings,
        on_token: &mut OnToken<'_>,
    ) -> Result<Generation> {
        let fork = || self.fork(prefix, inputs, image_embeds);
        let mut generation = self.complete_prompt(inputs.input_ids.len(), fork, settings, on_token)?;
        generation.cached_tokens = prefix.tokens();
        Ok(generation)
    }
}

/// Rows `from..from + count` of the rows of `embeds` together; pieces that lie inside whole are copied whole. Fewer
/// where there are fewer: the decoder says what is missing.
fn rows(embeds: &[ImageEmbeds], from: usize, count: usize) -> Vec<ImageEmbeds> {
    let (mut at, end) = (0, from + count);
    let mut pieces = Vec::new();
    for piece in embeds {
        let (first, last) = (from.clamp(at, at + piece.rows) - at, end.clamp(at, at + piece.rows) - at);
        let values = first * piece.hidden..last * piece.hidden;
        if let Some(data) = piece.data.get(values).filter(|data| !data.is_empty()) {
            pieces.push(ImageEmbeds { rows: last - first, hidden: piece.hidden, data: data.to_vec() });
        }
        at += piece.rows;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(values: &[f32]) -> ImageEmbeds {
        ImageEmbeds { rows: values.len(), hidden: 1, data: values.to_vec() }
    }

    #[test]
    fn rows_are_cut_across_pieces() {
        let embeds = [piece(&[0.0, 1.0]), piece(&[2.0, 3.0, 4.0]), piece(&[5.0])];
        assert_eq!(rows(&embeds, 1, 3), [piece(&[1.0]), piece(&[2.0, 3.0])]);
        assert_eq!(rows(&embeds, 2, 3), [piece(&[2.0, 3.0, 4.0])]);
        assert_eq!(rows(&embeds, 5, 9), [piece(&[5.0])]);
        assert!(rows(&embeds, 3, 0).is_empty());
    }

    #[test]
    fn the_shared_head_ends_at_the_first_other_id_or_position() {
        let prompt = |ids: &[u32], width: &[i64]| ModelInputs {
            input_ids: ids.to_vec(),
            position_ids: [(0..4).collect(), (0..4).collect(), width.to_vec()],
            rope_delta: 0,
            images: Vec::new(),
            videos: Vec::new(),
        };
        let one = prompt(&[5, 6, 7, 8], &[0, 1, 2, 3]);
        assert_eq!(shared_tokens(&one, &prompt(&[5, 6, 7, 9], &[0, 1, 2, 3])), 3);
        assert_eq!(shared_tokens(&one, &prompt(&[5, 6, 7, 8], &[0, 2, 2, 3])), 1);
        assert_eq!(shared_tokens(&one, &one), 4);
    }
}
