//! Lenses and shadows: what is drawn is where geometry says.

use sim::appearance::{Finish, Skin};
use sim::body::{Body, FLOOR_ID, Light, Lighting, Placement};
use sim::camera::{Camera, Pose};
use sim::lens::Distortion;
use sim::mesh::{Material, Mesh, Triangle};
use sim::raster::{Renderer, Rendering, Shot};
use sim::shadow::shadow_maps;

const BARREL: Distortion = Distortion { k1: -0.13, k2: 0.01, p1: 0.001, p2: -0.001, k3: 0.0 };

/// A white square across the z axis, `half` metres to each side.
fn square(id: u16, centre: [f64; 3], half: f32) -> Body {
    let mesh = Mesh {
        positions: [[-half, -half], [half, -half], [half, half], [-half, half]].map(|[x, y]| [x, y, 0.0]).to_vec(),
        triangles: [[0, 1, 2], [0, 2, 3]].map(|indices| Triangle { indices, material: 0 }).to_vec(),
        materials: vec![Material { colour: [255; 3], texture: None }],
        ..Mesh::default()
    };
    let finish = Finish { colour: [1.0; 3], texture: None, emits: false };
    let skin = Skin { finishes: vec![finish], textures: Vec::new() };
    Body::new(id, &mesh, skin, &Placement { position: centre, yaw: 0.0, scale: [1.0; 3] })
}

/// Looks straight down from 3 m; right is −y of the world.
const DOWN: Pose =
    Pose { position: [0.0, 0.0, 3.0], yaw: 0.0, pitch: -std::f64::consts::FRAC_PI_2, roll: 0.0, stamp_secs: 0.0 };

fn render(bodies: &[Body], lighting: &Lighting, camera: Camera, supersample: usize) -> Rendering {
    let mut renderer = Renderer::new();
    renderer.render(bodies.iter(), lighting, &Shot { camera, pose: DOWN, supersample }).clone()
}

/// Plates of known place on a floor: the middle of what shows a plate's id is where the lens model projects it, and
/// every pixel's depth unprojects to its plate's height.
#[test]
fn colour_depth_and_ids_bend_as_the_lens_model_says() {
    let camera = Camera { distortion: BARREL, ..Camera::pinhole(320, 240, 1.2) };
    let floor = square(FLOOR_ID, [0.0; 3], 20.0);
    let spots = [[0.0, 0.0], [1.1, 0.0], [1.0, -1.5], [-1.2, 1.6], [0.0, 1.7]];
    let plates = spots.iter().zip(4..).map(|(&[x, y], id)| square(id, [x, y, 0.5], 0.1));
    let bodies: Vec<Body> = [floor].into_iter().chain(plates).collect();
    for supersample in [1, 2] {
        let lighting = Lighting { ambient: 1.0, ..Lighting::default() };
        let view = render(&bodies, &lighting, camera, supersample);
        for (&[x, y], id) in spots.iter().zip(4u16..) {
            let expected = camera.project(DOWN.to_optical([x, y, 0.5])).expect("before the camera");
            let pixels: Vec<usize> = (0..view.ids.len()).filter(|&at| view.ids[at] == id).collect();
            let mean = |of: fn(usize) -> usize| {
                pixels.iter().map(|&at| of(at) as f64 + 0.5).sum::<f64>() / pixels.len() as f64
            };
            let (u, v) = (mean(|at| at % 320), mean(|at| at / 320));
            assert!((u - expected[0]).hypot(v - expected[1]) < 0.75, "{x} {y}: {u} {v}, expected {expected:?}");
            let share = pixels.len() as f32 / (320.0 * 240.0);
            assert!((view.unoccluded[usize::from(id)] / share - 1.0).abs() < 0.25, "{id}");
            for at in pixels {
                let image = [(at % 320) as f64 + 0.5, (at / 320) as f64 + 0.5];
                let point = DOWN.to_world(camera.unproject(image, f64::from(view.depth[at])));
                assert!((point[2] - 0.5).abs() < 1e-3, "{point:?}");
                assert!((point[0] - x).abs() < 0.115 && (point[1] - y).abs() < 0.115, "{point:?} on {x} {y}");
            }
        }
        assert!(view.ids.iter().all(|&id| id != 0), "no ray is lost");
    }
}

#[test]
fn without_distortion_a_lens_is_a_pinhole() {
    let nearly = Distortion { k1: 1e-9, ..Distortion::default() };
    let camera = Camera::pinhole(160, 120, 1.1);
    let bodies = [square(FLOOR_ID, [0.0; 3], 20.0), square(4, [0.3, 0.2, 1.0], 0.4)];
    let lighting = Lighting { ambient: 0.5, ..Lighting::default() };
    let pinhole = render(&bodies, &lighting, camera, 1);
    let lens = render(&bodies, &lighting, Camera { distortion: nearly, ..camera }, 1);
    assert_eq!(pinhole.ids, lens.ids);
    assert!(pinhole.depth.iter().zip(&lens.depth).all(|(a, b)| (a - b).abs() < 1e-4));
}

/// A lamp at 2 m over a plate at 1 m: by similar triangles the shadow on the floor is twice as wide as the plate.
#[test]
fn a_shadow_is_as_wide_as_geometry_says() {
    let lights = vec![Light { position: [0.6, 0.0, 2.0], strength: 1.0, reach_m: 4.0 }];
    // Light is interpolated between vertices, so the floor has many.
    let tile = |i: i32| square(FLOOR_ID, [0.2 * f64::from(i % 40 - 20), 0.2 * f64::from(i / 40 - 20), 0.0], 0.1);
    let bodies: Vec<Body> = (0..1600).map(tile).chain([square(4, [0.6, 0.0, 1.0], 0.25)]).collect();
    let shadows = Some(shadow_maps(bodies.iter(), &lights));
    let camera = Camera::pinhole(320, 240, 1.3);
    let without = Lighting { ambient: 0.1, lights, shadows: None };
    let with = Lighting { shadows, ..without.clone() };
    let (lit, shaded) = (render(&bodies, &without, camera, 1), render(&bodies, &with, camera, 1));
    let mut wrong = Vec::new();
    for at in (0..lit.ids.len()).filter(|&at| lit.ids[at] == FLOOR_ID) {
        let image = [(at % 320) as f64 + 0.5, (at / 320) as f64 + 0.5];
        let [x, y, _] = DOWN.to_world(camera.unproject(image, f64::from(lit.depth[at])));
        // How far inside the shadow's border, metres.
        let inside = 0.5 - (x - 0.6).abs().max(y.abs());
        let left = (shaded.light[at][0] - 0.1) / (lit.light[at][0] - 0.1);
        if (inside > 0.06 && left > 0.01) || (inside < -0.06 && left < 0.99) {
            wrong.push((x, y, left));
        }
    }
    assert!(wrong.is_empty(), "{} pixels: {:?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    let on_plate = |view: &Rendering| {
        (0..view.ids.len()).filter(|&at| view.ids[at] == 4).map(|at| f64::from(view.light[at][0])).sum::<f64>()
    };
    assert!((on_plate(&shaded) / on_plate(&lit) - 1.0).abs() < 0.02, "a plate doesn't shade its own lit side");
}
