//! Simulated clips as bags, without ROS: what `sim_node` and `recorder_node` would have recorded together.
//!
//! A bag holds pictures, calibrations, odometry, TF, on wish depth images, and at the newest frame the questions that
//! the clip can answer, with the truth (`sim/truth`). Times are simulated; a seed always gives the same bag.

mod error;
mod messages;
mod topics;

use std::path::Path;

use model_dir::Prompts;
use recording::WriterSettings;
use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings};
use sim::raster::Renderer;
use sim::world::{RoomSplit, World};

pub use error::{Error, Result};
use topics::ClipWriter;

/// Stamp of the first frame: not zero, which ROS reads as "no time".
pub const START_NANOS: i64 = 1_000_000_000_000;

/// Which clip, and what is recorded of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipRecording {
    /// Chooses room, camera and walk.
    pub seed: u64,
    /// Set of rooms.
    pub split: RoomSplit,
    /// Size and number of frames.
    pub clip: ClipSettings,
    /// Whether depth images are recorded too.
    pub depth: bool,
}

/// Renders the clip and records it in the new folder `folder`; questions in the first wording of their kind.
///
/// # Errors
/// When the furniture can't be read, a kind has no wording, or the bag can't be written.
pub fn record(folder: &Path, recording: &ClipRecording, prompts: &Prompts) -> Result<Clip> {
    let ClipRecording { seed, split, clip: settings, depth } = recording;
    let catalogue = Catalogue::bundled()?;
    let clip = Clip::generate(*seed, *split, catalogue, settings, &mut Renderer::new());
    let world = World::generate(*seed, *split, catalogue);
    let mut writer = ClipWriter::create(folder, WriterSettings::default(), *depth)?;
    writer.fixed(START_NANOS)?;
    let began_secs = clip.poses.first().map_or(0.0, |pose| pose.stamp_secs);
    let mut newest_nanos = START_NANOS;
    for (index, pose) in clip.poses.iter().enumerate() {
        newest_nanos = START_NANOS + ((pose.stamp_secs - began_secs) * 1e9).round() as i64;
        let pixels = (clip.frames.get(index), clip.depth.get(index));
        if let (Some(rgb), Some(metres)) = pixels {
            writer.frame(&clip.camera, pose, newest_nanos, (rgb, metres))?;
        }
    }
    writer.truth(&messages::truth(&clip, &world, newest_nanos))?;
    for (number, question) in clip.questions.iter().enumerate() {
        let kind = question.kind.name();
        let phrasing = prompts.kinds.get(kind).and_then(|kind| kind.phrasings.first());
        let phrasing = phrasing.ok_or(Error::NoPhrasing { expected: kind })?;
        writer.query(number, grounding::prompt::phrase(phrasing, &question.class), newest_nanos)?;
    }
    writer.close()?;
    Ok(clip)
}
