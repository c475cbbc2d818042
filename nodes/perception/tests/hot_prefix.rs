//! What is seen and read ahead changes no answer, through the committed model and the real ONNX Runtime.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use frame_ring::{Frame, FrameRing, RawFrame, RingSettings, SlotSize, Span, Window};
use geometry::CameraFacts;
use msgs::{SpatialAnswer, SpatialQuery};
use perception::{Answerer, Completion, Perception, Ready, Request, Settings, View, VlmAnswerer};
use processor::{Processor, RgbView};
use vlm::{Engine, EngineSettings};

const FACTS: CameraFacts = CameraFacts { horizontal_fov_deg: Some(70.0), height_m: Some(0.8), pitch_deg: Some(-12.0) };
const QUESTIONS: [&str; 2] = ["how far is the door?", "how many chairs are there?"];
const SIZE: (usize, usize) = (112, 84);
const WHOLE: Ready = Ready { serving: true, next: true };

fn nano() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo/spacer-nano")
}

fn answerer() -> VlmAnswerer {
    VlmAnswerer::load(&Settings::new(nano())).expect("the committed model")
}

/// Frame `number` of an endless pattern that moves.
fn frame(number: usize) -> Frame {
    let (width, height) = SIZE;
    let pixel =
        |i: usize, shift: usize| [(i * 3 + shift) as u8, (i / width * 2) as u8, ((i + 5 * shift) / 700 * 31) as u8];
    Frame {
        rgb: (0..width * height).flat_map(|i| pixel(i, number * 9)).collect(),
        stamp_nanos: number as i64 * 500_000_000,
        received_at_nanos: number as i64,
        pose: None,
    }
}

fn window(numbers: Range<usize>) -> Window {
    Window { frames: numbers.map(frame).collect(), width: SIZE.0 as u32, height: SIZE.1 as u32 }
}

fn view(window: &Window) -> View<'_> {
    View { window, embeds: &[], frame_rate_hz: 2.0, facts: FACTS }
}

/// Gets ready slice by slice; how many it took.
fn get_ready(answerer: &mut VlmAnswerer, serving: &Window, next: Option<&Window>) -> usize {
    let next = next.map(view);
    let mut slice = || answerer.get_ready(&view(serving), next.as_ref()).expect("frames of one size");
    (1..99).find(|_| slice() == WHOLE).expect("an end")
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

/// Text, and where each token ends in it.
fn tokens(completion: &Completion) -> (&str, Vec<usize>) {
    (&completion.text, completion.token_ends.iter().map(|(end, _)| *end).collect())
}

/// The answers of `hot` about `numbers` are those of an answerer that has seen nothing before.
fn assert_as_cold(hot: &mut VlmAnswerer, numbers: &Range<usize>) {
    let window = window(numbers.clone());
    let mut cold = answerer();
    for text in QUESTIONS {
        let (warm, cold) = (ask(hot, &window, text), ask(&mut cold, &window, text));
        assert_eq!(tokens(&warm), tokens(&cold), "frames {numbers:?}, {text}");
        assert!(warm.tokens.cached > 0 && warm.tokens.cached < warm.tokens.prompt, "{:?}", warm.tokens);
    }
}

#[test]
fn hot_answers_are_cold_answers_token_for_token() {
    let mut hot = answerer();
    // The window grows, then slides, as frames arrive; odd ones have a last frame without a partner.
    for numbers in [0..1, 0..2, 0..3, 0..4, 1..5] {
        get_ready(&mut hot, &window(numbers.clone()), None);
        assert_as_cold(&mut hot, &numbers);
    }
    assert!(hot.ready_bytes() > 0);
}

#[test]
fn the_next_window_is_read_in_slices_while_the_old_one_serves() {
    let mut hot = answerer();
    let (old, next) = (window(0..6), window(2..6));
    assert_eq!(get_ready(&mut hot, &old, None), 3, "a slice a pair");
    let one_prefix = hot.ready_bytes();
    hot.get_ready(&view(&old), Some(&view(&next))).expect("frames of one size");
    assert_as_cold(&mut hot, &(0..6));
    assert_eq!(get_ready(&mut hot, &old, Some(&next)), 1, "the question has not cost what was read of the next window");
    assert!(hot.ready_bytes() > one_prefix && hot.ready_bytes() < 2 * one_prefix, "two prefixes");
    // They swap; the new one grows.
    assert_eq!(get_ready(&mut hot, &window(2..7), None), 1);
    assert!(hot.ready_bytes() < one_prefix, "one prefix, of two pairs");
    assert_as_cold(&mut hot, &(2..7));
    assert_eq!(get_ready(&mut hot, &window(2..8), None), 1);
    assert_as_cold(&mut hot, &(2..8));
}

#[test]
fn pairs_encoded_as_they_come_are_the_window_encoded_at_once() {
    let processor = Processor::from_dir(&nano()).expect("the committed model");
    let engine =
        Engine::load(&nano().join("onnx"), processor.config(), &EngineSettings::default()).expect("its graphs");
    let frames: Vec<Frame> = (0..5).map(frame).collect();
    let (width, height) = SIZE;
    let views: Vec<_> = frames.iter().map(|frame| RgbView { width, height, data: &frame.rgb }).collect();
    let at_once = engine.encode(&processor.video(&views, 2.0).expect("a video")).expect("embeds");

    let size = (width as u32, height as u32);
    let slot_size = SlotSize::fixed(size);
    let settings = RingSettings { capacity: 5, slot_size, frame_rate_hz: None, still: None };
    let ring = FrameRing::with_embeds(settings).expect("settings");
    let encoder = answerer().encoder().expect("a vision tower");
    for (number, frame) in (0u64..).zip(&frames) {
        let (stamp_nanos, received_at_nanos) = (frame.stamp_nanos, frame.received_at_nanos);
        let (encoding, is_bigendian, data) = ("rgb8", false, frame.rgb.as_slice());
        let (width, height, step) = (size.0, size.1, size.0 * 3);
        let raw = RawFrame { encoding, is_bigendian, width, height, step, data, stamp_nanos, received_at_nanos };
        ring.push(&raw).expect("valid");
        let (first, span) = (number - number % 2, if number % 2 == 1 { Span::Pair } else { Span::Alone });
        let embeds = encoder.encode(&ring.frames(first, span).expect("held")).expect("embeds");
        assert!(ring.attach(first, span, Arc::new(embeds)));
    }
    let streamed: Vec<f32> = ring.snapshot(0).embeds.iter().flatten().flat_map(|embeds| embeds.data.clone()).collect();
    assert_eq!(streamed.len(), at_once.data.len());
    let worst = streamed.iter().zip(&at_once.data).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= 1e-5, "{worst:e}");
}

#[test]
fn a_model_that_keeps_to_the_format_answers_the_same_under_its_grammar() {
    let load = |constrained| VlmAnswerer::load(&Settings { constrained, ..Settings::new(nano()) }).expect("the model");
    let (mut free, mut bound) = (load(false), load(true));
    let (mut absent, mut seen) = (0, 0);
    for number in (0..40).step_by(2) {
        for text in [QUESTIONS[0], QUESTIONS[1], "how far is the bed?", "how many windows are there?"] {
            let window = window(number..number + 2);
            let (free, bound) = (ask(&mut free, &window, text), ask(&mut bound, &window, text));
            assert_eq!(tokens(&bound), tokens(&free), "frames from {number}, {text}");
            *if free.text.contains("not seen") { &mut absent } else { &mut seen } += 1;
        }
    }
    assert!(absent > 0 && seen > 0, "both kinds of answers: {absent} not seen, {seen} seen");
    let open = ask(&mut bound, &window(0..2), "what is on the table?").text;
    assert!(open.starts_with("<think>") && open.ends_with("</answer>"), "{open}");
}

#[test]
fn drafting_changes_no_token() {
    let mut drafting = VlmAnswerer::load(&Settings { draft: true, ..Settings::new(nano()) }).expect("the model");
    assert_as_cold(&mut drafting, &(0..2));
}

#[test]
fn other_facts_of_the_camera_are_read_anew() {
    let mut answerer = answerer();
    let window = window(0..2);
    let facts = CameraFacts::default();
    answerer.get_ready(&View { facts, ..view(&window) }, None).expect("frames of one size");
    assert_as_cold(&mut answerer, &(0..2));
}

/// A running pipeline and its answers.
fn pipeline(hot_prefix: bool) -> (Perception, Receiver<SpatialAnswer>) {
    let (sender, answers) = sync_channel(99);
    let sender = Mutex::new(sender);
    let sink = move |answer| sender.lock().expect("sink").send(answer).expect("the test waits");
    let (window_frames, hop_frames, stale_after_secs) = (4, 2, 1e6);
    let settings = Settings { window_frames, hop_frames, stale_after_secs, hot_prefix, ..Settings::new(nano()) };
    (Perception::start(settings, Arc::new(sink)).expect("settings"), answers)
}

fn push(perception: &Perception, number: usize) {
    let Frame { rgb, stamp_nanos, .. } = frame(number);
    let (width, height) = (SIZE.0 as u32, SIZE.1 as u32);
    let raw = RawFrame {
        encoding: "rgb8",
        is_bigendian: false,
        width,
        height,
        step: width * 3,
        data: &rgb,
        stamp_nanos,
        received_at_nanos: perception.now_nanos(),
    };
    assert!(perception.push(&raw).expect("valid").kept);
}

fn answer((perception, answers): &(Perception, Receiver<SpatialAnswer>)) -> SpatialAnswer {
    perception.ask(SpatialQuery { text: QUESTIONS[0].into(), deadline_secs: 60.0, ..SpatialQuery::default() });
    answers.recv_timeout(Duration::from_secs(60)).expect("an answer")
}

#[test]
fn a_pipeline_whose_window_hops_answers_as_one_that_is_cold() {
    let (hot, cold) = (pipeline(true), pipeline(false));
    for number in 0..9 {
        push(&hot.0, number);
        push(&cold.0, number);
        let expected = answer(&cold);
        // The old window serves until the next one is read.
        let until = Instant::now() + Duration::from_secs(60);
        let mut found = answer(&hot);
        while found.frames_used != expected.frames_used && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
            found = answer(&hot);
        }
        let read = |answer: &SpatialAnswer| (answer.oldest_stamp_nanos, answer.frames_used, answer.tokens.prompt);
        assert_eq!(read(&found), read(&expected), "frame {number}");
        let said = |answer: &SpatialAnswer| (answer.status, answer.value, answer.thinking.clone(), answer.map.clone());
        assert_eq!(said(&found), said(&expected), "frame {number}");
    }
    // Pairs 0 to 3; frames 0, 2, 4, 6 and 8 were alone when they were asked about.
    let [hot, cold] = [hot.0.diagnostics(), cold.0.diagnostics()];
    assert!(hot.vision.failed == 0 && hot.ready_bytes > 0 && hot.last_error.is_none(), "{hot:?}");
    assert_eq!((cold.vision.encoded, cold.vision.dropped), (9, 0));
}
