//! Rooms of the whole specification, over many seeds.

use sim::catalogue::Catalogue;
use sim::footprint::PlanBox;
use sim::free_space::FreeSpace;
use sim::placement::GAP_M;
use sim::room::Room;
use sim::variety::Variety;
use sim::world::{Object, RoomSplit, World};

const SEEDS: u64 = 334;
const SPLITS: [RoomSplit; 3] = [RoomSplit::Train, RoomSplit::Heldout, RoomSplit::Novel];

fn worlds() -> impl Iterator<Item = (String, World)> {
    let variety = Variety { shadows: false, ..Variety::full() };
    let catalogue = Catalogue::bundled().expect("pack");
    SPLITS.into_iter().flat_map(move |split| {
        (0..SEEDS)
            .map(move |seed| (format!("{split:?} {seed}"), World::generate_with(seed, split, catalogue, &variety)))
    })
}

/// The leaf that hangs in the doorway of a flat, if there is one: the first object, within reach of the inner wall.
fn doorway_leaf(world: &World) -> Option<&Object> {
    let partition = world.room.partition?;
    let leaf = world.objects.first().filter(|object| object.class == "door")?;
    let middle = leaf.plan.centre[partition.axis] - partition.at_m;
    let along = leaf.plan.centre[1 - partition.axis];
    (middle.abs() < 0.8 && along > partition.doorway_m[0] - 0.6 && along < partition.doorway_m[1] + 0.6).then_some(leaf)
}

fn doorway_is_closed(world: &World) -> bool {
    let Some(partition) = world.room.partition else { return false };
    doorway_leaf(world).is_some_and(|leaf| (leaf.plan.centre[partition.axis] - partition.at_m).abs() < 0.1)
}

fn area(polygon: &[[f64; 2]]) -> f64 {
    let edges = (0..polygon.len()).map(|i| (polygon[i], polygon[(i + 1) % polygon.len()]));
    edges.map(|(a, b)| a[0] * b[1] - a[1] * b[0]).sum::<f64>() / 2.0
}

#[test]
fn rooms_have_the_size_they_say_and_8_to_25_objects() {
    let (mut flats, mut open, mut closed) = (0, 0, 0);
    for (name, world) in worlds() {
        let Room { height_m, .. } = world.room;
        assert!((10.0..=50.0).contains(&world.room.area_m2()), "{name}: {} m²", world.room.area_m2());
        assert!((2.4..=3.0).contains(&height_m), "{name}");
        let total: f64 = world.room.polygons().iter().map(|polygon| area(polygon)).sum();
        assert!((total - world.room.area_m2()).abs() < 1e-9, "{name}: {total}");
        assert!((8..=25).contains(&world.objects.len()), "{name}: {} objects", world.objects.len());
        flats += usize::from(world.room.partition.is_some());
        closed += usize::from(doorway_is_closed(&world));
        open += usize::from(doorway_leaf(&world).is_some() && !doorway_is_closed(&world));
    }
    let all = SPLITS.len() * SEEDS as usize;
    assert!((all / 10..all / 4).contains(&flats), "{flats} of {all}");
    assert!(closed > 2 && open > closed, "{closed} closed, {open} open doors in {flats} doorways");
}

/// Boxes keep 5 cm apart, over the floor or in height, but for what stands on a top: that lies wholly on it.
#[test]
fn boxes_keep_apart_or_stand_on_each_other() {
    let mut on_tops = 0;
    for (name, world) in worlds() {
        for (index, a) in world.objects.iter().enumerate() {
            assert!(world.room.contains_box(&a.plan), "{name}: {} leaves the room", a.model);
            for b in &world.objects[index + 1..] {
                let (low, high) = if a.span_m[0] < b.span_m[0] { (a, b) } else { (b, a) };
                let gap = high.span_m[0] - low.span_m[1];
                let near = |a: &PlanBox, b: &PlanBox| a.grown(GAP_M - 1e-6).overlaps(b);
                let apart = gap >= GAP_M - 1e-9 || !near(&low.plan, &high.plan) || !near(&high.plan, &low.plan);
                let supported = gap.abs() < 1e-9
                    && high.plan.corners().iter().all(|&corner| low.plan.grown(1e-6).distance(corner) == 0.0);
                on_tops += usize::from(supported);
                assert!(apart || supported, "{name}: {} and {}: {gap} m", a.model, b.model);
            }
        }
    }
    assert!(on_tops > 100, "{on_tops} things on tops");
}

#[test]
fn free_space_is_one_piece_but_for_a_closed_door() {
    for (name, world) in worlds() {
        let parts = FreeSpace::all_of(&world).part_sizes();
        let expected = if doorway_is_closed(&world) { 2 } else { 1 };
        assert_eq!(parts.len(), expected, "{name}: {parts:?} cells, {:?}", world.room.partition);
        if expected == 1 && world.room.partition.is_some() {
            let space = FreeSpace::for_walks(&world);
            for polygon in world.room.polygons() {
                let (low, high) = (polygon[0], polygon[2]);
                let cells = (0..400).map(|i| (f64::from(i % 20) / 20.0, f64::from(i / 20) / 20.0));
                let mut points = cells.map(|(u, v)| [low[0] + u * (high[0] - low[0]), low[1] + v * (high[1] - low[1])]);
                assert!(points.any(|point| space.is_free(point)), "{name}: a room without free space");
            }
        }
    }
}

#[test]
fn lamps_hang_free_and_every_room_has_one() {
    for (name, world) in worlds() {
        assert!((1..=4).contains(&world.lighting.lights.len()), "{name}");
        for light in &world.lighting.lights {
            let [x, y, z] = light.position.map(f64::from);
            let buried = |o: &&Object| o.plan.distance([x, y]) < 0.1 && z > o.span_m[0] && z < o.span_m[1];
            assert!(world.room.contains([x, y], 0.29) && world.objects.iter().find(buried).is_none(), "{name}");
        }
    }
}

#[test]
fn what_moves_touches_nothing_and_ends_where_the_motion_says() {
    let catalogue = Catalogue::bundled().expect("pack");
    let variety = Variety { moving_share: 1.0, shadows: false, ..Variety::full() };
    let (mut doors, mut things) = (0, 0);
    for seed in 0..SEEDS {
        let world = World::generate_with(seed, RoomSplit::Train, catalogue, &variety);
        let Some(motion) = world.motions.first() else { continue };
        let start = world.object(motion.id).expect("an object of the room").plan;
        let end = motion.start_secs + motion.duration_secs;
        let before = world.at(motion.start_secs).object(motion.id).expect("still there").plan;
        assert!((0..2).all(|i| (before.centre[i] - start.centre[i]).abs() < 1e-9), "seed {seed}");
        for step in 0..=20 {
            let now = world.at(motion.start_secs + motion.duration_secs * f64::from(step) / 20.0);
            let moved = now.object(motion.id).expect("still there");
            assert!(now.room.contains_box(&moved.plan.grown(-0.01)), "seed {seed}");
            for other in now.objects.iter().filter(|other| other.id != motion.id) {
                let beside = other.span_m[0] >= moved.span_m[1] || moved.span_m[0] >= other.span_m[1];
                assert!(beside || !other.plan.overlaps(&moved.plan), "seed {seed}: {} {}", moved.model, other.model);
            }
            let off = |p: &[f32; 3]| moved.plan.distance([f64::from(p[0]), f64::from(p[1])]);
            assert!(moved.body.positions.iter().all(|p| off(p) < 0.02), "the mesh moves with its box");
        }
        let last = world.at(end + 1.0).object(motion.id).expect("still there").plan;
        let way = (last.centre[0] - start.centre[0]).hypot(last.centre[1] - start.centre[1]);
        assert!(way > 0.2, "seed {seed}: {way} m");
        if world.object(motion.id).expect("still there").class == "door" { doors += 1 } else { things += 1 }
    }
    assert!(doors > 5 && things > 20, "{doors} doors, {things} things in {SEEDS} rooms");
}
