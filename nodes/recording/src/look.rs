//! The first message that can be read of each topic that has to be chosen among: names lie, and many robots use the same.

use std::collections::BTreeMap;

use crate::channel::TopicInfo;
use crate::messages::{CameraInfo, CompressedImage, Image, Odometry};
use crate::stream::{BagMessage, Messages};

/// Encodings of depth by REP-118.
const DEPTH_ENCODINGS: [&str; 2] = ["16UC1", "32FC1"];
/// Encodings of other depth, and of labels.
const OTHER_DEPTH_ENCODINGS: [&str; 3] = ["16SC1", "32SC1", "64FC1"];
/// Those of OpenCV's names for kinds of numbers that pictures have.
const PICTURE_TYPES: [&str; 5] = ["8UC1", "8UC3", "8UC4", "16UC3", "16UC4"];
/// Messages of a topic that are tried before nothing is known of it.
const MOST_TRIED: usize = 10;
/// What `image_transport` calls pictures of depth that it compressed.
const COMPRESSED_DEPTH: &str = "compressedDepth";
/// Formats that are parts of a video: one message is no picture.
const VIDEO_FORMATS: [&str; 7] = ["h264", "h265", "hevc", "av1", "vp8", "vp9", "theora"];

/// What a topic of pictures holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Colours, or what may be.
    Colour,
    /// Grey pictures: infrared cameras, stereo pairs, cheap ones.
    Grey,
    /// Distances.
    Depth,
    /// Distances in an encoding that REP-118 does not name, or labels.
    DepthOrLabels,
    /// Pictures in a form that isn't read here: its name.
    Unreadable(String),
}

/// What is known of a topic from its first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Of pictures.
    Picture {
        content: Content,
        frame_id: String,
        /// Width and height, pixels, where the message says.
        size: Option<(u32, u32)>,
    },
    /// Of a camera's calibration: whether it is the right one of a stereo pair (`P[3]` holds the distance to the left).
    Calibration { is_right_of_pair: bool },
    /// Of odometry: frame of the pose, and the frame that it places.
    Odometry { frame_id: String, child_frame_id: String },
}

/// By topic.
pub(crate) type Looks = BTreeMap<String, Look>;

/// Looks at the first message that can be decoded of each topic of pictures, calibrations and odometry. A topic of whose
/// first ten none can is left out. Reads until each was seen.
pub(crate) fn look(topics: &[TopicInfo], messages: Messages) -> Looks {
    // With how many messages may still be tried.
    let mut open: Vec<(&str, usize)> = topics
        .iter()
        .filter(|topic| topic.message_count > 0 && is_looked_at(topic))
        .map(|topic| (&*topic.name, MOST_TRIED))
        .collect();
    let mut looks = Looks::new();
    if open.is_empty() {
        return looks;
    }
    for message in messages {
        let Some((at, topic)) = open.iter_mut().enumerate().find(|(_, (name, _))| *name == message.topic()) else {
            continue;
        };
        topic.1 -= 1;
        let (look, is_given_up) = (of(&message), topic.1 == 0);
        if look.is_some() || is_given_up {
            open.swap_remove(at);
        }
        if let Some(look) = look {
            looks.insert(message.topic().to_owned(), look);
        }
        if open.is_empty() {
            break;
        }
    }
    looks
}

fn is_looked_at(topic: &TopicInfo) -> bool {
    topic.is::<Image<'_>>() || topic.is::<CompressedImage<'_>>() || topic.is::<CameraInfo>() || topic.is::<Odometry>()
}

fn of(message: &BagMessage) -> Option<Look> {
    if message.is::<Image<'_>>() {
        let Image { header, encoding, width, height, .. } = message.decode().ok()?;
        let content = content(&encoding, message.topic());
        return Some(Look::Picture { content, frame_id: header.frame_id, size: Some((width, height)) });
    }
    if message.is::<CompressedImage<'_>>() {
        let CompressedImage { header, format, data } = message.decode().ok()?;
        let content = compressed_content(&format, data, message.topic());
        return Some(Look::Picture { content, frame_id: header.frame_id, size: None });
    }
    if message.is::<CameraInfo>() {
        let info: CameraInfo = message.decode().ok()?;
        return Some(Look::Calibration { is_right_of_pair: info.p[3] != 0.0 });
    }
    let Odometry { header, child_frame_id, .. } = message.decode().ok()?;
    Some(Look::Odometry { frame_id: header.frame_id, child_frame_id })
}

/// What pictures of an encoding show. `mono16` is depth where the topic is called so: some drivers send it that way.
fn content(encoding: &str, topic: &str) -> Content {
    let lower = encoding.to_ascii_lowercase();
    if DEPTH_ENCODINGS.iter().any(|depth| depth.eq_ignore_ascii_case(encoding)) {
        return Content::Depth;
    }
    if OTHER_DEPTH_ENCODINGS.iter().any(|other| other.eq_ignore_ascii_case(encoding)) {
        return Content::DepthOrLabels;
    }
    if is_opencv_type(&lower) && !PICTURE_TYPES.iter().any(|picture| picture.eq_ignore_ascii_case(encoding)) {
        return Content::Unreadable(format!("numbers of the encoding {encoding}"));
    }
    let is_grey = lower.starts_with("mono") || lower == "8uc1";
    if !is_grey {
        return Content::Colour;
    }
    let is_depth = lower == "mono16" && has_word(topic, &["depth", "disparity"]);
    if is_depth { Content::Depth } else { Content::Grey }
}

/// Whether an encoding is OpenCV's name for numbers that may be anything, as `32fc2`: bits, kind and channels.
fn is_opencv_type(lower: &str) -> bool {
    let Some((kind, channels)) = lower.split_once('c') else { return false };
    let is_kind = ["8u", "8s", "16u", "16s", "16f", "32s", "32f", "64f"].contains(&kind);
    is_kind && channels.parse::<u16>().is_ok()
}

/// `format` is for instance `jpeg`, `rgb8; jpeg compressed bgr8`, `16UC1; compressedDepth png`, `16UC1; png compressed
/// `.
fn compressed_content(format: &str, data: &[u8], topic: &str) -> Content {
    let (encoding, rest) = format.split_once(';').unwrap_or(("", format));
    let form = rest.trim().to_ascii_lowercase();
    if format.contains(COMPRESSED_DEPTH) || topic.ends_with(COMPRESSED_DEPTH) {
        return Content::Depth;
    }
    if VIDEO_FORMATS.iter().any(|video| form.starts_with(video)) {
        return Content::Unreadable(format!("packets of {form} video"));
    }
    let is_picture = [&b"\xff\xd8\xff"[..], b"\x89PNG"].iter().any(|magic| data.starts_with(magic));
    let names_one = ["jpeg", "jpg", "png"].iter().any(|picture| form.starts_with(picture));
    if !is_picture && !names_one {
        return Content::Unreadable(format!("pictures in the format {form:?}"));
    }
    match encoding.trim() {
        "" => Content::Colour,
        encoding => content(encoding, topic),
    }
}

/// Whether one of `words` stands in a name by itself, with or without a number behind it: `depth` does in
/// `/camera/depth/image`, `aligned_depth_to_color` and `depth0`, but not in `/depthai/rgb`.
pub(crate) fn has_word(name: &str, words: &[&str]) -> bool {
    name.split(|letter: char| !letter.is_ascii_alphanumeric())
        .any(|part| words.contains(&part.trim_end_matches(|letter: char| letter.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_told_by_encoding_and_words_stand_by_themselves() {
        for (encoding, topic, expected) in [
            ("16UC1", "/oakd/stereo/image_raw", Content::Depth),
            ("32FC1", "/camera", Content::Depth),
            ("mono16", "/camera/depth/image_raw", Content::Depth),
            ("mono16", "/thermal/image_raw", Content::Grey),
            ("mono8", "/camera/infra1/image_rect_raw", Content::Grey),
            ("rgb8", "/depth_camera/image_raw", Content::Colour),
            ("bayer_rggb8", "/camera/image_raw", Content::Colour),
            ("yuv422_yuy2", "/camera/image_raw", Content::Colour),
            ("8UC1", "/camera/image_raw", Content::Grey),
            ("8UC3", "/camera/image_raw", Content::Colour),
            ("16uc4", "/camera/image_raw", Content::Colour),
            ("16SC1", "/camera", Content::DepthOrLabels),
            ("32SC1", "/camera", Content::DepthOrLabels),
            ("64FC1", "/camera", Content::DepthOrLabels),
        ] {
            assert_eq!(content(encoding, topic), expected, "{encoding} on {topic}");
        }
        for encoding in ["32FC2", "8UC2", "8SC1", "16UC2", "32SC3", "32FC3", "64fc4"] {
            let found = content(encoding, "/camera/image_raw");
            assert!(matches!(&found, Content::Unreadable(form) if form.contains(encoding)), "{encoding}: {found:?}");
        }
        let compressed = |format: &str, data: &[u8]| compressed_content(format, data, "/camera/image");
        assert_eq!(compressed("jpeg", b""), Content::Colour);
        assert_eq!(compressed("", b"\xff\xd8\xff\xe0"), Content::Colour);
        assert_eq!(compressed("mono8; jpeg compressed mono8", b""), Content::Grey);
        assert_eq!(compressed("16UC1; compressedDepth png", b""), Content::Depth);
        assert_eq!(compressed("16UC1; png compressed ", b""), Content::Depth);
        assert!(matches!(compressed("zstd", b"\0"), Content::Unreadable(form) if form.contains("zstd")));
        assert!(matches!(compressed("h264", b"\0"), Content::Unreadable(form) if form.contains("video")));
        for (name, expected) in [
            ("/camera/depth/image_raw", true),
            ("/aligned_depth_to_color/image_raw", true),
            ("/depth0/image", true),
            ("/depthai/rgb/image", false),
            ("/indepth/image", false),
        ] {
            assert_eq!(has_word(name, &["depth"]), expected, "{name}");
        }
    }
}
