//! The real answerer: model directory, processor, engine.

use std::iter;
use std::sync::Arc;
use std::time::Instant;

use grounding::ParsedQuestion;
use model_dir::{Calibration, Stamps};
use msgs::{Interval, QuestionKind, TokenCounts};
use vlm::{AnswerFormat, DraftSettings, FinishReason, GenerateSettings, Stated, TokenEvent};

use crate::answerer::{Answerer, Completion, Finish, Progress, Ready, Request, RunsOn, View};
use crate::constraints::{Constraints, answer_format};
use crate::network::Network;
use crate::reading::Reading;
use crate::vision::PairEncoder;
use crate::{AnswerError, Settings, taught};

/// Answers with the network of a model directory on ONNX Runtime.
#[derive(Debug)]
pub struct VlmAnswerer {
    network: Arc<Network>,
    /// Of the window that questions are about.
    serving: Option<Reading>,
    /// Of the window that follows it.
    next: Option<Reading>,
    /// `None` decodes freely.
    constraints: Option<Constraints>,
    draft: Option<DraftSettings>,
    calibration: Calibration,
    /// The operating point of "not seen", from the calibration.
    logit_bias: Vec<(u32, f32)>,
}

impl VlmAnswerer {
    /// Opens a model directory, compares every file with the manifest's digest, loads the graphs, and lets them pass the
    /// [parity gate](crate::parity).
    ///
    /// # Errors
    /// [`AnswerError`] that names the file with the expected and found digest, how to get ONNX Runtime, or how far the
    /// graphs are from the checkpoint.
    pub fn load(settings: &Settings) -> Result<Self, AnswerError> {
        let network = Network::load(settings)?;
        Ok(Self {
            constraints: settings
                .constrained
                .then(|| Constraints::compile(&network.engine, network.states_answers()))
                .transpose()?,
            draft: settings.draft.then(DraftSettings::default),
            logit_bias: network.logit_bias(network.directory.calibration())?,
            calibration: network.directory.calibration().clone(),
            network: Arc::new(network),
            serving: None,
            next: None,
        })
    }

    /// Answers by `calibration` from now on, whatever the directory says.
    ///
    /// # Errors
    /// [`AnswerError::Abstention`] where its operating point is not of this tokenizer.
    pub fn recalibrate(&mut self, calibration: Calibration) -> Result<(), AnswerError> {
        self.logit_bias = self.network.logit_bias(&calibration)?;
        self.calibration = calibration;
        Ok(())
    }

    /// What the parity gate found at load: the largest difference of a logit over the largest reference logit.
    pub fn parity(&self) -> f64 {
        self.network.parity
    }

    /// What is read of `view` already, taken out; else a new beginning.
    fn take_reading(&mut self, view: &View<'_>) -> Result<Reading, AnswerError> {
        let network = &self.network;
        let begins = |reading: &mut Reading| reading.begins(network, view);
        // Windows that begin alike but for their length are told apart by who comes first.
        let taken = self.serving.take_if(begins).or_else(|| self.next.take_if(begins));
        taken.map_or_else(|| Reading::new(network, view), Ok)
    }

    /// Reads one more pair of `view` into `reading`, or what comes before the first; true if nothing is left.
    fn read_slice(&self, reading: &mut Reading, view: &View<'_>) -> Result<bool, AnswerError> {
        if !reading.is_whole(view) {
            reading.read(&self.network, view, 1)?;
        }
        Ok(reading.is_whole(view))
    }

    fn generate_settings(
        &mut self,
        request: &Request<'_>,
        format: &AnswerFormat,
        prompt_tokens: usize,
    ) -> Result<GenerateSettings, AnswerError> {
        let engine = &self.network.engine;
        let constraint = self.constraints.as_mut().map(|constraints| constraints.of(engine, format)).transpose()?;
        Ok(GenerateSettings {
            max_new_tokens: request.max_new_tokens.min(engine.context().saturating_sub(prompt_tokens)),
            logit_bias: self.logit_bias.clone(),
            stop: vec!["</answer>".to_owned()],
            eos_ids: engine.eos_ids().to_vec(),
            deadline: Some(request.deadline),
            cancel: Some(Arc::clone(&request.cancel)),
            constraint,
            draft: self.draft,
            ..GenerateSettings::default()
        })
    }

    /// Completes what `reading` has read of the request's view and the question.
    fn complete(
        &mut self,
        reading: &Reading,
        request: &Request<'_>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Completion, AnswerError> {
        let network = Arc::clone(&self.network);
        let inputs = network.inputs(&request.view, network.user(request.question))?;
        let embeds = reading.embeds(&network, &request.view)?;
        let question = request.question;
        let format = answer_format(question.kind.unit(), &question.options, network.states_answers());
        let settings = self.generate_settings(request, &format, inputs.input_ids.len())?;
        let (mut end, mut token_ends) = (0, Vec::new());
        let mut on_token = |event: &TokenEvent| {
            end += event.text_piece.len();
            token_ends.push((end, event.logprob));
            progress(Progress::Decode(&event.text_piece));
        };
        let prompt = (&inputs, embeds.as_slice());
        let generation = network.engine.generate_from(reading.prefix(), prompt, &settings, &mut on_token)?;
        let mut text = generation.text;
        if let Some(answer) = settings.constraint.and_then(|_| format.stated(&text)) {
            progress(Progress::Decode(&repeat(&answer, &mut text, &mut token_ends)));
        }
        Ok(Completion {
            text,
            token_ends,
            finish: finish(generation.finish),
            vision_secs: 0.0,
            prefill_secs: generation.prefill_secs,
            first_token_secs: generation.first_token_secs,
            decode_secs: generation.decode_secs,
            tokens: TokenCounts {
                prompt: inputs.input_ids.len() as u32,
                cached: generation.cached_tokens as u32,
                generated: generation.token_ids.len() as u32,
            },
        })
    }
}

impl Answerer for VlmAnswerer {
    fn model(&self) -> String {
        let manifest = self.network.directory.manifest();
        format!("{} {}", manifest.name, manifest.version)
    }

    fn runs_on(&self) -> RunsOn {
        let engine = &self.network.engine;
        let refusals = engine.refusals().iter().map(ToString::to_string).collect();
        RunsOn { provider: engine.provider().to_owned(), refusals }
    }

    fn stamps(&self) -> Option<Stamps> {
        Some(self.network.directory.stamps().clone())
    }

    fn encoder(&self) -> Option<Arc<dyn PairEncoder>> {
        Some(Arc::clone(&self.network) as _)
    }

    fn get_ready(&mut self, serving: &View<'_>, next: Option<&View<'_>>) -> Result<Ready, AnswerError> {
        let mut reading = self.take_reading(serving)?;
        let was_whole = reading.is_whole(serving);
        let whole = self.read_slice(&mut reading, serving);
        let mut ahead = next.map(|next| self.take_reading(next)).transpose()?;
        self.serving = Some(reading);
        let mut ready = Ready { serving: whole?, next: next.is_none() };
        if let (Some(next), Some(ahead)) = (next, &mut ahead) {
            // One slice a call.
            ready.next = if was_whole { self.read_slice(ahead, next)? } else { ahead.is_whole(next) };
        }
        self.next = ahead;
        Ok(ready)
    }

    fn ready_bytes(&self) -> usize {
        [&self.serving, &self.next].into_iter().flatten().map(Reading::bytes).sum()
    }

    fn unsupported(&self, question: &ParsedQuestion) -> Option<String> {
        taught::unsupported(self.network.directory.prompts(), question)
    }

    fn answer(
        &mut self,
        request: &Request<'_>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Completion, AnswerError> {
        if request.view.window.frames.is_empty() {
            return Err(AnswerError::Frames { expected: "at least one".to_owned(), found: "none".to_owned() });
        }
        progress(Progress::Vision);
        let start = Instant::now();
        let mut reading = self.take_reading(&request.view)?;
        if let Some(finish) = request.halted() {
            self.serving = Some(reading);
            return Ok(Completion { finish, ..Completion::default() });
        }
        if !reading.is_whole(&request.view) {
            reading.read(&self.network, &request.view, usize::MAX)?;
        }
        let vision_secs = start.elapsed().as_secs_f64();
        progress(Progress::Prefill);
        let completion = self.complete(&reading, request, progress);
        self.serving = Some(reading);
        let completion = completion?;
        let first_token_secs = vision_secs + completion.first_token_secs;
        Ok(Completion { vision_secs, first_token_secs, ..completion })
    }

    fn interval(&self, kind: QuestionKind, value: f64) -> Option<Interval> {
        let calibration = self.calibration.kinds.get(kind.name())?;
        let (lower, upper) = calibration.interval(value);
        // Neither a length nor a count is negative.
        Some(Interval { lower: lower.max(0.0), upper, coverage: calibration.coverage })
    }
}

/// Ends `text` with the answer that it stated, as likely as the mean token that stated it; returns what was written.
fn repeat(answer: &Stated, text: &mut String, token_ends: &mut Vec<(usize, f32)>) -> String {
    let starts = iter::once(0).chain(token_ends.iter().map(|&(end, _)| end));
    let tokens = starts.zip(token_ends.iter());
    let stating = tokens.filter(|&(start, &(end, _))| start < answer.bytes.end && end > answer.bytes.start);
    let (mut sum, mut count) = (0.0, 0u16);
    for (_, &(_, logprob)) in stating {
        sum += logprob;
        count += 1;
    }
    token_ends.push((text.len() + answer.answer.len(), sum / f32::from(count.max(1))));
    let end = format!("{}</answer>", answer.answer);
    text.push_str(&end);
    end
}

fn finish(reason: FinishReason) -> Finish {
    match reason {
        FinishReason::Eos | FinishReason::Stop | FinishReason::Length => Finish::Complete,
        FinishReason::Deadline => Finish::Deadline,
        FinishReason::Cancelled => Finish::Cancelled,
    }
}
