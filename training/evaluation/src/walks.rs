//! Simulated walks of sixteen frames: every topic that the simulator can ask about.

use episodes::maker::camera_facts;
use episodes::walks::variety;
pub use episodes::walks::{FRAMES, RATE_HZ as FRAME_RATE_HZ};
use frame_ring::Pose;
use msgs::ImaginedMap;
use processor::PreprocessorConfig;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::camera::Pose as CameraPose;
use sim::catalogue::Catalogue;
use sim::clip::Scene;
pub use sim::questions::ask::Topic;
use sim::questions::ask::{Answer, Video};
use sim::questions::exam::{ExamQuestion, exam_questions};
use sim::questions::film::film;
use sim::questions::walk::world_after;
use sim::raster::{Renderer, Shot};
use sim::truth::{Sightings, seen_objects};
use sim::watch::{Watch, WatchSettings};

use crate::clips::{CAMERA, RoomSettings};
use crate::exam::{Exam, Item, Sheet, Truth};
use crate::quota::Quota;
use crate::window::{ring_pose, window};
use crate::{Result, split_name};

/// Most questions of one topic taken from one walk.
const PER_WALK: usize = 2;
/// Walks that are looked at for each question of a topic; what is rarer remains short of questions.
const WALKS_PER_QUESTION: usize = 40;

/// The watch whose frames are the model's.
pub fn watch_settings() -> WatchSettings {
    let walk_secs = (FRAMES - 1) as f64 / FRAME_RATE_HZ;
    WatchSettings { rate_hz: FRAME_RATE_HZ, walk_secs, variety: variety(), ..WatchSettings::default() }
}

/// Draws an exam of walks with equally many questions of each of `topics`. The frames of a question about a removed
/// object, of a black and of a frozen video are a sheet of their own.
///
/// # Errors
/// When furniture, wording or configuration can't be read.
pub fn draw(settings: &RoomSettings, topics: &[Topic], preprocessor: &PreprocessorConfig) -> Result<Exam> {
    let mut random = ChaCha8Rng::seed_from_u64(settings.seed ^ 0x5EED_3A1C);
    let groups: Vec<&str> = topics.iter().map(|topic| topic.name()).collect();
    let mut quota = Quota::new(&groups, settings.questions, PER_WALK);
    let most = WALKS_PER_QUESTION * settings.questions.div_ceil(topics.len().max(1));
    let mut renderer = Renderer::new();
    let mut sheets = Vec::new();
    for _ in 0..most {
        if quota.is_met() {
            break;
        }
        let walk = Walk::take(random.next_u64(), settings, &mut renderer)?;
        quota.begin_scene();
        for (question, items) in walk.choose(&mut quota) {
            let frames = walk.film(question, &mut renderer);
            let odometry = walk.odometry(&question.video);
            let window = window(&frames, &odometry, CAMERA, (sheets.len(), FRAME_RATE_HZ), preprocessor)?;
            sheets.push(walk.sheet(&question.video, window, items));
        }
    }
    Ok(Exam { name: format!("walks {}", split_name(settings.split)), sheets })
}

/// One scene, walked through.
struct Walk<'a> {
    settings: &'a RoomSettings,
    seed: u64,
    scene: Scene,
    watch: Watch,
    map: ImaginedMap,
    questions: Vec<ExamQuestion>,
}

impl<'a> Walk<'a> {
    fn take(seed: u64, settings: &'a RoomSettings, renderer: &mut Renderer) -> Result<Self> {
        let watching = watch_settings();
        let scene = watching.scene(seed, settings.split, Catalogue::bundled()?);
        let mut sightings = Sightings::default();
        let watch = Watch::scene(&scene, &watching, renderer, |rendering| sightings.add(rendering));
        let frames = 0..watch.frames.len();
        let world = world_after(&scene, &watch, &frames);
        let mut questions = exam_questions(&world, &watch, frames, &mut settings.split.rng(seed, "exam"))?.questions;
        questions.shuffle(&mut settings.split.rng(seed, "exam order"));
        let map = watch.frames.last().map(|newest| seen_objects(&world, &sightings, &newest.pose).1);
        drop(world);
        Ok(Self { settings, seed, scene, map: map.unwrap_or_default(), watch, questions })
    }

    /// The questions that the exam still wants, by their pictures: one of each, for its pictures, with all items.
    fn choose(&self, quota: &mut Quota) -> Vec<(&ExamQuestion, Vec<Item>)> {
        let mut chosen: Vec<(&ExamQuestion, Vec<Item>)> = Vec::new();
        for question in &self.questions {
            let Some(item) = item(question).filter(|_| quota.take(question.topic.name())) else { continue };
            match chosen.iter_mut().find(|(like, _)| like.video == question.video) {
                Some((_, items)) => items.push(item),
                None => chosen.push((question, vec![item])),
            }
        }
        chosen
    }

    fn film(&self, question: &ExamQuestion, renderer: &mut Renderer) -> Vec<Vec<u8>> {
        let poses: Vec<CameraPose> = self.watch.frames.iter().map(|frame| frame.pose).collect();
        let camera = self.scene.camera.resized(CAMERA.0, CAMERA.1);
        let Some(&pose) = poses.last() else { return Vec::new() };
        let mut random = self.settings.split.rng(self.seed, "exam film");
        film(&self.scene, question, &poses, &Shot { camera, pose, supersample: 1 }, (renderer, &mut random))
    }

    /// Where odometry has the camera at each frame. What a frozen video shows was seen from one place.
    fn odometry(&self, video: &Video) -> Vec<Pose> {
        let believed = |frame: usize| {
            let stamp_secs = self.watch.frames.get(frame).map_or(0.0, |frame| frame.pose.stamp_secs);
            ring_pose(&self.scene.believed.pose_at(stamp_secs))
        };
        let shown = |frame: usize| match video {
            Video::Frozen(frozen) => *frozen,
            _ => frame,
        };
        (0..self.watch.frames.len()).map(|frame| believed(shown(frame))).collect()
    }

    fn sheet(&self, video: &Video, window: frame_ring::Window, items: Vec<Item>) -> Sheet {
        let (variant, map) = match video {
            Video::Walk => ("", Some(self.map.clone())),
            Video::Without(_) => (" without", None),
            Video::Black => (" black", None),
            Video::Frozen(_) => (" frozen", None),
        };
        let newest = self.watch.frames.last().map(|frame| frame.pose);
        Sheet {
            scene: format!("walk {:016x}{variant}", self.seed),
            window,
            frame_rate_hz: FRAME_RATE_HZ,
            facts: camera_facts(&self.scene.camera, newest.as_ref()),
            map,
            items,
        }
    }
}

/// `None` for words that are not among the options.
fn item(question: &ExamQuestion) -> Option<Item> {
    let truth = match question.answer {
        Answer::Number(value) => Truth::Number(value),
        Answer::Words(_) => Truth::Option(question.letter()?),
        Answer::NotSeen => Truth::NotSeen,
    };
    let group = question.topic.name().to_owned();
    Some(Item { group, text: question.text.clone(), options: question.options.clone(), truth })
}
