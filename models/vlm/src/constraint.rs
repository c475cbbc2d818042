//! Constrained decoding: only tokens with which the completion can still become a
//! text of a grammar are allowed, and what the grammar leaves no choice about is
//! not asked of the model (fast-forward).
//!
//! The grammar engine is llguidance. A [`Constraint`] is compiled once and used for
//! any number of completions, which share what it has learnt about its lexer.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use llguidance::api::TopLevelGrammar;
use llguidance::earley::SlicedBiasComputer;
use llguidance::toktrie::{InferenceCapabilities, SimpleVob, TokEnv};
use llguidance::{Matcher, ParserFactory, regex_to_lark};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::vocabulary::Vocabulary;

/// What a whole completion must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grammar {
    /// A regular expression (syntax of Rust's `regex`, without anchors) for all of it.
    Regex(String),
    /// A grammar in llguidance's dialect of Lark; its start is `start`.
    Lark(String),
}

impl Grammar {
    /// In Lark. With `forcing`, bytes without a choice become the tokenizer's tokens; without, any that spell them.
    fn compile(&self, forcing: bool) -> TopLevelGrammar {
        let rules = match self {
            Self::Regex(regex) => format!("start: /{}/", regex_to_lark(regex, "")),
            Self::Lark(lark) => lark.clone(),
        };
        let options = if forcing { "" } else { "%llguidance {\"no_forcing\": true}\n" };
        TopLevelGrammar::from_lark(format!("{options}{rules}"))
    }
}

/// A grammar over an engine's vocabulary. Cloning shares it.
#[derive(Clone)]
pub struct Constraint {
    start: Arc<Mutex<Matcher>>,
    grammar: Arc<Grammar>,
    fast_forward: bool,
}

impl fmt::Debug for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Constraint")
            .field("grammar", &self.grammar)
            .field("fast_forward", &self.fast_forward)
            .finish_non_exhaustive()
    }
}

impl Constraint {
    /// Whether the tokens `ids` (without an end-of-sequence token) are a whole completion of the grammar.
    ///
    /// # Errors
    /// [`Error::Constraint`] when the grammar engine gives up.
    pub fn accepts(&self, ids: &[u32]) -> Result<bool> {
        let mut matcher = self.matcher();
        let allowed = matcher.validate_tokens(ids).map_err(failed)?;
        if allowed < ids.len() {
            return Ok(false);
        }
        matcher.consume_tokens(ids).map_err(failed)?;
        Ok(matcher.is_stopped() || matcher.is_accepting().map_err(failed)?)
    }

    /// A walk through the grammar for one completion.
    pub(crate) fn guide(&self) -> Guide {
        let mut guide = Guide { matcher: self.matcher(), forced: VecDeque::new(), fast_forward: self.fast_forward };
        guide.look_ahead();
        guide
    }

    fn matcher(&self) -> Matcher {
        self.start.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where one completion stands in its grammar.
pub(crate) struct Guide {
    matcher: Matcher,
    /// Tokens without a choice, next first; not consumed yet.
    forced: VecDeque<u32>,
    fast_forward: bool,
}

impl Guide {
    /// Tokens that come next without a choice.
    pub(crate) fn forced(&self) -> impl Iterator<Item = u32> {
        self.forced.iter().copied()
    }

    /// The next token where there is no choice.
    pub(crate) fn next_forced(&self) -> Option<u32> {
        self.forced.front().copied()
    }

    /// Bans in `logits` \[vocab\] what the grammar doesn't allow next.
    pub(crate) fn mask(&mut self, logits: &mut [f32]) -> Result<()> {
        let allowed: SimpleVob = self.matcher.compute_mask_or_eos().map_err(failed)?;
        allowed.iter_unset_entries(|id| {
            if let Some(logit) = logits.get_mut(id) {
                *logit = f32::NEG_INFINITY;
            }
        });
        Ok(())
    }

    /// Takes the chosen token; true when the completion is whole and nothing can follow.
    pub(crate) fn consume(&mut self, id: u32) -> Result<bool> {
        self.matcher.consume_token(id).map_err(failed)?;
        self.forced.pop_front();
        if self.matcher.is_stopped() {
            return Ok(true);
        }
        if self.forced.is_empty() {
            self.look_ahead();
        }
        Ok(false)
    }

    fn look_ahead(&mut self) {
        if self.fast_forward {
            self.forced = self.matcher.compute_ff_tokens().into();
        }
    }
}

/// An engine's vocabulary, prepared for grammars when the first is asked for.
#[derive(Default)]
pub(crate) struct Grammars(OnceLock<ParserFactory>);

impl fmt::Debug for Grammars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Grammars").field(&self.0.get().is_some()).finish()
    }
}

impl Engine {
    /// Compiles a grammar for this engine's vocabulary, for [`crate::GenerateSettings::constraint`]. Text that the
    /// grammar leaves no choice about is written in the tokenizer's own split without asking the model. The first call
    /// also sorts the vocabulary.
    ///
    /// # Errors
    /// [`Error::Constraint`] for a grammar that is malformed or too large, [`Error::Setting`] for a tokenizer that is
    /// not byte-level or a model without an end-of-sequence token.
    pub fn constraint(&self, grammar: &Grammar) -> Result<Constraint> {
        self.compile(grammar, true)
    }

    /// [`Self::constraint`] without fast-forward: each token is the model's among those allowed. A greedy completion
    /// that keeps to the grammar by itself then comes out token for token the same, even where its split is not the
    /// tokenizer's.
    ///
    /// # Errors
    /// As [`Self::constraint`].
    pub fn constraint_without_fast_forward(&self, grammar: &Grammar) -> Result<Constraint> {
        self.compile(grammar, false)
    }

    fn compile(&self, grammar: &Grammar, fast_forward: bool) -> Result<Constraint> {
        let matcher = Matcher::new(self.grammars()?.create_parser(grammar.compile(fast_forward)));
        match matcher.get_error() {
            Some(reason) => Err(Error::Constraint { reason }),
            None => {
                let (start, grammar) = (Arc::new(Mutex::new(matcher)), Arc::new(grammar.clone()));
                Ok(Constraint { start, grammar, fast_forward })
            }
        }
    }

    fn grammars(&self) -> Result<&ParserFactory> {
        if let Some(factory) = self.grammars.0.get() {
            return Ok(factory);
        }
        let vocabulary: TokEnv = Arc::new(Vocabulary::new(&self.tokens, self.dims.vocab, self.eos_ids())?);
        let capabilities = InferenceCapabilities { ff_tokens: true, ..Default::default() };
        let mut factory =
            ParserFactory::new(&vocabulary, capabilities, &SlicedBiasComputer::general_slices()).map_err(failed)?;
        factory.quiet().limits_mut().verbose_errors = false;
        Ok(self.grammars.0.get_or_init(|| factory))
    }
}

fn failed(error: impl fmt::Display) -> Error {
    Error::Constraint { reason: error.to_string() }
}
