//! What a robot is told.

use serde::{Deserialize, Serialize};

use crate::{ImaginedMap, QuestionKind, Unit};

/// How a question ended. The numbers are those of `SpatialAnswer.msg`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[repr(u8)]
pub enum Status {
    /// A value, an option or a text was given.
    Answered = 0,
    /// The model looked and did not see what was asked about.
    NotSeen = 1,
    /// No frame that can be used has arrived yet.
    NoFrames = 2,
    /// The newest frame is older than the limit.
    StaleFrames = 3,
    /// The question can't be read; the text says why.
    BadQuery = 4,
    /// Too many questions are waiting; ask again later.
    Busy = 5,
    /// The deadline passed.
    Timeout = 6,
    /// The asker cancelled.
    Cancelled = 7,
    /// The model is missing, was refused, or failed; the text says which file or step.
    #[default]
    ModelError = 8,
    /// The model was not made for such questions; the text says which it answers, with an example of each.
    Unsupported = 9,
}

impl Status {
    /// Number of statuses; every [`Status::code`] is below it.
    pub const COUNT: usize = 10;

    /// The code of `SpatialAnswer.msg`.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The constant's name in `SpatialAnswer.msg`, for instance `NOT_SEEN`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "ANSWERED",
            Self::NotSeen => "NOT_SEEN",
            Self::NoFrames => "NO_FRAMES",
            Self::StaleFrames => "STALE_FRAMES",
            Self::BadQuery => "BAD_QUERY",
            Self::Busy => "BUSY",
            Self::Timeout => "TIMEOUT",
            Self::Cancelled => "CANCELLED",
            Self::ModelError => "MODEL_ERROR",
            Self::Unsupported => "UNSUPPORTED",
        }
    }
}

/// An interval that holds the truth in a stated share of cases, as measured on a calibration split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, in the answer's unit.
    pub lower: f64,
    /// Upper end, in the answer's unit.
    pub upper: f64,
    /// The share of truths the interval is to hold, in (0, 1).
    pub coverage: f64,
}

/// Where the time of one answer went, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Waiting in the queue.
    pub queue_secs: f64,
    /// Preprocessing and encoding of frames.
    pub vision_secs: f64,
    /// Prompt to KV cache.
    pub prefill_secs: f64,
    /// Arrival of the question to the first generated token.
    pub first_token_secs: f64,
    /// First to last generated token.
    pub decode_secs: f64,
    /// Arrival of the question to the answer.
    pub total_secs: f64,
}

/// How many tokens one answer took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCounts {
    /// Tokens of the whole prompt, vision tokens included.
    pub prompt: u32,
    /// Of these, how many came from a cache.
    pub cached: u32,
    /// Tokens generated.
    pub generated: u32,
}

/// The typed answer to one [`crate::SpatialQuery`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpatialAnswer {
    /// Copied from the query.
    pub query_id: String,
    /// How it ended.
    pub status: Status,
    /// What was understood; `None` when the question could not be read.
    pub kind: Option<QuestionKind>,
    /// One plain sentence for a person.
    pub text: String,
    /// The number, in `unit`; `None` unless the status is [`Status::Answered`] and the kind numeric.
    pub value: Option<f64>,
    /// Unit of `value` and of `interval`.
    pub unit: Option<Unit>,
    /// The calibrated interval around `value`; `None` when the model carries no calibration for the kind.
    pub interval: Option<Interval>,
    /// The chosen letter of a multiple-choice question.
    pub option: Option<char>,
    /// The model's own probability of its answer's tokens, in 0..=1.
    pub confidence: f32,
    /// The text between `<think>` and `</think>`.
    pub thinking: String,
    /// The map imagined while thinking.
    pub map: Option<ImaginedMap>,
    /// Stamp of the oldest frame used, nanoseconds.
    pub oldest_stamp_nanos: i64,
    /// Stamp of the newest frame used, nanoseconds.
    pub newest_stamp_nanos: i64,
    /// Number of frames used.
    pub frames_used: u32,
    /// Where the time went.
    pub timing: Timing,
    /// How many tokens it took.
    pub tokens: TokenCounts,
    /// Name and version of the model.
    pub model: String,
    /// What the model was told about the camera, each fact with its source or the reason why it is unknown; empty where
    /// no frame was used.
    #[serde(default)]
    pub camera: String,
}
