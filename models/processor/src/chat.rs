//! Messages and the model's own chat template.
//!
//! The template is Jinja as Hugging Face's `apply_chat_template` runs it (`trim_blocks`, `lstrip_blocks`,
//! `raise_exception`), as far as its work and its text can be bounded (see `template.rs`). It comes from
//! `chat_template.jinja`, `chat_template.json` or `tokenizer_config.json`.

use crate::error::{ProcessorError, Result};
use crate::json::{self, Fields};
use crate::template;
use minijinja::{Environment, ErrorKind, Value, context};
use model_dir::Files;
use serde_json::json;
use std::io::{self, Write};
use std::path::Path;

/// Steps that rendering may take; a conversation of ten turns takes about a thousand.
const MOST_STEPS: u64 = 100_000;
/// Bytes that rendering may write: more than any context holds.
const MOST_TEXT_BYTES: usize = 8 << 20;

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// Parts in order.
    pub content: Vec<Content>,
}

impl Message {
    /// A turn of several parts.
    pub fn new(role: impl Into<String>, content: Vec<Content>) -> Self {
        Self { role: role.into(), content }
    }

    /// A turn of text alone.
    pub fn text(role: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(role, vec![Content::Text(text.into())])
    }
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Words.
    Text(String),
    /// A place for the next image.
    Image,
    /// A place for the next video.
    Video,
}

/// A compiled chat template.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
}

const NAME: &str = "chat_template";

impl ChatTemplate {
    /// Reads the template of a model directory.
    ///
    /// # Errors
    /// As [`ChatTemplate::from_files`].
    pub fn from_dir(dir: &Path) -> Result<Self> {
        Self::from_files(&Files::unverified(dir))
    }

    /// Reads the template among a model directory's files.
    ///
    /// # Errors
    /// [`ProcessorError::MissingFile`] where no file has one, [`ProcessorError::TemplateFile`] where it does not compile or
    /// is of a form that is not run.
    pub fn from_files(files: &Files) -> Result<Self> {
        let (file, source) = find(files)?;
        Self::new(source).map_err(|error| {
            let source = Box::new(error);
            ProcessorError::TemplateFile { path: files.path(file), source }
        })
    }

    /// The text of that template.
    ///
    /// # Errors
    /// [`ProcessorError::MissingFile`] where no file has one.
    pub fn source(dir: &Path) -> Result<String> {
        Ok(find(&Files::unverified(dir))?.1)
    }

    /// Compiles a template.
    ///
    /// # Errors
    /// [`ProcessorError::Template`], and [`ProcessorError::TemplateForm`] for one whose text can't be bounded.
    pub fn new(source: String) -> Result<Self> {
        template::check(&source)?;
        let mut environment = Environment::new();
        environment.set_fuel(Some(MOST_STEPS));
        environment.set_trim_blocks(template::WHITESPACE.trim_blocks);
        environment.set_lstrip_blocks(template::WHITESPACE.lstrip_blocks);
        environment.add_function("raise_exception", |message: String| -> Result<Value, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_function("range", template::range);
        environment.add_template_owned(NAME, source)?;
        Ok(Self { environment })
    }

    /// Renders a conversation, with the head of the assistant's turn if `add_generation_prompt`.
    ///
    /// # Errors
    /// [`ProcessorError::Template`], also for one that takes too many steps or writes too much.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        let messages: Vec<_> = messages.iter().map(as_json).collect();
        let messages = Value::from_serialize(&messages);
        let mut text = BoundedText(Vec::new());
        let template = self.environment.get_template(NAME)?;
        template.render_captured_to(context! { messages, add_generation_prompt }, &mut text)?;
        String::from_utf8(text.0)
            .map_err(|error| minijinja::Error::new(ErrorKind::InvalidOperation, error.to_string()).into())
    }
}

/// Text as it is written, up to [`MOST_TEXT_BYTES`].
struct BoundedText(Vec<u8>);

impl Write for BoundedText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_TEXT_BYTES {
            return Err(io::Error::other(format!("expected at most {MOST_TEXT_BYTES} bytes of text, found more")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The file that has the template, and the template.
fn find(files: &Files) -> Result<(&'static str, String)> {
    let jinja = "chat_template.jinja";
    if files.has(jinja) {
        return Ok((jinja, files.text(jinja, template::MOST_BYTES)?));
    }
    for file in ["chat_template.json", "tokenizer_config.json"] {
        if !files.has(file) {
            continue;
        }
        let value = json::read(files, file)?;
        if let Some(source) = template_in(&Fields::root(file, &value)?)? {
            return Ok((file, source));
        }
    }
    let expected = "chat_template.jinja, chat_template.json, tokenizer_config.json with chat_template";
    Err(ProcessorError::MissingFile { dir: files.folder().to_owned(), expected })
}

/// A string, or a list of named templates of which `default` counts.
fn template_in(fields: &Fields) -> Result<Option<String>> {
    let expected = "a template or a list of {name, template}";
    match fields.opt::<serde_json::Value>(NAME, expected)? {
        None => Ok(None),
        Some(serde_json::Value::String(source)) => Ok(Some(source)),
        Some(serde_json::Value::Array(named)) => {
            let default = named.iter().find(|entry| entry["name"] == "default");
            let source = default.and_then(|entry| entry["template"].as_str());
            source.map(|s| Some(s.to_owned())).ok_or_else(|| fields.mismatch(NAME, expected, "no default template"))
        }
        Some(_) => Err(fields.mismatch(NAME, expected, "another type")),
    }
}

/// The shape that Hugging Face templates read; text alone is a plain string, as users of them write it.
fn as_json(message: &Message) -> serde_json::Value {
    if let [Content::Text(text)] = message.content.as_slice() {
        return json!({ "role": message.role, "content": text });
    }
    let part = |content: &Content| match content {
        Content::Text(text) => json!({ "type": "text", "text": text }),
        Content::Image => json!({ "type": "image" }),
        Content::Video => json!({ "type": "video" }),
    };
    json!({ "role": message.role, "content": message.content.iter().map(part).collect::<Vec<_>>() })
}
