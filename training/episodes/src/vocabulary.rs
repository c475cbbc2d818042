//! The nano model's own tokenizer: byte-level BPE over the words that its prompts and completions are made of.
//!
//! Numbers stay whole through pre-tokenisation, with a sign that stands right before them, so that "2.4" is one token
//! (see [`crate::number_grid`]) and so is the "-0.4" of a path (see [`grounding::prompt::path`]). Any other text falls
//! back to bytes and is still encoded without loss.

use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{
    AddedToken, NormalizerWrapper, PostProcessorWrapper, SplitDelimiterBehavior, Tokenizer, TokenizerImpl,
};

use model_dir::Prompts;
use sim::questions::ask::Topic;
use sim::questions::wording::Wording;

use crate::number_grid::{GRID_UNITS, number_grid};
use crate::{Error, Result};

/// Qwen2's pre-tokeniser, but with decimal and signed numbers kept whole.
const PRE_TOKENIZER: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[+-]?\d+\.\d+|[+-]?\d+|[^\r\n\p{L}\p{N}]?\p{L}+| ?(?:(?![+-]\d)[^\s\p{L}\p{N}])+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

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

/// The letters that options have.
const OPTION_LETTERS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];

/// Trains a tokenizer of at most `size` tokens on `corpus`, special tokens included.
///
/// # Errors
/// When the library refuses the corpus or the pattern.
pub fn train(corpus: &[String], size: usize) -> Result<Tokenizer> {
    let split = Split::new(SplitPattern::Regex(PRE_TOKENIZER.to_owned()), SplitDelimiterBehavior::Isolated, false)
        .map_err(tokenizer_error)?;
    let byte_level = ByteLevel::new(false, true, false);
    let mut tokenizer: TokenizerImpl<BPE, NormalizerWrapper, Sequence, PostProcessorWrapper, ByteLevel> =
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
    tokenizer.add_special_tokens(specials).map_err(tokenizer_error)?;
    let text = tokenizer.to_string(true).map_err(tokenizer_error)?;
    let mut written: serde_json::Value = serde_json::from_str(&text).map_err(|error| tokenizer_error(error.into()))?;
    if let Some(merges) = written["model"]["merges"].as_array_mut() {
        merges.retain(|merge| !joins_letter(merge));
    }
    written.to_string().parse().map_err(tokenizer_error)
}

/// Whether a merge joins a tag's end and an option's letter. The letter is one and the same token in the question, in the
/// statement and behind `<answer>`, so that it can simply be repeated.
fn joins_letter(merge: &serde_json::Value) -> bool {
    merge[0] == ">" && merge[1].as_str().is_some_and(|next| OPTION_LETTERS.contains(&next))
}

/// Sentences that hold every word, number and map key that nano's prompts and completions are made of.
///
/// # Errors
/// When the furniture can't be read.
pub fn corpus(prompts: &Prompts) -> Result<Vec<String>> {
    let classes = sim::world::question_classes(sim::catalogue::Catalogue::bundled()?);
    let mut lines = vec!["system user assistant".to_owned(), prompts.system.clone()];
    for class in &classes {
        let plural = grounding::plural(class);
        lines.extend(prompts.kinds.values().flat_map(|k| &k.phrasings).map(|p| grounding::prompt::phrase(p, class)));
        lines.push(format!("<think>I do not see a {class}.<map>{{\"{class}\":[["));
        lines.push(format!("<think>I do not see any {plural}.<map>,\"{class}\":[["));
        lines.push(format!("<think>I see 1 {class}.<map>{{\"{class}\":[["));
        lines.push(format!("<think>I see 2 {plural}.<map>]],\"{class}\":[["));
        lines.push(format!("<think>I see the {class} 1.50 m away.<map>"));
    }
    for (_, number) in GRID_UNITS.into_iter().flat_map(number_grid) {
        lines.push(format!(
            "{number} m away.<map>{{\"cell_size_m\":0.8,\"robot\":[[5,9]]}}</map></think><answer>{number}</answer>"
        ));
        lines.push("</map></think><answer>not seen</answer>".to_owned());
    }
    lines.extend(exam_lines(&classes)?);
    lines.extend((-30..=90i32).map(|n| format!("camera: fov {n} height {:.2} pitch {n}", f64::from(n.abs()) * 0.05)));
    lines.extend(grounding::prompt::path_numbers().map(|number| format!("path: {number}; path: unknown")));
    lines.extend((0..100).map(|n| format!("[[{},{}],[{},{}]],", n / 10, n % 10, n % 10, n / 10)));
    Ok(lines)
}

/// The words of every question of an exam, of its options, and of what is stated about them.
fn exam_lines(classes: &[String]) -> Result<Vec<String>> {
    let wording = Wording::bundled()?;
    let mut lines: Vec<String> =
        Topic::ALL.into_iter().flat_map(|topic| wording.phrasings(topic)).map(|p| without_placeholders(p)).collect();
    lines.extend(('A'..='Z').map(|letter| format!("\n{letter}. <answer>{letter}</answer>")));
    let words = [
        "left",
        "right",
        "back",
        "front",
        "front-left",
        "front-right",
        "back-left",
        "back-right",
        "less than 90 degrees",
    ];
    for words in words.into_iter().chain(["more than 90 degrees", "turn left", "turn right", "turn back", "12 o'clock"])
    {
        lines.push(format!("\nA. {words}\nB. {words}, {words}"));
        lines.push(format!("<think>I see: {words}, {words}.</think><answer>{words}, {words}</answer>"));
    }
    for class in classes {
        lines.push(format!("the {class}, the {class}: {class}, {class}.</think>\nA. {class}\nB. {class}, {class}"));
        lines.push(format!(
            "<think>I see, nearest to the {class}: {class}.<map> <think>I see the {class} at +1.0-1.0, the {class} at"
        ));
        lines.push(format!(
            "<think>I see the {class} 1.50 m from the {class}.<map> <think>I see the {class} 50 cm long.<map>"
        ));
    }
    lines.push("<think>I see a room of 20 m2.<map> <think>I see the way: <think>I see, in this order: ".to_owned());
    lines.push("<think>I see that I moved 1.50 m.<map> <think>I see that I moved: left.<map>".to_owned());
    lines.push(
        "<think>I see that I turned 45 degrees.<map> <think>I see that I turned: left.</think><answer>".to_owned(),
    );
    Ok(lines)
}

/// A phrasing with nothing where classes and numbers go.
fn without_placeholders(phrasing: &str) -> String {
    let names = ["object", "objects", "other", "list", "stand", "face", "start", "via", "goal", "seconds"];
    model_dir::fill(phrasing, &names.map(|name| (name, "")))
}

fn tokenizer_error(error: tokenizers::Error) -> Error {
    Error::Tokenizer(error.to_string())
}
