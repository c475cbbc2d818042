//! Bags as episodes: our own and other people's.
//!
//! A bag needs a topic of images, raw or compressed; all else makes it worth more. What was asked in it becomes
//! questions, with a label where somebody knows what is true: an `AnswerFeedback`, the simulator, or a depth or range
//! sensor at the cell where the answer's map has the object. Odometry makes questions of its own: how far the robot
//! moved, which way it turned. A bag is read twice: for everything but pixels, then for the pictures that are kept.
//! Messages that can't be decoded are left out and named.

mod asked;
mod labels;
mod left_out;
mod logbook;
mod motion;
mod pictures;
mod ranging;
mod topics;
mod track;
mod where_was;

use std::collections::BTreeSet;
use std::path::Path;

use recording::BagReader;

use crate::episode::{Episode, Question};
use crate::sampling::FrameSampling;
use crate::{Error, Result};

pub use left_out::LeftOut;
pub use topics::{Role, TopicNames};

use asked::Asked;
use logbook::Logbook;
use pictures::{Found, Pictures};
use topics::Topics;

/// `data_source` of what was recorded.
pub const BAG: &str = "bag";

/// How a bag is read.
#[derive(Clone, Debug, PartialEq)]
pub struct BagSettings {
    /// Topics that are not to be found by their types.
    pub topics: TopicNames,
    /// The robot's frame in TF, on the ground; a prefix may stand before it.
    pub base_frame: String,
    /// Frames that are kept; those that an answer used are kept besides, whatever [`FrameSampling::most`] says.
    pub sampling: FrameSampling,
    /// How long before a question without an answer its frames begin, and how long stretches of motion are, seconds.
    pub window_secs: f64,
    /// Whether odometry makes questions.
    pub motion: bool,
    /// Whether depth images, scans and range finders label distances that nobody else does, at the cell where the
    /// answer's map has the object. A cell is that of a thing's centre, so they are of another point than the closest
    /// one: by 5 to 10 % as a rule, and by more than 20 % in up to a third of them.
    pub cell_labels: bool,
}

impl Default for BagSettings {
    /// The first topics of their types, `base_link`, two frames a second, 8 s, with motion, without labels of cells.
    fn default() -> Self {
        Self {
            topics: TopicNames::new(),
            base_frame: "base_link".to_owned(),
            sampling: FrameSampling::default(),
            window_secs: 8.0,
            motion: true,
            cell_labels: false,
        }
    }
}

/// A bag, read.
#[derive(Clone, Debug, PartialEq)]
pub struct BagEpisode {
    /// Its content.
    pub episode: Episode,
    /// What could not be read.
    pub left_out: LeftOut,
    /// What was taken where several could have been meant, topics and the robot's frame, in words.
    pub notes: Vec<String>,
}

/// Reads a rosbag2 folder, or a file of one.
///
/// # Errors
/// When it is no bag, a role's topic is absent or not to be told from others, or no image can be read.
pub fn read_bag(path: &Path, settings: &BagSettings) -> Result<BagEpisode> {
    let bag = BagReader::open(path)?.named_by("--topic {role}=NAME");
    let (topics, mut notes) = Topics::find(&bag, settings)?;
    let log = Logbook::read(&bag, &topics, &settings.base_frame);
    notes.extend(log.note.clone());
    let window_nanos = (settings.window_secs * 1e9) as i64;
    let asked = asked::pair(&log);
    let kept = kept_stamps(&log, &asked, &settings.sampling);

    let mut left_out = log.left_out.clone();
    let mut questions = Vec::new();
    let mut targets = Vec::new();
    for asked in &asked {
        let Some(question) = labels::question(asked, &log, &kept, window_nanos) else {
            left_out.push(format!("question {:?}: expected a frame before it, found none", asked.query.text));
            continue;
        };
        let answer = asked.answer.as_ref().filter(|_| settings.cell_labels);
        targets.extend(answer.and_then(|answer| labels::target(questions.len(), &question, answer)));
        questions.push(Question { id: own_id(&questions, &asked.query.query_id), ..question });
    }
    let found = Pictures::new(&topics, settings, &log).read(&bag, &kept, targets);
    let Found { frames, camera, targets, left_out: unread } = found;
    left_out.extend(unread);
    if frames.is_empty() {
        let found = left_out.reasons().first().cloned().unwrap_or_else(|| "none".to_owned());
        return Err(Error::Form { path: path.to_owned(), expected: format!("images on {}", topics.image), found });
    }
    for target in &targets {
        if let Some(question) = questions.get_mut(target.question) {
            question.label = target.label();
        }
    }
    if settings.motion {
        let stamps: Vec<i64> = frames.iter().map(|frame| frame.stamp_nanos).collect();
        questions.extend(motion::questions(&log.track, &stamps, window_nanos));
    }
    let (id, data_source) = (logbook::bag_id(path), BAG.to_owned());
    Ok(BagEpisode { episode: Episode { id, data_source, camera, frames, questions, map: None }, left_out, notes })
}

/// Stamps of the frames that are kept, ascending.
fn kept_stamps(log: &Logbook, asked: &[Asked], sampling: &FrameSampling) -> Vec<i64> {
    let mut thinning = sampling.thinning();
    let thinned: Vec<i64> = log.image_stamps.iter().copied().filter(|stamp| thinning.takes(*stamp)).collect();
    let mut kept: BTreeSet<i64> = sampling.spread(thinned).into_iter().collect();
    let answers = asked.iter().filter_map(|asked| asked.answer.as_ref()).filter(|answer| answer.frames_used > 0);
    let used = answers.flat_map(|answer| [answer.oldest_stamp.nanos(), answer.newest_stamp.nanos()]);
    kept.extend(used.filter(|stamp| log.image_stamps.binary_search(stamp).is_ok()));
    kept.into_iter().collect()
}

/// The asker's id where no question has it yet, else a number.
fn own_id(questions: &[Question], query_id: &str) -> String {
    let is_taken = |id: &str| questions.iter().any(|question| question.id == id);
    if query_id.is_empty() || is_taken(query_id) {
        format!("{query_id}#{}", questions.len())
    } else {
        query_id.to_owned()
    }
}
