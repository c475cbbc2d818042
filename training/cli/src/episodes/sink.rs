//! The forms that episodes are written in.

use std::path::Path;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use episodes::Episode;
use episodes::folder::FolderWriter;
use episodes::lerobot::LerobotWriter;
use episodes::spacer::SpacerWriter;

/// Form of the result.
#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    /// Our own folder.
    Episodes,
    /// SpaceR's JSON lines with videos.
    Spacer,
    /// LeRobot 3.0.
    Lerobot,
}

/// Where episodes go.
pub enum Sink {
    Folder(FolderWriter),
    Spacer(SpacerWriter),
    Lerobot(Box<LerobotWriter>),
}

impl Sink {
    /// Makes the result's folder. `rate`: frames a second.
    pub fn create(format: Format, rate: f64, out: &Path) -> Result<Self> {
        Ok(match format {
            Format::Episodes => Self::Folder(FolderWriter::create(out)?),
            Format::Spacer => Self::Spacer(SpacerWriter::create(out, rate)?),
            Format::Lerobot => {
                ensure!(rate >= 1.0 && rate.fract() == 0.0, "--rate: LeRobot wants a whole number of Hz, found {rate}");
                Self::Lerobot(Box::new(LerobotWriter::create(out, rate as u32)?))
            }
        })
    }

    /// Adds an episode.
    pub fn write(&mut self, episode: &Episode) -> episodes::Result<()> {
        match self {
            Self::Folder(writer) => writer.write(episode),
            Self::Spacer(writer) => writer.write(episode),
            Self::Lerobot(writer) => writer.write(episode),
        }
    }

    /// Ends the files.
    pub fn finish(self) -> episodes::Result<()> {
        match self {
            Self::Folder(writer) => writer.finish(),
            Self::Spacer(writer) => writer.finish(),
            Self::Lerobot(writer) => writer.finish(),
        }
    }
}
