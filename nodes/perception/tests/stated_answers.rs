//! A model that states its answer before it draws the map is taken at its word, through committed weights and the real
//! ONNX Runtime.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use frame_ring::{Frame, Window};
use geometry::CameraFacts;
use perception::{Answerer, Completion, Progress, Request, Settings, View, VlmAnswerer};

const FACTS: CameraFacts = CameraFacts { horizontal_fov_deg: Some(70.0), height_m: Some(0.8), pitch_deg: Some(-12.0) };

fn answerer() -> VlmAnswerer {
    let zoo: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo");
    VlmAnswerer::load(&Settings::new(zoo.join("spacer-nano-v1"))).expect("the committed model")
}

/// Four seconds of a pattern that slides by.
fn window() -> Window {
    let (width, height) = (112, 84);
    let shade = |pixel: usize, time: usize| if (pixel % width + 9 * time) % 40 < 12 { 210 } else { 90 };
    let frame = |time: usize| Frame {
        rgb: (0..width * height).flat_map(|pixel| [shade(pixel, time), 120, (pixel / width) as u8]).collect(),
        stamp_nanos: time as i64 * 1_000_000_000,
        received_at_nanos: time as i64,
        pose: None,
    };
    Window { frames: (0..4).map(frame).collect(), width: width as u32, height: height as u32 }
}

/// The completion, and the text that was told while it was made.
fn ask(answerer: &mut VlmAnswerer, window: &Window, text: &str, options: &[&str]) -> (Completion, String) {
    let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
    let question = grounding::with_options(&grounding::parse_question(text).expect("a question"), &options);
    let request = Request {
        view: View { window, embeds: &[], frame_rate_hz: 1.0, facts: FACTS },
        question: &question,
        deadline: Instant::now() + Duration::from_secs(60),
        cancel: Arc::new(AtomicBool::new(false)),
        max_new_tokens: 600,
    };
    let mut told = String::new();
    let mut tell = |progress: Progress<'_>| {
        if let Progress::Decode(piece) = progress {
            told += piece;
        }
    };
    let completion = answerer.answer(&request, &mut tell).expect("an answer");
    (completion, told)
}

/// What is thought before the map, and what is answered.
fn parts(text: &str) -> (&str, &str) {
    let thought = text.strip_prefix("<think>").and_then(|rest| rest.split('<').next()).expect("a thought");
    let answer = text.strip_suffix("</answer>").and_then(|rest| rest.rsplit_once("<answer>")).expect("an answer");
    (thought, answer.1)
}

fn check_end(completion: &Completion, told: &str) {
    assert_eq!(completion.text, told);
    let &(end, logprob) = completion.token_ends.last().expect("tokens");
    assert_eq!(end + "</answer>".len(), completion.text.len());
    assert!(logprob.is_finite() && logprob <= 0.0, "{logprob}");
}

#[test]
fn a_number_is_the_stated_one() {
    let (mut answerer, window) = (answerer(), window());
    for (question, unit) in [
        ("How far did I move in the last 3 seconds?", "m"),
        ("How many degrees did I turn in the last 3 seconds?", "degrees"),
        ("How big is the room, all rooms of a flat taken together?", "m2"),
    ] {
        let (completion, told) = ask(&mut answerer, &window, question, &[]);
        let (thought, answer) = parts(&completion.text);
        let words: Vec<&str> = thought.trim_end_matches('.').split(' ').collect();
        let at = words.iter().rposition(|word| *word == unit).unwrap_or_else(|| panic!("{unit} in {thought:?}"));
        assert_eq!(words[at - 1], answer, "{thought:?}");
        check_end(&completion, &told);
    }
}

#[test]
fn a_letter_is_that_of_the_stated_words() {
    let (mut answerer, window) = (answerer(), window());
    let ways = ["forward", "back", "left", "right"];
    for first in 0..ways.len() {
        let options: Vec<&str> = (0..ways.len()).map(|at| ways[(first + at) % ways.len()]).collect();
        let question = "Which way did I move in the last 3 seconds?";
        let (completion, told) = ask(&mut answerer, &window, question, &options);
        let (thought, answer) = parts(&completion.text);
        let stated = thought.rsplit_once(": ").and_then(|(_, end)| end.split_once(';')).expect("stated words").0;
        let place = options.iter().position(|option| *option == stated).expect("words of an option");
        assert_eq!(answer, ["A", "B", "C", "D"][place], "{thought:?}");
        check_end(&completion, &told);
    }
}

#[test]
fn what_is_not_seen_is_not_answered() {
    let (mut answerer, window) = (answerer(), window());
    let (completion, told) = ask(&mut answerer, &window, "how far is the piano?", &[]);
    let (thought, answer) = parts(&completion.text);
    assert!(thought.starts_with("I do not see") && answer == "not seen", "{thought:?} {answer:?}");
    check_end(&completion, &told);
}
