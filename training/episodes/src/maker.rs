//! Makes training samples: a clip from a seed, questions in words, completions in tokens.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use geometry::CameraFacts;
use model_dir::Prompts;
use msgs::QuestionKind;
use processor::{Content, Message, Processor, RgbView, VisionInput};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings};
use sim::questions::{Question, Truth};
use sim::raster::Renderer;

use crate::completion::{ABSENT_WORD, Completion, PRESENCE_PREFIX, completion};
use crate::distance_grid::distance_grid;
use crate::patch_targets::patch_targets;
use crate::sample::{ClipSample, Label, Part, Segment, Target, Tokens};
use crate::{Error, Result, Split};

/// Frames of one clip: one pair of the temporal patch.
pub const FRAMES_PER_CLIP: usize = 2;
/// Rate of a clip's frames in hertz.
pub const FRAME_RATE_HZ: f64 = 2.0;

/// Nouns that no catalogue has, one a line.
const STRANGE_NOUNS: &str = include_str!("strange_nouns.txt");
/// Share of the questions about absent things that ask for one of these.
const STRANGE_SHARE: f64 = 0.15;

/// Share of the classes with one instance that are asked to be counted.
const SINGLE_COUNT_SHARE: f64 = 0.15;

/// What a sample is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleSettings {
    /// Seed of the stream.
    pub seed: u64,
    /// Questions per clip.
    pub questions: usize,
    /// Of these, how many on average carry the whole completion; the others end where the map begins.
    pub whole_completions: f64,
    /// Share of clips whose prompt states no camera facts.
    pub unknown_camera_share: f64,
    /// A furniture pack beside the bundled one, for training rooms.
    pub extra_furniture: Option<PathBuf>,
}

/// Makes [`ClipSample`]s; sample `index` of a split is always the same.
pub struct SampleMaker {
    processor: Processor,
    prompts: Prompts,
    catalogue: Cow<'static, Catalogue>,
    patch_classes: Vec<String>,
    distance_tokens: Vec<(u32, f64)>,
    absent_word: u32,
    settings: SampleSettings,
}

impl SampleMaker {
    /// Reads processor and prompts of the model directory `dir`.
    ///
    /// # Errors
    /// When a file is missing or unreadable, or the tokenizer does not spell every distance with one token.
    pub fn new(dir: &Path, settings: SampleSettings) -> Result<Self> {
        let processor = Processor::from_dir(dir)?;
        let prompts = read_prompts(&dir.join("prompts.toml"))?;
        let catalogue = match &settings.extra_furniture {
            Some(pack) => Cow::Owned(Catalogue::with_extra(pack)?),
            None => Cow::Borrowed(Catalogue::bundled()?),
        };
        let mut patch_classes = vec!["background".to_owned()];
        patch_classes.extend(sim::world::question_classes(&catalogue));
        let distance_tokens = distance_grid()
            .into_iter()
            .map(|(value, text)| Ok((single_token(&processor, &text)?, value)))
            .collect::<Result<_>>()?;
        let absent_word = single_token(&processor, ABSENT_WORD)?;
        Ok(Self { processor, prompts, catalogue, patch_classes, distance_tokens, absent_word, settings })
    }

    /// The processor of the model directory.
    pub fn processor(&self) -> &Processor {
        &self.processor
    }

    /// Names of the classes in [`crate::sample::PatchTargets::class_shares`]; 0 is whatever is no object.
    pub fn patch_classes(&self) -> &[String] {
        &self.patch_classes
    }

    /// The tokens that spell distances, with their values in metres, ascending.
    pub fn distance_tokens(&self) -> &[(u32, f64)] {
        &self.distance_tokens
    }

    /// The token that begins "do not see".
    pub fn absent_word(&self) -> u32 {
        self.absent_word
    }

    /// The token that fills up rows.
    pub fn pad_token_id(&self) -> u32 {
        self.processor.config().tokens.pad.unwrap_or_default()
    }

    /// Sample `index` of `split`. A clip that shows nothing to ask about gives way to the next of its own sub-stream.
    ///
    /// # Errors
    /// When the processor refuses the clip; that would be a defect.
    pub fn sample(&self, split: Split, index: u64) -> Result<ClipSample> {
        let mut random = ChaCha8Rng::seed_from_u64(self.settings.seed);
        random.set_stream(index);
        let mut renderer = Renderer::new();
        loop {
            let clip = self.clip(split, random.next_u64(), &mut renderer)?;
            let mut questions = choose_questions(&clip, self.settings.questions, &mut random);
            questions.iter_mut().for_each(|question| estrange(question, &mut random));
            if questions.iter().any(|q| q.truth != Truth::NotSeen) {
                return self.sample_of(&clip, &questions, &mut random);
            }
        }
    }

    /// A clip at the size that the processor gives a 640×480 picture, so that its frames need no further resizing.
    fn clip(&self, split: Split, seed: u64, renderer: &mut Renderer) -> Result<Clip> {
        let (height, width) = self.processor.preprocessor().video_size(480, 640)?;
        let settings = ClipSettings {
            frames: FRAMES_PER_CLIP,
            width,
            height,
            rate_hz: FRAME_RATE_HZ,
            supersample: 2,
            ..ClipSettings::default()
        };
        let catalogue = if split == Split::Train { &self.catalogue } else { Catalogue::bundled()? };
        Ok(Clip::generate(seed, split, catalogue, &settings, renderer))
    }

    fn sample_of(&self, clip: &Clip, questions: &[Question], random: &mut ChaCha8Rng) -> Result<ClipSample> {
        let (width, height) = (clip.camera.width, clip.camera.height);
        let views: Vec<RgbView> = clip.frames.iter().map(|data| RgbView { width, height, data }).collect();
        let vision = self.processor.video(&views, FRAME_RATE_HZ)?;
        let known = !random.random_bool(self.settings.unknown_camera_share);
        let facts = if known { camera_facts(clip) } else { CameraFacts::default() };
        let system = grounding::prompt::system(&self.prompts.system, &facts);
        let mut sample =
            ClipSample { patches: patch_targets(clip, vision.grid_thw, &self.patch_classes), ..ClipSample::default() };
        let share = self.settings.whole_completions;
        let wholes = share as usize + usize::from(random.random_bool(share.fract()));
        for (i, question) in questions.iter().enumerate() {
            let text = self.phrase(question, random)?;
            let user = self.prompts.user_text(question.kind.name(), &text);
            let messages = [
                Message::new("system", vec![Content::Text(system.clone())]),
                Message::new("user", vec![Content::Video, Content::Text(user)]),
            ];
            let answer = completion(question, &clip.map);
            let whole = i < wholes;
            let (prefix, segment) = self.segment(&messages, &vision, (question, &answer, whole))?;
            sample.prefix = prefix;
            sample.segments.push(segment);
        }
        sample.grid_thw = vision.grid_thw;
        sample.pixel_values = vision.pixel_values;
        Ok(sample)
    }

    /// The question in words, by one of the phrasings of its kind.
    fn phrase(&self, question: &Question, random: &mut ChaCha8Rng) -> Result<String> {
        let kind = question.kind.name();
        let phrasings = self.prompts.kinds.get(kind).map(|k| &k.phrasings).filter(|p| !p.is_empty());
        let phrasings = phrasings.ok_or(Error::NoPhrasing { expected: kind })?;
        Ok(grounding::prompt::phrase(&phrasings[random.random_range(0..phrasings.len())], &question.class))
    }

    fn segment(
        &self,
        messages: &[Message],
        vision: &VisionInput,
        (question, answer, whole): (&Question, &Completion, bool),
    ) -> Result<(Tokens, Segment)> {
        let prompt = self.processor.render(messages, true)?;
        let grid_only = VisionInput { pixel_values: Vec::new(), ..*vision };
        let prompt_length = self.processor.prepare_text(&prompt, vec![], vec![grid_only.clone()])?.input_ids.len();
        let end_of_turn = "<|im_end|>";
        let text = format!("{prompt}{}{end_of_turn}", answer.text());
        let inputs = self.processor.prepare_text(&text, vec![], vec![grid_only])?;
        let next = self.labels(question, answer)?;
        let found = inputs.input_ids.len() - prompt_length;
        if next.len() + 1 != found {
            let expected = format!("{} completion tokens and {end_of_turn} behind the prompt", next.len());
            return Err(Error::Tokens { expected, found: format!("{found} tokens") });
        }
        let end = Target { label: Label::Token(inputs.input_ids[prompt_length + next.len()]), part: Part::Words };
        let within_statement = next.iter().take_while(|(start, _)| *start < answer.statement.len()).count();
        let mut targets: Vec<Target> = next.into_iter().map(|(_, target)| target).chain([end]).collect();
        if !whole {
            targets.truncate(within_statement);
        }
        let vision_end = self.processor.config().tokens.vision_end;
        let prefix = inputs.input_ids.iter().rposition(|id| Some(*id) == vision_end).map_or(0, |i| i + 1);
        let last = prompt_length + targets.len() - 1;
        let slice = |range: std::ops::Range<usize>| Tokens {
            ids: inputs.input_ids[range.clone()].to_vec(),
            positions: std::array::from_fn(|axis| inputs.position_ids[axis][range.clone()].to_vec()),
        };
        let mut row = vec![None; prompt_length - 1 - prefix];
        row.extend(targets.into_iter().map(Some));
        Ok((slice(0..prefix), Segment { tokens: slice(prefix..last), targets: row }))
    }

    /// For each completion token: the byte where it starts, and the target that it is.
    fn labels(&self, question: &Question, answer: &Completion) -> Result<Vec<(usize, Target)>> {
        let text = answer.text();
        let tokenizer = self.processor.tokenizer().inner();
        let encoding = tokenizer.encode(text.as_str(), false).map_err(|e| Error::Tokenizer(e.to_string()))?;
        let presence = PRESENCE_PREFIX.len();
        let map_end = text.find("</map>").unwrap_or(text.len());
        let answer_start = text.find("<answer>").map_or(text.len(), |i| i + "<answer>".len());
        let answer_end = text.find("</answer>").unwrap_or(text.len());
        let label = |(id, &(start, end)): (&u32, &(usize, usize))| {
            let in_statement = start < answer.statement.len();
            let is_number = in_statement && answer.number.as_deref() == text.get(start..end);
            let part = match start {
                _ if is_number => Part::Number,
                s if s == presence => Part::Presence,
                s if in_statement || s > answer_end => Part::Words,
                s if s < map_end => Part::Map,
                s if s >= answer_start && s < answer_end => Part::Answer,
                _ => Part::Words,
            };
            let label = match (part, question.kind, question.truth) {
                (Part::Number, QuestionKind::EgoDistance, Truth::Number(metres)) => Label::Distance(metres),
                _ => Label::Token(*id),
            };
            (start, Target { label, part })
        };
        Ok(encoding.get_ids().iter().zip(encoding.get_offsets()).map(label).collect())
    }
}

/// Some questions about what is absent are about things that no room ever holds, so that an unknown word is no reason
/// for a number.
fn estrange(question: &mut Question, random: &mut impl Rng) {
    if question.truth == Truth::NotSeen && random.random_bool(STRANGE_SHARE) {
        let nouns: Vec<&str> = STRANGE_NOUNS.lines().collect();
        question.class = nouns[random.random_range(0..nouns.len())].to_owned();
    }
}

/// Share of the questions about what is absent.
const ABSENT_SHARE: f64 = 0.375;

/// Up to `count` questions of a clip in random order, [`ABSENT_SHARE`] of them about what is absent.
fn choose_questions(clip: &Clip, count: usize, random: &mut impl Rng) -> Vec<Question> {
    let keep = |question: &&Question, random: &mut dyn Rng| match question.truth {
        Truth::NotSeen => false,
        // Most classes have one instance; asked about each, counting would come to mean "1".
        Truth::Number(_) => question.is_official() || random.random_bool(SINGLE_COUNT_SHARE),
    };
    let mut present: Vec<Question> = clip.questions.iter().filter(|q| keep(q, random)).cloned().collect();
    let mut absent: Vec<Question> = clip.questions.iter().filter(|q| q.truth == Truth::NotSeen).cloned().collect();
    present.shuffle(random);
    absent.shuffle(random);
    absent.truncate((count as f64 * ABSENT_SHARE).ceil() as usize);
    present.truncate(count - absent.len());
    let mut chosen = present;
    chosen.append(&mut absent);
    chosen.shuffle(random);
    chosen
}

/// What the robot would be told about the camera of a clip, at its newest frame.
pub fn camera_facts(clip: &Clip) -> CameraFacts {
    let newest = clip.poses.last();
    CameraFacts {
        horizontal_fov_deg: Some(clip.camera.horizontal_fov.to_degrees() as f32),
        height_m: newest.map(|pose| pose.position[2] as f32),
        pitch_deg: newest.map(|pose| pose.pitch.to_degrees() as f32),
    }
}

/// Reads the templates of a model directory that has no weights yet.
pub fn read_prompts(path: &Path) -> Result<Prompts> {
    let refuse = |reason: String| Error::Prompts { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|e| refuse(e.to_string()))?;
    toml::from_str(&text).map_err(|e| refuse(e.to_string()))
}

fn single_token(processor: &Processor, text: &str) -> Result<u32> {
    match processor.tokenizer().encode(text)?.as_slice() {
        [id] => Ok(*id),
        other => Err(Error::Tokens { expected: format!("one token for {text:?}"), found: format!("{}", other.len()) }),
    }
}
