//! The parts of the OpenAI chat protocol, and of vLLM's additions to it, that rollouts need.
//!
//! <https://platform.openai.com/docs/api-reference/chat>, <https://docs.vllm.ai/en/stable/serving/openai_compatible_server/>

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `POST /v1/chat/completions`.
#[derive(Debug, Serialize)]
pub struct ChatRequest<'a> {
    /// The adapter, which servers call a model.
    pub model: &'a str,
    /// The turns.
    pub messages: &'a [Turn],
    /// Completions wanted.
    pub n: usize,
    /// Divides the logits.
    pub temperature: f32,
    /// Probability of the nucleus.
    pub top_p: f32,
    /// 0 = no limit; else a server might take one from generation_config.json (vLLM).
    pub top_k: usize,
    /// As `top_k`: 1 = none (vLLM).
    pub repetition_penalty: f32,
    /// Longest completion, tokens.
    pub max_tokens: usize,
    /// Of the server's random numbers.
    pub seed: u32,
    /// Log-probabilities of the sampled tokens.
    pub logprobs: bool,
    /// Token ids of prompt and completions (vLLM).
    pub return_token_ids: bool,
    /// The special tokens are wanted too (vLLM).
    pub skip_special_tokens: bool,
    /// What the server's processor is told about the video (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mm_processor_kwargs: Option<Value>,
}

/// One turn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Turn {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// Parts in order.
    pub content: Vec<Part>,
}

/// A part of a turn.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    /// Words.
    Text {
        /// They.
        text: String,
    },
    /// A video (vLLM).
    VideoUrl {
        /// Where it is.
        video_url: Url,
    },
}

/// An address; a data URL carries the thing itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Url {
    /// The address.
    pub url: String,
}

/// What comes back.
#[derive(Debug, Deserialize)]
pub struct ChatResponse {
    /// The completions.
    pub choices: Vec<Choice>,
    /// The prompt as the server read it (vLLM).
    pub prompt_token_ids: Option<Vec<u32>>,
}

/// A completion.
#[derive(Debug, Deserialize)]
pub struct Choice {
    /// Log-probabilities.
    pub logprobs: Option<LogProbs>,
    /// Its tokens, the end of sequence included (vLLM).
    pub token_ids: Option<Vec<u32>>,
}

/// Log-probabilities of a completion.
#[derive(Debug, Deserialize)]
pub struct LogProbs {
    /// One for each token.
    pub content: Option<Vec<TokenLogProb>>,
}

/// The log-probability of a token.
#[derive(Debug, Deserialize)]
pub struct TokenLogProb {
    /// Before temperature and nucleus.
    pub logprob: f32,
}

/// `GET /v1/models`.
#[derive(Debug, Deserialize)]
pub struct Models {
    /// What is served.
    pub data: Vec<Model>,
}

/// A served model.
#[derive(Debug, Deserialize)]
pub struct Model {
    /// Its name.
    pub id: String,
}
