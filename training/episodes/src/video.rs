//! Frames of an episode as a video.

use std::path::Path;

use capture::Mp4Writer;

use crate::episode::Frame;
use crate::{Error, Result};

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Video {
    pub width: u32,
    pub height: u32,
    /// As FFmpeg names it.
    pub codec: &'static str,
}

/// Writes frames, all of one size, as mp4; `None` without frames.
pub(crate) fn write(path: &Path, frames: &[&Frame], rate_hz: f64) -> Result<Option<Video>> {
    let mut open: Option<Mp4Writer> = None;
    for frame in frames {
        let picture = frame.picture.decode()?;
        let (width, height) = picture.dimensions();
        let mut writer = match open.take() {
            Some(writer) => writer,
            None => Mp4Writer::create(path, rate_hz, width, height).map_err(Error::capture(path))?,
        };
        writer.write(width, height, picture.as_raw()).map_err(Error::capture(path))?;
        open = Some(writer);
    }
    let Some(writer) = open else { return Ok(None) };
    let ((width, height), codec) = (writer.size(), writer.codec());
    writer.finish().map_err(Error::capture(path))?;
    Ok(Some(Video { width, height, codec }))
}
