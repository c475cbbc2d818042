//! Samples decoded together are those decoded alone.

use vlm::{Error, FinishReason, GenerateSettings, Sampling};

use crate::golden::{CASES, GOLDEN, settings};
use crate::nano::{NANO, QUESTIONS};

const COUNT: usize = 5;

fn sampling(temperature: f32) -> Sampling {
    Sampling::TopP { temperature, top_p: 0.95, top_k: 50, seed: 11 }
}

#[test]
fn each_sample_of_a_batch_equals_the_same_sample_alone() {
    let engine = &GOLDEN.engine;
    for case in CASES {
        let (inputs, embeds) = GOLDEN.encoded(case);
        let state = engine.prefill(&inputs, &embeds).unwrap();
        // Ends some samples early and others not.
        let settings = GenerateSettings { eos_ids: (0..40).collect(), ..settings(32, sampling(1.5)) };
        let mut events = vec![Vec::new(); COUNT];
        let together = engine
            .complete_samples(&state, &settings, COUNT, &mut |sample, event| events[sample].push(event.id))
            .unwrap();
        for (index, generation) in together.iter().enumerate() {
            let settings = GenerateSettings { sampling: settings.sampling.of_sample(index), ..settings.clone() };
            let alone = engine.complete(&mut state.clone(), &settings, &mut |_| {}).unwrap();
            assert_eq!(generation.token_ids, alone.token_ids, "{case} {index}");
            assert_eq!((&generation.text, generation.finish), (&alone.text, alone.finish), "{case} {index}");
            assert_eq!(events[index], alone.token_ids);
        }
        let lengths: Vec<usize> = together.iter().map(|generation| generation.token_ids.len()).collect();
        println!("{case} samples of {lengths:?} tokens");
        assert!(lengths.iter().any(|length| *length != lengths[0]), "{case}: {lengths:?}");
    }
}

#[test]
fn greedy_samples_are_the_reference_and_state_is_left_alone() {
    let (inputs, embeds) = GOLDEN.encoded("video8");
    let state = GOLDEN.engine.prefill(&inputs, &embeds).unwrap();
    let settings = settings(24, Sampling::Greedy);
    let samples = GOLDEN.engine.complete_samples(&state, &settings, 3, &mut |_, _| {}).unwrap();
    assert!(samples.iter().all(|sample| sample.token_ids == GOLDEN.greedy_reference("video8")));
    assert!(samples.iter().all(|sample| sample.finish == FinishReason::Length));
    assert_eq!(state.tokens(), inputs.input_ids.len());
    let none = GOLDEN.engine.complete_samples(&state, &settings, 0, &mut |_, _| {});
    assert!(matches!(none, Err(Error::Setting { name: "samples", .. })));
    let unread = GOLDEN.engine.empty_state();
    assert!(GOLDEN.engine.complete_samples(&unread, &settings, 2, &mut |_, _| {}).is_err());
}

#[test]
fn with_trained_weights_samples_stop_by_themselves_and_share_the_run() {
    let (inputs, embeds) = NANO.ask(QUESTIONS[0], 4);
    let state = NANO.engine.prefill(&inputs, &embeds).unwrap();
    let settings = GenerateSettings { sampling: sampling(1.0), ..NANO.settings() };
    let start = std::time::Instant::now();
    let together = NANO.engine.complete_samples(&state, &settings, COUNT, &mut |_, _| {}).unwrap();
    let (together_secs, start) = (start.elapsed().as_secs_f64(), std::time::Instant::now());
    for (index, generation) in together.iter().enumerate() {
        let settings = GenerateSettings { sampling: settings.sampling.of_sample(index), ..settings.clone() };
        let alone = NANO.engine.complete(&mut state.clone(), &settings, &mut |_| {}).unwrap();
        assert_eq!(generation.token_ids, alone.token_ids, "{index}");
        println!("{:?} {}", generation.finish, generation.text);
    }
    let alone_secs = start.elapsed().as_secs_f64();
    println!("{COUNT} samples together {:.0} ms, one by one {:.0} ms", 1e3 * together_secs, 1e3 * alone_secs);
}
