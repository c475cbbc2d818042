//! What is true about a clip: which objects were seen, how far they are, where they lie on the imagined map.
//!
//! [`witness`] is a second opinion on every answer of an exam, [`agreement`] compares the two, [`cognitive`] draws the
//! map over the room.

pub mod agreement;
mod bearing;
mod cloud;
pub mod cognitive;
mod stroll;
mod survey;
pub mod witness;

use msgs::{Cell, GRID_SIZE, ImaginedMap, MapObject};

use crate::camera::Pose;
use crate::raster::Rendering;
use crate::world::{Object, World};

/// Least share of the picture, in its best frame, for an object to count as seen.
pub const SEEN_SHARE: f32 = 0.003;
/// Least share of its own unoccluded projection within the picture.
pub const SEEN_UNOCCLUDED: f32 = 0.5;
/// The robot's cell on every metric map.
pub const ROBOT_CELL: Cell = Cell { x: 5, y: 9 };
/// The cell sizes that maps use, metres.
pub const CELL_SIZES_M: [f32; 5] = [0.4, 0.6, 0.8, 1.0, 1.2];

/// Whether something that fills this share of a picture shows enough of itself to be seen.
pub fn is_enough(share: f32) -> bool {
    share >= SEEN_SHARE
}

/// How every object showed over the frames of a clip.
#[derive(Debug, Clone, Default)]
pub struct Sightings {
    frames: usize,
    best: Vec<Sighting>,
    first: Vec<Option<usize>>,
}

/// The best view of one object.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sighting {
    /// Share of the picture that it fills in its best frame.
    pub visible: f32,
    /// Share that it would fill there if nothing stood before it, within the picture.
    pub unoccluded: f32,
}

impl Sighting {
    /// The rule of the specification: enough pixels, and not mostly hidden, in the frame that shows most of it.
    pub fn seen(&self) -> bool {
        is_enough(self.visible) && self.visible >= SEEN_UNOCCLUDED * self.unoccluded
    }
}

impl Sightings {
    /// Takes in one more frame.
    pub fn add(&mut self, rendering: &Rendering) {
        let count = self.best.len().max(rendering.visible.len());
        self.best.resize(count, Sighting::default());
        self.first.resize(count, None);
        for ((best, &visible), &unoccluded) in self.best.iter_mut().zip(&rendering.visible).zip(&rendering.unoccluded) {
            if visible > best.visible {
                *best = Sighting { visible, unoccluded };
            }
        }
        for (first, &visible) in self.first.iter_mut().zip(&rendering.visible) {
            *first = first.or(is_enough(visible).then_some(self.frames));
        }
        self.frames += 1;
    }

    /// The best view of the object with this id.
    pub fn of(&self, id: u16) -> Sighting {
        self.best.get(usize::from(id)).copied().unwrap_or_default()
    }

    /// The first frame, from 0, of which the object with this id filled [`SEEN_SHARE`].
    pub fn first_frame(&self, id: u16) -> Option<usize> {
        self.first.get(usize::from(id)).copied().flatten()
    }
}

/// An object that was seen, from the camera's newest pose.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenObject {
    /// What the id picture shows.
    pub id: u16,
    /// What a person would call it.
    pub class: String,
    /// Plan distance from the camera's ground point to the closest point of the object's outline, metres.
    pub distance_m: f64,
    /// Its box's centre: metres to the right and ahead of the camera's ground point.
    pub plan_m: [f64; 2],
    /// The cell of its centre; `None` outside the map.
    pub cell: Option<Cell>,
    /// Its best view.
    pub sighting: Sighting,
    /// The first frame, from 0, of which it filled [`SEEN_SHARE`].
    pub first_frame: usize,
}

/// The seen objects, nearest first, and the map they make.
pub fn seen_objects(world: &World, sightings: &Sightings, newest: &Pose) -> (Vec<SeenObject>, ImaginedMap) {
    let seen = world.objects.iter().filter(|object| sightings.of(object.id).seen());
    let mut objects: Vec<SeenObject> = seen.map(|object| measure(object, sightings, newest)).collect();
    objects.sort_by(|a, b| a.distance_m.total_cmp(&b.distance_m));
    let cell_size_m = fitting_cell_size(&objects);
    for object in &mut objects {
        object.cell = cell_of(object.plan_m, cell_size_m);
    }
    let on_map = objects.iter().filter_map(|o| Some(MapObject { category: o.class.clone(), cell: o.cell? }));
    let map = ImaginedMap { objects: on_map.collect(), cell_size_m: Some(cell_size_m), robot: Some(ROBOT_CELL) };
    (objects, map)
}

fn measure(object: &Object, sightings: &Sightings, newest: &Pose) -> SeenObject {
    SeenObject {
        id: object.id,
        class: object.class.clone(),
        distance_m: object.plan_distance([newest.position[0], newest.position[1]]),
        plan_m: newest.to_plan(object.plan.centre),
        cell: None,
        sighting: sightings.of(object.id),
        first_frame: sightings.first_frame(object.id).unwrap_or_default(),
    }
}

/// The cell of a plan point (metres right, metres ahead); the robot stands in the middle of [`ROBOT_CELL`].
pub fn cell_of(plan_m: [f64; 2], cell_size_m: f32) -> Option<Cell> {
    let [x, y] = on_grid(plan_m, cell_size_m).map(f64::floor);
    let fits = |v: f64| (0.0..GRID_SIZE as f64).contains(&v);
    (fits(x) && fits(y)).then_some(Cell { x: x as u8, y: y as u8 })
}

/// The cells that are right for a plan point, that of [`cell_of`] first: a point within [`cognitive::BORDER_CELLS`] of a
/// border is accepted on both sides. Empty outside the map.
pub fn accepted_cells(plan_m: [f64; 2], cell_size_m: f32) -> Vec<Cell> {
    let at = on_grid(plan_m, cell_size_m);
    cell_of(plan_m, cell_size_m).map_or_else(Vec::new, |_| cognitive::accepted(at))
}

/// A plan point in cells from the corner of the metric map, x to the right and y down.
fn on_grid(plan_m: [f64; 2], cell_size_m: f32) -> [f64; 2] {
    let size = f64::from(cell_size_m);
    [plan_m[0] / size + f64::from(ROBOT_CELL.x) + 0.5, f64::from(ROBOT_CELL.y) + 0.5 - plan_m[1] / size]
}

/// The smallest cell size that puts as many objects on the map as any does.
fn fitting_cell_size(objects: &[SeenObject]) -> f32 {
    let fitting = |size: f32| objects.iter().filter(|object| cell_of(object.plan_m, size).is_some()).count();
    let most = CELL_SIZES_M.map(fitting).into_iter().max().unwrap_or(0);
    CELL_SIZES_M.into_iter().find(|&size| fitting(size) == most).unwrap_or(CELL_SIZES_M[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_robot_stands_in_its_cell_and_up_is_ahead() {
        assert_eq!(cell_of([0.0, 0.0], 0.6), Some(ROBOT_CELL));
        assert_eq!(cell_of([0.0, 1.2], 0.6), Some(Cell { x: 5, y: 7 }));
        assert_eq!(cell_of([-1.2, 1.2], 0.6), Some(Cell { x: 3, y: 7 }));
        assert_eq!(cell_of([0.0, -0.4], 0.6), None);
        let accepted = accepted_cells([0.31, 1.2], 0.6);
        assert_eq!(accepted, [Cell { x: 6, y: 7 }, Cell { x: 5, y: 7 }], "0.02 cells over the border");
        assert_eq!(accepted_cells([0.0, -0.4], 0.6), []);
    }

    #[test]
    fn seen_needs_pixels_and_a_mostly_free_view() {
        let seen = |visible, unoccluded| Sighting { visible, unoccluded }.seen();
        assert!(seen(0.003, 0.006));
        assert!(!seen(0.003, 0.0061));
        assert!(!seen(0.0029, 0.0029));
    }

    #[test]
    fn the_best_frame_decides() {
        let frame = |visible: f32, unoccluded: f32| Rendering {
            visible: vec![0.0, visible],
            unoccluded: vec![0.0, unoccluded],
            ..Rendering::default()
        };
        let mut sightings = Sightings::default();
        sightings.add(&frame(0.01, 0.01));
        sightings.add(&frame(0.02, 0.05));
        assert!(!sightings.of(1).seen(), "the larger view is mostly hidden");
        assert_eq!(sightings.of(9), Sighting::default());
    }
}
