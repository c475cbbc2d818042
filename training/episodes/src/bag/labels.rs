//! From what was asked to a question of the episode, labelled where the recording says what is true.

use grounding::{ParsedQuestion, parse_question};
use imagined_map::base_from_cell;
use msgs::{Cell, ImaginedMap, QuestionKind};
use recording::spacer_messages::{AnswerFeedback, SpatialAnswer};
use recording::{SimTruth, TrueObject};

use super::asked::Asked;
use super::logbook::Logbook;
use super::ranging::Target;
use crate::clips::problem_type;
use crate::completion::NOT_SEEN;
use crate::episode::{Label, LabelSource, ProblemType, Question, Span, number_text};
use crate::options;

/// The question in the episode's form; `None` where no kept frame (ascending stamps) was taken before it.
///
/// It is about the frames that its answer used; without an answer, or with feedback that says when it held, about those
/// of the `window_nanos` before.
pub(super) fn question(asked: &Asked, log: &Logbook, kept: &[i64], window_nanos: i64) -> Option<Question> {
    let span = snapped(span(asked, window_nanos), kept)?;
    let parsed = parse_question(&asked.query.text).ok();
    let truth = log.truth_at(span.until_nanos);
    let options = lettered(&asked.query.options);
    let kind = parsed.as_ref().map_or(QuestionKind::FreeForm, |parsed| parsed.kind);
    let feedback = asked.feedback.as_ref().and_then(|feedback| feedback_label(feedback, &asked.query.options));
    let label = feedback.or_else(|| true_label(parsed.as_ref()?, truth?));
    Some(Question {
        text: asked.query.text.clone(),
        problem_type: if options.is_empty() { problem_type(kind) } else { ProblemType::MultipleChoice },
        options,
        kind: kind.name().to_owned(),
        label,
        span: Some(span),
        map: truth.map(|truth| truth.map.clone().into()),
        ..Question::default()
    })
}

fn span(asked: &Asked, window_nanos: i64) -> Span {
    let before = |until_nanos: i64| Span { from_nanos: until_nanos.saturating_sub(window_nanos), until_nanos };
    let held = asked.feedback.as_ref().map(|feedback| feedback.header.stamp.nanos()).filter(|stamp| *stamp != 0);
    match (held, &asked.answer) {
        (Some(stamp), _) => before(stamp),
        (None, Some(answer)) if answer.frames_used > 0 => {
            Span { from_nanos: answer.oldest_stamp.nanos(), until_nanos: answer.newest_stamp.nanos() }
        }
        (None, _) => before(asked.time_nanos),
    }
}

/// The kept frames within a span, as a span; where there is none, the newest before it.
fn snapped(span: Span, kept: &[i64]) -> Option<Span> {
    let after = kept.partition_point(|stamp| *stamp <= span.until_nanos);
    let until_nanos = *kept.get(after.checked_sub(1)?)?;
    let first = kept.partition_point(|stamp| *stamp < span.from_nanos);
    let from_nanos = kept.get(first).copied().filter(|stamp| *stamp <= until_nanos).unwrap_or(until_nanos);
    Some(Span { from_nanos, until_nanos })
}

/// Options with letters, as SpaceR's, whatever letters they have.
fn lettered(options: &[String]) -> Vec<String> {
    let texts = options::texts(options).unwrap_or_else(|_| options.to_vec());
    ('A'..='Z').zip(texts).map(|(letter, text)| format!("{letter}. {text}")).collect()
}

fn feedback_label(feedback: &AnswerFeedback, options: &[String]) -> Option<Label> {
    let text = feedback.text.trim();
    let chosen = options.iter().position(|option| option.trim().eq_ignore_ascii_case(text));
    let text = match chosen.and_then(|index| ('A'..='Z').nth(index)) {
        Some(letter) => letter.to_string(),
        // Who sends words only may leave the number at 0, as ROS does.
        None if feedback.value.is_finite() && (feedback.value != 0.0 || text.is_empty()) => number_text(feedback.value),
        None => text.to_owned(),
    };
    (!text.is_empty()).then(|| Label::new(text, LabelSource::Feedback))
}

/// What the simulator says: distances of what is one of its kind and seen, numbers of what is all seen, and absence.
fn true_label(parsed: &ParsedQuestion, truth: &SimTruth) -> Option<Label> {
    let class = parsed.object.as_deref()?;
    let instances: Vec<&TrueObject> = truth.objects.iter().filter(|object| object.category == class).collect();
    let text = match (parsed.kind, instances.as_slice()) {
        (QuestionKind::EgoDistance | QuestionKind::ObjectCounting, []) => NOT_SEEN.to_owned(),
        (QuestionKind::EgoDistance, [only]) if only.seen => number_text(only.distance_m),
        (QuestionKind::ObjectCounting, all) if all.iter().all(|object| object.seen) => number_text(all.len() as f64),
        _ => return None,
    };
    Some(Label::new(text, LabelSource::Simulation))
}

/// Where a distance sensor is to look for the object that a question without a label asks for the distance of: the cell
/// of the answer's map that holds it, where that map has a scale and one such object.
pub(super) fn target(index: usize, question: &Question, answer: &SpatialAnswer) -> Option<Target> {
    let parsed = parse_question(&question.text).ok()?;
    let (map, class) = (&answer.map, parsed.object.as_deref()?);
    let is_open = question.label.is_none() && parsed.kind == QuestionKind::EgoDistance && question.options.is_empty();
    if !is_open || !answer.has_map || !map.has_robot || map.cell_size_m.is_nan() || map.cell_size_m <= 0.0 {
        return None;
    }
    let mut named = map.objects.iter().filter(|object| object.category == class);
    let (object, None) = (named.next()?, named.next()) else { return None };
    let robot = Some(Cell { x: map.robot_x, y: map.robot_y });
    let placed = ImaginedMap { objects: Vec::new(), cell_size_m: Some(map.cell_size_m), robot };
    let (forward, left) = base_from_cell(&placed, Cell { x: object.x, y: object.y })?;
    let half_m = f64::from(map.cell_size_m) / 2.0;
    Some(Target::new(index, answer.newest_stamp.nanos(), [forward, left], half_m))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth() -> SimTruth {
        let object = |category: &str, distance_m, seen| TrueObject {
            category: category.to_owned(),
            distance_m,
            seen,
            ..TrueObject::default()
        };
        let objects = vec![
            object("door", 2.34567, true),
            object("chair", 1.0, true),
            object("chair", 2.0, true),
            object("sofa", 3.0, false),
        ];
        SimTruth { objects, ..SimTruth::default() }
    }

    #[test]
    fn the_simulator_vouches_for_what_was_seen_and_for_what_is_not_there() {
        let label = |text: &str| true_label(&parse_question(text).unwrap(), &truth()).map(|label| label.text);
        assert_eq!(label("how far is the door?").as_deref(), Some("2.346"));
        assert_eq!(label("how many chairs are there?").as_deref(), Some("2"));
        assert_eq!(label("how far is the piano?").as_deref(), Some(NOT_SEEN));
        assert_eq!(label("how many pianos are there?").as_deref(), Some(NOT_SEEN));
        for unclear in ["how far is the chair?", "how far is the sofa?", "how many sofas are there?", "what is this?"] {
            assert_eq!(label(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn feedback_is_a_number_an_option_or_words() {
        let options = ["left".to_owned(), "right".to_owned()];
        let label = |value: f64, text: &str| {
            let feedback = AnswerFeedback { value, text: text.to_owned(), ..AnswerFeedback::default() };
            feedback_label(&feedback, &options).map(|label| label.text)
        };
        assert_eq!(label(2.5, "").as_deref(), Some("2.5"));
        assert_eq!(label(f64::NAN, "Right").as_deref(), Some("B"));
        assert_eq!(label(f64::NAN, "not seen").as_deref(), Some("not seen"));
        assert_eq!(label(0.0, "not seen").as_deref(), Some("not seen"));
        assert_eq!(label(0.0, "").as_deref(), Some("0"));
        assert_eq!(label(f64::NAN, " "), None);
    }

    #[test]
    fn spans_are_those_of_kept_frames() {
        let kept = [10, 20, 30];
        let snap = |from_nanos, until_nanos| snapped(Span { from_nanos, until_nanos }, &kept);
        assert_eq!(snap(12, 35), Some(Span { from_nanos: 20, until_nanos: 30 }));
        assert_eq!(snap(22, 25), Some(Span { from_nanos: 20, until_nanos: 20 }));
        assert_eq!(snap(0, 5), None);
    }
}
