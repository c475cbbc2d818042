//! Logged episodes as training data: the stretches of frames that were asked about, with the labelled questions.

use std::path::Path;

use frame_ring::{FrameRing, RawFrame, RingSettings, SlotSize};
use geometry::{CameraFacts, PlanPose};
use image::RgbImage;
use msgs::ImaginedMap;

use crate::episode::{CognitiveMap, Episode, Frame, Picture, Stretch, hash};
use crate::exercise::Exercise;
use crate::folder::EpisodeFolder;
use crate::sampling::FrameSampling;
use crate::walks::{FRAMES, RATE_HZ};
use crate::{Error, Result, Split};

/// Of so many episodes one is held out, chosen by its id.
const HELD_OUT_ONE_OF: u64 = 10;

/// One stretch of frames and what is known about it.
#[derive(Clone, Debug)]
pub struct LoggedLesson {
    /// The episode's id.
    pub episode: String,
    /// At most [`FRAMES`], oldest first.
    pub pictures: Vec<Picture>,
    /// Mean rate of the frames, hertz.
    pub rate_hz: f64,
    /// What is known about the camera.
    pub facts: CameraFacts,
    /// Where it was at each pair of frames, oldest first, where known.
    pub cameras: Option<Vec<PlanPose>>,
    /// The true map, where known.
    pub map: Option<ImaginedMap>,
    /// The categories of a map that has no scale, as SpaceR's: its record's list.
    pub categories: Vec<String>,
    /// The labelled questions.
    pub exercises: Vec<Exercise>,
}

/// The labelled stretches of a folder of episodes. Pictures stay encoded.
#[derive(Clone, Debug, Default)]
pub struct Logged {
    train: Vec<LoggedLesson>,
    held_out: Vec<LoggedLesson>,
    left_out: Vec<String>,
}

impl Logged {
    /// Reads a folder that [`crate::folder::FolderWriter`] wrote. About a tenth of its episodes is held out.
    ///
    /// # Errors
    /// When it is none, an episode can't be read, or no episode has a labelled question.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut logged = Self::default();
        let mut episodes = EpisodeFolder::open(folder)?.episodes()?;
        while let Some(episode) = episodes.next().transpose()? {
            let is_held_out = hash(&episode.id).is_multiple_of(HELD_OUT_ONE_OF);
            let of_split = if is_held_out { &mut logged.held_out } else { &mut logged.train };
            of_split.extend(lessons(&episode, &mut logged.left_out)?);
        }
        logged.left_out.extend(episodes.take_left_out());
        if logged.train.is_empty() {
            let expected = "episodes with labelled questions".to_owned();
            let found = format!("{} in its held-out tenth, none to train on", logged.held_out.len());
            return Err(Error::Form { path: folder.to_owned(), expected, found });
        }
        Ok(logged)
    }

    /// Broken pictures and questions that are not used, each with what is wrong with it.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Lessons of a split; those of every split but the training one are the held-out ones.
    pub fn of(&self, split: Split) -> &[LoggedLesson] {
        if split == Split::Train { &self.train } else { &self.held_out }
    }
}

impl LoggedLesson {
    /// The decoded pictures.
    ///
    /// # Errors
    /// When one is broken, or of another size than the first.
    pub fn decoded(&self) -> Result<Vec<RgbImage>> {
        let pictures = self.pictures.iter().map(Picture::decode).collect::<Result<Vec<_>>>()?;
        let size = pictures.first().map(RgbImage::dimensions).unwrap_or_default();
        match pictures.iter().find(|picture| picture.dimensions() != size) {
            None => Ok(pictures),
            Some(other) => Err(Error::Picture {
                expected: format!("{}x{} as the first of episode {:?}", size.0, size.1, self.episode),
                found: format!("{}x{}", other.width(), other.height()),
            }),
        }
    }
}

/// Pictures as the robot's ring gives them to the model, RGB of `width` × `height`.
///
/// # Errors
/// When no frame can have that size.
pub fn frames(pictures: &[RgbImage], (width, height): (usize, usize)) -> Result<Vec<Vec<u8>>> {
    let mut frames = Vec::with_capacity(pictures.len());
    for picture in pictures {
        let slot_size = SlotSize::fixed((width as u32, height as u32));
        let ring = FrameRing::new(RingSettings { capacity: 1, slot_size, frame_rate_hz: None, still: None })?;
        ring.push(&RawFrame {
            encoding: "rgb8",
            is_bigendian: false,
            width: picture.width(),
            height: picture.height(),
            step: 3 * picture.width(),
            data: picture.as_raw(),
            stamp_nanos: 1,
            received_at_nanos: 1,
        })?;
        frames.extend(ring.window(1).frames.into_iter().map(|frame| frame.rgb));
    }
    Ok(frames)
}

/// An episode's lessons; a stretch of which no frame or no question is left gives none. A question that can't be asked, or
/// whose label doesn't fit it, is left out with the reason.
///
/// # Errors
/// None at present.
pub fn lessons(episode: &Episode, left_out: &mut Vec<String>) -> Result<Vec<LoggedLesson>> {
    let mut lessons = Vec::new();
    for stretch in episode.stretches() {
        lessons.extend(lesson(episode, &stretch, left_out)?);
    }
    Ok(lessons)
}

fn lesson(episode: &Episode, stretch: &Stretch<'_>, left_out: &mut Vec<String>) -> Result<Option<LoggedLesson>> {
    let Some(first) = stretch.questions.first() else { return Ok(None) };
    let sampling = FrameSampling { most: FRAMES, ..FrameSampling::default() };
    let frames: Vec<&Frame> = sampling.spread(episode.frames_of(first).collect());
    let (Some(oldest), Some(newest)) = (frames.first(), frames.last()) else { return Ok(None) };
    let secs = (newest.stamp_nanos - oldest.stamp_nanos) as f64 * 1e-9;
    let rate_hz = if secs > 0.0 { (frames.len() - 1) as f64 / secs } else { RATE_HZ };
    let map = stretch.map.map(|map| ImaginedMap::from(&map.cells));
    let listed = |map: &CognitiveMap| map.object_list.clone();
    let mut exercises = Vec::new();
    for question in &stretch.questions {
        match Exercise::of_episode(question) {
            Ok(exercise) => exercises.extend(exercise),
            Err(error) => left_out.push(format!("episode {:?}: {error}", episode.id)),
        }
    }
    if exercises.is_empty() {
        return Ok(None);
    }
    Ok(Some(LoggedLesson {
        episode: episode.id.clone(),
        rate_hz: (rate_hz * 100.0).round() / 100.0,
        facts: episode.camera,
        cameras: Episode::cameras(&frames),
        categories: map.as_ref().filter(|map| map.cell_size_m.is_none()).and(stretch.map).map_or_else(Vec::new, listed),
        map,
        exercises,
        pictures: frames.into_iter().map(|frame| frame.picture.clone()).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::{PictureFile, PictureFormat};

    fn lesson(sizes: &[(u32, u32)]) -> LoggedLesson {
        let picture = |&(width, height): &(u32, u32)| {
            let rgb = vec![90; 3 * (width * height) as usize];
            Picture::encode(width, height, &rgb, PictureFormat::default()).expect("a picture")
        };
        LoggedLesson {
            episode: "wide".into(),
            pictures: sizes.iter().map(picture).collect(),
            rate_hz: 1.0,
            facts: CameraFacts::default(),
            cameras: None,
            map: None,
            categories: Vec::new(),
            exercises: Vec::new(),
        }
    }

    #[test]
    fn pictures_that_lie_on_the_disk_stay_there() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("1.png");
        let made = Picture::encode(8, 4, &[90; 96], PictureFormat::Png).unwrap();
        std::fs::write(&path, made.bytes().unwrap()).unwrap();
        let read = Picture::read(&path).unwrap();
        assert!(matches!(read.file, PictureFile::Disk(_)) && read == made);
        assert_eq!(read.decode().unwrap().dimensions(), (8, 4));
        std::fs::remove_file(&path).unwrap();
        assert!(read.decode().unwrap_err().to_string().contains("1.png"));
    }

    #[test]
    fn frames_are_of_one_camera() {
        let pictures = lesson(&[(64, 36), (64, 36)]).decoded().unwrap();
        let frames = frames(&pictures, (32, 18)).unwrap();
        assert!(frames.len() == 2 && frames.iter().all(|frame| frame.len() == 3 * 32 * 18));
        let error = lesson(&[(64, 36), (48, 36)]).decoded().unwrap_err().to_string();
        assert_eq!(error, "picture: expected 64x36 as the first of episode \"wide\", found 48x36");
    }
}
