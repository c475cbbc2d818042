//! A clip along a walk with the exam about its very frames: what a model is taught, and asked, about longer videos.

use rand::RngExt;

use super::ask::Answer;
use super::exam::{ExamQuestion, exam_questions};
use super::wording::WordingError;
use crate::camera::Pose;
use crate::catalogue::Catalogue;
use crate::clip::{Clip, ClipSettings, Reel, Scene};
use crate::plan::FloorPlan;
use crate::raster::{Renderer, Shot};
use crate::watch::{FrameView, Sight, Watch};
use crate::world::RoomSplit;

/// How a clip is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// Along the walk.
    Walk,
    /// One frame of the walk again and again: a video that froze, or a robot that stands. All frames have one stamp, so
    /// nothing is asked about motion.
    Still,
    /// The walk without light. Whatever is asked about it was not seen.
    Dark,
}

/// A clip and everything that can be asked about it.
#[derive(Debug, Clone)]
pub struct ExaminedClip {
    /// Frames, depth, ids, poses and the true map. Its own list of questions is empty.
    pub clip: Clip,
    /// Questions about all frames together.
    pub questions: Vec<ExamQuestion>,
    /// Classes that the room could have, of which no frame shows a single pixel.
    pub unseen: Vec<String>,
}

impl ExaminedClip {
    /// The clip of a seed: the first `settings.frames` frames of its walk.
    ///
    /// # Errors
    /// If the bundled templates are damaged.
    pub fn generate(
        seed: u64,
        (split, catalogue): (RoomSplit, &Catalogue),
        settings: &ClipSettings,
        take: Take,
        renderer: &mut Renderer,
    ) -> Result<Self, WordingError> {
        let walk_secs = (settings.frames.max(1) - 1) as f64 / settings.rate_hz;
        let mut scene = Scene::generate_with(seed, split, catalogue, (walk_secs, &settings.variety));
        let mut rng = split.rng(seed, "examined clip");
        let moments = moments(settings, take, rng.random());
        let plan = FloorPlan::of(&scene.world);
        let camera = scene.camera.resized(settings.width, settings.height);
        let mut reel = Reel::default();
        let mut views = Vec::with_capacity(moments.len());
        for &secs in &moments {
            let pose: Pose = scene.walk.pose_at(secs);
            let world = scene.world.at(secs);
            let sight =
                Sight { surfaces: &world.surfaces, objects: &world.objects, lighting: &world.lighting, plan: &plan };
            let shot = Shot { camera, pose, supersample: settings.supersample };
            let (view, rendering) = FrameView::take(&sight, &shot, renderer);
            reel.add(rendering, &world, &mut scene.sensor, &mut rng);
            views.push(view);
        }
        let poses: Vec<Pose> = views.iter().map(|view| view.pose).collect();
        let odometry = moments.iter().map(|&secs| scene.believed.pose_at(secs)).collect();
        let newest = moments.last().copied().unwrap_or_default();
        let world = scene.world.at(newest);
        let frames = 0..views.len();
        let watch = Watch { camera, frames: views };
        let exam = exam_questions(&world, &watch, frames, &mut rng)?;
        let in_sight = |class: &String| {
            let of_class = world.objects.iter().filter(|object| object.class == *class);
            let mut ids = of_class.map(|object| object.id);
            ids.any(|id| watch.frames.iter().any(|frame| frame.of(id).visible > 0.0))
        };
        let unseen = world.menu.iter().filter(|class| !in_sight(class)).cloned().collect();
        if take == Take::Still {
            reel.freeze();
        }
        if take == Take::Dark {
            reel.darken();
        }
        let clip = Clip { odometry, ..reel.clip(&world, camera, poses) };
        let mut examined = Self { clip, questions: exam.questions, unseen };
        if take == Take::Dark {
            examined.questions.iter_mut().for_each(|question| question.answer = Answer::NotSeen);
        }
        // What a removed object or another video would be asked about is not in these frames.
        examined.questions.retain(|question| take == Take::Dark || question.answer != Answer::NotSeen);
        Ok(examined)
    }
}

/// When frames are taken, seconds since the walk began; `lot` in [0, 1) chooses where the camera stands still.
fn moments(settings: &ClipSettings, take: Take, lot: f64) -> Vec<f64> {
    let count = settings.frames.max(1);
    let still = (lot * count as f64).floor();
    let at = |frame: usize| if take == Take::Still { still } else { frame as f64 };
    (0..count).map(|frame| at(frame) / settings.rate_hz).collect()
}

#[cfg(test)]
mod tests {
    use msgs::QuestionKind;

    use super::*;
    use crate::variety::Variety;

    fn is_motion(kind: QuestionKind) -> bool {
        let turns = [QuestionKind::CameraTurn, QuestionKind::CameraTurnSide];
        matches!(kind, QuestionKind::CameraDistance | QuestionKind::CameraDirection) || turns.contains(&kind)
    }

    fn examined(take: Take) -> ExaminedClip {
        let settings = ClipSettings { width: 112, height: 84, variety: Variety::full(), ..ClipSettings::full() };
        let catalogue = Catalogue::bundled().expect("the bundled furniture");
        let rooms = (RoomSplit::Train, catalogue);
        ExaminedClip::generate(5, rooms, &settings, take, &mut Renderer::new()).expect("an exam")
    }

    #[test]
    fn a_walk_is_asked_about_what_it_shows() {
        let walk = examined(Take::Walk);
        assert_eq!(walk.clip.frames.len(), 16);
        assert!(walk.questions.len() > 10, "{}", walk.questions.len());
        for question in &walk.questions {
            assert!(question.answer != Answer::NotSeen);
            let seen = |class: &str| walk.clip.seen.iter().any(|object| object.class == class);
            assert!(question.ask.classes().into_iter().all(seen), "{question:?}");
        }
        assert!(!walk.unseen.is_empty());
        assert!(walk.clip.seen.iter().all(|object| !walk.unseen.contains(&object.class)));
    }

    #[test]
    fn a_frozen_video_knows_no_motion_and_a_dark_one_nothing() {
        let still = examined(Take::Still);
        assert!(still.clip.frames.iter().all(|frame| *frame == still.clip.frames[0]));
        assert!(still.questions.iter().all(|question| !is_motion(question.kind)));
        let dark = examined(Take::Dark);
        assert!(dark.clip.frames.iter().flatten().all(|level| *level == 0));
        assert!(!dark.questions.is_empty() && dark.questions.iter().all(|q| q.answer == Answer::NotSeen));
        assert!(dark.clip.map.objects.is_empty() && dark.clip.seen.is_empty());
    }
}
