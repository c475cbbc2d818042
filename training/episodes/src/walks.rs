//! Walks as training data: frames along a walk with questions of every kind, and some about what is not there.

use std::collections::BTreeMap;

use rand::seq::{IndexedRandom, SliceRandom, index};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::body::FIRST_OBJECT_ID;
use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings};
use sim::questions::ask::{Answer, Ask, Topic, Video};
use sim::questions::choice::options;
use sim::questions::exam::ExamQuestion;
use sim::questions::examined::{ExaminedClip, Take};
use sim::questions::wording::Wording;
use sim::raster::Renderer;
use sim::variety::Variety;
use sim::world::World;

use crate::drills::is_drilled;
use crate::evidence::{Place, follows_from};
use crate::exercise::Exercise;
use crate::filmed::places;
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
/// Orders of appearance that a walk is asked beside those of its exam.
const ORDERS: usize = 4;
/// Tells the stream of these.
const ORDERS_STREAM: u64 = 0x006F_7264_6572_7321;
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
        let mut examined = ExaminedClip::generate(seed, rooms, &settings, timing.take, renderer)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ ORDERS_STREAM);
        examined.questions.extend(orders(&whole_classes(&examined.clip), timing, &mut random)?);
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
        let share = count as f64 * ABSENT_SHARE;
        let lot = usize::from(random.random_bool(share.fract()));
        let absent = if self.examined.questions.is_empty() { count } else { share as usize + lot };
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

/// Where the things are whose like were all seen.
fn whole_classes(clip: &Clip) -> Vec<Place> {
    let all = places(clip);
    let objects = clip.classes.iter().skip(usize::from(FIRST_OBJECT_ID));
    let is_whole = |class: &String| {
        objects.clone().filter(|of| *of == class).count() == all.iter().filter(|place| place.class == *class).count()
    };
    all.iter().filter(|place| is_whole(&place.class)).cloned().collect()
}

/// Up to [`ORDERS`] questions about four classes that came into sight a second apart; none where there are no four. An exam
/// asks only about what the first frame does not show, which leaves it nothing to ask about most walks.
fn orders(places: &[Place], timing: &Timing, random: &mut ChaCha8Rng) -> Result<Vec<ExamQuestion>> {
    let mut first_frames: BTreeMap<&str, usize> = BTreeMap::new();
    for place in places {
        let first = first_frames.entry(&place.class).or_insert(place.first_frame);
        *first = place.first_frame.min(*first);
    }
    let mut by_frame: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (class, frame) in first_frames {
        by_frame.entry(frame).or_default().push(class);
    }
    let groups: Vec<(usize, Vec<&str>)> = by_frame.into_iter().collect();
    let are_apart = |pair: &[usize]| (groups[pair[1]].0 - groups[pair[0]].0) as f64 >= timing.rate_hz;
    let count = if groups.len() < 4 { 0 } else { ORDERS };
    let drawn = (0..count).map(|_| {
        let mut chosen = index::sample(random, groups.len(), 4).into_vec();
        chosen.sort_unstable();
        chosen
    });
    let drawn: Vec<Vec<usize>> = drawn.filter(|chosen| chosen.windows(2).all(are_apart)).collect();
    let order = |chosen: Vec<usize>| {
        let classes =
            chosen.into_iter().filter_map(|group| groups[group].1.choose(random).map(|&class| class.to_owned()));
        let mut four: Vec<String> = classes.collect();
        let truth = four.join(", ");
        four.sort_unstable();
        let ask = Ask::Order(std::array::from_fn(|at| std::mem::take(&mut four[at])));
        let text = Wording::bundled()?.word(&ask, random);
        let options = options(&ask, &truth, random);
        Ok(ExamQuestion {
            topic: Topic::ObjAppearanceOrder,
            kind: ask.kind(),
            ask,
            text,
            options,
            answer: Answer::Words(truth),
            video: Video::Walk,
            frames: 0..timing.frames,
        })
    };
    drawn.into_iter().map(order).collect()
}

/// A question of the exam; some choices come without options.
fn posed(question: &ExamQuestion, random: &mut ChaCha8Rng) -> Result<Exercise> {
    let mut exercise = Exercise::of_exam(question)?;
    if matches!(exercise.truth, Answer::Words(_)) && random.random_bool(OPEN_SHARE) {
        exercise.options.clear();
    }
    Ok(exercise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_that_of_the_first_frames() {
        let first_frames = [("bed", 0), ("desk", 4), ("door", 2), ("sofa", 7), ("bed", 5), ("lamp", 2)];
        let place = |(class, first_frame): (&str, usize)| Place {
            class: class.to_owned(),
            ahead_m: 1.0,
            left_m: 0.0,
            first_frame,
        };
        let places = first_frames.map(place);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let timing = Timing { frames: 8, ..Timing::usual() };
        let asked = orders(&places, &timing, &mut random).unwrap();
        assert_eq!(asked.len(), ORDERS);
        for order in asked {
            let Answer::Words(truth) = &order.answer else { panic!("{order:?}") };
            assert!(["bed, door, desk, sofa", "bed, lamp, desk, sofa"].contains(&truth.as_str()), "{truth}");
            assert!(order.options.contains(truth) && order.letter().is_some(), "{order:?}");
        }
        assert_eq!(orders(&places[..3], &timing, &mut random).unwrap(), []);
        let thrice = Timing { rate_hz: 3.0, ..timing };
        assert_eq!(orders(&places, &thrice, &mut random).unwrap(), [], "two frames are less than a second");
    }
}
