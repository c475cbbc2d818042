//! Walks as training data: frames along a walk with questions of every kind, and some about what is not there.

use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings};
use sim::questions::ask::{Answer, Ask, Topic};
use sim::questions::exam::ExamQuestion;
use sim::questions::examined::{ExaminedClip, Take};
use sim::questions::wording::Wording;
use sim::raster::Renderer;
use sim::variety::Variety;

use crate::completion::{Place, follows_from};
use crate::drills::is_drilled;
use crate::exercise::Exercise;
use crate::maker::estrange;
use crate::{Result, Split};

/// Most frames of a walk.
pub const FRAMES: usize = 16;
/// Their usual rate in hertz.
pub const RATE_HZ: f64 = 1.0;

/// Share of walks with fewer frames, as a robot has them that was just switched on.
const SHORT_SHARE: f64 = 0.35;
/// Share of walks at twice the usual rate.
const FAST_SHARE: f64 = 0.2;
/// Shares of videos that froze, and of those without light.
const STILL_SHARE: f64 = 0.06;
const DARK_SHARE: f64 = 0.03;
/// Share of the questions about classes that no frame shows.
const ABSENT_SHARE: f64 = 0.25;
/// Share of the choices that are asked without options.
const OPEN_SHARE: f64 = 0.25;

/// What rooms, cameras and walks may be: the whole specification, and things that move in one room of five.
pub fn variety() -> Variety {
    Variety { moving_share: 0.2, ..Variety::full() }
}

/// How long a walk is and how it is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Frames, even.
    pub frames: usize,
    /// Frames a second.
    pub rate_hz: f64,
    /// In light, frozen or dark.
    pub take: Take,
}

impl Timing {
    /// What most walks of an exam are.
    pub fn usual() -> Self {
        Self { frames: FRAMES, rate_hz: RATE_HZ, take: Take::Walk }
    }

    /// A random one.
    pub fn draw(random: &mut ChaCha8Rng) -> Self {
        let pairs = if random.random_bool(SHORT_SHARE) { random.random_range(2..FRAMES / 2) } else { FRAMES / 2 };
        let rate_hz = if random.random_bool(FAST_SHARE) { 2.0 * RATE_HZ } else { RATE_HZ };
        let take = match random.random::<f64>() {
            lot if lot < DARK_SHARE => Take::Dark,
            lot if lot < DARK_SHARE + STILL_SHARE => Take::Still,
            _ => Take::Walk,
        };
        Self { frames: 2 * pairs, rate_hz, take }
    }
}

/// A walk that was filmed and examined.
pub struct Walk(ExaminedClip);

impl Walk {
    /// Films the walk of a seed; frames and rate of `settings` are not read.
    ///
    /// # Errors
    /// When the bundled wording is damaged.
    pub fn film(
        seed: u64,
        rooms: (Split, &Catalogue),
        timing: &Timing,
        settings: &ClipSettings,
        renderer: &mut Renderer,
    ) -> Result<Self> {
        let settings = ClipSettings { frames: timing.frames, rate_hz: timing.rate_hz, ..*settings };
        Ok(Self(ExaminedClip::generate(seed, rooms, &settings, timing.take, renderer)?))
    }

    /// Frames, poses, the true map.
    pub fn clip(&self) -> &Clip {
        &self.0.clip
    }

    /// Whether anything can be asked about it.
    pub fn is_asked(&self) -> bool {
        !self.0.questions.is_empty() || !self.0.unseen.is_empty()
    }

    /// The walk without its pictures: what can be asked about it, its poses and its map.
    #[must_use]
    pub fn without_pictures(mut self) -> Self {
        let clip = &mut self.0.clip;
        (clip.frames, clip.depth, clip.ids, clip.boxes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        self
    }

    /// Up to `count` questions: topics in turn, so that all are asked equally often, and a quarter of them about
    /// what no frame shows.
    ///
    /// # Errors
    /// When the bundled wording is damaged.
    pub fn exercises(&self, count: usize, random: &mut ChaCha8Rng) -> Result<Vec<Exercise>> {
        let absent = (count as f64 * ABSENT_SHARE).round() as usize;
        let mut exercises = self.absences(absent, random)?;
        for question in self.in_turn(count - exercises.len(), |_| true, random) {
            exercises.push(posed(question, random)?);
        }
        Ok(exercises)
    }

    /// Up to `count` questions of drilled kinds, topics in turn, whose answers follow from `places`.
    ///
    /// # Errors
    /// When the bundled wording is damaged.
    pub fn drills(&self, count: usize, places: &[Place], random: &mut ChaCha8Rng) -> Result<Vec<Exercise>> {
        let is_apt = |question: &ExamQuestion| {
            let posed = Exercise::of_exam(question);
            posed.is_ok_and(|posed| is_drilled(posed.question.kind) && follows_from(&posed, places))
        };
        self.in_turn(count, is_apt, random).into_iter().map(|question| posed(question, random)).collect()
    }

    /// Up to `count` questions of the exam that are wanted, one topic after the other.
    fn in_turn(
        &self,
        count: usize,
        is_wanted: impl Fn(&ExamQuestion) -> bool,
        random: &mut ChaCha8Rng,
    ) -> Vec<&ExamQuestion> {
        let mut topics: Vec<Vec<&ExamQuestion>> = Topic::ALL
            .iter()
            .map(|topic| self.0.questions.iter().filter(|asked| asked.topic == *topic && is_wanted(asked)).collect())
            .filter(|of_topic: &Vec<_>| !of_topic.is_empty())
            .collect();
        topics.shuffle(random);
        topics.iter_mut().for_each(|of_topic| of_topic.shuffle(random));
        let mut chosen = Vec::new();
        while chosen.len() < count && topics.iter().any(|of_topic| !of_topic.is_empty()) {
            chosen.extend(topics.iter_mut().filter_map(Vec::pop).take(count - chosen.len()));
        }
        chosen
    }

    fn absences(&self, count: usize, random: &mut ChaCha8Rng) -> Result<Vec<Exercise>> {
        let wording = Wording::bundled()?;
        let mut classes: Vec<String> = self.0.unseen.clone();
        classes.shuffle(random);
        let absence = |mut class: String| {
            estrange(&mut class, true, random);
            let asks: [fn(String) -> Ask; 5] = [Ask::EgoDistance, Ask::Count, Ask::EgoSide, Ask::EgoClock, Ask::Size];
            let ask = asks.choose(random).copied().unwrap_or(Ask::EgoDistance)(class);
            Exercise::new(&wording.word(&ask, random), Answer::NotSeen)
        };
        classes.into_iter().take(count).map(absence).collect()
    }
}

/// A question of the exam; some choices come without options.
fn posed(question: &ExamQuestion, random: &mut ChaCha8Rng) -> Result<Exercise> {
    let mut exercise = Exercise::of_exam(question)?;
    if matches!(exercise.truth, Answer::Words(_)) && random.random_bool(OPEN_SHARE) {
        exercise.options.clear();
    }
    Ok(exercise)
}
