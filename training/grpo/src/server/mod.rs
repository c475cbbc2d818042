//! Rollouts by an OpenAI-compatible server such as vLLM, which gets the policy as a LoRA adapter at each step.
//!
//! The server reads prompts in its own way and computes in its own precision. What its policy differs in is corrected by
//! importance weights (see [`crate::objective`]); that its prompt is ours, token by token, is checked where it says.

mod conversation;
mod pictures;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use processor::Processor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::policies::Policies;
use crate::rollout::{Completion, RolloutSettings};
use crate::scene::{Prompt, Scene};
use crate::{Error, Result};
use wire::{ChatRequest, ChatResponse, Choice, Models};

/// The longest wait for an answer: a group of the longest completions on a slow machine.
const PATIENCE: Duration = Duration::from_secs(1800);

/// An answer may be this long, bytes: eight completions of 1024 tokens are half a megabyte.
const LARGEST_ANSWER: u64 = 1 << 28;
/// Tokens shown where the server's prompt differs from ours.
const DIFFERENT_TOKENS: usize = 8;
/// What the names of our adapters begin with.
const PREFIX: &str = "spacer-grpo-";

/// What is asked.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The scene.
    pub scene: &'a Scene,
    /// One of its prompts.
    pub prompt: &'a Prompt,
    /// Its rows of patches, perhaps with frames in another order.
    pub pixel_values: &'a [f32],
    /// The processor that made them.
    pub processor: &'a Processor,
}

/// A completion that a server sampled.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// Its tokens.
    pub completion: Completion,
    /// Their log-probabilities under the server's policy.
    pub log_probs: Vec<f32>,
}

/// A connected server.
pub struct Server {
    agent: ureq::Agent,
    url: String,
    /// What the adapter lies over, by the server's name.
    base: String,
    /// Where adapters are written; the server reads them there.
    adapters: PathBuf,
    /// The adapter that is loaded.
    loaded: Option<String>,
}

impl Server {
    /// Asks the server at `url` (`http://host:port`) which model it has. Adapters will be written into the folder
    /// `adapters`, which the server must see under the same path.
    ///
    /// # Errors
    /// When nobody answers, or several models are served.
    pub fn connect(url: &str, adapters: &Path) -> Result<Self> {
        let url = url.trim_end_matches('/').to_owned();
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        let agent = config.build().new_agent();
        let mut server = Self { agent, url, base: String::new(), adapters: adapters.to_owned(), loaded: None };
        let models: Models = server.get("/v1/models")?;
        let ours = |id: &String| !id.starts_with(PREFIX);
        let names: Vec<String> = models.data.into_iter().map(|model| model.id).filter(ours).collect();
        match names.as_slice() {
            [name] => server.base.clone_from(name),
            other => return Err(server.refuse("one model", format!("{other:?}"))),
        }
        Ok(server)
    }

    /// Makes the policy as it is now the one that samples: writes its adapter, has it loaded under a new name, and the one
    /// before unloaded. Returns the name.
    ///
    /// # Errors
    /// When the policy is no adapter, or the server loads none.
    pub fn publish(&mut self, policies: &Policies, update: u64) -> Result<String> {
        let name = format!("{PREFIX}{}-{update}", std::process::id());
        let folder = self.adapters.join(&name);
        policies.write(&folder, Path::new(&self.base))?;
        let file = |source| Error::File { path: folder.clone(), source };
        let path = folder.canonicalize().map_err(file)?;
        let load = serde_json::json!({"lora_name": name, "lora_path": path});
        self.command("/v1/load_lora_adapter", &load)?;
        if let Some(old) = self.loaded.replace(name.clone()) {
            self.command("/v1/unload_lora_adapter", &serde_json::json!({"lora_name": old}))?;
            let folder = self.adapters.join(old);
            std::fs::remove_dir_all(&folder).map_err(|source| Error::File { path: folder, source })?;
        }
        Ok(name)
    }

    /// Takes the adapter that another rank has published.
    pub fn follow(&mut self, name: String) {
        self.loaded = Some(name);
    }

    /// Samples a group for `prompt` of `scene`, whose rows of patches are `pixel_values`.
    ///
    /// # Errors
    /// When the server fails, reads another prompt than ours, or leaves out tokens or log-probabilities.
    pub fn sample(&self, asked: &Asked, settings: &RolloutSettings, seed: u64) -> Result<Vec<Served>> {
        let Asked { scene, prompt, pixel_values, processor } = *asked;
        let video = match scene.grid_thw {
            [0, ..] => None,
            grid => {
                let config = processor.preprocessor();
                let frames = pictures::frames(pixel_values, grid, config)?;
                Some(pictures::video_url(&frames, grid[2] * config.patch_size, grid[1] * config.patch_size)?)
            }
        };
        let pair = processor.preprocessor().temporal_patch_size as f32;
        let rate =
            scene.second_per_grid.map(|seconds| serde_json::json!({"fps": pair / seconds, "do_sample_frames": false}));
        let request = ChatRequest {
            model: self.loaded.as_deref().unwrap_or(&self.base),
            messages: &conversation::turns(processor, &prompt.tokens.ids, video.as_deref())?,
            n: settings.group_size,
            temperature: settings.temperature,
            top_p: settings.top_p,
            top_k: 0,
            repetition_penalty: 1.0,
            max_tokens: settings.max_completion_tokens,
            seed: seed as u32,
            logprobs: true,
            return_token_ids: true,
            skip_special_tokens: false,
            mm_processor_kwargs: rate,
        };
        let response: ChatResponse = self.post("/v1/chat/completions", &request)?;
        if let Some(found) = response.prompt_token_ids
            && found != prompt.tokens.ids
        {
            let ours = &prompt.tokens.ids;
            let same = found.iter().zip(ours).take_while(|(a, b)| a == b).count();
            let told = |ids: &[u32]| -> Result<String> {
                let text = processor.tokenizer().decode(&ids[same..ids.len().min(same + DIFFERENT_TOKENS)], false)?;
                Ok(format!("{} tokens with {text:?} behind the first {same}", ids.len()))
            };
            return Err(self.refuse(&format!("a prompt of {}", told(ours)?), told(&found)?));
        }
        if response.choices.len() != settings.group_size {
            let expected = format!("{} completions (n)", settings.group_size);
            return Err(self.refuse(&expected, response.choices.len().to_string()));
        }
        let eos = &processor.config().tokens.eos;
        response.choices.into_iter().map(|choice| self.served(choice, eos)).collect()
    }

    fn served(&self, choice: Choice, eos: &[u32]) -> Result<Served> {
        let Some(ids) = choice.token_ids else {
            return Err(self.refuse("the completion's token ids (return_token_ids)", "none".into()));
        };
        let log_probs: Vec<f32> = choice
            .logprobs
            .and_then(|found| found.content)
            .unwrap_or_default()
            .into_iter()
            .map(|token| token.logprob)
            .collect();
        if log_probs.len() != ids.len() || ids.is_empty() {
            let expected = format!("a log-probability for each of {} tokens, at least one", ids.len());
            return Err(self.refuse(&expected, log_probs.len().to_string()));
        }
        let finished = ids.last().is_some_and(|id| eos.contains(id));
        Ok(Served { completion: Completion { ids, finished }, log_probs })
    }

    fn get<R: DeserializeOwned>(&self, path: &str) -> Result<R> {
        let answer = self.agent.get(format!("{}{path}", self.url)).call();
        self.parse(path, &self.text(path, answer)?)
    }

    fn post<R: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<R> {
        self.parse(path, &self.sent(path, body)?)
    }

    /// A request whose answer is only words.
    fn command(&self, path: &str, body: &serde_json::Value) -> Result<()> {
        self.sent(path, body).map(|_| ())
    }

    fn sent(&self, path: &str, body: &impl Serialize) -> Result<String> {
        let unwritable = |error: serde_json::Error| self.refuse("a body that can be written", error.to_string());
        let body = serde_json::to_string(body).map_err(unwritable)?;
        let request = self.agent.post(format!("{}{path}", self.url)).content_type("application/json");
        self.text(path, request.send(body))
    }

    /// The body of a good answer.
    fn text(
        &self,
        path: &str,
        answer: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<String> {
        let failed = |error: ureq::Error| self.refuse("an answer", format!("{path}: {error}"));
        let mut answer = answer.map_err(failed)?;
        let text = answer.body_mut().with_config().limit(LARGEST_ANSWER).read_to_string().map_err(failed)?;
        match answer.status() {
            status if status.is_success() => Ok(text),
            status => {
                let start: String = text.chars().take(400).collect();
                Err(self.refuse("success", format!("{path}: {status} {start}")))
            }
        }
    }

    fn parse<R: DeserializeOwned>(&self, path: &str, text: &str) -> Result<R> {
        serde_json::from_str(text).map_err(|error| self.refuse("an answer of the protocol", format!("{path}: {error}")))
    }

    fn refuse(&self, expected: &str, found: String) -> Error {
        Error::Server { url: self.url.clone(), expected: expected.to_owned(), found }
    }
}
