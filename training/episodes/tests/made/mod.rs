//! Clips and bags that tests read.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use episodes::Episode;
use episodes::clips::clip_episode;
use episodes::episode::PictureFormat;
use model_dir::Prompts;
use sim::clip::{Clip, ClipSettings};
use sim::world::RoomSplit;
use sim_recording::{ClipRecording, START_NANOS};

/// A seed whose clip has questions of each kind, about what is there and what is not.
pub const SEED: u64 = 7;

pub fn nano() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo/spacer-nano")
}

pub fn prompts() -> Prompts {
    Prompts::read(&nano().join("prompts.toml")).expect("the committed prompts")
}

pub fn clip_recording() -> ClipRecording {
    let clip = ClipSettings { frames: 5, width: 160, height: 120, ..ClipSettings::default() };
    ClipRecording { seed: SEED, split: RoomSplit::Train, clip, depth: true }
}

/// Records the clip of [`SEED`].
pub fn record(folder: &Path) -> Clip {
    sim_recording::record(folder, &clip_recording(), &prompts()).expect("a new bag")
}

pub fn episode_of(clip: &Clip) -> Episode {
    clip_episode("sim", clip, &prompts(), START_NANOS, PictureFormat::Png).expect("a clip with questions")
}

pub fn clip() -> Clip {
    let ClipRecording { seed, split, clip, .. } = clip_recording();
    let catalogue = sim::catalogue::Catalogue::bundled().expect("furniture");
    Clip::generate(seed, split, catalogue, &clip, &mut sim::raster::Renderer::new())
}
