//! What is read ahead changes no answer, through the committed model and the real ONNX Runtime.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use frame_ring::{Frame, Window};
use geometry::CameraFacts;
use perception::{Answerer, Completion, Request, Settings, View, VlmAnswerer};

const FACTS: CameraFacts = CameraFacts { horizontal_fov_deg: Some(70.0), height_m: Some(0.8), pitch_deg: Some(-12.0) };

fn answerer() -> VlmAnswerer {
    let nano = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo/spacer-nano");
    VlmAnswerer::load(&Settings::new(nano)).expect("the committed model")
}

/// Frames `numbers` of an endless pattern that moves.
fn window(numbers: std::ops::Range<usize>) -> Window {
    let (width, height) = (112, 84);
    let pixel =
        |i: usize, shift: usize| [(i * 3 + shift) as u8, (i / width * 2) as u8, ((i + 5 * shift) / 700 * 31) as u8];
    let frame = |number: usize| Frame {
        rgb: (0..width * height).flat_map(|i| pixel(i, number * 9)).collect(),
        stamp_nanos: number as i64 * 500_000_000,
        received_at_nanos: number as i64,
    };
    Window { frames: numbers.map(frame).collect(), width: width as u32, height: height as u32 }
}

fn view(window: &Window) -> View<'_> {
    View { window, frame_rate_hz: 2.0, facts: FACTS }
}

fn ask(answerer: &mut VlmAnswerer, window: &Window, text: &str) -> Completion {
    let question = grounding::parse_question(text).expect("a question");
    let request = Request {
        view: view(window),
        question: &question,
        deadline: Instant::now() + Duration::from_secs(60),
        cancel: Arc::new(AtomicBool::new(false)),
        max_new_tokens: 200,
    };
    answerer.answer(&request, &mut |_| {}).expect("an answer")
}

#[test]
fn hot_answers_are_cold_answers_token_for_token() {
    let mut hot = answerer();
    // The window grows, then slides, as frames arrive; odd ones have a last frame without a partner.
    for numbers in [0..1, 0..2, 0..3, 0..4, 1..5, 2..6] {
        let window = window(numbers.clone());
        hot.get_ready(&view(&window)).expect("frames of one size");
        for text in ["how far is the door?", "how many chairs are there?"] {
            let (warm, cold) = (ask(&mut hot, &window, text), ask(&mut answerer(), &window, text));
            assert_eq!(warm.text, cold.text, "frames {numbers:?}, {text}");
            let ends = |completion: &Completion| completion.token_ends.iter().map(|(end, _)| *end).collect::<Vec<_>>();
            assert_eq!(ends(&warm), ends(&cold));
            assert!(warm.tokens.cached > 0 && warm.tokens.cached < warm.tokens.prompt, "{:?}", warm.tokens);
        }
    }
    assert!(hot.ready_bytes() > 0);
}

#[test]
fn other_facts_of_the_camera_are_read_anew() {
    let mut answerer = answerer();
    let window = window(0..2);
    answerer.get_ready(&View { facts: CameraFacts::default(), ..view(&window) }).expect("frames of one size");
    let told = ask(&mut answerer, &window, "how far is the door?");
    let fresh = ask(&mut self::answerer(), &window, "how far is the door?");
    assert_eq!(told.text, fresh.text);
}
