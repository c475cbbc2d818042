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
use sim::world::World;

use crate::drills::is_drilled;
use crate::evidence::{Place, follows_from};
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
/// Tells the seed of another room.
const ANOTHER_ROOM: u64 = 0x006F_7468_6572_726D;
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
pub struct Walk {
    examined: ExaminedClip,
    /// What stands in another room of its kind and is nowhere to be seen here.
    elsewhere: Vec<String>,
}

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
        let examined = ExaminedClip::generate(seed, rooms, &settings, timing.take, renderer)?;
        let (split, catalogue) = rooms;
        let variety = Variety { shadows: false, ..settings.variety };
        let other = World::generate_with(seed ^ ANOTHER_ROOM, split, catalogue, &variety);
        let mut elsewhere: Vec<String> = other.objects.into_iter().map(|object| object.class).collect();
        elsewhere.retain(|class| examined.unseen.contains(class));
        elsewhere.sort();
        elsewhere.dedup();
        Ok(Self { examined, elsewhere })
    }

    /// Frames, poses, the true map.
    pub fn clip(&self) -> &Clip {
        &self.examined.clip
    }

    /// Whether anything can be asked about it.
    pub fn is_asked(&self) -> bool {
        !self.examined.questions.is_empty() || !self.examined.unseen.is_empty()
    }

    /// The walk without its pictures: what can be asked about it, its poses and its map.
    #[must_use]
    pub fn without_pictures(mut self) -> Self {
        let clip = &mut self.examined.clip;
        (clip.frames, clip.depth, clip.ids, clip.boxes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        self
    }

    /// Up to `count` questions: topics in turn, so that all are asked equally often, and a quarter of them about
    /// what no frame shows: half of these stands in another room, so that what is common is asked about as often where it
    /// is missing.
    ///
    /// # Errors
    /// When the bundled wording is damaged.
    pub fn exercises(&self, count: usize, random: &mut ChaCha8Rng) -> Result<Vec<Exercise>> {
        let absent = (count as f64 * ABSENT_SHARE).round() as usize;
        let mut exercises = self.absences(absent, random)?;
        for question in self.in_turn(random).into_iter().take(count - exercises.len()) {
            exercises.push(posed(question, random)?);
        }
        Ok(exercises)
    }

    /// Up to `count` questions of drilled kinds, topics in turn, whose answers follow from `places`.
    ///
    /// # Errors
    /// When the bundled wording is damaged.
    pub fn drills(&self, count: usize, places: &[Place], random: &mut ChaCha8Rng) -> Result<Vec<Exercise>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let is_apt = |question: &&ExamQuestion| {
            is_drilled(question.kind) && Exercise::of_exam(question).is_ok_and(|posed| follows_from(&posed, places))
        };
        let asked = self.in_turn(random).into_iter().filter(is_apt).take(count);
        asked.map(|question| posed(question, random)).collect()
    }

    /// The questions of the exam, one topic after the other, as often as there is one of it left.
    fn in_turn(&self, random: &mut ChaCha8Rng) -> Vec<&ExamQuestion> {
        let of_topic = |topic| self.examined.questions.iter().filter(move |asked| asked.topic == topic).collect();
        let mut topics: Vec<Vec<&ExamQuestion>> = Topic::ALL.into_iter().map(of_topic).collect();
        topics.shuffle(random);
        topics.iter_mut().for_each(|of_topic| of_topic.shuffle(random));
        let longest = topics.iter().map(Vec::len).max().unwrap_or_default();
        (0..longest).flat_map(|round| topics.iter().filter_map(move |of_topic| of_topic.get(round).copied())).collect()
    }

    fn absences(&self, count: usize, random: &mut ChaCha8Rng) -> Result<Vec<Exercise>> {
        let wording = Wording::bundled()?;
        let (mut classes, mut any) = (self.elsewhere.clone(), self.examined.unseen.clone());
        classes.shuffle(random);
        any.shuffle(random);
        classes.truncate(count / 2);
        any.retain(|class| !classes.contains(class));
        classes.extend(any);
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
