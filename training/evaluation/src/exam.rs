//! A set of questions with truths, drawn from a seed.

use episodes::maker::{FRAME_RATE_HZ, FRAMES_PER_CLIP, camera_facts};
use frame_ring::{FrameRing, RawFrame, RingSettings, Window};
use model_dir::Prompts;
use msgs::QuestionKind;
use processor::PreprocessorConfig;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings};
use sim::questions::{Question, Truth};
use sim::raster::Renderer;
use sim::world::RoomSplit;

use crate::{Error, Result};

/// Size of the rendered camera frames, pixels.
const CAMERA: (usize, usize) = (640, 480);
/// Most questions of one group taken from one clip, so that an exam has many rooms.
const PER_CLIP: usize = 2;

/// Time between the sheets of an exam, nanoseconds.
const SHEET_NANOS: i64 = 60_000_000_000;

/// The groups that an exam has equally many questions of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// How far a present object is.
    EgoDistance,
    /// How many instances of a present class there are, two or more.
    ObjectCounting,
    /// Either kind, about a class that is not in the room.
    Absent,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 3] = [Self::EgoDistance, Self::ObjectCounting, Self::Absent];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::EgoDistance => "ego_distance",
            Self::ObjectCounting => "object_counting",
            Self::Absent => "absent",
        }
    }

    fn of(question: &Question) -> Option<Self> {
        match (question.truth, question.kind) {
            (Truth::NotSeen, _) => Some(Self::Absent),
            (_, QuestionKind::EgoDistance) => Some(Self::EgoDistance),
            (_, QuestionKind::ObjectCounting) => question.is_official().then_some(Self::ObjectCounting),
            _ => None,
        }
    }
}

/// One question as the robot would get it.
#[derive(Clone, Debug)]
pub struct Item {
    /// Which group it counts for.
    pub group: Group,
    /// What is asked, with the truth.
    pub question: Question,
    /// In words.
    pub text: String,
}

/// One clip's worth of an exam.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The ring's frames.
    pub window: Window,
    /// What the robot knows of its camera.
    pub facts: geometry::CameraFacts,
    /// The true map at the newest frame.
    pub map: msgs::ImaginedMap,
    /// The questions about these frames.
    pub items: Vec<Item>,
}

/// How an exam is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExamSettings {
    /// Which rooms.
    pub split: RoomSplit,
    /// Questions in all, shared equally by the groups.
    pub questions: usize,
    /// Another seed draws another exam.
    pub seed: u64,
}

/// Draws an exam.
///
/// # Errors
/// When furniture or configuration can't be read.
pub fn draw(settings: &ExamSettings, prompts: &Prompts, preprocessor: &PreprocessorConfig) -> Result<Vec<Sheet>> {
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
    let mut missing = Group::ALL.map(|_| settings.questions / Group::ALL.len());
    missing[0] += settings.questions % Group::ALL.len();
    let mut sheets = Vec::new();
    while missing.iter().any(|m| *m > 0) {
        let clip = Clip::generate(random.next_u64(), settings.split, catalogue, &clip_settings, &mut renderer);
        let items = choose(&clip, &mut missing, prompts, &mut random)?;
        if !items.is_empty() {
            let window = window(&clip, sheets.len(), preprocessor)?;
            sheets.push(Sheet { window, facts: camera_facts(&clip), map: clip.map.clone(), items });
        }
    }
    Ok(sheets)
}

fn choose(clip: &Clip, missing: &mut [usize; 3], prompts: &Prompts, random: &mut impl Rng) -> Result<Vec<Item>> {
    let mut questions = clip.questions.clone();
    questions.shuffle(random);
    let mut taken = [0; 3];
    let mut items = Vec::new();
    for question in questions {
        let Some(group) = Group::of(&question) else { continue };
        let index = group as usize;
        if missing[index] == 0 || taken[index] == PER_CLIP {
            continue;
        }
        missing[index] -= 1;
        taken[index] += 1;
        let text = phrase(&question, prompts, random)?;
        items.push(Item { group, question, text });
    }
    Ok(items)
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

/// The clip's frames as they leave the robot's ring. No two sheets share a stamp, as no two moments do: the answerer
/// keeps what it has encoded by stamp.
fn window(clip: &Clip, sheet: usize, preprocessor: &PreprocessorConfig) -> Result<Window> {
    let (width, height) = CAMERA;
    let (rows, columns) = preprocessor.video_size(height, width)?;
    let ring = FrameRing::new(RingSettings {
        capacity: clip.frames.len(),
        width: columns as u32,
        height: rows as u32,
        frame_rate_hz: None,
        still: None,
        expected_source: (width as u32, height as u32),
    })?;
    for (index, data) in clip.frames.iter().enumerate() {
        let stamp_nanos = (sheet as i64 + 1) * SHEET_NANOS + (index as f64 / FRAME_RATE_HZ * 1e9) as i64;
        ring.push(&RawFrame {
            encoding: "rgb8",
            width: width as u32,
            height: height as u32,
            step: 3 * width as u32,
            data,
            stamp_nanos,
            received_at_nanos: stamp_nanos,
        })?;
    }
    Ok(ring.window(clip.frames.len()))
}
