//! `prompts.toml`: the words around a question, and which questions the model was taught. The same file feeds
//! training and the robot.
//!
//! Templates are plain strings with placeholders in braces; [`fill`] replaces the ones it is given and leaves every
//! other brace alone, so that JSON may stand in a template.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::directory::{check_prompts, read_toml};
use crate::error::Result;

/// The kind of questions in any words: a model that names it answers whatever it is asked.
pub const FREE_FORM: &str = "free_form";

/// The prompts as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompts {
    /// System message, with the camera's facts in placeholders, say `{camera_height_m}`, `{horizontal_fov_deg}`.
    pub system: String,
    /// User message: `{question}` and `{instruction}` (the kind's answer instruction).
    pub user: String,
    /// The kinds of questions that the model was taught, by their names, say `ego_distance`. It is asked no
    /// others, unless [`FREE_FORM`] is among them.
    pub kinds: BTreeMap<String, KindPrompts>,
    /// The things that it was taught, each by its singular. It can't tell a "red chair" from others where
    /// only `chair` stands here; empty = not stated.
    #[serde(default)]
    pub classes: Vec<String>,
    /// The frames in front of the question that the model was trained on.
    #[serde(default)]
    pub window: PromptWindow,
    /// Whether the model states its answer before it draws the map: a number with its unit, `…; the door 2.4 m away.`, or
    /// the words of an option with its letter, `…: left; B.` Constrained answers then are what was stated, and the letter
    /// that of the words.
    #[serde(default)]
    pub states_answers: bool,
}

/// How many frames stand in front of a question, and how far they are apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptWindow {
    /// Frames.
    pub frames: usize,
    /// Frames a second.
    pub rate_hz: f64,
}

impl Default for PromptWindow {
    fn default() -> Self {
        Self { frames: 2, rate_hz: 2.0 }
    }
}

/// How a question is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Without options: the answer is a number or words.
    Open,
    /// With options below it: the answer is a letter.
    Options,
}

/// The words of one question kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindPrompts {
    /// The forms that the kind was taught in.
    #[serde(default = "open")]
    pub forms: Vec<Form>,
    /// How the answer is to be written.
    #[serde(default)]
    pub instruction: String,
    /// Ways to put the question, with `{object}` where the object's name goes. Without any it is asked as it
    /// was put.
    #[serde(default)]
    pub phrasings: Vec<String>,
    /// Seconds back that it was taught about, for questions about the camera's own motion; without any it is asked about
    /// whatever time a question names, or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stretches_secs: Vec<u32>,
}

fn open() -> Vec<Form> {
    vec![Form::Open]
}

impl Prompts {
    /// Reads and validates one `prompts.toml`, for tools that have no whole model directory yet.
    ///
    /// # Errors
    /// `MissingFile`, `Parse` (with unknown keys), `Value`, `Io`.
    pub fn read(path: &Path) -> Result<Self> {
        let (dir, name) = (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default());
        let prompts = read_toml(dir, &name.to_string_lossy())?;
        check_prompts(path, &prompts)?;
        Ok(prompts)
    }

    /// Whether the model was taught questions of `kind` in this form, or any.
    pub fn answers(&self, kind: &str, form: Form) -> bool {
        [kind, FREE_FORM].iter().any(|name| self.kinds.get(*name).is_some_and(|kind| kind.forms.contains(&form)))
    }

    /// The user message for a question of `kind`; an unknown kind gets no instruction.
    pub fn user_text(&self, kind: &str, question: &str) -> String {
        let instruction = self.kinds.get(kind).map_or("", |kind| kind.instruction.as_str());
        fill(&self.user, &[("question", question), ("instruction", instruction)])
    }

    /// The system message with `facts` (name, value) filled in.
    pub fn system_text(&self, facts: &[(&str, &str)]) -> String {
        fill(&self.system, facts)
    }
}

/// Replaces `{name}` by its value for every pair, in one pass: what a value contains is never replaced again, so a
/// question holding `{instruction}` stays as asked.
///
/// ```
/// let text = model_dir::fill("How far is the {object}? {x}", &[("object", "{x} door")]);
/// assert_eq!(text, "How far is the {x} door? {x}");
/// ```
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, from_brace) = rest.split_at(open);
        text.push_str(before);
        let found = values.iter().find_map(|(name, value)| {
            let tail = from_brace[1..].strip_prefix(name)?.strip_prefix('}')?;
            Some((*value, tail))
        });
        let (value, tail) = found.unwrap_or(("{", &from_brace[1..]));
        text.push_str(value);
        rest = tail;
    }
    text.push_str(rest);
    text
}
