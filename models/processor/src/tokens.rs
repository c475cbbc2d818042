//! Text to token ids and back: placeholders expanded, completions streamed without broken characters.

use crate::error::{ProcessorError, Result};
use crate::tokenizer_file;
use model_dir::Files;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use tokenizers::Tokenizer;

/// A Hugging Face tokenizer. Cloning shares it.
#[derive(Clone, Debug)]
pub struct TextTokenizer {
    inner: Arc<Tokenizer>,
    control: Arc<[String]>,
}

/// A placeholder token and how often each of its occurrences is repeated.
#[derive(Clone, Copy, Debug)]
pub struct Placeholder<'a> {
    /// `image` or `video`.
    pub kind: &'static str,
    /// The token.
    pub id: u32,
    /// Tokens of each image or video, in order.
    pub counts: &'a [usize],
}

impl TextTokenizer {
    /// Reads `tokenizer.json` of a model directory.
    ///
    /// # Errors
    /// As [`TextTokenizer::from_files`].
    pub fn from_dir(dir: &Path) -> Result<Self> {
        Self::from_files(&Files::unverified(dir))
    }

    /// Reads `tokenizer.json` of a model directory's files.
    ///
    /// # Errors
    /// [`ProcessorError::MissingFile`], [`ProcessorError::File`], [`ProcessorError::Tokenizer`];
    /// [`ProcessorError::TokenizerForm`] for one that pads, cuts or rewrites text, or that may search without end.
    pub fn from_files(files: &Files) -> Result<Self> {
        Ok(Self::new(tokenizer_file::read(files)?))
    }

    /// Wraps a tokenizer.
    pub fn new(inner: Tokenizer) -> Self {
        let added = inner.get_added_tokens_decoder().into_values();
        let control = added.filter(|t| t.special && t.content.starts_with("<|")).map(|t| t.content).collect();
        Self { inner: Arc::new(inner), control }
    }

    /// Token ids of `text`; special tokens written out in it become their ids.
    ///
    /// # Errors
    /// [`ProcessorError::Tokenizer`].
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        // The regular expressions of a tokenizer panic where a search takes too many steps.
        let encoded = catch_unwind(AssertUnwindSafe(|| self.inner.encode(text, true)));
        let encoding = encoded.map_err(|panic| search_failed(&*panic))?.map_err(tokenizer_error)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Token ids of `text` with the n-th occurrence of each placeholder repeated `counts[n]` times.
    ///
    /// # Errors
    /// [`ProcessorError::Tokenizer`]; [`ProcessorError::Placeholders`] for more or fewer occurrences than counts.
    pub fn encode_expanded(&self, text: &str, placeholders: &[Placeholder]) -> Result<Vec<u32>> {
        let ids = self.encode(text)?;
        let extra: usize = placeholders.iter().flat_map(|placeholder| placeholder.counts).sum();
        let mut expanded = Vec::with_capacity(ids.len() + extra);
        let mut found = vec![0; placeholders.len()];
        for id in ids {
            let repeat = match placeholders.iter().position(|placeholder| placeholder.id == id) {
                Some(which) => {
                    found[which] += 1;
                    placeholders[which].counts.get(found[which] - 1).copied().unwrap_or(0)
                }
                None => 1,
            };
            expanded.extend(std::iter::repeat_n(id, repeat));
        }
        for (placeholder, found) in placeholders.iter().zip(found) {
            let expected = placeholder.counts.len();
            if found != expected {
                return Err(ProcessorError::Placeholders { kind: placeholder.kind, expected, found });
            }
        }
        Ok(expanded)
    }

    /// Text of token ids, without special tokens if `skip_special`.
    ///
    /// # Errors
    /// [`ProcessorError::Tokenizer`].
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String> {
        self.inner.decode(ids, skip_special).map_err(tokenizer_error)
    }

    /// A decoder for tokens that arrive one by one; special tokens are left out.
    pub fn stream(&self) -> StreamDecoder {
        StreamDecoder { tokenizer: self.clone(), ids: Vec::new(), prefix_start: 0, read_end: 0 }
    }

    /// The id of a token written as in the vocabulary.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Size of the vocabulary with added tokens.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The wrapped tokenizer.
    pub fn inner(&self) -> &Tokenizer {
        &self.inner
    }

    /// `text` in which nothing is read as a control token `<|…|>`: what a stranger types can't end a turn or
    /// claim to be a picture.
    pub fn neutralise(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for token in self.control.iter().filter(|token| token.len() > 2) {
            if text.contains(token.as_str()) {
                text = text.replace(token.as_str(), &format!("< {}", &token[1..]));
            }
        }
        text
    }
}

fn search_failed(panic: &(dyn Any + Send)) -> ProcessorError {
    let said = panic.downcast_ref::<String>().map_or("no reason", String::as_str);
    ProcessorError::Tokenizer(format!("tokenizer.json: expected patterns that split text in few steps, found: {said}"))
}

fn tokenizer_error(error: tokenizers::Error) -> ProcessorError {
    ProcessorError::Tokenizer(error.to_string())
}

/// Turns tokens into text as they arrive; the pieces joined are the whole text.
#[derive(Clone, Debug)]
pub struct StreamDecoder {
    tokenizer: TextTokenizer,
    /// Tokens since the last piece but one: earlier ones no longer change the text.
    ids: Vec<u32>,
    prefix_start: usize,
    read_end: usize,
}

impl StreamDecoder {
    /// Adds a token; gives the text that is now certain, empty while a character is incomplete.
    ///
    /// # Errors
    /// [`ProcessorError::Tokenizer`].
    pub fn push(&mut self, id: u32) -> Result<String> {
        self.ids.push(id);
        let (known, all) = self.texts()?;
        if all.len() <= known.len() || all.ends_with(char::REPLACEMENT_CHARACTER) {
            return Ok(String::new());
        }
        self.prefix_start = self.read_end;
        self.read_end = self.ids.len();
        self.forget();
        Ok(all.get(known.len()..).unwrap_or_default().to_owned())
    }

    /// What is still held back: an incomplete character comes out as U+FFFD.
    ///
    /// # Errors
    /// [`ProcessorError::Tokenizer`].
    pub fn finish(self) -> Result<String> {
        let (known, all) = self.texts()?;
        Ok(all.get(known.len()..).unwrap_or_default().to_owned())
    }

    fn texts(&self) -> Result<(String, String)> {
        let known = self.tokenizer.decode(&self.ids[self.prefix_start..self.read_end], true)?;
        Ok((known, self.tokenizer.decode(&self.ids[self.prefix_start..], true)?))
    }

    fn forget(&mut self) {
        self.ids.drain(..self.prefix_start);
        self.read_end -= self.prefix_start;
        self.prefix_start = 0;
    }
}
