//! Logged episodes: what robots or data sets asked, where somebody vouches for the answer.

use episodes::Episode;
use episodes::completion::NOT_SEEN;
use episodes::episode::{Frame, Question, Span};
use frame_ring::Pose;
use grounding::{Outcome, outcome};
use image::RgbImage;
use msgs::{ImaginedMap, ProblemType, QuestionKind, SpatialQuery, Unit};
use perception::read_query;
use processor::PreprocessorConfig;

use crate::exam::{ABSENT, Exam, Item, Sheet, Truth};
use crate::window::{Size, window};
use crate::{Error, Result};

/// How much earlier than its moment a frame may be, in periods: cameras are not exact.
const EARLY: f64 = 0.05;

/// What the model is shown of an episode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoggedSettings {
    /// Most frames, counted from the newest.
    pub frames: usize,
    /// Most frames per second.
    pub rate_hz: f64,
    /// Most questions, the first ones; all where absent.
    pub questions: Option<usize>,
}

/// The exam of all labelled questions, a sheet for each stretch of frames that is asked about, and why what is left out
/// of it can't be asked: each reason names episode and question.
///
/// # Errors
/// When an episode can't be read, or nothing is left to be asked: then the first reason.
pub fn draw(
    name: &str,
    episodes: impl Iterator<Item = episodes::Result<Episode>>,
    settings: &LoggedSettings,
    preprocessor: &PreprocessorConfig,
) -> Result<(Exam, Vec<String>)> {
    let mut left_out: Vec<Error> = Vec::new();
    let mut exam = Exam { name: name.to_owned(), sheets: Vec::new() };
    let mut left = settings.questions.unwrap_or(usize::MAX);
    for episode in episodes {
        if left == 0 {
            break;
        }
        let episode = episode?;
        for stretch in episode.stretches() {
            let asked: Vec<&Question> = stretch.questions.iter().copied().take(left).collect();
            let Some(first) = asked.first() else { break };
            left -= asked.len();
            let frames = newest(&episode.frames_of(first).collect::<Vec<_>>(), settings);
            let mut items = Vec::with_capacity(asked.len());
            for question in &asked {
                match item(&episode, question) {
                    Ok(item) => items.push(item),
                    Err(error) => left_out.push(error),
                }
            }
            let rate_hz = rate(&frames, settings.rate_hz);
            let (pictures, size) = match decode(&frames) {
                Ok(decoded) => decoded,
                Err(found) => {
                    left_out.push(refusal(&episode, first, "frames", found));
                    continue;
                }
            };
            if items.is_empty() {
                continue;
            }
            exam.sheets.push(Sheet {
                scene: scene(&episode, stretch.span),
                window: window(&pictures, &poses(&frames), size, (exam.sheets.len(), rate_hz), preprocessor)?,
                frame_rate_hz: rate_hz,
                facts: episode.camera,
                map: stretch.map.map(|map| ImaginedMap::from(&map.cells)),
                items,
            });
        }
    }
    if exam.sheets.is_empty() {
        let nothing = || Error::NoQuestions { exam: exam.name.clone() };
        return Err(left_out.into_iter().next().unwrap_or_else(nothing));
    }
    Ok((exam, left_out.iter().map(Error::to_string).collect()))
}

/// Where the camera was at each frame; nothing where one is not known.
fn poses(frames: &[&Frame]) -> Vec<Pose> {
    let pose = |frame: &&Frame| {
        let episodes::episode::Pose { position_m, orientation } = frame.camera?;
        Some(Pose { position_m, orientation })
    };
    frames.iter().map(pose).collect::<Option<_>>().unwrap_or_default()
}

fn scene(episode: &Episode, span: Option<Span>) -> String {
    span.map_or_else(
        || episode.id.clone(),
        |Span { from_nanos, until_nanos }| format!("{} {from_nanos} to {until_nanos}", episode.id),
    )
}

/// The newest frames that are a period apart, oldest first: those that a robot's ring would hold.
fn newest<'a>(frames: &[&'a Frame], settings: &LoggedSettings) -> Vec<&'a Frame> {
    let least_nanos = ((1.0 - EARLY) * 1e9 / settings.rate_hz) as i64;
    let mut kept: Vec<&Frame> = Vec::new();
    for frame in frames.iter().rev() {
        let apart = kept.last().is_none_or(|later| later.stamp_nanos.saturating_sub(frame.stamp_nanos) >= least_nanos);
        if apart && kept.len() < settings.frames {
            kept.push(frame);
        }
    }
    kept.reverse();
    kept
}

/// The rate that frames were in fact kept at, hertz.
fn rate(frames: &[&Frame], asked_hz: f64) -> f64 {
    let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return asked_hz };
    let nanos = last.stamp_nanos.saturating_sub(first.stamp_nanos);
    if nanos > 0 { (frames.len() - 1) as f64 * 1e9 / nanos as f64 } else { asked_hz }
}

/// The pixels of frames of one size; the error says what was found instead.
fn decode(frames: &[&Frame]) -> std::result::Result<(Vec<Vec<u8>>, Size), String> {
    let decoded: Vec<RgbImage> = frames
        .iter()
        .map(|frame| frame.picture.decode())
        .collect::<episodes::Result<_>>()
        .map_err(|error| error.to_string())?;
    let size = decoded.first().map(RgbImage::dimensions).ok_or("none")?;
    if let Some(other) = decoded.iter().map(RgbImage::dimensions).find(|other| *other != size) {
        return Err(format!("sizes {size:?} and {other:?}"));
    }
    Ok((decoded.into_iter().map(RgbImage::into_raw).collect(), (size.0 as usize, size.1 as usize)))
}

/// The question as a robot would be asked it, with its label as truth.
fn item(episode: &Episode, question: &Question) -> Result<Item> {
    let refuse = |what, found: String| refusal(episode, question, what, found);
    let label = question.label.as_ref().map(|label| label.text.as_str()).unwrap_or_default();
    let options = question.option_texts().map_err(|found| refuse("options", found))?;
    let query = SpatialQuery { text: question.text.clone(), options, ..SpatialQuery::default() };
    let read = read_query(&query).map_err(|error| refuse("text", error.to_string()))?;
    let truth = truth(question.problem_type, label, read.kind).map_err(|found| refuse("label", found))?;
    // A question with options is read as a free one, but what it asks for stands in its words.
    let kind = match grounding::parse_question(&query.text) {
        Ok(open) if question.kind.is_empty() && open.kind != QuestionKind::FreeForm => open.kind.name(),
        _ if question.kind.is_empty() => type_name(question.problem_type),
        _ => question.kind.as_str(),
    };
    let group = if truth == Truth::NotSeen { ABSENT } else { kind };
    Ok(Item { group: group.to_owned(), text: query.text, options: query.options, truth })
}

/// What a label says of a problem that the robot reads as of this kind; the error is the label.
fn truth(problem: ProblemType, label: &str, read: QuestionKind) -> std::result::Result<Truth, String> {
    if label == NOT_SEEN {
        return Ok(Truth::NotSeen);
    }
    let mut letters = label.chars();
    match problem {
        ProblemType::MultipleChoice => match (letters.next(), letters.next()) {
            (Some(letter), None) if letter.is_ascii_uppercase() => Ok(Truth::Option(letter)),
            _ => Err(format!("{label:?}, which is no letter")),
        },
        ProblemType::Numerical if read.unit() != Unit::None => match outcome(label, read) {
            Outcome::Number(value) => Ok(Truth::Number(value)),
            Outcome::NotSeen => Ok(Truth::NotSeen),
            _ => Err(format!("{label:?}, which is no number")),
        },
        other => Ok(Truth::Solution(other, label.to_owned())),
    }
}

fn type_name(problem: ProblemType) -> &'static str {
    match problem {
        ProblemType::MultipleChoice => "multiple_choice",
        ProblemType::Numerical => "numerical",
        ProblemType::Regression => "regression",
        ProblemType::Ocr => "ocr",
        ProblemType::FreeForm => "free_form",
    }
}

fn refusal(episode: &Episode, question: &Question, what: &'static str, found: String) -> Error {
    let expected = match what {
        "frames" => "pictures of one size",
        "options" => "texts, or texts behind the letters A, B, … in order",
        "text" => "a question that a robot reads",
        _ => "an answer of the question's type",
    };
    Error::Logged { episode: episode.id.clone(), question: question.id.clone(), what, expected, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_by_the_type_of_the_problem() {
        let of = |problem, label| truth(problem, label, QuestionKind::ObjectCounting);
        assert_eq!(of(ProblemType::MultipleChoice, "C"), Ok(Truth::Option('C')));
        assert_eq!(of(ProblemType::Numerical, "3"), Ok(Truth::Number(3.0)));
        assert_eq!(of(ProblemType::Numerical, NOT_SEEN), Ok(Truth::NotSeen));
        let text = "red".to_owned();
        assert_eq!(of(ProblemType::FreeForm, "red"), Ok(Truth::Solution(ProblemType::FreeForm, text)));
        assert!(of(ProblemType::MultipleChoice, "left").is_err() && of(ProblemType::Numerical, "left").is_err());
    }
}
