//! What a room is to be furnished with, before anybody knows whether it fits.

use std::ops::RangeInclusive;

use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::appearance::Skin;
use crate::catalogue::{Catalogue, Model};
use crate::placement::{Habit, Piece};
use crate::world::{FIXTURES, Look, RoomSplit, question_classes};

/// Share of the rooms that may hold a class that only the extra pack has.
const EXTRA_CLASS_SHARE: f64 = 0.3;
/// Share of the furniture that comes from the bundled pack where the extra pack has some of the class too.
const BUNDLED_SHARE: f64 = 0.35;
/// Share of a training room's classes that have at least two instances, for counting.
const SEVERAL_SHARE: f64 = 0.25;

/// [`question_classes`] of one room: each class that only the extra pack has is left out of most rooms, so that those
/// of the bundled pack, which every robot meets, are seen as often as without it.
pub(crate) fn menu(catalogue: &Catalogue, rng: &mut ChaCha8Rng) -> Vec<String> {
    let bundled = |class: &str| catalogue.models().iter().any(|model| model.class == class && !model.extra);
    let mut classes = question_classes(catalogue);
    classes.retain(|class| FIXTURES.contains(&class.as_str()) || bundled(class) || rng.random_bool(EXTRA_CLASS_SHARE));
    classes
}

/// One thing to place: a model stretched along its own axes, with a tint.
pub(crate) struct Wish<'a> {
    /// What.
    pub model: &'a Model,
    /// Factors along its axes.
    pub scale: [f64; 3],
    /// A factor on its colours.
    pub tint: [f32; 3],
}

impl Wish<'_> {
    /// What it is made of.
    pub fn look(&self) -> Look<'_> {
        let Model { class, id, mesh, .. } = self.model;
        Look { class, model: id, mesh, skin: Skin::of_mesh(mesh, self.tint), scale: self.scale }
    }

    /// What the placer needs to know.
    pub fn piece(&self) -> Piece {
        let model = self.model;
        Piece {
            size_m: std::array::from_fn(|axis| f64::from(model.size_m[axis]) * self.scale[axis]),
            elevation_m: f64::from(model.elevation_m),
            habit: Habit::of(&model.class, model.on_top, model.elevation_m),
        }
    }
}

/// How much a room is to hold.
#[derive(Debug, Clone)]
pub(crate) struct Appetite {
    /// Classes, in a large room.
    pub classes: RangeInclusive<usize>,
    /// Classes at most: so many, and 0.7 more a square metre.
    pub least: usize,
    /// Things at most.
    pub things: usize,
}

/// Draws things, several of a kind reasonably often, large ones first. Training rooms vary more than others: furniture
/// is stretched along each axis, dyed more boldly, and stands in groups more often.
pub(crate) fn wish_list<'a>(
    area_m2: f64,
    appetite: &Appetite,
    (split, menu): (RoomSplit, &[String]),
    catalogue: &'a Catalogue,
    rng: &mut ChaCha8Rng,
) -> Vec<Wish<'a>> {
    let varied = split == RoomSplit::Train;
    let mut classes: Vec<&str> = menu.iter().map(String::as_str).collect();
    classes.retain(|class| !FIXTURES.contains(class));
    classes.shuffle(rng);
    // Half of all rooms have chairs, and a table for them, for counting.
    for wanted in ["chair", "table"] {
        if rng.random_bool(0.5)
            && let Some(at) = classes.iter().position(|class| *class == wanted)
        {
            classes.swap(0, at);
            classes.rotate_left(1);
        }
    }
    let wanted = rng.random_range(appetite.classes.clone()).min(appetite.least + (area_m2 * 0.7) as usize);
    let mut wishes: Vec<Wish<'a>> = Vec::new();
    while wishes.len() < wanted
        && let Some(class) = classes.pop()
    {
        // A class without novel models does not stand in novel rooms: everything there is new to the model.
        let models = catalogue.models_of(class, split.furniture());
        let Some(first) = choose_model(&models, rng) else { continue };
        let alike = rng.random_bool(0.6);
        let tint = tint(varied, rng);
        let several = varied && rng.random_bool(SEVERAL_SHARE);
        for _ in 0..instances(first, rng).max(if several { rng.random_range(2..=4) } else { 1 }) {
            let model = if alike { first } else { choose_model(&models, rng).unwrap_or(first) };
            let tint = if alike { tint } else { self::tint(varied, rng) };
            wishes.push(Wish { model, scale: scale(varied, rng), tint });
        }
    }
    wishes.truncate(appetite.things);
    wishes.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    wishes
}

fn choose_model<'a>(models: &[&'a Model], rng: &mut ChaCha8Rng) -> Option<&'a Model> {
    let bundled: Vec<&Model> = models.iter().copied().filter(|model| !model.extra).collect();
    let mixed = !bundled.is_empty() && bundled.len() < models.len();
    let from = if mixed && rng.random_bool(BUNDLED_SHARE) { &bundled[..] } else { models };
    from.choose(rng).copied()
}

/// Factors along the model's axes: ±15 % in all, and as much again for each where rooms are to vary.
fn scale(varied: bool, rng: &mut ChaCha8Rng) -> [f64; 3] {
    let scale = rng.random_range(0.85..1.15);
    if varied { std::array::from_fn(|_| scale * rng.random_range(0.85..1.17)) } else { [scale; 3] }
}

/// Large standing things first, then hanging ones, then small ones for the tops.
fn rank(wish: &Wish) -> f64 {
    let piece = wish.piece();
    let group = match piece.habit {
        Habit::Wall if piece.elevation_m <= 0.0 => 0.0,
        Habit::Wall | Habit::Free => 100.0,
        Habit::AtTable => 200.0,
        Habit::OnTop => 300.0,
    };
    group - piece.size_m[0] * piece.size_m[1]
}

fn instances(model: &Model, rng: &mut ChaCha8Rng) -> usize {
    let area = model.size_m[0] * model.size_m[1];
    let weights: &[u32] = match () {
        () if model.class.contains("chair") || model.class == "stool" => &[16, 20, 20, 18, 14, 12],
        () if area > 1.2 => &[88, 12],
        () if area > 0.5 => &[70, 18, 8, 4],
        () => &[56, 16, 11, 8, 5, 4],
    };
    let mut at = rng.random_range(0..weights.iter().sum::<u32>());
    for (index, &weight) in weights.iter().enumerate() {
        if at < weight {
            return index + 1;
        }
        at -= weight;
    }
    1
}

/// A factor on the colours of one thing; a bold dye on every other where rooms are to vary.
fn tint(varied: bool, rng: &mut ChaCha8Rng) -> [f32; 3] {
    let bold = varied && rng.random_bool(0.5);
    let (brightness, hue) = if bold { (0.4..1.4, 0.5..1.4) } else { (0.7..1.25, 0.75..1.2) };
    let brightness: f32 = rng.random_range(brightness);
    std::array::from_fn(|_| brightness * rng.random_range::<f32, _>(hue.clone()))
}

/// Something small: for the tops, for the walls, for the floor.
pub(crate) fn small_wish<'a>(
    menu: &[String],
    split: RoomSplit,
    catalogue: &'a Catalogue,
    rng: &mut ChaCha8Rng,
) -> Option<Wish<'a>> {
    let small = |model: &&Model| {
        let [width, depth, _] = model.size_m;
        model.split == split.furniture()
            && menu.contains(&model.class)
            && (model.on_top || model.elevation_m > 0.0 || width * depth < 0.25)
    };
    let models: Vec<&Model> = catalogue.models().iter().filter(small).collect();
    let varied = split == RoomSplit::Train;
    choose_model(&models, rng).map(|model| Wish { model, scale: scale(varied, rng), tint: tint(varied, rng) })
}
