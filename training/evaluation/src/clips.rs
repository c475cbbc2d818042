//! Simulated clips of two frames: distances, counts, and what is not there.

use episodes::maker::{FRAME_RATE_HZ, FRAMES_PER_CLIP, camera_facts};
use frame_ring::Pose;
use model_dir::Prompts;
use msgs::QuestionKind;
use processor::PreprocessorConfig;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings};
use sim::questions::{Question, Truth as ClipTruth};
use sim::raster::Renderer;
use sim::world::RoomSplit;

use crate::exam::{ABSENT, Exam, Item, Sheet, Truth};
use crate::quota::Quota;
use crate::window::{Size, ring_pose, window};
use crate::{Error, Result, split_name};

/// Size of the rendered camera frames, pixels.
pub(crate) const CAMERA: Size = (640, 480);
/// Most questions of one group taken from one clip.
const PER_CLIP: usize = 2;

/// How an exam of simulated rooms is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoomSettings {
    /// Which rooms.
    pub split: RoomSplit,
    /// Questions in all, shared equally by the groups.
    pub questions: usize,
    /// Another seed draws another exam.
    pub seed: u64,
}

/// Draws an exam of clips: a third each of distances, of counts of two or more, and of either kind about classes that
/// are not in the room.
///
/// # Errors
/// When furniture or configuration can't be read.
pub fn draw(settings: &RoomSettings, prompts: &Prompts, preprocessor: &PreprocessorConfig) -> Result<Exam> {
    let catalogue = Catalogue::bundled()?;
    let mut random = ChaCha8Rng::seed_from_u64(settings.seed ^ 0x5EED_E7A3);
    let mut renderer = Renderer::new();
    let clip_settings = ClipSettings {
        frames: FRAMES_PER_CLIP,
        width: CAMERA.0,
        height: CAMERA.1,
        rate_hz: FRAME_RATE_HZ,
        supersample: 1,
        ..ClipSettings::default()
    };
    let groups = [QuestionKind::EgoDistance.name(), QuestionKind::ObjectCounting.name(), ABSENT];
    let mut quota = Quota::new(&groups, settings.questions, PER_CLIP);
    let mut sheets = Vec::new();
    while !quota.is_met() {
        let seed = random.next_u64();
        let clip = Clip::generate(seed, settings.split, catalogue, &clip_settings, &mut renderer);
        let items = choose(&clip, &mut quota, prompts, &mut random)?;
        if !items.is_empty() {
            let odometry: Vec<Pose> = clip.odometry.iter().map(ring_pose).collect();
            let window = window(&clip.frames, &odometry, CAMERA, (sheets.len(), FRAME_RATE_HZ), preprocessor)?;
            sheets.push(Sheet {
                scene: format!("clip {seed:016x}"),
                window,
                frame_rate_hz: FRAME_RATE_HZ,
                facts: camera_facts(&clip.camera, clip.poses.last()),
                map: Some(clip.map.clone()),
                items,
            });
        }
    }
    Ok(Exam { name: format!("clips {}", split_name(settings.split)), sheets })
}

fn choose(clip: &Clip, quota: &mut Quota, prompts: &Prompts, random: &mut impl Rng) -> Result<Vec<Item>> {
    let mut questions = clip.questions.clone();
    questions.shuffle(random);
    quota.begin_scene();
    let mut items = Vec::new();
    for question in questions {
        let Some(group) = group(&question).filter(|group| quota.take(group)) else { continue };
        let truth = match question.truth {
            ClipTruth::Number(value) => Truth::Number(value),
            ClipTruth::NotSeen => Truth::NotSeen,
        };
        let text = phrase(&question, prompts, random)?;
        items.push(Item { group: group.to_owned(), text, options: Vec::new(), truth });
    }
    Ok(items)
}

fn group(question: &Question) -> Option<&'static str> {
    match (question.truth, question.kind) {
        (ClipTruth::NotSeen, _) => Some(ABSENT),
        (_, QuestionKind::EgoDistance) => Some(question.kind.name()),
        (_, QuestionKind::ObjectCounting) => question.is_official().then_some(question.kind.name()),
        _ => None,
    }
}

/// Any of the phrasings of the question's kind, which the robot's grounding must read as what was meant.
fn phrase(question: &Question, prompts: &Prompts, random: &mut impl Rng) -> Result<String> {
    let kind = question.kind.name();
    let phrasings = prompts.kinds.get(kind).map(|k| k.phrasings.as_slice()).unwrap_or_default();
    if phrasings.is_empty() {
        return Err(episodes::Error::NoPhrasing { expected: kind }.into());
    }
    let text = grounding::prompt::phrase(&phrasings[random.random_range(0..phrasings.len())], &question.class);
    let read = grounding::parse_question(&text);
    match &read {
        Ok(parsed) if parsed.kind == question.kind && parsed.object.as_ref() == Some(&question.class) => Ok(text),
        other => Err(Error::Phrasing {
            expected: format!("{kind} of {:?}", question.class),
            found: format!("{other:?}"),
            phrasing: text,
        }),
    }
}
