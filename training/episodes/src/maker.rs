//! Makes training samples: a clip or a walk from a seed, questions in words, completions in tokens.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use geometry::CameraFacts;
use grounding::ParsedQuestion;
use model_dir::Prompts;
use msgs::QuestionKind;
use processor::Processor;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::camera::{Camera, Pose};
use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings};
use sim::questions::ask::Answer;
use sim::questions::{Question, Truth};
use sim::raster::Renderer;

use crate::exercise::Exercise;
use crate::logged::Logged;
use crate::patch_targets::patch_targets;
use crate::sample::{ClipSample, PatchTargets};
use crate::teacher::{Extent, Lesson, Teacher};
use crate::walks;
use crate::{Error, Result, Split};

/// Frames of one clip: one pair of the temporal patch.
pub const FRAMES_PER_CLIP: usize = 2;
/// Rate of a clip's frames in hertz.
pub const FRAME_RATE_HZ: f64 = 2.0;

/// Nouns that no catalogue has, one a line.
const STRANGE_NOUNS: &str = include_str!("strange_nouns.txt");
/// Share of the questions about absent things that ask for one of these.
const STRANGE_SHARE: f64 = 0.15;

/// Share of the classes with one instance that are asked to be counted, in rooms as in logs.
const SINGLE_COUNT_SHARE: f64 = 0.15;

/// What a sample is made of.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// Share of samples that are [`walks`], with questions of every kind; the others are clips of
    /// [`FRAMES_PER_CLIP`] frames with distances and counts.
    pub walk_share: f64,
    /// Logged episodes among the samples.
    pub logged: Option<LoggedShare>,
}

/// A folder of episodes, and how often samples are taken from it.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedShare {
    /// What [`crate::folder::FolderWriter`] wrote.
    pub folder: PathBuf,
    /// Share of all samples, 0 to 1.
    pub share: f64,
}

impl LoggedShare {
    /// The `episodes` and `episode_share` of a recipe's `[data]`; `None` where it has neither.
    ///
    /// # Errors
    /// What was expected and found, where there is one without the other or the share is none.
    pub fn chosen(folder: Option<&Path>, share: f64) -> std::result::Result<Option<Self>, String> {
        if !(0.0..=1.0).contains(&share) {
            return Err(format!("data.episode_share: expected 0 to 1, found {share}"));
        }
        match (folder, share > 0.0) {
            (Some(folder), true) => Ok(Some(Self { folder: folder.to_owned(), share })),
            (None, false) => Ok(None),
            _ => Err("data.episodes and data.episode_share: expected both or none".to_owned()),
        }
    }
}

/// Makes [`ClipSample`]s; sample `index` of a split is always the same.
pub struct SampleMaker {
    teacher: Teacher,
    catalogue: Cow<'static, Catalogue>,
    patch_classes: Vec<String>,
    logged: Logged,
    settings: SampleSettings,
}

impl SampleMaker {
    /// Reads processor and prompts of the model directory `dir`.
    ///
    /// # Errors
    /// When a file is missing or unreadable.
    pub fn new(dir: &Path, settings: SampleSettings) -> Result<Self> {
        let teacher = Teacher::new(dir)?;
        let catalogue = match &settings.extra_furniture {
            Some(pack) => Cow::Owned(Catalogue::with_extra(pack)?),
            None => Cow::Borrowed(Catalogue::bundled()?),
        };
        let mut patch_classes = vec!["background".to_owned()];
        patch_classes.extend(sim::world::question_classes(&catalogue));
        let logged = settings.logged.as_ref().map(|logged| Logged::read(&logged.folder)).transpose()?;
        Ok(Self { teacher, catalogue, patch_classes, logged: logged.unwrap_or_default(), settings })
    }

    /// What turns lessons into tokens.
    pub fn teacher(&self) -> &Teacher {
        &self.teacher
    }

    /// The processor of the model directory.
    pub fn processor(&self) -> &Processor {
        self.teacher.processor()
    }

    /// Names of the classes in [`crate::sample::PatchTargets::class_shares`]; 0 is whatever is no object.
    pub fn patch_classes(&self) -> &[String] {
        &self.patch_classes
    }

    /// The token that fills up rows.
    pub fn pad_token_id(&self) -> u32 {
        self.processor().config().tokens.pad.unwrap_or_default()
    }

    /// Sample `index` of `split`. A clip that shows nothing to ask about gives way to the next of its own sub-stream.
    ///
    /// # Errors
    /// When the processor refuses the clip; that would be a defect.
    pub fn sample(&self, split: Split, index: u64) -> Result<ClipSample> {
        let mut random = ChaCha8Rng::seed_from_u64(self.settings.seed);
        random.set_stream(index);
        if let Some(sample) = self.logged_sample(split, &mut random)? {
            return Ok(sample);
        }
        let mut renderer = Renderer::new();
        let walks = self.settings.walk_share > 0.0 && random.random_bool(self.settings.walk_share);
        loop {
            let seed = random.next_u64();
            let sample = if walks {
                self.walk_sample(split, seed, (&mut renderer, &mut random))?
            } else {
                self.clip_sample(split, seed, (&mut renderer, &mut random))?
            };
            if let Some(sample) = sample {
                return Ok(sample);
            }
        }
    }

    /// `None` where the lot falls on another kind of sample.
    fn logged_sample(&self, split: Split, random: &mut ChaCha8Rng) -> Result<Option<ClipSample>> {
        let Some(LoggedShare { share, .. }) = self.settings.logged else { return Ok(None) };
        let lessons = self.logged.of(split);
        if !random.random_bool(share) || lessons.is_empty() {
            return Ok(None);
        }
        let logged = &lessons[random.random_range(0..lessons.len())];
        let mut exercises = logged.exercises.clone();
        exercises.retain(|exercise| !is_single_count(exercise) || random.random_bool(SINGLE_COUNT_SHARE));
        if exercises.is_empty() {
            return Ok(None);
        }
        exercises.shuffle(random);
        exercises.truncate(self.settings.questions);
        let (height, width) = self.processor().preprocessor().video_size(480, 640)?;
        let frames = logged.frames((width, height))?;
        let facts =
            if random.random_bool(self.settings.unknown_camera_share) { CameraFacts::default() } else { logged.facts };
        let lesson =
            Lesson { frames: &frames, width, height, rate_hz: logged.rate_hz, facts, map: logged.map.as_ref() };
        let sample = self.teacher.sample(&lesson, &Self::extents(exercises, self.wholes(random)))?;
        let patches = PatchTargets::unknown(sample.grid_thw, self.patch_classes.len());
        Ok(Some(ClipSample { patches, ..sample }))
    }

    /// `None` for a clip that shows nothing that could be asked about.
    fn clip_sample(
        &self,
        split: Split,
        seed: u64,
        (renderer, random): (&mut Renderer, &mut ChaCha8Rng),
    ) -> Result<Option<ClipSample>> {
        let settings = ClipSettings { frames: FRAMES_PER_CLIP, rate_hz: FRAME_RATE_HZ, ..self.clip_settings()? };
        let clip = Clip::generate(seed, split, self.catalogue_of(split)?, &settings, renderer);
        let mut questions = choose_questions(&clip, self.settings.questions, random);
        questions
            .iter_mut()
            .for_each(|question| estrange(&mut question.class, question.truth == Truth::NotSeen, random));
        if questions.iter().all(|q| q.truth == Truth::NotSeen) {
            return Ok(None);
        }
        let facts = self.facts(&clip, random);
        let wholes = self.wholes(random);
        let exercises: Vec<Exercise> =
            questions.iter().map(|question| self.exercise(question, random)).collect::<Result<_>>()?;
        self.teach(&clip, (FRAME_RATE_HZ, facts), exercises, wholes).map(Some)
    }

    /// `None` for a walk that shows nothing that could be asked about.
    fn walk_sample(
        &self,
        split: Split,
        seed: u64,
        (renderer, random): (&mut Renderer, &mut ChaCha8Rng),
    ) -> Result<Option<ClipSample>> {
        let timing = walks::Timing::draw(random);
        let settings = ClipSettings { variety: walks::variety(), ..self.clip_settings()? };
        let catalogue = self.catalogue_of(split)?;
        let walk = walks::Walk::film(seed, (split, catalogue), &timing, &settings, renderer)?;
        let mut exercises = walk.exercises(self.settings.questions, random)?;
        if exercises.is_empty() {
            return Ok(None);
        }
        exercises.shuffle(random);
        let facts = self.facts(walk.clip(), random);
        let wholes = self.wholes(random);
        self.teach(walk.clip(), (timing.rate_hz, facts), exercises, wholes).map(Some)
    }

    /// The size that the processor gives a 640×480 picture, so that frames need no further resizing.
    fn clip_settings(&self) -> Result<ClipSettings> {
        let (height, width) = self.processor().preprocessor().video_size(480, 640)?;
        Ok(ClipSettings { width, height, supersample: 2, ..ClipSettings::default() })
    }

    fn catalogue_of(&self, split: Split) -> Result<&Catalogue> {
        Ok(if split == Split::Train { &self.catalogue } else { Catalogue::bundled()? })
    }

    fn facts(&self, clip: &Clip, random: &mut ChaCha8Rng) -> CameraFacts {
        let known = !random.random_bool(self.settings.unknown_camera_share);
        if known { camera_facts(&clip.camera, clip.poses.last()) } else { CameraFacts::default() }
    }

    /// How many of a sample's questions carry the whole completion.
    fn wholes(&self, random: &mut ChaCha8Rng) -> usize {
        let share = self.settings.whole_completions;
        share as usize + usize::from(random.random_bool(share.fract()))
    }

    /// The question in words, by one of the phrasings of its kind.
    fn exercise(&self, question: &Question, random: &mut ChaCha8Rng) -> Result<Exercise> {
        let kind = question.kind.name();
        let phrasings = self.teacher.prompts().kinds.get(kind).map(|k| &k.phrasings).filter(|p| !p.is_empty());
        let phrasings = phrasings.ok_or(Error::NoPhrasing { expected: kind })?;
        let text = grounding::prompt::phrase(&phrasings[random.random_range(0..phrasings.len())], &question.class);
        let truth = match question.truth {
            Truth::Number(value) => Answer::Number(value),
            Truth::NotSeen => Answer::NotSeen,
        };
        // Not read from the words: a strange noun may be read as something else, and is asked about all the same.
        let object = Some(question.class.clone());
        let question = ParsedQuestion { kind: question.kind, object, others: Vec::new(), text };
        Ok(Exercise { question, options: Vec::new(), truth })
    }

    /// The first `wholes` of them are taught whole.
    fn extents(exercises: Vec<Exercise>, wholes: usize) -> Vec<(Exercise, Extent)> {
        let extent = |nth: usize| if nth < wholes { Extent::Whole } else { Extent::Answer };
        exercises.into_iter().enumerate().map(|(nth, exercise)| (exercise, extent(nth))).collect()
    }

    fn teach(
        &self,
        clip: &Clip,
        (rate_hz, facts): (f64, CameraFacts),
        exercises: Vec<Exercise>,
        wholes: usize,
    ) -> Result<ClipSample> {
        let (width, height) = (clip.camera.width, clip.camera.height);
        let lesson = Lesson { frames: &clip.frames, width, height, rate_hz, facts, map: Some(&clip.map) };
        let sample = self.teacher.sample(&lesson, &Self::extents(exercises, wholes))?;
        Ok(ClipSample { patches: patch_targets(clip, sample.grid_thw, &self.patch_classes), ..sample })
    }
}

/// "How many?", where there is one.
fn is_single_count(exercise: &Exercise) -> bool {
    exercise.question.kind == QuestionKind::ObjectCounting && exercise.truth == Answer::Number(1.0)
}

/// Some questions about what is absent are about things that no room ever holds, so that an unknown word is no reason
/// for a number.
pub(crate) fn estrange(class: &mut String, is_absent: bool, random: &mut impl Rng) {
    if is_absent && random.random_bool(STRANGE_SHARE) {
        let nouns: Vec<&str> = STRANGE_NOUNS.lines().collect();
        *class = nouns[random.random_range(0..nouns.len())].to_owned();
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
    absent.truncate(((count as f64 * ABSENT_SHARE).ceil() as usize).min(count.saturating_sub(1)));
    present.truncate(count - absent.len());
    let mut chosen = present;
    chosen.append(&mut absent);
    chosen.shuffle(random);
    chosen
}

/// What the robot would be told about a camera, at its newest pose.
pub fn camera_facts(camera: &Camera, newest: Option<&Pose>) -> CameraFacts {
    CameraFacts {
        horizontal_fov_deg: Some(camera.horizontal_fov.to_degrees() as f32),
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
