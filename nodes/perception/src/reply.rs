//! From a completion to the answer that goes out.

use frame_ring::Window;
use grounding::{Outcome, ParsedAnswer, ParsedQuestion, parse_completion, told};
use msgs::{Interval, QuestionKind, SpatialAnswer, Status};

use crate::answerer::Completion;
use crate::queue::Job;

/// An answer without a value.
pub(crate) fn refusal(query_id: &str, status: Status, text: impl Into<String>) -> SpatialAnswer {
    SpatialAnswer { query_id: query_id.to_owned(), status, text: text.into(), ..SpatialAnswer::default() }
}

/// Fills an answer from a completion; timing is the caller's.
pub(crate) fn reply(
    job: &Job,
    completion: &Completion,
    window: &Window,
    interval: impl Fn(QuestionKind, f64) -> Option<Interval>,
) -> SpatialAnswer {
    let question = &job.question;
    let parsed = parse_completion(&completion.text, question.kind);
    let mut answer = refusal(&job.query_id, Status::Answered, "");
    answer.kind = Some(question.kind);
    answer.confidence = confidence(completion);
    answer.tokens = completion.tokens;
    answer.map = parsed.map_text.as_deref().and_then(imagined_map::parse);
    answer.frames_used = window.frames.len() as u32;
    answer.oldest_stamp_nanos = window.frames.first().map_or(0, |frame| frame.stamp_nanos);
    answer.newest_stamp_nanos = window.frames.last().map_or(0, |frame| frame.stamp_nanos);
    match told(&parsed, question) {
        Outcome::Number(value) => {
            answer.value = Some(value);
            answer.unit = Some(question.kind.unit());
            answer.interval = interval(question.kind, value);
        }
        Outcome::NotSeen => answer.status = Status::NotSeen,
        Outcome::Option(letter) => answer.option = Some(letter),
        Outcome::Text => {}
        Outcome::Unreadable => answer.status = Status::ModelError,
    }
    answer.text = sentence(question, &parsed, &answer);
    answer.thinking = parsed.thinking;
    answer
}

/// One plain sentence.
fn sentence(question: &ParsedQuestion, parsed: &ParsedAnswer, answer: &SpatialAnswer) -> String {
    let object = question.object.as_deref().unwrap_or("object");
    match (answer.status, answer.value, question.kind) {
        (Status::ModelError, ..) => {
            let found: String = parsed.answer_text.chars().take(80).collect();
            format!(
                "The model gave no readable answer: expected one of kind {}, found {found:?}.",
                question.kind.name()
            )
        }
        (Status::NotSeen, _, QuestionKind::ObjectCounting) => {
            format!("I do not see any {}.", grounding::plural(object))
        }
        (Status::NotSeen, _, QuestionKind::EgoDistance) => format!("I do not see the {object}."),
        (Status::NotSeen, ..) => "I do not see that.".to_owned(),
        (_, Some(value), QuestionKind::EgoDistance) => {
            let range =
                answer.interval.map_or_else(String::new, |i| format!(" (between {:.1} and {:.1} m)", i.lower, i.upper));
            format!("The {object} is {value:.1} m away{range}.")
        }
        (_, Some(value), kind) if kind != QuestionKind::ObjectCounting => {
            format!("{value:.1} {}.", kind.unit().symbol())
        }
        (_, Some(value), _) => {
            let many = if value == 1.0 { object.to_owned() } else { grounding::plural(object) };
            let range =
                answer.interval.map_or_else(String::new, |i| format!(" (between {:.0} and {:.0})", i.lower, i.upper));
            format!("I see {value} {many}{range}.")
        }
        _ => chosen(question, answer.option).unwrap_or_else(|| parsed.answer_text.clone()),
    }
}

/// `back (C).`
fn chosen(question: &ParsedQuestion, letter: Option<char>) -> Option<String> {
    let (letter, words) = ('A'..='Z').zip(&question.options).find(|(offered, _)| Some(*offered) == letter)?;
    Some(format!("{words} ({letter})."))
}

/// `exp(mean log-probability)` of the tokens inside `<answer>`, of all tokens where there is no such tag.
fn confidence(completion: &Completion) -> f32 {
    let text = completion.text.as_str();
    let start = text.find("<answer>").map_or(0, |at| at + "<answer>".len());
    let end = text[start..].find("</answer>").map_or(text.len(), |at| start + at);
    let inside = completion.token_ends.iter().filter(|(at, _)| (start + 1..=end).contains(at));
    let (mut sum, mut count) = (0.0, 0);
    for (_, logprob) in inside {
        sum += f64::from(*logprob);
        count += 1;
    }
    if count == 0 {
        return 0.0;
    }
    ((sum / f64::from(count)).exp() as f32).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_said_in_words() {
        let asked = grounding::parse_question("Which way did I move?").expect("a question");
        let asked = grounding::with_options(&asked, &["left".to_owned(), "back".to_owned()]);
        assert_eq!(chosen(&asked, Some('B')).as_deref(), Some("back (B)."));
        assert_eq!((chosen(&asked, Some('C')), chosen(&asked, None)), (None, None));
    }

    #[test]
    fn confidence_looks_at_the_answer_only() {
        let text = "<think>x</think><answer>2.4</answer>".to_owned();
        let token_ends = vec![(7, -9.0), (24, -9.0), (25, -0.1), (27, -0.3), (36, -9.0)];
        let completion = Completion { text, token_ends, ..Completion::default() };
        assert!((confidence(&completion) - (-0.2f32).exp()).abs() < 1e-6);
        assert_eq!(confidence(&Completion::default()), 0.0);
    }
}
