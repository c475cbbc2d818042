//! Rollouts by an OpenAI-compatible server such as vLLM, which gets the policy as a LoRA adapter at each step.
//!
//! The server reads prompts in its own way and computes in its own precision. What its policy differs in is corrected by
//! importance weights (see [`crate::objective`]); that its prompt is ours, token by token, is checked where it says.

mod conversation;
mod patience;
mod pictures;
mod wire;

use std::path::{Path, PathBuf};

use backon::ExponentialBuilder;
use processor::Processor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::policies::Policies;
use crate::rollout::{Completion, RolloutSettings};
use crate::scene::{Prompt, Scene};
use crate::{Error, Result};
use patience::{ANSWER, Refusal, Repeat, ask, pauses};
use wire::{ChatRequest, ChatResponse, Choice, Models};

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
    pauses: ExponentialBuilder,
}

impl Server {
    /// Asks the server at `url` (`http://host:port`) which model it has. Adapters will be written into the folder
    /// `adapters`, which the server must see under the same path.
    ///
    /// # Errors
    /// When nobody answers, or several models are served.
    pub fn connect(url: &str, adapters: &Path) -> Result<Self> {
        let url = url.trim_end_matches('/').to_owned();
        let config = ureq::Agent::config_builder().timeout_global(Some(ANSWER)).http_status_as_error(false);
        let agent = config.build().new_agent();
        let (base, adapters, pauses) = (String::new(), adapters.to_owned(), pauses());
        let mut server = Self { agent, url, base, adapters, loaded: None, pauses };
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
        self.load(&name)?;
        if let Some(old) = self.loaded.replace(name.clone()) {
            self.command("/v1/unload_lora_adapter", &serde_json::json!({"lora_name": old}))?;
            let folder = self.adapters.join(old);
            std::fs::remove_dir_all(&folder).map_err(|source| Error::File { path: folder, source })?;
        }
        Ok(name)
    }

    fn load(&self, name: &str) -> Result<()> {
        let folder = self.adapters.join(name);
        let path = folder.canonicalize().map_err(|source| Error::File { path: folder, source })?;
        self.command("/v1/load_lora_adapter", &serde_json::json!({"lora_name": name, "lora_path": path}))
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
        let response: ChatResponse = self.completions(&request)?;
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

    /// A server that was started anew has forgotten the adapter, and gets it again.
    fn completions(&self, request: &ChatRequest<'_>) -> Result<ChatResponse> {
        let path = "/v1/chat/completions";
        let refused = match (self.sent(path, request, Repeat::Anything)?, &self.loaded) {
            (Ok(text), _) => return self.parse(path, &text),
            (Err(Refusal { status: Some(404), .. }), Some(name)) => {
                self.load(name)?;
                match self.sent(path, request, Repeat::Anything)? {
                    Ok(text) => return self.parse(path, &text),
                    Err(refused) => refused,
                }
            }
            (Err(refused), _) => refused,
        };
        Err(self.refused(path, refused))
    }

    fn get<R: DeserializeOwned>(&self, path: &str) -> Result<R> {
        // An address at which nobody answers yet is rather a wrong one.
        let request = || text(self.agent.get(format!("{}{path}", self.url)).call(), Repeat::WhatWasRefused);
        let answer = ask(&self.url, self.pauses, request).map_err(|refused| self.refused(path, refused))?;
        self.parse(path, &answer)
    }

    /// A request whose answer is only words.
    fn command(&self, path: &str, body: &serde_json::Value) -> Result<()> {
        let answer = self.sent(path, body, Repeat::WhatWasRefused)?;
        answer.map(drop).map_err(|refused| self.refused(path, refused))
    }

    fn sent(&self, path: &str, body: &impl Serialize, repeat: Repeat) -> Result<std::result::Result<String, Refusal>> {
        let unwritable = |error: serde_json::Error| self.refuse("a body that can be written", error.to_string());
        let body = serde_json::to_string(body).map_err(unwritable)?;
        let request = || self.agent.post(format!("{}{path}", self.url)).content_type("application/json");
        Ok(ask(&self.url, self.pauses, || text(request().send(&body), repeat)))
    }

    fn refused(&self, path: &str, refusal: Refusal) -> Error {
        let expected = if refusal.status.is_some() { "success" } else { "an answer" };
        self.refuse(expected, format!("{path}: {}", refusal.reason))
    }

    fn parse<R: DeserializeOwned>(&self, path: &str, text: &str) -> Result<R> {
        serde_json::from_str(text).map_err(|error| self.refuse("an answer of the protocol", format!("{path}: {error}")))
    }

    fn refuse(&self, expected: &str, found: String) -> Error {
        Error::Server { url: self.url.clone(), expected: expected.to_owned(), found }
    }
}

/// The body of a good answer.
fn text(
    answer: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    repeat: Repeat,
) -> std::result::Result<String, Refusal> {
    let failed = |error| Refusal::failed(&error, repeat);
    let mut answer = answer.map_err(failed)?;
    let text = answer.body_mut().with_config().limit(LARGEST_ANSWER).read_to_string().map_err(failed)?;
    if answer.status().is_success() { Ok(text) } else { Err(Refusal::said(answer.status(), &text)) }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    /// A server that gives these answers in turn, and the first lines of what it was asked.
    fn server(answers: Vec<(u16, &'static str)>) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serve = move |(status, body): (u16, &str)| {
            let (mut line, _) = listener.accept().unwrap();
            let mut room = [0; 4096];
            let read = line.read(&mut room).unwrap();
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status} said\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            line.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&room[..read]).lines().next().unwrap_or_default().to_owned()
        };
        let serve_all = move || answers.into_iter().map(serve).collect();
        (url, std::thread::Builder::new().name("server".to_owned()).spawn(serve_all).unwrap())
    }

    const MODELS: &str = r#"{"data": [{"id": "spacer"}, {"id": "spacer-grpo-7-1"}]}"#;

    #[test]
    fn a_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
        let (url, requests) = server(vec![(200, MODELS), (503, "busy"), (502, ""), (200, "loaded"), (400, "no such")]);
        let mut server = Server::connect(&url, Path::new("/nowhere")).unwrap();
        server.pauses = pauses().with_min_delay(Duration::from_millis(1)).with_max_delay(Duration::from_millis(2));
        server.command("/v1/load_lora_adapter", &serde_json::Value::Null).unwrap();
        let refused = server.command("/v1/load_lora_adapter", &serde_json::Value::Null).unwrap_err().to_string();
        assert!(refused.contains("400") && refused.contains("no such"), "{refused}");
        assert_eq!(requests.join().unwrap().len(), 5);
        // Nobody listens any more: an address that never answered is not waited for.
        assert!(Server::connect(&url, Path::new("/nowhere")).is_err());
    }
}
