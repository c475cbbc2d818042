//! Logged episodes: what robots or data sets asked, where somebody vouches for the answer.

use episodes::Episode;
use episodes::completion::NOT_SEEN;
use episodes::episode::{CognitiveMap, Frame, Question, Span};
use grounding::{Outcome, outcome};
use image::RgbImage;
use msgs::{Cell, ImaginedMap, MapObject, ProblemType, QuestionKind, SpatialQuery, Unit};
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

/// The exam of all labelled questions, a sheet for each stretch of frames that is asked about.
///
/// # Errors
/// When an episode can't be read, a picture can't be decoded, or a question has no frames or no readable form: the
/// error names episode and question. When no question has a label.
pub fn draw(
    name: &str,
    episodes: impl Iterator<Item = episodes::Result<Episode>>,
    settings: &LoggedSettings,
    preprocessor: &PreprocessorConfig,
) -> Result<Exam> {
    let mut exam = Exam { name: name.to_owned(), sheets: Vec::new() };
    let mut left = settings.questions.unwrap_or(usize::MAX);
    for episode in episodes {
        if left == 0 {
            break;
        }
        let episode = episode?;
        for (span, map, questions) in by_frames(&episode) {
            let asked: Vec<&Question> = questions.into_iter().take(left).collect();
            let Some(first) = asked.first() else { break };
            left -= asked.len();
            let frames = newest(&episode.frames_of(first).collect::<Vec<_>>(), settings);
            let items = asked.iter().map(|question| item(&episode, question)).collect::<Result<_>>()?;
            let rate_hz = rate(&frames, settings.rate_hz);
            let (pictures, size) = decode(&frames).map_err(|found| refusal(&episode, first, "frames", found))?;
            exam.sheets.push(Sheet {
                scene: scene(&episode, span),
                window: window(&pictures, size, (exam.sheets.len(), rate_hz), preprocessor)?,
                frame_rate_hz: rate_hz,
                facts: episode.camera,
                map: map.map(imagined),
                items,
            });
        }
    }
    if exam.sheets.is_empty() {
        return Err(Error::NoQuestions { exam: exam.name });
    }
    Ok(exam)
}

/// A stretch of frames with its map and what is asked about it.
type Stretch<'a> = (Option<Span>, Option<&'a CognitiveMap>, Vec<&'a Question>);

fn by_frames(episode: &Episode) -> Vec<Stretch<'_>> {
    let mut stretches: Vec<Stretch<'_>> = Vec::new();
    for question in episode.questions.iter().filter(|question| question.label.is_some()) {
        let map = episode.map_of(question);
        match stretches.iter_mut().find(|(span, other, _)| *span == question.span && *other == map) {
            Some((.., questions)) => questions.push(question),
            None => stretches.push((question.span, map, vec![question])),
        }
    }
    stretches
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
    let options = texts(&question.options).map_err(|found| refuse("options", found))?;
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

/// Options without the letters that a query's reader puts before them.
fn texts(options: &[String]) -> std::result::Result<Vec<String>, String> {
    let text = |(letter, option): (char, &String)| {
        let mut chars = option.chars();
        match (chars.next(), chars.next()) {
            (Some(own), Some('.')) if own == letter => Ok(chars.as_str().trim().to_owned()),
            (Some(other), Some('.')) if other.is_ascii_uppercase() => Err(format!("{option:?} at place {letter}")),
            _ => Ok(option.clone()),
        }
    };
    ('A'..='Z').zip(options).map(text).collect()
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

fn imagined(map: &CognitiveMap) -> ImaginedMap {
    let cells = &map.cells;
    let cell = |[x, y]: [u8; 2]| Cell { x, y };
    let objects = cells.objects.iter().flat_map(|(category, places)| {
        places.iter().map(move |place| MapObject { category: category.clone(), cell: cell(*place) })
    });
    ImaginedMap {
        objects: objects.collect(),
        cell_size_m: cells.cell_size_m.map(|size| size as f32),
        robot: cells.robot.map(cell),
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
    fn letters_are_taken_off_options_in_order_only() {
        let owned = |texts: [&str; 2]| texts.map(str::to_owned);
        assert_eq!(texts(&owned(["A. left", "B. right"])).unwrap(), ["left", "right"]);
        assert_eq!(texts(&owned(["left", "right"])).unwrap(), ["left", "right"]);
        assert!(texts(&owned(["B. left", "A. right"])).unwrap_err().contains("B. left"));
    }

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
