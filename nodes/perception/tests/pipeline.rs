//! Promises of the pipeline, with a scripted answerer and a clock of the test's own.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use frame_ring::{RawFrame, Window};
use grounding::ParsedQuestion;
use msgs::{Interval, QuestionKind, SpatialAnswer, SpatialQuery, Status, TokenCounts, Unit};
use perception::*;
use vlm::ImageEmbeds;

const DOOR: &str = "<think>I see the door 2.4 m away.<map>{\"door\":[[5,5]],\"cell_size_m\":0.6,\"robot\":[[5,9]]}</map>\
                    </think><answer>2.4</answer>";

#[derive(Default)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now_nanos(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Says its script; where there is a `gate`, says there that it came and waits for a word first.
struct Scripted {
    script: String,
    gate: Option<Gate>,
}

/// An answerer's side of a gate.
struct Gate {
    came: SyncSender<()>,
    opens: Receiver<()>,
}

impl Answerer for Scripted {
    fn model(&self) -> String {
        "scripted 1".into()
    }

    fn encoder(&self) -> Option<Arc<dyn PairEncoder>> {
        Some(Arc::new(Blind))
    }

    /// Where its script is not free, it was taught distances and counts.
    fn unsupported(&self, question: &ParsedQuestion) -> Option<String> {
        let is_taught = question.asked.unit() != Unit::None || self.script.contains("<free>");
        (!is_taught).then(|| "Ask for numbers.".to_owned())
    }

    /// Never gets any window ready ahead.
    fn get_ready(&mut self, _: &View<'_>, next: Option<&View<'_>>) -> Result<Ready, AnswerError> {
        Ok(Ready { serving: true, next: next.is_none() })
    }

    fn answer(
        &mut self,
        request: &Request<'_>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Completion, AnswerError> {
        progress(Progress::Vision);
        if let Some(gate) = &self.gate {
            gate.came.send(()).expect("the test listens");
        }
        while let Some(gate) = &self.gate {
            if request.cancel.load(Ordering::Relaxed) {
                return Ok(Completion { finish: Finish::Cancelled, ..Completion::default() });
            }
            if !matches!(gate.opens.recv_timeout(Duration::from_millis(5)), Err(RecvTimeoutError::Timeout)) {
                break;
            }
        }
        match self.script.as_str() {
            "panic" => panic!("scripted panic"),
            "fail" => Err(AnswerError::Other("scripted failure".into())),
            "deadline" => Ok(Completion { finish: Finish::Deadline, ..Completion::default() }),
            script => {
                let token_ends = (1..=script.len()).map(|at| (at, -0.1)).collect();
                let tokens = TokenCounts { prompt: 9, cached: 0, generated: script.len() as u32 };
                Ok(Completion { text: script.into(), token_ends, tokens, ..Completion::default() })
            }
        }
    }

    fn interval(&self, _: QuestionKind, value: f64) -> Option<Interval> {
        Some(Interval { lower: value - 0.5, upper: value + 0.5, coverage: 0.9 })
    }
}

/// Sees nothing.
struct Blind;

impl PairEncoder for Blind {
    fn encode(&self, _: &Window) -> Result<ImageEmbeds, AnswerError> {
        Ok(ImageEmbeds { rows: 1, hidden: 1, data: vec![0.0] })
    }
}

struct Bench {
    perception: Perception,
    answers: Receiver<SpatialAnswer>,
    clock: Arc<TestClock>,
    /// Hears that the answerer came to its gate, and opens it, where it has one.
    gate: Option<(Receiver<()>, SyncSender<()>)>,
}

impl Bench {
    fn new(script: &str, gated: bool) -> Self {
        let settings = Settings { queue_capacity: 3, window_frames: 8, ..Settings::new("/nowhere") };
        Self::with(settings, script, gated)
    }

    fn with(settings: Settings, script: &str, gated: bool) -> Self {
        let (sender, answers) = sync_channel(4096);
        let sender = Mutex::new(sender);
        let sink = move |answer| drop(sender.lock().expect("sink").send(answer));
        let (gate, its_side) = if gated {
            let ((came, hears), (open, opens)) = (sync_channel(4096), sync_channel(4096));
            (Some((hears, open)), Some(Gate { came, opens }))
        } else {
            (None, None)
        };
        let script = script.to_owned();
        let load = move || Ok(Box::new(Scripted { script, gate: its_side }) as Box<dyn Answerer>);
        let clock = Arc::new(TestClock::default());
        let perception =
            Perception::start_with(settings, Arc::clone(&clock) as _, Arc::new(sink), load).expect("settings");
        Self { perception, answers, clock, gate }
    }

    fn frame(&self) {
        self.frame_of(90);
    }

    /// A frame every half a second, each of another shade.
    fn frames(&self, shades: std::ops::Range<u8>) {
        for shade in shades {
            self.clock.0.fetch_add(500_000_000, Ordering::Relaxed);
            self.frame_of(shade * 10);
        }
    }

    fn frame_of(&self, shade: u8) {
        let now = self.perception.now_nanos();
        // Of two shades: a picture of one shows nothing.
        let data: Vec<u8> = (0..64 * 48).map(|i| if i % 64 < 32 { shade } else { shade.wrapping_add(40) }).collect();
        let frame = RawFrame {
            encoding: "mono8",
            is_bigendian: false,
            width: 64,
            height: 48,
            step: 64,
            data: &data,
            stamp_nanos: now + 7,
            received_at_nanos: now,
        };
        self.perception.push(&frame).expect("valid");
    }

    fn ask(&self, text: &str) -> String {
        self.perception.ask(SpatialQuery { text: text.into(), ..SpatialQuery::default() })
    }

    fn next(&self) -> SpatialAnswer {
        self.answers.recv_timeout(Duration::from_secs(10)).expect("an answer")
    }

    fn answer_to(&self, text: &str) -> SpatialAnswer {
        self.ask(text);
        self.next()
    }

    /// Waits until the answerer holds a question and its window, before its gate.
    fn wait_until_running(&self) {
        let (came, _) = self.gate.as_ref().expect("gated");
        came.recv_timeout(Duration::from_secs(10)).expect("a question runs");
    }

    fn open_gate(&self) {
        self.gate.as_ref().expect("gated").1.send(()).expect("worker lives");
    }

    fn wait_for(&self, reached: impl Fn(&Diagnostics) -> bool) {
        let until = Instant::now() + Duration::from_secs(10);
        while !reached(&self.perception.diagnostics()) {
            assert!(Instant::now() < until, "{:?}", self.perception.diagnostics());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[test]
fn a_distance_is_answered_in_full() {
    let bench = Bench::new(DOOR, false);
    bench.frame();
    let answer = bench.answer_to("How far is the door?");
    assert_eq!((answer.status, answer.value, answer.unit), (Status::Answered, Some(2.4), Some(Unit::Metre)));
    assert_eq!(answer.text, "The door is 2.4 m away (between 1.9 and 2.9 m).");
    assert_eq!((answer.thinking.as_str(), answer.model.as_str()), ("I see the door 2.4 m away.", "scripted 1"));
    assert_eq!((answer.frames_used, answer.newest_stamp_nanos), (1, 7));
    assert_eq!(answer.map.expect("a map").cell_size_m, Some(0.6));
    assert!((answer.confidence - (-0.1f32).exp()).abs() < 1e-4);
    assert_eq!(bench.perception.diagnostics().answered[0], 1);
}

#[test]
fn absence_and_nonsense_are_told_apart() {
    let bench = Bench::new("<think>no</think><answer>not seen</answer>", false);
    bench.frame();
    let answer = bench.answer_to("how many chairs are there?");
    assert_eq!((answer.status, answer.text.as_str()), (Status::NotSeen, "I do not see any chairs."));
    let bench = Bench::new("<think>hm</think><answer>banana</answer>", false);
    bench.frame();
    let answer = bench.answer_to("how far is the door?");
    assert_eq!((answer.status, answer.value), (Status::ModelError, None));
    assert!(answer.text.contains("banana"), "{}", answer.text);
}

#[test]
fn what_was_not_taught_is_not_asked_with_frames_or_without() {
    let bench = Bench::new(DOOR, false);
    let check = || {
        let answer = bench.answer_to("is the door open?");
        assert_eq!((answer.status, answer.text.as_str()), (Status::Unsupported, "Ask for numbers."));
        assert_eq!((answer.kind, answer.value, answer.frames_used), (Some(QuestionKind::FreeForm), None, 0));
        assert_eq!((answer.model.as_str(), answer.tokens), ("scripted 1", TokenCounts::default()));
    };
    check();
    bench.frame();
    check();
    bench.clock.0.store(4_000_000_000, Ordering::Relaxed);
    check();
    bench.perception.ask(SpatialQuery { text: "is it?".into(), deadline_secs: 1e-12, ..Default::default() });
    assert_eq!(bench.next().status, Status::Timeout, "who no longer waits is told so first");
    let answered = bench.perception.diagnostics().answered;
    assert_eq!(answered[usize::from(Status::Unsupported.code())], 3);
}

#[test]
fn an_answer_of_another_kind_is_none() {
    for (question, script) in [
        ("how far is the door?", "<free><answer>30 degrees</answer>"),
        ("how far is the door?", "<free><answer>there is a door</answer>"),
        ("how many chairs are there?", "<free><answer>2.4</answer>"),
        ("where is the door?", "<free><answer>2.4</answer>"),
        ("where is the door?", "<free><answer>B</answer>"),
    ] {
        let bench = Bench::new(script, false);
        bench.frame();
        let answer = bench.answer_to(question);
        assert_eq!((answer.status, answer.value, answer.option), (Status::ModelError, None, None), "{script}");
        assert!(answer.text.contains("no readable answer"), "{}", answer.text);
    }
}

#[test]
fn frames_that_never_came_or_stopped_are_said() {
    let bench = Bench::new(DOOR, false);
    assert_eq!(bench.answer_to("how far is the door?").status, Status::NoFrames);
    bench.frame();
    bench.clock.0.store(4_000_000_000, Ordering::Relaxed);
    let answer = bench.answer_to("how far is the door?");
    assert_eq!((answer.status, answer.kind), (Status::StaleFrames, Some(QuestionKind::EgoDistance)));
}

#[test]
fn who_asks_is_told_why_frames_were_refused() {
    let bench = Bench::new(DOOR, false);
    let refused = || {
        let data = [0u8; 64];
        let frame = RawFrame {
            encoding: "mono9",
            is_bigendian: false,
            width: 8,
            height: 8,
            step: 8,
            data: &data,
            stamp_nanos: 7,
            received_at_nanos: bench.perception.now_nanos(),
        };
        bench.perception.push(&frame).expect_err("an unknown encoding").to_string()
    };
    let why = refused();
    let answer = bench.answer_to("how far is the door?");
    assert_eq!(answer.status, Status::NoFrames);
    assert_eq!(answer.text, format!("No frame could be used; the last was refused: {why}."));
    bench.perception.note_refused("cut JPEG".to_owned());
    assert!(bench.answer_to("how far is the door?").text.ends_with("the last was refused: cut JPEG."));
    bench.frame();
    bench.clock.0.store(4_000_000_000, Ordering::Relaxed);
    let stale = bench.answer_to("how far is the door?");
    assert_eq!(stale.status, Status::StaleFrames);
    assert!(!stale.text.contains("refused"), "one was taken since: {}", stale.text);
    let why = refused();
    let stale = bench.answer_to("how far is the door?");
    assert_eq!(stale.status, Status::StaleFrames);
    assert!(stale.text.ends_with(&format!(" Newer ones were refused: {why}.")), "{}", stale.text);
    assert_eq!(bench.perception.diagnostics().last_error, Some(why));
}

#[test]
fn pairs_are_encoded_while_a_question_is_answered() {
    let bench = Bench::new(DOOR, true);
    bench.frames(0..2);
    bench.wait_for(|diagnostics| diagnostics.vision.encoded == 1);
    bench.ask("how far is the door?");
    bench.wait_until_running();
    bench.frames(2..4);
    // Every frame makes a pair with the one before it, as the window is always the newest frames.
    bench.wait_for(|diagnostics| diagnostics.vision.encoded == 3);
    assert_eq!(bench.perception.diagnostics().answered[0], 0, "the question still runs");
    bench.open_gate();
    assert_eq!(bench.next().frames_used, 2);
    let diagnostics = bench.perception.diagnostics();
    assert_eq!((diagnostics.ready_bytes, diagnostics.vision.dropped), (3 * size_of::<f32>(), 0));
}

#[test]
fn a_window_that_is_left_open_is_the_models() {
    let model = tempfile::tempdir().expect("a folder");
    let window = |settings: Settings| {
        let settings = settings.with_models_window();
        (settings.window_frames, settings.frame_rate_hz)
    };
    let open = || Settings::new(model.path());
    assert_eq!(window(open()), (2, 2.0), "no model to ask");
    let prompts = "system = \"\"\nuser = \"{question}\"\n[kinds]\n[window]\nframes = 16\nrate_hz = 1.0\n";
    std::fs::write(model.path().join("prompts.toml"), prompts).expect("a file");
    assert_eq!(window(open()), (16, 1.0));
    assert_eq!(window(Settings { window_frames: 4, ..open() }), (4, 1.0));
    assert_eq!(window(Settings { frame_rate_hz: 5.0, ..open() }), (16, 5.0));
}

#[test]
fn a_window_hops_and_serves_longer_until_the_next_one_is_ready() {
    let used = |hot_prefix: bool, frames: u8| {
        let settings = Settings { window_frames: 4, hop_frames: 2, hot_prefix, ..Settings::new("/nowhere") };
        let bench = Bench::with(settings, DOOR, false);
        bench.frames(0..frames);
        let answer = bench.answer_to("how far is the door?");
        (answer.frames_used, (answer.newest_stamp_nanos - answer.oldest_stamp_nanos) / 500_000_000)
    };
    assert_eq!((used(false, 4), used(false, 5), used(false, 6)), ((4, 3), (3, 2), (4, 3)));
    assert_eq!((used(true, 5), used(true, 6), used(true, 7)), ((5, 4), (6, 5), (5, 4)));
}

#[test]
fn a_still_scene_is_skipped_counted_and_never_stale() {
    let bench = Bench::new(DOOR, false);
    for _ in 0..20 {
        bench.clock.0.fetch_add(500_000_000, Ordering::Relaxed);
        bench.frame();
        assert_eq!(bench.answer_to("how far is the door?").status, Status::Answered);
    }
    let frames = bench.perception.diagnostics().frames;
    assert_eq!((frames.pushed, frames.skipped_still), (10, 10));
}

#[test]
fn bad_questions_are_answered_at_once() {
    let bench = Bench::new(DOOR, false);
    for text in ["", " \u{0} ", &"x".repeat(100_000)] {
        assert_eq!(bench.answer_to(text).status, Status::BadQuery);
    }
    for deadline_secs in [f64::NAN, -1.0] {
        bench.perception.ask(SpatialQuery { text: "how far is the door?".into(), deadline_secs, ..Default::default() });
        assert_eq!(bench.next().status, Status::BadQuery);
    }
    let options = vec!["x".repeat(30_000); 3];
    bench.perception.ask(SpatialQuery { text: "which?".into(), options, ..Default::default() });
    assert_eq!(bench.next().status, Status::BadQuery);
}

#[test]
fn a_thousand_questions_at_once_get_a_thousand_answers() {
    let bench = Bench::new(DOOR, true);
    bench.frame();
    let first = bench.ask("how far is the door?");
    bench.wait_until_running();
    let mut ids: Vec<String> = (1..1000).map(|_| bench.ask("how far is the door?")).collect();
    ids.push(first);
    for _ in 0..4 {
        bench.open_gate();
    }
    let answers: Vec<SpatialAnswer> = (0..1000).map(|_| bench.next()).collect();
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(Status::Answered), count(Status::Busy)), (4, 996));
    let mut answered: Vec<String> = answers.into_iter().map(|answer| answer.query_id).collect();
    answered.sort();
    ids.sort();
    assert_eq!(answered, ids);
    assert!(bench.answers.try_recv().is_err(), "exactly one answer each");
}

#[test]
fn deadlines_pass_in_the_queue_and_in_the_model() {
    let bench = Bench::new(DOOR, true);
    bench.frame();
    bench.ask("how far is the door?");
    bench.wait_until_running();
    bench.perception.ask(SpatialQuery { text: "how far is it?".into(), deadline_secs: 1.0, ..Default::default() });
    bench.clock.0.store(1_500_000_000, Ordering::Relaxed);
    let late = bench.next();
    assert_eq!((late.status, late.timing.queue_secs), (Status::Timeout, 1.5));
    assert_eq!(late.text, "The deadline passed while the question waited.");
    bench.open_gate();
    assert_eq!(bench.next().status, Status::Answered);
    let bench = Bench::new("deadline", false);
    bench.frame();
    assert_eq!(bench.answer_to("how far is the door?").status, Status::Timeout);
}

/// A pipeline whose model is loaded for as long as the sender lives.
fn loading() -> (Perception, Receiver<SpatialAnswer>, SyncSender<()>) {
    let (sender, answers) = sync_channel(4096);
    let sender = Mutex::new(sender);
    let sink = move |answer| drop(sender.lock().expect("sink").send(answer));
    let (loads, waits) = sync_channel::<()>(0);
    let load = move || {
        let _ = waits.recv();
        Ok(Box::new(Scripted { script: DOOR.to_owned(), gate: None }) as Box<dyn Answerer>)
    };
    let settings = Settings { queue_capacity: 3, window_frames: 8, ..Settings::new("/nowhere") };
    let perception = Perception::start_with(settings, Arc::new(SystemClock), Arc::new(sink), load).expect("settings");
    (perception, answers, loads)
}

#[test]
fn questions_time_out_while_the_model_is_loaded() {
    let (perception, answers, loads) = loading();
    let start = Instant::now();
    let ask = |text: &str, deadline_secs| {
        perception.ask(SpatialQuery { text: text.into(), deadline_secs, ..Default::default() })
    };
    let (patient, hasty) = (ask("how far is the door?", 60.0), ask("how far is the bed?", 0.3));
    let answer = answers.recv_timeout(Duration::from_secs(10)).expect("an answer");
    assert_eq!((answer.query_id, answer.status), (hasty, Status::Timeout));
    assert_eq!(answer.text, "The deadline passed while the model was still being loaded.");
    assert!(start.elapsed() >= Duration::from_millis(300) && start.elapsed() < Duration::from_secs(2));
    assert_eq!(perception.diagnostics().model, ModelState::Loading);
    drop(loads);
    let answer = answers.recv_timeout(Duration::from_secs(10)).expect("an answer");
    assert_eq!((answer.query_id, answer.status), (patient, Status::NoFrames));
}

#[test]
fn the_end_does_not_wait_for_a_model_that_is_loaded() {
    let (perception, answers, loads) = loading();
    perception.ask(SpatialQuery { text: "how far is the door?".into(), ..Default::default() });
    let start = Instant::now();
    drop(perception);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(answers.recv_timeout(Duration::from_secs(1)).expect("an answer").status, Status::Cancelled);
    // The thread that was left behind ends when it is done.
    drop(loads);
    assert!(answers.recv_timeout(Duration::from_secs(10)).is_err());
}

#[test]
fn waiting_and_running_questions_can_be_cancelled() {
    let bench = Bench::new(DOOR, true);
    bench.frame();
    let running = bench.ask("how far is the door?");
    bench.wait_until_running();
    let waiting = bench.ask("how far is the bed?");
    assert!(bench.perception.cancel(&waiting));
    assert_eq!((bench.next().query_id, bench.perception.cancel("nobody")), (waiting, false));
    assert!(bench.perception.cancel(&running));
    let answer = bench.next();
    assert_eq!((answer.query_id, answer.status), (running, Status::Cancelled));
}

#[test]
fn dropping_the_pipeline_answers_what_waits() {
    let bench = Bench::new(DOOR, true);
    bench.frame();
    bench.ask("how far is the door?");
    bench.wait_until_running();
    bench.ask("how far is the bed?");
    let Bench { perception, answers, gate, .. } = bench;
    drop(perception);
    drop(gate);
    let statuses: Vec<Status> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [Status::Cancelled; 2]);
}

#[test]
fn a_model_that_fails_or_panics_does_not_end_the_worker() {
    for script in ["fail", "panic"] {
        let bench = Bench::new(script, false);
        bench.frame();
        for _ in 0..2 {
            let answer = bench.answer_to("how far is the door?");
            assert_eq!(answer.status, Status::ModelError);
            assert!(answer.text.contains("scripted"), "{}", answer.text);
        }
    }
}
