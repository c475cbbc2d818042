//! A furnished room, as a pure function of a seed.

use rand::RngExt;
use rand::SeedableRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::appearance::Skin;
use crate::body::{Body, FIRST_OBJECT_ID, Light, Lighting, Placement};
use crate::catalogue::{Catalogue, FurnitureSplit, Model};
use crate::decor::{self, Fixture};
use crate::footprint::{PlanBox, convex_hull, distance_to_outline};
use crate::mesh::Mesh;
use crate::placement::{Habit, Piece, Placer, Slot};
use crate::room::Room;

/// Classes of what is built into walls rather than taken from the catalogue.
const FIXTURES: [&str; 2] = ["door", "window"];
/// Share of the rooms that may hold a class that only the extra pack has.
const EXTRA_CLASS_SHARE: f64 = 0.3;
/// Share of the furniture that comes from the bundled pack where the extra pack has some of the class too.
const BUNDLED_SHARE: f64 = 0.35;
/// Share of a training room's classes that have at least two instances, for counting.
const SEVERAL_SHARE: f64 = 0.25;

/// Which rooms a seed draws from. The same seed gives unrelated rooms in different splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomSplit {
    /// Training rooms.
    Train,
    /// New rooms with furniture known from training.
    Heldout,
    /// New rooms with nothing but furniture never trained on, hence only the classes that have some.
    Novel,
    /// New rooms with known furniture, for calibrating intervals.
    Calibration,
}

impl RoomSplit {
    /// A generator for one purpose of one room. Purposes and splits never share a stream.
    pub fn rng(self, seed: u64, purpose: &str) -> ChaCha8Rng {
        let split = match self {
            Self::Train => "train",
            Self::Heldout => "heldout",
            Self::Novel => "novel",
            Self::Calibration => "calibration",
        };
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..24][..split.len()].copy_from_slice(split.as_bytes());
        let hash =
            purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        key[24..].copy_from_slice(&hash.to_le_bytes());
        ChaCha8Rng::from_seed(key)
    }

    fn furniture(self) -> FurnitureSplit {
        if self == Self::Novel { FurnitureSplit::Novel } else { FurnitureSplit::Train }
    }
}

/// One object of a room: furniture, a door or a window.
#[derive(Debug, Clone)]
pub struct Object {
    /// What the id picture shows.
    pub id: u16,
    /// What a person would call it.
    pub class: String,
    /// Name of the model in the catalogue; the class for doors and windows.
    pub model: String,
    /// Oriented box on the floor plan.
    pub plan: PlanBox,
    /// Lowest and highest point over the floor, metres.
    pub span_m: [f64; 2],
    /// Convex outline of the mesh on the floor plan, counter-clockwise, metres, world frame.
    pub outline: Vec<[f64; 2]>,
    /// What is drawn.
    pub body: Body,
}

impl Object {
    /// Plan distance from a point to the closest point of the object's outline, metres; 0 inside.
    pub fn plan_distance(&self, point: [f64; 2]) -> f64 {
        distance_to_outline(&self.outline, point)
    }
}

/// A furnished room.
#[derive(Debug, Clone)]
pub struct World {
    /// Walls, floor, ceiling.
    pub room: Room,
    /// Furniture, doors and windows; ids count up from [`FIRST_OBJECT_ID`].
    pub objects: Vec<Object>,
    /// Floor, ceiling and walls as drawn.
    pub surfaces: Vec<Body>,
    /// Ambient light and lamps.
    pub lighting: Lighting,
    /// The classes that it was furnished from, in alphabetical order: what is absent is asked about among these.
    pub menu: Vec<String>,
}

impl World {
    /// Draws a room and furnishes it.
    pub fn generate(seed: u64, split: RoomSplit, catalogue: &Catalogue) -> Self {
        let mut rng = split.rng(seed, "world");
        let room = Room::generate(&mut rng);
        let menu = menu(catalogue, &mut split.rng(seed, "menu"));
        let mut objects = Vec::new();
        {
            let mut placer = Placer::new(&room);
            place_fixtures(&room, &mut placer, &mut objects, &mut rng);
            let wishes = wish_list(&room, split, &menu, catalogue, &mut rng);
            place_furniture(&room, &mut placer, &mut objects, &wishes, &mut rng);
        }
        let standing: Vec<PlanBox> = objects.iter().filter(|o| o.span_m[0] < 0.05).map(|o| o.plan).collect();
        let surfaces = decor::surfaces(&room, &standing, &mut rng);
        let lighting = lighting(&room, &mut rng);
        Self { room, objects, surfaces, lighting, menu }
    }

    /// Everything that is drawn, objects first.
    pub fn bodies(&self) -> impl Iterator<Item = &Body> + Clone {
        self.objects.iter().map(|object| &object.body).chain(&self.surfaces)
    }

    /// The object with this id.
    pub fn object(&self, id: u16) -> Option<&Object> {
        self.objects.get(usize::from(id.checked_sub(FIRST_OBJECT_ID)?))
    }

    /// How many instances of a class are in the room.
    pub fn count(&self, class: &str) -> usize {
        self.objects.iter().filter(|object| object.class == class).count()
    }
}

/// The classes that a question may name: the catalogue's, doors and windows, in alphabetical order.
pub fn question_classes(catalogue: &Catalogue) -> Vec<String> {
    let mut classes: Vec<String> = catalogue.classes().into_iter().map(str::to_owned).collect();
    classes.extend(FIXTURES.map(str::to_owned));
    classes.sort();
    classes.dedup();
    classes
}

/// [`question_classes`] of one room: each class that only the extra pack has is left out of most rooms, so that those
/// of the bundled pack, which every robot meets, are seen as often as without it.
fn menu(catalogue: &Catalogue, rng: &mut ChaCha8Rng) -> Vec<String> {
    let bundled = |class: &str| catalogue.models().iter().any(|model| model.class == class && !model.extra);
    let mut classes = question_classes(catalogue);
    classes.retain(|class| FIXTURES.contains(&class.as_str()) || bundled(class) || rng.random_bool(EXTRA_CLASS_SHARE));
    classes
}

fn lighting(room: &Room, rng: &mut ChaCha8Rng) -> Lighting {
    let lights = (0..rng.random_range(1..=4)).map(|_| {
        let at = (0..8).map(|_| room.size_m.map(|side| rng.random_range(0.1..0.9) * side));
        let plan = at.into_iter().find(|&p| room.contains(p, 0.3)).unwrap_or_else(|| room.middle());
        Light {
            position: [plan[0] as f32, plan[1] as f32, (room.height_m * rng.random_range(0.75..0.97)) as f32],
            strength: rng.random_range(0.4..1.2),
            reach_m: rng.random_range(1.5..5.0),
        }
    });
    Lighting { lights: lights.collect(), ambient: rng.random_range(0.2..0.55), shadows: None }
}

/// One thing to place: a model stretched along its own axes, with a tint.
struct Wish<'a> {
    model: &'a Model,
    scale: [f64; 3],
    tint: [f32; 3],
}

impl Wish<'_> {
    fn piece(&self) -> Piece {
        let model = self.model;
        Piece {
            size_m: std::array::from_fn(|axis| f64::from(model.size_m[axis]) * self.scale[axis]),
            elevation_m: f64::from(model.elevation_m),
            habit: Habit::of(&model.class, model.on_top, model.elevation_m),
        }
    }
}

/// Draws 4–15 things, several of a kind reasonably often, large ones first. Training rooms vary more than others:
/// furniture is stretched along each axis, dyed more boldly, and stands in groups more often.
fn wish_list<'a>(
    room: &Room,
    split: RoomSplit,
    menu: &[String],
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
    let wanted = rng.random_range(5..=13).min(4 + (room.area_m2() * 0.7) as usize);
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
    wishes.truncate(14);
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

fn place_fixtures(room: &Room, placer: &mut Placer, objects: &mut Vec<Object>, rng: &mut ChaCha8Rng) {
    let doors = [0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1][rng.random_range(0..12)];
    let windows = [0, 1, 1, 2][rng.random_range(0..4)];
    for index in 0..doors + windows {
        let fixture = if index < doors { decor::door(rng) } else { decor::window(rng, room.height_m) };
        let piece = Piece { size_m: fixture.size_m, elevation_m: fixture.elevation_m, habit: Habit::Wall };
        let Some(slot) = placer.place_fixture(&piece, rng) else { continue };
        if index < doors {
            placer.reserve(before(&slot, 0.75));
        }
        let Fixture { class, mesh, skin, .. } = fixture;
        objects.push(object(objects.len(), class, class, &mesh, skin, &slot, [1.0; 3]));
    }
}

/// The space in front of a slot, `deep` metres.
fn before(slot: &Slot, deep: f64) -> Slot {
    let centre = slot.plan.to_world([0.0, -slot.plan.half[1] - deep / 2.0]);
    let plan = PlanBox { centre, half: [slot.plan.half[0], deep / 2.0], ..slot.plan };
    Slot { plan, ..*slot }
}

fn place_furniture(room: &Room, placer: &mut Placer, objects: &mut Vec<Object>, wishes: &[Wish], rng: &mut ChaCha8Rng) {
    let mut free = room.area_m2() * 0.45;
    for wish in wishes {
        let piece = wish.piece();
        let on_floor = piece.habit != Habit::OnTop && piece.elevation_m <= 0.0;
        let area = piece.size_m[0] * piece.size_m[1];
        if on_floor && area > free {
            continue;
        }
        let Some(slot) = placer.place(&piece, rng) else { continue };
        if on_floor {
            free -= area;
        }
        let model = wish.model;
        if model.class.contains("table") || model.class == "desk" {
            placer.offer_table(slot.plan);
        }
        if on_floor && (0.3..1.3).contains(&slot.top_m) && has_flat_top(&model.mesh) {
            placer.offer_top(slot);
        }
        let skin = Skin::of_mesh(&model.mesh, wish.tint);
        objects.push(object(objects.len(), &model.class, &model.id, &model.mesh, skin, &slot, wish.scale));
    }
}

/// Whether level triangles near the highest point cover most of the footprint.
fn has_flat_top(mesh: &Mesh) -> bool {
    let (low, high) = mesh.bounds();
    let footprint = (high[0] - low[0]) * (high[1] - low[1]);
    let level = high[2] - 0.03;
    let area: f32 = mesh
        .triangles
        .iter()
        .map(|triangle| mesh.corners(triangle))
        .filter(|corners| corners.iter().all(|p| p[2] >= level))
        .map(|[a, b, c]| ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])).abs() / 2.0)
        .sum();
    area > 0.75 * footprint
}

fn object(index: usize, class: &str, model: &str, mesh: &Mesh, skin: Skin, slot: &Slot, scale: [f64; 3]) -> Object {
    let [x, y] = slot.plan.centre;
    let placement = Placement { position: [x, y, slot.bottom_m], yaw: slot.plan.yaw, scale };
    let id = FIRST_OBJECT_ID + index as u16;
    let outline = mesh.positions.iter().map(|&p| placement.apply(p)).map(|[x, y, _]| [x, y]).collect();
    Object {
        id,
        class: class.to_owned(),
        model: model.to_owned(),
        plan: slot.plan,
        span_m: [slot.bottom_m, slot.top_m],
        outline: convex_hull(outline),
        body: Body::new(id, mesh, skin, &placement),
    }
}
