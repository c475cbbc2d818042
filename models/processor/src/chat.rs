//! Messages and the model's own chat template.
//!
//! The template is Jinja as Hugging Face's `apply_chat_template` runs it (`trim_blocks`, `lstrip_blocks`,
//! `raise_exception`). It comes from `chat_template.jinja`, `chat_template.json` or `tokenizer_config.json`.

use crate::error::{ProcessorError, Result};
use crate::json::{self, Fields};
use minijinja::{Environment, ErrorKind, Value, context};
use serde_json::json;
use std::path::Path;

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
    /// [`ProcessorError::MissingFile`] where no file has one, [`ProcessorError::Template`] where it does not compile.
    pub fn from_dir(dir: &Path) -> Result<Self> {
        Self::new(Self::source(dir)?)
    }

    /// The text of that template.
    ///
    /// # Errors
    /// [`ProcessorError::MissingFile`] where no file has one.
    pub fn source(dir: &Path) -> Result<String> {
        let jinja = dir.join("chat_template.jinja");
        if jinja.exists() {
            return json::read_text(&jinja);
        }
        for file in ["chat_template.json", "tokenizer_config.json"] {
            if !dir.join(file).exists() {
                continue;
            }
            let value = json::read(&dir.join(file))?;
            if let Some(source) = template_in(&Fields::root(file, &value)?)? {
                return Ok(source);
            }
        }
        let expected = "chat_template.jinja, chat_template.json, tokenizer_config.json with chat_template";
        Err(ProcessorError::MissingFile { dir: dir.to_owned(), expected })
    }

    /// Compiles a template.
    ///
    /// # Errors
    /// [`ProcessorError::Template`].
    pub fn new(source: String) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.add_function("raise_exception", |message: String| -> Result<Value, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_template_owned(NAME, source)?;
        Ok(Self { environment })
    }

    /// Renders a conversation, with the head of the assistant's turn if `add_generation_prompt`.
    ///
    /// # Errors
    /// [`ProcessorError::Template`].
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        let messages: Vec<_> = messages.iter().map(as_json).collect();
        let messages = Value::from_serialize(&messages);
        Ok(self.environment.get_template(NAME)?.render(context! { messages, add_generation_prompt })?)
    }
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
