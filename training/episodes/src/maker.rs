//! Makes training samples: a clip or a walk from a seed, questions in words, completions in tokens.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use geometry::CameraFacts;
use grounding::ParsedQuestion;
use image::RgbImage;
use model_dir::Prompts;
use msgs::QuestionKind;
use processor::{Processor, VisionInput};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::camera::{Camera, Pose};
use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings};
use sim::questions::ask::Answer;
use sim::questions::{Question, Truth};
use sim::raster::Renderer;

use crate::drills;
use crate::evidence::Place;
use crate::exercise::Exercise;
use crate::filmed::{Filmed, FrozenTower, KeptWalks, Seen, cameras, places};
use crate::logged::{Logged, frames};
use crate::patch_targets::{names, patch_targets};
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

/// Tells the stream of walks that come again from that of samples.
const KEPT_WALKS: u64 = 0x006B_6570_7477_616C;

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
    /// Number of different walks for training, which come again in turn with new questions; 0 = every walk is new.
    pub walks: u64,
    /// [`drills`] beside the questions of a walk.
    pub drills: usize,
    /// Times that a clip or walk is asked where everything in it is, each in another order.
    pub roll_calls: usize,
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
    /// The tokens that spell each of them.
    class_names: Vec<Vec<u32>>,
    logged: Logged,
    settings: SampleSettings,
    tower: Option<FrozenTower>,
    kept: KeptWalks,
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
        let (logged, kept) = (logged.unwrap_or_default(), KeptWalks::default());
        let class_names = teacher.class_names(&patch_classes)?;
        Ok(Self { teacher, catalogue, patch_classes, class_names, logged, settings, tower: None, kept })
    }

    /// Gives samples what `tower`, which must never change, makes of their patches instead of the patches, without classes
    /// of patches. A walk that comes again then takes 0.4 MB instead of 3 with nano's tower.
    #[must_use]
    pub fn with_tower(self, tower: FrozenTower) -> Self {
        Self { tower: Some(tower), ..self }
    }

    /// Broken pictures of logged episodes that are not shown, each with what is wrong with it.
    pub fn left_out(&self) -> &[String] {
        self.logged.left_out()
    }

    /// What turns lessons into tokens.
    pub fn teacher(&self) -> &Teacher {
        &self.teacher
    }

    /// The processor of the model directory.
    pub fn processor(&self) -> &Processor {
        self.teacher.processor()
    }

    /// See [`model_dir::Prompts::states_answers`].
    pub fn states_answers(&self) -> bool {
        self.teacher.prompts().states_answers
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
        if self.settings.walk_share > 0.0 && random.random_bool(self.settings.walk_share) {
            return self.walk_sample(split, index, &mut random);
        }
        let mut renderer = Renderer::new();
        loop {
            let seed = random.next_u64();
            if let Some(sample) = self.clip_sample(split, seed, (&mut renderer, &mut random))? {
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
        let preprocessor = self.processor().preprocessor();
        let pictures = logged.decoded()?;
        let (width, height) = pictures.first().map(RgbImage::dimensions).unwrap_or_default();
        let (height, width) = preprocessor.video_size(height as usize, width as usize)?;
        let vision = self.teacher.look(&frames(&pictures, (width, height))?, (width, height), logged.rate_hz)?;
        let facts = if self.is_told(random) { logged.facts } else { CameraFacts::default() };
        let patches = PatchTargets::unknown(vision.grid_thw, self.patch_classes.len());
        let seen = self.encode(vision, patches)?;
        let cameras = logged.cameras.as_deref().filter(|_| self.is_told(random));
        let lesson = Lesson { vision: &seen.vision, facts, cameras, map: logged.map.as_ref(), places: &[] };
        let sample = self.teach(&seen, &lesson, exercises, random)?;
        Ok(Some(ClipSample { categories: logged.categories.clone(), ..sample }))
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
        let exercises: Vec<Exercise> =
            questions.iter().map(|question| self.exercise(question, random)).collect::<Result<_>>()?;
        let seen = self.see(&clip, FRAME_RATE_HZ)?;
        self.teach_clip(&seen, &clip, (exercises, Vec::new(), &places(&clip)), random).map(Some)
    }

    fn walk_sample(&self, split: Split, index: u64, random: &mut ChaCha8Rng) -> Result<ClipSample> {
        let filmed = match self.settings.walks {
            walks if walks > 0 && split == Split::Train => self.kept_walk(index % walks)?,
            _ => Arc::new(self.film(split, random)?),
        };
        let mut exercises = filmed.walk.exercises(self.settings.questions, random)?;
        exercises.shuffle(random);
        // Who can't be told places has nothing to work answers out from.
        let count = if self.teacher.coordinate_tokens().is_empty() { 0 } else { self.settings.drills };
        let places = places(filmed.walk.clip());
        let drills = filmed.walk.drills(count, &places, random)?;
        self.teach_clip(&filmed.seen, filmed.walk.clip(), (exercises, drills, &places), random)
    }

    /// The walk of a place among those that come again.
    fn kept_walk(&self, place: u64) -> Result<Arc<Filmed>> {
        if let Some(filmed) = self.kept.get(place) {
            return Ok(filmed);
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.settings.seed ^ KEPT_WALKS);
        random.set_stream(place);
        let filmed = Arc::new(self.film(Split::Train, &mut random)?);
        self.kept.keep(place, &filmed);
        Ok(filmed)
    }

    /// The next walk of `random` that shows anything to ask about.
    fn film(&self, split: Split, random: &mut ChaCha8Rng) -> Result<Filmed> {
        let settings = ClipSettings { variety: walks::variety(), ..self.clip_settings()? };
        let (catalogue, mut renderer) = (self.catalogue_of(split)?, Renderer::new());
        loop {
            let (seed, timing) = (random.next_u64(), walks::Timing::draw(random));
            let walk = walks::Walk::film(seed, (split, catalogue), &timing, &settings, &mut renderer)?;
            if walk.is_asked() {
                let seen = self.see(walk.clip(), timing.rate_hz)?;
                return Ok(Filmed { walk: walk.without_pictures(), seen });
            }
        }
    }

    /// What a model sees of a clip.
    fn see(&self, clip: &Clip, rate_hz: f64) -> Result<Seen> {
        let vision = self.teacher.look(&clip.frames, (clip.camera.width, clip.camera.height), rate_hz)?;
        let mut patches = patch_targets(clip, vision.grid_thw, &self.patch_classes);
        patches.names = names(&patches, &self.class_names);
        self.encode(vision, patches)
    }

    /// Has the tower that is not trained, where there is one, look at the patches.
    fn encode(&self, mut vision: VisionInput, mut patches: PatchTargets) -> Result<Seen> {
        let Some(tower) = &self.tower else { return Ok(Seen { vision, image_embeds: None, patches }) };
        let pixels = std::mem::take(&mut vision.pixel_values);
        let embeds = tower(&pixels, vision.grid_thw).map_err(Error::Tower)?;
        (patches.class_shares, patches.older_class_shares) = (Vec::new(), Vec::new());
        Ok(Seen { vision, image_embeds: Some(embeds.into()), patches })
    }

    /// The size that the processor gives a 640×480 picture, so that frames need no further resizing.
    fn clip_settings(&self) -> Result<ClipSettings> {
        let (height, width) = self.processor().preprocessor().video_size(480, 640)?;
        Ok(ClipSettings { width, height, supersample: 2, ..ClipSettings::default() })
    }

    fn catalogue_of(&self, split: Split) -> Result<&Catalogue> {
        Ok(if split == Split::Train { &self.catalogue } else { Catalogue::bundled()? })
    }

    /// Whether the prompt states what is known of the camera; drawn anew for its mounting and its path, as a robot may lack
    /// either.
    fn is_told(&self, random: &mut ChaCha8Rng) -> bool {
        !random.random_bool(self.settings.unknown_camera_share)
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
        let kind = question.kind;
        let question = ParsedQuestion { kind, asked: kind, object, others: Vec::new(), text, options: Vec::new() };
        Ok(Exercise { question, options: Vec::new(), truth, scored_as: None })
    }

    /// The first `wholes` of them are taught whole.
    fn extents(exercises: Vec<Exercise>, wholes: usize) -> Vec<(Exercise, Extent)> {
        let extent = |nth: usize| if nth < wholes { Extent::Whole } else { Extent::Answer };
        exercises.into_iter().enumerate().map(|(nth, exercise)| (exercise, extent(nth))).collect()
    }

    fn teach_clip(
        &self,
        seen: &Seen,
        clip: &Clip,
        (exercises, drills, places): (Vec<Exercise>, Vec<Exercise>, &[Place]),
        random: &mut ChaCha8Rng,
    ) -> Result<ClipSample> {
        let facts =
            if self.is_told(random) { camera_facts(&clip.camera, clip.poses.last()) } else { CameraFacts::default() };
        let cameras = self.is_told(random).then(|| cameras(clip));
        let lesson = Lesson { vision: &seen.vision, facts, cameras: cameras.as_deref(), map: Some(&clip.map), places };
        let mut sample = self.teach(seen, &lesson, exercises, random)?;
        for drill in drills {
            let places = drills::from_elsewhere(&drill, places, random);
            sample.segments.push(self.teacher.drill(&Lesson { places: &places, ..lesson }, &drill)?);
        }
        for _ in 0..self.settings.roll_calls {
            let mut places = places.to_vec();
            places.shuffle(random);
            sample.segments.extend(self.teacher.roll_calls(&Lesson { places: &places, ..lesson })?);
        }
        if cameras.is_none() {
            sample.patches.place_m.fill(f32::NAN);
        }
        Ok(sample)
    }

    fn teach(
        &self,
        seen: &Seen,
        lesson: &Lesson,
        exercises: Vec<Exercise>,
        random: &mut ChaCha8Rng,
    ) -> Result<ClipSample> {
        let wholes = self.wholes(random);
        let sample = self.teacher.sample(lesson, &Self::extents(exercises, wholes))?;
        let Seen { vision, image_embeds, patches } = seen.clone();
        Ok(ClipSample { pixel_values: vision.pixel_values, image_embeds, patches, ..sample })
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
