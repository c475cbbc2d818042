//! What a model was taught to answer, as its `prompts.toml` states it, in words for a person.
//!
//! A model that was taught distances only would give one to whoever asks for anything else, so such questions
//! are not put to it. Failure mode: [`AnswerError::UnknownKind`] for a name that no kind has, which would
//! silently never be answered, and [`AnswerError::NoKinds`] where none is named.

use grounding::{ParsedQuestion, held_class, stretch_secs};
use model_dir::{FREE_FORM, Form, Prompts};
use msgs::QuestionKind;

use crate::AnswerError;

/// Refuses names of kinds that do not exist, and a model without kinds.
pub(crate) fn check(prompts: &Prompts) -> Result<(), AnswerError> {
    if prompts.kinds.is_empty() {
        return Err(AnswerError::NoKinds);
    }
    match prompts.kinds.keys().find(|name| QuestionKind::from_name(name).is_none()) {
        Some(name) => Err(AnswerError::UnknownKind { found: name.clone() }),
        None => Ok(()),
    }
}

/// Why a question is not put to the model, with all that it answers; `None` where it was taught such
/// questions.
pub(crate) fn unsupported(prompts: &Prompts, question: &ParsedQuestion) -> Option<String> {
    let form = if question.options.is_empty() { Form::Open } else { Form::Options };
    let reason = if prompts.answers(question.asked.name(), form) {
        narrower(prompts, question).or_else(|| other_stretch(prompts, question))?
    } else {
        not_taught(prompts, question.asked, form).to_owned()
    };
    Some(format!("{reason} It answers {}.", repertoire(prompts)))
}

/// A name of something narrower than the things that the model was taught; it would take the first that it
/// sees.
fn narrower(prompts: &Prompts, question: &ParsedQuestion) -> Option<String> {
    if prompts.kinds.contains_key(FREE_FORM) {
        return None;
    }
    let mut names = question.object.iter().chain(&question.others);
    let (name, class) = names.find_map(|name| Some((name, held_class(name, &prompts.classes)?)))?;
    Some(format!("This model was taught {class:?}, but not {name:?}, and can't tell one from the other."))
}

/// A time back that the model was not taught about, or none: it would answer about another one.
fn other_stretch(prompts: &Prompts, question: &ParsedQuestion) -> Option<String> {
    let taught = &prompts.kinds.get(question.asked.name())?.stretches_secs;
    let asked = stretch_secs(&question.text);
    if taught.is_empty() || asked.is_some_and(|asked| taught.iter().any(|secs| f64::from(*secs) == asked)) {
        return None;
    }
    let found = asked.map_or_else(|| "none".to_owned(), |secs| format!("{secs} seconds"));
    let taught = taught.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Some(format!(
        "This model was taught such questions about the last {taught} seconds: expected one of these in the question, found {found}."
    ))
}

fn not_taught(prompts: &Prompts, kind: QuestionKind, form: Form) -> &'static str {
    match (form, prompts.answers(kind.name(), Form::Open), prompts.answers(kind.name(), Form::Options)) {
        (Form::Options, true, _) => "This model was taught such questions without options only.",
        (Form::Open, _, true) => "This model was taught such questions with options only.",
        _ => "This model was not taught such questions.",
    }
}

/// The kinds that a model answers, each with an example: `distances ("how far is the door?"), counts ("…")`.
/// Those that may have options are told apart.
pub fn repertoire(prompts: &Prompts) -> String {
    let open = kinds_in(prompts, [true, false]);
    let both = kinds_in(prompts, [true, true]);
    let options = kinds_in(prompts, [false, true]);
    if both.is_empty() && options.is_empty() {
        return if open.is_empty() { "nothing".to_owned() } else { open };
    }
    let groups = [("without options", open), ("with and without options", both), ("with options", options)];
    let told = groups.into_iter().filter(|(_, kinds)| !kinds.is_empty());
    told.map(|(title, kinds)| format!("{title} {kinds}")).collect::<Vec<_>>().join("; ")
}

/// The kinds that are answered without options or not, with options or not, as `forms` says.
fn kinds_in(prompts: &Prompts, forms: [bool; 2]) -> String {
    let is_answered = |kind: &QuestionKind| {
        let name = kind.name();
        let answered = [Form::Open, Form::Options].map(|form| prompts.answers(name, form));
        prompts.kinds.contains_key(name) && answered == forms
    };
    let kinds = QuestionKind::ALL.into_iter().filter(is_answered);
    kinds.map(|kind| format!("{} ({:?})", kind.title(), kind.example())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use grounding::{parse_question, with_options};

    use super::*;

    fn prompts(model: &str) -> Prompts {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo").join(model).join("prompts.toml");
        Prompts::read(&path).expect("the committed wording")
    }

    fn refusal(model: &str, text: &str, options: &[&str]) -> Option<String> {
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let prompts = prompts(model);
        check(&prompts).expect("names of kinds");
        unsupported(&prompts, &with_options(&parse_question(text).expect("a question"), &options))
    }

    #[test]
    fn nano_is_asked_for_distances_and_counts_and_for_nothing_else() {
        let repertoire = "It answers distances (\"how far is the door?\"), counts (\"how many chairs are there?\").";
        for text in ["how far is the door?", "How many couches do you see?", "how far am I from the fire hydrant?"] {
            assert_eq!(refusal("spacer-nano", text, &[]), None, "{text}");
        }
        for text in
            ["how far is the door from the window?", "is the door open?", "what do you see?", "where is the door?"]
        {
            let told = refusal("spacer-nano", text, &[]).expect(text);
            assert_eq!(told, format!("This model was not taught such questions. {repertoire}"), "{text}");
        }
        for text in ["how far is the red chair?", "how far is the second door?", "how many coffee tables are there?"] {
            let told = refusal("spacer-nano", text, &[]).expect(text);
            assert!(told.contains("was taught \"") && told.ends_with(repertoire), "{told}");
        }
        let told = refusal("spacer-nano", "how far is the door?", &["1 m", "2 m"]).expect("a choice");
        assert_eq!(told, format!("This model was taught such questions without options only. {repertoire}"));
    }

    #[test]
    fn nano_v1_chooses_where_it_was_taught_to() {
        let every = QuestionKind::ALL.into_iter().filter(|kind| *kind != QuestionKind::FreeForm);
        for kind in every {
            assert_eq!(refusal("spacer-nano-v1", kind.example(), &[]), None, "{}", kind.name());
            let choice = refusal("spacer-nano-v1", kind.example(), &["left", "right"]);
            let has_words = kind.unit() == msgs::Unit::None;
            assert_eq!(choice.is_none(), has_words, "{}", kind.name());
        }
        for text in
            ["is the door open?", "how far is the red chair from the door?", "which way and how far did I move?"]
        {
            let told = refusal("spacer-nano-v1", text, &[]).expect(text);
            assert!(
                told.contains("directions (\"where is the door?\")") && told.contains("with and without"),
                "{told}"
            );
        }
        assert!(refusal("spacer-nano-v1", "what is on the table?", &["a cup", "nothing"]).is_some());
    }

    #[test]
    fn nano_v1_is_asked_about_the_stretches_that_it_was_taught() {
        for text in ["How far did I move in the last 15 seconds?", "how much did I turn in the last 5 s?"] {
            assert_eq!(refusal("spacer-nano-v1", text, &[]), None, "{text}");
        }
        for (text, found) in [
            ("How far did I move?", "found none"),
            ("how far did I move in the last ten seconds?", "found none"),
            ("how much did I turn in the last 4 seconds?", "found 4 seconds"),
            ("which way did I move in the last 2 minutes?", "found 120 seconds"),
        ] {
            let told = refusal("spacer-nano-v1", text, &[]).expect(text);
            assert!(told.contains("the last 3, 5, 8, 10, 15 seconds") && told.contains(found), "{told}");
        }
    }

    #[test]
    fn a_model_that_answers_freely_is_asked_everything() {
        for text in ["is the door open?", "how far is the red chair?", "how far is the door from the window?"] {
            assert_eq!(refusal("spacer-7b", text, &[]), None, "{text}");
            assert_eq!(refusal("spacer-7b", text, &["yes", "no"]), None, "{text}");
        }
        assert!(repertoire(&prompts("spacer-7b")).contains("anything else (\"what do you see?\")"));
    }

    #[test]
    fn misspelt_kinds_are_refused_and_forms_are_told_apart() {
        let mut prompts = prompts("spacer-nano");
        let counting = prompts.kinds.get_mut("object_counting").expect("a kind");
        counting.forms = vec![Form::Options];
        assert_eq!(
            repertoire(&prompts),
            "without options distances (\"how far is the door?\"); with options counts (\"how many chairs are there?\")"
        );
        let asked = parse_question("how many chairs are there?").expect("a question");
        let told = unsupported(&prompts, &asked).expect("no options");
        assert!(told.starts_with("This model was taught such questions with options only."), "{told}");
        prompts.kinds.insert("ego_distanse".to_owned(), prompts.kinds["ego_distance"].clone());
        assert!(check(&prompts).expect_err("a misspelt kind").to_string().contains("ego_distanse"));
        prompts.kinds.clear();
        let told = check(&prompts).expect_err("no kinds").to_string();
        assert!(told.contains("prompts.toml") && told.contains("[kinds.free_form]"), "{told}");
        assert_eq!(repertoire(&prompts), "nothing");
    }
}
