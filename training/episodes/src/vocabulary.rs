//! The nano model's own tokenizer: byte-level BPE over the words that its prompts and completions are made of.
//!
//! Numbers stay whole through pre-tokenisation, so that "2.4" is one token (see [`crate::distance_grid`]). Any other
//! text falls back to bytes and is still encoded without loss.

use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, SplitDelimiterBehavior, Tokenizer, TokenizerImpl};

use crate::{Error, Result};

/// Qwen2's pre-tokeniser, but with decimal numbers kept whole.
const PRE_TOKENIZER: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|\d+\.\d+|\d+|[^\r\n\p{L}\p{N}]?\p{L}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The special tokens of Qwen2.5-VL that prompts need, in id order after the ordinary tokens.
pub const SPECIAL_TOKENS: [&str; 8] = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
];

/// Trains a tokenizer of at most `size` tokens on `corpus`, special tokens included.
///
/// # Errors
/// When the library refuses the corpus or the pattern.
pub fn train(corpus: &[String], size: usize) -> Result<Tokenizer> {
    let split = Split::new(SplitPattern::Regex(PRE_TOKENIZER.to_owned()), SplitDelimiterBehavior::Isolated, false)
        .map_err(tokenizer_error)?;
    let byte_level = ByteLevel::new(false, true, false);
    let mut tokenizer: TokenizerImpl<BPE, tokenizers::NormalizerWrapper, _, tokenizers::PostProcessorWrapper, _> =
        TokenizerImpl::new(BPE::default());
    tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![split.into(), byte_level.into()])));
    tokenizer.with_decoder(Some(byte_level));
    let mut trainer = BpeTrainer::builder()
        .vocab_size(size - SPECIAL_TOKENS.len())
        .min_frequency(1)
        .show_progress(false)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    tokenizer.train(&mut trainer, corpus.iter().map(String::as_str)).map_err(tokenizer_error)?;
    let specials = SPECIAL_TOKENS.map(|token| AddedToken::from(token, true).normalized(false));
    tokenizer.add_special_tokens(&specials);
    let text = tokenizer.to_string(true).map_err(tokenizer_error)?;
    text.parse().map_err(tokenizer_error)
}

fn tokenizer_error(error: tokenizers::Error) -> Error {
    Error::Tokenizer(error.to_string())
}
