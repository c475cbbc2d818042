//! A furnished room, as a pure function of a seed.

use std::borrow::Cow;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::appearance::Skin;
use crate::body::{Body, FIRST_OBJECT_ID, Lighting, Placement};
use crate::catalogue::{Catalogue, FurnitureSplit};
use crate::footprint::{PlanBox, convex_hull, distance_to_outline};
use crate::free_space::HEADROOM_M;
use crate::furnish;
use crate::mesh::Mesh;
use crate::motion::Motion;
use crate::placement::Slot;
use crate::room::Room;
use crate::shadow::shadow_maps;
use crate::variety::Variety;

/// Classes of what is built into walls rather than taken from the catalogue.
pub(crate) const FIXTURES: [&str; 2] = ["door", "window"];

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

    /// The furniture that may stand in its rooms.
    pub(crate) fn furniture(self) -> FurnitureSplit {
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

/// What an object is made of.
pub(crate) struct Look<'a> {
    pub class: &'a str,
    pub model: &'a str,
    pub mesh: &'a Mesh,
    pub skin: Skin,
    /// Factors along the mesh's axes.
    pub scale: [f64; 3],
}

impl Object {
    /// The `index`th object of a room.
    pub(crate) fn new(index: usize, look: Look, slot: &Slot) -> Self {
        let [x, y] = slot.plan.centre;
        let placement = Placement { position: [x, y, slot.bottom_m], yaw: slot.plan.yaw, scale: look.scale };
        let id = FIRST_OBJECT_ID + index as u16;
        let outline = look.mesh.positions.iter().map(|&p| placement.apply(p)).map(|[x, y, _]| [x, y]).collect();
        Self {
            id,
            class: look.class.to_owned(),
            model: look.model.to_owned(),
            plan: slot.plan,
            span_m: [slot.bottom_m, slot.top_m],
            outline: convex_hull(outline),
            body: Body::new(id, look.mesh, look.skin, &placement),
        }
    }

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
    /// What moves during the walk; the other fields are as before it begins.
    pub motions: Vec<Motion>,
}

impl World {
    /// Draws a room and furnishes it.
    pub fn generate(seed: u64, split: RoomSplit, catalogue: &Catalogue) -> Self {
        Self::generate_with(seed, split, catalogue, &Variety::default())
    }

    /// Draws a room as varied as asked for, and furnishes it.
    pub fn generate_with(seed: u64, split: RoomSplit, catalogue: &Catalogue, variety: &Variety) -> Self {
        let mut world = if variety.full_rooms {
            furnish::full::world(seed, split, catalogue, variety)
        } else {
            furnish::world(seed, split, catalogue)
        };
        if variety.shadows {
            world.cast_shadows();
        }
        world
    }

    /// Makes the lamps' shadow maps, to be done again after bodies have moved.
    pub fn cast_shadows(&mut self) {
        self.lighting.shadows = Some(shadow_maps(self.bodies(), &self.lighting.lights));
    }

    /// The room at a time of the walk, with what has moved by then, and still; the same where nothing moves.
    pub fn at(&self, secs: f64) -> Cow<'_, Self> {
        if self.motions.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut world = Self { motions: Vec::new(), ..self.clone() };
        for motion in &self.motions {
            if let Some(object) = world.objects.iter_mut().find(|object| object.id == motion.id) {
                *object = motion.apply(object, secs);
            }
        }
        if world.lighting.shadows.is_some() {
            world.cast_shadows();
        }
        Cow::Owned(world)
    }

    /// Everything that is drawn, objects first.
    pub fn bodies(&self) -> impl Iterator<Item = &Body> + Clone {
        self.objects.iter().map(|object| &object.body).chain(&self.surfaces)
    }

    /// The object with this id.
    pub fn object(&self, id: u16) -> Option<&Object> {
        self.objects.get(usize::from(id.checked_sub(FIRST_OBJECT_ID)?))
    }

    /// Boxes on the floor that a walker keeps away from: what stands or moves lower than head height.
    pub fn obstacles(&self) -> impl Iterator<Item = PlanBox> {
        let low = |object: &&Object| object.span_m[0] < HEADROOM_M;
        let moving = self.motions.iter().filter_map(|motion| Some((motion, self.object(motion.id)?)));
        let swept =
            moving.filter(move |(_, object)| low(object)).flat_map(|(motion, object)| motion.sweep(&object.plan));
        self.objects.iter().filter(low).map(|object| object.plan).chain(swept)
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
