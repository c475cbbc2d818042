//! Which of several topics of pictures is *the* camera's, by a stated rule.
//!
//! 1. What can be read: raw pictures, JPEG and PNG; no depth (told by encoding, not by name), no video packets, none of
//!    `image_transport`'s other copies. Of a picture and its copies (`NAME/compressed`, `NAME/zstd`, …) the raw one.
//! 2. Colour before grey: a D435's infrared pair is none where it has a colour camera.
//! 3. What a camera took before what programs made of it (`debug`, `overlay`, `colormap`, …) or made smaller
//!    (`preview`, `throttled`, …).
//! 4. The left camera of a stereo pair, which calibration tells (`P[3]` of the right one is not 0).
//! 5. Of one camera's `image_raw`, `image_color`, `image`, `image_rect_color`, `image_rect`, `image_mono` the first,
//!    and its `rgb` or `color` before `left`, which a stereo camera sends as both.
//!
//! Each step leaves topics out only where others remain. Where several remain they are several cameras, and nobody but
//! the user knows which is meant.

use crate::channel::TopicInfo;
use crate::look::{Content, Look, Looks, has_word};
use crate::messages::{CameraInfo, CompressedImage, Image};

/// What `image_transport`'s plugins put behind the name of the raw topic.
const TRANSPORTS: [&str; 8] =
    ["compressed", "zstd", "theora", "compressedDepth", "ffmpeg", "avif", "draco", "foxglove"];
/// Words in names of pictures that programs make.
const MADE: [&str; 19] = [
    "debug",
    "dbg",
    "annotated",
    "overlay",
    "detection",
    "detections",
    "visualization",
    "viz",
    "segmentation",
    "mask",
    "heatmap",
    "colormap",
    "colorized",
    "preview",
    "thumbnail",
    "resized",
    "throttle",
    "throttled",
    "depth",
];
/// Words in names of pictures that no visible light made.
const INFRARED: [&str; 4] = ["infra", "infrared", "ir", "thermal"];
/// What the pictures of one camera are called, the one to take first.
const STAGES: [&str; 8] = [
    "image_raw",
    "image_raw_color",
    "image_color",
    "image",
    "image_rect_color",
    "image_rect_raw",
    "image_rect",
    "image_mono",
];
/// What the lens of a camera that is meant is called, the one to take first.
const LENSES: [&str; 3] = ["rgb", "color", "left"];

/// The pictures of one camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place<'a> {
    camera: &'a str,
    /// Lens and stage: the least is taken.
    rank: (usize, usize),
}

impl<'a> Place<'a> {
    /// A name that is none of the usual is a camera of its own.
    fn of(topic: &'a str) -> Self {
        let raw = base_name(topic);
        let alone = Self { camera: raw, rank: (0, 0) };
        let Some((camera, leaf)) = raw.rsplit_once('/') else { return alone };
        let Some(stage) = STAGES.iter().position(|stage| *stage == leaf) else { return alone };
        let of_lens = camera.rsplit_once('/').and_then(|(device, lens)| {
            let lens = LENSES.iter().position(|known| *known == lens.strip_suffix("_raw").unwrap_or(lens))?;
            (!device.is_empty()).then_some(Self { camera: device, rank: (lens, stage) })
        });
        of_lens.unwrap_or(Self { camera, rank: (0, stage) })
    }
}

/// The topics of which each may be the camera, by the rule: one, where it decides.
pub(crate) fn candidates<'a>(topics: &'a [TopicInfo], looks: &Looks) -> Vec<&'a TopicInfo> {
    let mut left: Vec<&TopicInfo> = topics.iter().filter(|topic| is_picture(topic, looks)).collect();
    let raw: Vec<&str> =
        left.iter().filter(|topic| topic.is::<Image<'_>>()).map(|topic| base_name(&topic.name)).collect();
    left.retain(|topic| topic.is::<Image<'_>>() || !raw.contains(&base_name(&topic.name)));
    prefer(&mut left, |topic| is_colour(topic, looks) && !has_word(&topic.name, &INFRARED));
    prefer(&mut left, |topic| !has_word(&topic.name, &MADE));
    prefer(&mut left, |topic| !is_right_of_pair(topic, topics, looks));
    let places: Vec<Place<'_>> = left.iter().map(|topic| Place::of(&topic.name)).collect();
    left.retain(|topic| {
        let own = Place::of(&topic.name);
        places.iter().all(|other| other.camera != own.camera || own.rank <= other.rank)
    });
    left
}

/// Whether a topic has pictures that are read here and are no depth. One that could not be looked at may.
pub(crate) fn is_picture(topic: &TopicInfo, looks: &Looks) -> bool {
    let is_of_type = topic.is::<Image<'_>>() || topic.is::<CompressedImage<'_>>();
    let is_seen = |content: &Content| matches!(content, Content::Colour | Content::Grey);
    let shows = match looks.get(&topic.name) {
        Some(Look::Picture { content, .. }) => is_seen(content),
        _ => true,
    };
    topic.message_count > 0 && is_of_type && shows
}

fn is_colour(topic: &TopicInfo, looks: &Looks) -> bool {
    !matches!(looks.get(&topic.name), Some(Look::Picture { content: Content::Grey, .. }))
}

/// Leaves the topics that fit, where there are such.
fn prefer<'a>(topics: &mut Vec<&'a TopicInfo>, fits: impl Fn(&TopicInfo) -> bool) {
    let fitting: Vec<&'a TopicInfo> = topics.iter().copied().filter(|topic| fits(topic)).collect();
    if !fitting.is_empty() {
        *topics = fitting;
    }
}

fn is_right_of_pair(topic: &TopicInfo, topics: &[TopicInfo], looks: &Looks) -> bool {
    let calibration = camera_info(topics, &topic.name).and_then(|info| looks.get(&info.name));
    matches!(calibration, Some(Look::Calibration { is_right_of_pair: true }))
}

/// The name of the raw topic that a copy of `image_transport` is of; another name as it is.
pub(crate) fn base_name(topic: &str) -> &str {
    match topic.rsplit_once('/') {
        Some((raw, transport)) if TRANSPORTS.contains(&transport) => raw,
        _ => topic,
    }
}

/// The calibration of an image topic's camera: `camera_info` beside it, as drivers name it.
pub(crate) fn camera_info<'a>(topics: &'a [TopicInfo], image_topic: &str) -> Option<&'a TopicInfo> {
    let camera = base_name(image_topic).rsplit_once('/').map_or("", |(camera, _)| camera);
    let name = format!("{camera}/camera_info");
    topics.iter().find(|topic| topic.name == name && topic.is::<CameraInfo>())
}
