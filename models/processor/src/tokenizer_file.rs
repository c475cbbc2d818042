//! Which `tokenizer.json` is taken: one that splits text and does nothing else to it.
//!
//! The format can also rewrite each letter as a page, repeat a text for each piece of a template, and search by patterns
//! that take exponential time or memory. The tokenizers of this architecture need none of that. It can pad and cut prompts,
//! too; files say so that were saved after training, and that is ignored.

use crate::error::{ProcessorError, Result};
use model_dir::Files;
use serde_json::Value;
use tokenizers::Tokenizer;

const NAME: &str = "tokenizer.json";
/// Most bytes of the file; Qwen2.5's has 11 MB.
const MOST_BYTES: u64 = 64 << 20;
/// Token ids are below this: memory is taken for each.
const MOST_TOKENS: u64 = 1 << 22;
/// Most steps of a sequence, and most pieces of a template around a text.
const MOST_STEPS: usize = 8;
/// Most bytes of a pattern.
const MOST_PATTERN_BYTES: usize = 2048;
/// Most repetitions that a pattern may count, as in `{1,3}`.
const MOST_REPEATS: u64 = 8;

/// Reads `tokenizer.json`.
pub(crate) fn read(files: &Files) -> Result<Tokenizer> {
    if !files.has(NAME) {
        return Err(ProcessorError::MissingFile { dir: files.folder().to_owned(), expected: NAME });
    }
    let bytes = files.read(NAME, MOST_BYTES)?;
    let path = files.path(NAME);
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|source| ProcessorError::Json { path: path.clone(), source })?;
    check(&value).map_err(|Form { key, expected, found }| ProcessorError::TokenizerForm {
        path: path.clone(),
        key,
        expected: expected.to_owned(),
        found,
    })?;
    let refused = |error| ProcessorError::Tokenizer(format!("{}: {error}", path.display()));
    let mut tokenizer = Tokenizer::from_bytes(&bytes).map_err(refused)?;
    tokenizer.with_padding(None).with_truncation(None).map_err(refused)?;
    Ok(tokenizer)
}

/// What is wrong with a part of the file.
struct Form {
    key: String,
    expected: &'static str,
    found: String,
}

type Checked = std::result::Result<(), Form>;

fn refuse(key: &str, expected: &'static str, found: &Value) -> Checked {
    let found: String = found.to_string().chars().take(80).collect();
    Err(Form { key: key.to_owned(), expected, found })
}

fn check(file: &Value) -> Checked {
    check_ids(file)?;
    let normalizers = "null or Unicode's normal forms, lower case and stripping";
    for step in steps(&file["normalizer"], "normalizer", "normalizers")? {
        match kind(step) {
            "NFC" | "NFD" | "NFKC" | "NFKD" | "Lowercase" | "Strip" | "StripAccents" => {}
            _ => return refuse("normalizer", normalizers, step),
        }
    }
    check_splitting(file)?;
    for step in steps(&file["post_processor"], "post_processor", "processors")? {
        let pieces = step["single"].as_array().map_or(0, Vec::len);
        if !(kind(step) == "ByteLevel" || kind(step) == "TemplateProcessing" && pieces <= MOST_STEPS) {
            return refuse("post_processor", "null, ByteLevel, or a template of at most 8 pieces", step);
        }
    }
    Ok(())
}

fn check_ids(file: &Value) -> Checked {
    let expected = "ids below 4194304";
    let added = file["added_tokens"].as_array().into_iter().flatten().map(|token| &token["id"]);
    let listed = file["model"]["vocab"].as_object().into_iter().flat_map(|vocab| vocab.values());
    match added.chain(listed).find(|id| id.as_u64().is_none_or(|id| id >= MOST_TOKENS)) {
        Some(id) => refuse("added_tokens, model.vocab", expected, id),
        None => Ok(()),
    }
}

fn check_splitting(file: &Value) -> Checked {
    let key = "pre_tokenizer";
    let steps = steps(&file[key], key, "pretokenizers")?;
    // Each writes a byte as a character of up to two bytes.
    if steps.iter().filter(|step| kind(step) == "ByteLevel").count() > 1 {
        return refuse(key, "ByteLevel once", &file[key]);
    }
    for step in steps {
        match kind(step) {
            "ByteLevel" | "Digits" | "Punctuation" | "Whitespace" | "WhitespaceSplit" => {}
            "Split" => check_pattern(step)?,
            _ => return refuse(key, "Split, ByteLevel, Digits, Punctuation or Whitespace", step),
        }
    }
    Ok(())
}

/// Counted repetitions multiply the memory of a compiled pattern.
fn check_pattern(split: &Value) -> Checked {
    let Some(pattern) = split["pattern"]["Regex"].as_str() else { return Ok(()) };
    let counts = pattern.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let numbers = counts.flat_map(|count| count.split(',')).filter_map(|number| number.trim().parse::<u64>().ok());
    if pattern.len() > MOST_PATTERN_BYTES || numbers.clone().any(|n| n > MOST_REPEATS) || numbers.count() > MOST_STEPS {
        let expected = "a pattern of at most 2048 bytes that counts at most 8 repetitions";
        return refuse("pre_tokenizer.pattern", expected, &split["pattern"]);
    }
    Ok(())
}

/// The one step under `key`, those of a sequence, or none.
fn steps<'v>(step: &'v Value, key: &str, list: &str) -> std::result::Result<Vec<&'v Value>, Form> {
    if step.is_null() {
        return Ok(Vec::new());
    }
    if kind(step) != "Sequence" {
        return Ok(vec![step]);
    }
    match step[list].as_array() {
        Some(steps) if steps.len() <= MOST_STEPS => Ok(steps.iter().collect()),
        _ => refuse(key, "a sequence of at most 8 steps", step).map(|()| Vec::new()),
    }
}

fn kind(step: &Value) -> &str {
    step["type"].as_str().unwrap_or_default()
}
