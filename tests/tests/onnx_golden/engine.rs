//! What must change nothing (KV cache, forks, threads, repetition) and what ends a completion.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use vlm::{Chunk, FinishReason, GenerateSettings, Sampling};

use crate::golden::{CASES, GOLDEN, load, relative_deviation, settings, tokens};

#[test]
fn decode_with_the_kv_cache_equals_a_full_forward() {
    let (mut inputs, embeds) = GOLDEN.encoded("mixed");
    let mut state = GOLDEN.engine.prefill(&inputs, &embeds).unwrap();
    for token in GOLDEN.greedy_reference("mixed") {
        let position = state.next_position();
        GOLDEN.engine.step(&mut state, token, position).unwrap();
        inputs.input_ids.push(token);
        inputs.position_ids.iter_mut().for_each(|axis| axis.push(position));
        let full = GOLDEN.engine.prompt_logits(&inputs, &embeds, 1).unwrap();
        assert!(relative_deviation(state.logits(), &full.data) < 1e-5);
    }
}

/// From an empty cache (past tensors of length 0), without pictures (image_features of 0 rows), one token at a time.
#[test]
fn a_prompt_stepped_from_an_empty_state_equals_its_prefill() {
    let engine = &GOLDEN.engine;
    let (inputs, embeds) = GOLDEN.encoded("text");
    let mut state = engine.empty_state();
    assert_eq!((state.tokens(), state.logits().len()), (0, 0));
    for (index, &id) in inputs.input_ids.iter().enumerate() {
        engine.step(&mut state, id, index as i64).unwrap();
    }
    let whole = engine.prefill(&inputs, &embeds).unwrap();
    assert_eq!((state.tokens(), state.next_position()), (whole.tokens(), whole.next_position()));
    assert!(relative_deviation(state.logits(), whole.logits()) < 1e-5);
}

#[test]
fn a_prefix_read_in_two_stretches_and_forked_equals_one_prefill() {
    let engine = &GOLDEN.engine;
    let (inputs, embeds) = GOLDEN.encoded("mixed");
    let whole = engine.prefill(&inputs, &embeds).unwrap();
    // The cut lies behind the picture and before the video.
    let cut = inputs.input_ids.iter().position(|id| *id == engine_video_token()).unwrap();
    let stretch = |range: std::ops::Range<usize>, image_embeds| Chunk {
        input_ids: &inputs.input_ids[range.clone()],
        position_ids: [0, 1, 2].map(|axis| &inputs.position_ids[axis][range.clone()]),
        image_embeds,
    };
    let mut prefix = engine.empty_state();
    engine.extend(&mut prefix, &stretch(0..cut, &embeds[..1])).unwrap();
    for _ in 0..2 {
        let mut fork = prefix.clone();
        engine.extend(&mut fork, &stretch(cut..inputs.input_ids.len(), &embeds[1..])).unwrap();
        fork.set_rope_delta(inputs.rope_delta);
        assert!(relative_deviation(fork.logits(), whole.logits()) < 1e-5);
        let generation = engine.complete(&mut fork, &settings(24, Sampling::Greedy), &mut |_| {}).unwrap();
        assert_eq!(generation.token_ids, GOLDEN.greedy_reference("mixed"));
    }
}

fn engine_video_token() -> u32 {
    GOLDEN.processor.config().tokens.video
}

#[test]
fn one_and_two_threads_and_repetition_give_the_same_tokens() {
    let two = load(&GOLDEN.onnx, GOLDEN.processor.config(), 2).unwrap();
    for case in CASES {
        let inputs = GOLDEN.stored(case);
        let [one, two, again] = [&GOLDEN.engine, &two, &two].map(|engine| {
            let encoded = (inputs.clone(), engine.encode_all(&inputs).unwrap());
            let logits = engine.prompt_logits(&encoded.0, &encoded.1, 8).unwrap();
            (tokens(engine, &encoded, &settings(24, Sampling::Greedy)), logits.data)
        });
        assert_eq!(two, again, "{case}");
        assert_eq!(one.0, two.0, "{case}");
        println!("{case} one and two threads: logits {:.1e} apart", relative_deviation(&one.1, &two.1));
    }
}

#[test]
fn one_engine_encodes_and_decodes_on_two_threads() {
    let complete = |case: &str| tokens(&GOLDEN.engine, &GOLDEN.encoded(case), &settings(24, Sampling::Greedy));
    std::thread::scope(|scope| {
        let workers = ["video8", "mixed"].map(|case| {
            let work = move || (0..4).map(|_| complete(case)).collect::<Vec<_>>();
            (case, std::thread::Builder::new().name(case.into()).spawn_scoped(scope, work).unwrap())
        });
        for (case, worker) in workers {
            assert_eq!(worker.join().unwrap(), vec![GOLDEN.greedy_reference(case); 4], "{case}");
        }
    });
}

#[test]
fn sampled_tokens_repeat_with_the_seed() {
    let encoded = GOLDEN.encoded("video8");
    let sample = |seed| {
        tokens(
            &GOLDEN.engine,
            &encoded,
            &settings(24, Sampling::TopP { temperature: 1.5, top_p: 0.95, top_k: 50, seed }),
        )
    };
    assert_eq!(sample(7), sample(7));
    assert_ne!(sample(7), sample(8));
}

#[test]
fn eos_stop_strings_deadline_and_cancellation_end_a_completion() {
    let encoded = GOLDEN.encoded("text");
    let finish =
        |settings: &GenerateSettings| GOLDEN.engine.generate(&encoded.0, &encoded.1, settings, &mut |_| {}).unwrap();
    let free = finish(&settings(24, Sampling::Greedy));

    let eos = finish(&GenerateSettings { eos_ids: vec![free.token_ids[5]], ..settings(24, Sampling::Greedy) });
    assert_eq!(eos.finish, FinishReason::Eos);
    assert_eq!(eos.token_ids.last(), Some(&free.token_ids[5]));

    let word: String = free.text.chars().skip(4).take(3).collect();
    let stop = finish(&GenerateSettings { stop: vec![word.clone()], ..settings(24, Sampling::Greedy) });
    assert_eq!(stop.finish, FinishReason::Stop);
    assert!(stop.text.ends_with(&word) && free.text.starts_with(&stop.text), "{:?} {:?}", stop.text, free.text);

    let late = finish(&GenerateSettings { deadline: Some(Instant::now()), ..settings(24, Sampling::Greedy) });
    assert_eq!((late.finish, late.token_ids.len()), (FinishReason::Deadline, 0));

    let cancel = Arc::new(AtomicBool::new(false));
    let settings = GenerateSettings { cancel: Some(cancel.clone()), ..settings(24, Sampling::Greedy) };
    let mut stop_now = |_: &vlm::TokenEvent| cancel.store(true, Ordering::Relaxed);
    let cancelled = GOLDEN.engine.generate(&encoded.0, &encoded.1, &settings, &mut stop_now).unwrap();
    assert_eq!((cancelled.finish, cancelled.token_ids.len()), (FinishReason::Cancelled, 1));
}
