//! The pictures that go with a question of an exam.

use rand_chacha::ChaCha8Rng;

use super::absence::without;
use super::ask::Video;
use super::exam::ExamQuestion;
use crate::camera::Pose;
use crate::clip::Scene;
use crate::raster::{Renderer, Shot};
use crate::world::World;

/// Renders the frames of a question, RGB, oldest first: the walk, the walk without an object, one frame again and again,
/// or black. `shot` gives camera and supersampling; its pose is not read. `poses` are those of the whole watch.
pub fn film(
    scene: &Scene,
    question: &ExamQuestion,
    poses: &[Pose],
    shot: &Shot,
    (renderer, rng): (&mut Renderer, &mut ChaCha8Rng),
) -> Vec<Vec<u8>> {
    let poses = poses.get(question.frames.clone()).unwrap_or_default();
    let mut sensor = scene.sensor.clone();
    let mut take = |world: &World, pose: Pose| {
        let mut rgb = Vec::new();
        sensor.develop(renderer.render(world.bodies(), &world.lighting, &Shot { pose, ..*shot }), rng, &mut rgb);
        rgb
    };
    match question.video {
        Video::Walk => poses.iter().map(|&pose| take(&scene.world.at(pose.stamp_secs), pose)).collect(),
        Video::Without(id) => {
            let emptied = without(&scene.world, id);
            poses.iter().map(|&pose| take(&emptied.at(pose.stamp_secs), pose)).collect()
        }
        Video::Black => vec![vec![0; shot.camera.width * shot.camera.height * 3]; poses.len()],
        Video::Frozen(frame) => {
            let at = frame.saturating_sub(question.frames.start);
            let stuck = poses.get(at).map(|&pose| take(&scene.world.at(pose.stamp_secs), pose)).unwrap_or_default();
            vec![stuck; poses.len()]
        }
    }
}
