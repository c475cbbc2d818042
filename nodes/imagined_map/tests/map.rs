//! Promises of the map: what is read, where it lands, how it is written.

use geometry::PlanPose;
use imagined_map::{GridState, parse, place, raster, render_text, to_dictionary};
use msgs::{Cell, ImaginedMap, MapObject};
use proptest::prelude::*;

fn object(category: &str, x: u8, y: u8) -> MapObject {
    MapObject { category: category.into(), cell: Cell { x, y } }
}

fn room() -> ImaginedMap {
    ImaginedMap {
        objects: vec![object("chair", 3, 4), object("chair", 2, 2), object("bed", 4, 5)],
        cell_size_m: Some(0.6),
        robot: Some(Cell { x: 5, y: 9 }),
    }
}

#[test]
fn writes_the_canonical_form_and_reads_it_back() {
    let text = to_dictionary(&room());
    assert_eq!(text, r#"{"bed":[[4,5]],"chair":[[2,2],[3,4]],"cell_size_m":0.6,"robot":[[5,9]]}"#);
    let read = parse(&text).expect("a map");
    assert_eq!(to_dictionary(&read), text);
    assert_eq!((read.cell_size_m, read.robot), (Some(0.6), Some(Cell { x: 5, y: 9 })));
}

#[test]
fn reads_what_networks_write() {
    let two_chairs = vec![object("chair", 2, 2), object("chair", 3, 4)];
    for text in [
        r#"{"chair": [[2, 2], [3, 4]]}"#,
        "{'chair': [(2, 2), (3, 4)]}",
        r#"{" Chair ": [["2", "2"], ["3", "4"]]}"#,
        r#"{"chair": [[2.9, 2.1], [3, 4]"#,
        r#"{"chair": [[[2, 2], 3, 4]]]]}"#,
        r#"{chair: [2, 2], "chair": [3, 4],}"#,
        "```json\n{\"chair\":[[2,2],[3,4]]}\n```",
        "chair at (2, 2) and (3, 4)",
    ] {
        let objects = parse(text).map(|map| map.objects).unwrap_or_default();
        let cells: Vec<Cell> = objects.iter().map(|object| object.cell).collect();
        let expected: Vec<Cell> = two_chairs.iter().map(|object| object.cell).collect();
        if text.starts_with("chair at") {
            assert_eq!(cells, expected, "{text}");
        } else {
            assert_eq!(objects, two_chairs, "{text}");
        }
    }
    assert_eq!(parse(r#"{"potted plant": [1, 2]}"#).expect("a map").objects, [object("potted plant", 1, 2)]);
}

#[test]
fn leaves_out_what_is_off_the_grid() {
    let map = parse(r#"{"bed": [[10, 3], [-1, 2], [0, 9]], "cell_size_m": -2, "robot": [[5, 99]]}"#).expect("a map");
    assert_eq!((map.objects, map.cell_size_m, map.robot), (vec![object("bed", 0, 9)], None, None));
}

#[test]
fn garbage_is_none_and_an_empty_dictionary_is_an_empty_map() {
    assert_eq!(parse(""), None);
    assert_eq!(parse("I do not know."), None);
    assert_eq!(parse("3 4 5"), None);
    assert_eq!(parse("{}"), Some(ImaginedMap::default()));
    assert!(parse(&"{[(".repeat(1_000_000)).is_some());
}

#[test]
fn places_cells_ahead_and_left_of_the_robot() {
    let map = ImaginedMap { objects: vec![object("door", 3, 4)], ..room() };
    // Five cells ahead and two to the left of a robot at (1, 2) that looks along +y.
    let robot = PlanPose { x: 1.0, y: 2.0, yaw_rad: std::f64::consts::FRAC_PI_2 };
    let placed = place(&map, &robot).expect("metric");
    assert!((placed[0].x - (1.0 - 1.2)).abs() < 1e-6 && (placed[0].y - 5.0).abs() < 1e-6, "{placed:?}");
    assert_eq!(place(&ImaginedMap { cell_size_m: None, ..map.clone() }, &robot), None);
    let round = PlanPose::from_transform(&robot.into());
    assert!((round.yaw_rad - robot.yaw_rad).abs() < 1e-12 && (round.x, round.y) == (1.0, 2.0));
    let grid = raster(&map, &robot).expect("metric");
    let index = grid.cells.iter().position(|&cell| cell == GridState::Imagined).expect("the door");
    let (forward, left) = ((index % 10) as f64 + 0.5, (index / 10) as f64 + 0.5);
    let (x, y) = grid.origin.fixed_from_base(forward * grid.resolution_m, left * grid.resolution_m);
    assert!((x - placed[0].x).abs() < 1e-6 && (y - placed[0].y).abs() < 1e-6);
    assert_eq!(grid.cells.iter().filter(|&&cell| cell == GridState::Observed).count(), 1);
}

#[test]
fn draws_the_grid() {
    let text = render_text(&room());
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows[4], ". . . c . . . . . .");
    assert_eq!(rows[9], ". . . . . R . . . .");
    assert_eq!(&rows[10..], ["b = bed (1)", "c = chair (2)", "R = robot, looking up; one cell = 0.6 m"]);
}

proptest! {
    #[test]
    fn no_text_whatever_panics(text in ".{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for text in [text.as_str(), &String::from_utf8_lossy(&bytes)] {
            if let Some(map) = parse(text) {
                render_text(&map);
                to_dictionary(&map);
                raster(&map, &PlanPose::default());
            }
        }
    }

    #[test]
    fn every_written_map_is_read_back(
        cells in proptest::collection::vec(("(bed|chair|sofa|dining table)", 0u8..10, 0u8..10), 0..20),
        tenths in 1u8..30,
        robot in (0u8..10, 0u8..10),
    ) {
        let objects = cells.iter().map(|(category, x, y)| object(category, *x, *y)).collect();
        let cell_size_m = Some((f64::from(tenths) / 10.0) as f32);
        let map = ImaginedMap { objects, cell_size_m, robot: Some(Cell { x: robot.0, y: robot.1 }) };
        let text = to_dictionary(&map);
        let read = parse(&text).expect("a map");
        prop_assert_eq!(to_dictionary(&read), text);
        prop_assert_eq!(read.objects.len(), map.objects.len());
    }
}
