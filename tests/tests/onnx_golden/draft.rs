//! Drafting changes no token of a greedy completion, whatever it drafts.

use vlm::{DraftSettings, GenerateSettings, Sampling};

use crate::golden::{CASES, GOLDEN, relative_deviation, settings};
use crate::nano::{NANO, QUESTIONS};

/// Drafts on the smallest occasion and never gives up, so that most drafts are wrong.
const EAGER: DraftSettings = DraftSettings { min_match: 1, max_tokens: 5, patience: usize::MAX };

#[test]
fn drafted_tokens_equal_the_undrafted_and_the_state_is_rolled_back() {
    let engine = &GOLDEN.engine;
    let (mut drafted, mut accepted) = (0, 0);
    for case in CASES {
        let (inputs, embeds) = GOLDEN.encoded(case);
        let plain = settings(96, Sampling::Greedy);
        let mut plain_state = engine.prefill(&inputs, &embeds).unwrap();
        let mut state = plain_state.clone();
        let reference = engine.complete(&mut plain_state, &plain, &mut |_| {}).unwrap();
        let mut events = Vec::new();
        let settings = GenerateSettings { draft: Some(EAGER), ..plain };
        let generation = engine.complete(&mut state, &settings, &mut |event| events.push(event.id)).unwrap();
        assert_eq!(generation.token_ids, reference.token_ids, "{case}");
        assert_eq!((generation.text, generation.finish), (reference.text, reference.finish), "{case}");
        assert_eq!(events, reference.token_ids, "{case}");
        let apart = generation.logprobs.iter().zip(&reference.logprobs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-4, "{case} {apart}");
        assert_eq!(state.ids(), plain_state.ids(), "{case}");
        assert!(relative_deviation(state.logits(), plain_state.logits()) < 1e-5, "{case}");
        drafted += generation.drafted_tokens;
        accepted += generation.accepted_tokens;
    }
    println!("drafted {drafted}, accepted {accepted}");
    assert!(drafted > accepted, "some draft must be rejected to prove the roll-back");
}

#[test]
fn a_stop_inside_a_draft_ends_where_it_does_without() {
    let engine = &GOLDEN.engine;
    let (inputs, embeds) = GOLDEN.encoded("text");
    let free = engine.generate(&inputs, &embeds, &settings(48, Sampling::Greedy), &mut |_| {}).unwrap();
    for &id in &free.token_ids {
        let plain = GenerateSettings { eos_ids: vec![id], ..settings(48, Sampling::Greedy) };
        let drafting = GenerateSettings { draft: Some(EAGER), ..plain.clone() };
        let [plain, drafted] = [plain, drafting].map(|settings| {
            let mut state = engine.prefill(&inputs, &embeds).unwrap();
            let generation = engine.complete(&mut state, &settings, &mut |_| {}).unwrap();
            (generation.token_ids, generation.finish, state.ids().to_vec())
        });
        assert_eq!(plain, drafted);
    }
}

#[test]
fn sampling_never_drafts() {
    let (inputs, embeds) = GOLDEN.encoded("text");
    let sampling = Sampling::TopP { temperature: 1.0, top_p: 0.9, top_k: 0, seed: 3 };
    let plain = settings(24, sampling);
    let drafting = GenerateSettings { draft: Some(EAGER), ..plain.clone() };
    let [plain, drafted] =
        [plain, drafting].map(|settings| GOLDEN.engine.generate(&inputs, &embeds, &settings, &mut |_| {}).unwrap());
    assert_eq!((plain.token_ids, 0), (drafted.token_ids, drafted.drafted_tokens));
}

#[test]
fn with_trained_weights_drafts_are_accepted() {
    let mut accepted = 0;
    for question in QUESTIONS {
        let (inputs, embeds) = NANO.ask(question, 4);
        let state = NANO.engine.prefill(&inputs, &embeds).unwrap();
        let settings = GenerateSettings { draft: Some(DraftSettings::default()), ..NANO.settings() };
        let plain = NANO.engine.complete(&mut state.clone(), &NANO.settings(), &mut |_| {}).unwrap();
        let drafted = NANO.engine.complete(&mut state.clone(), &settings, &mut |_| {}).unwrap();
        assert_eq!(drafted.token_ids, plain.token_ids, "{question}");
        accepted += drafted.accepted_tokens;
        println!(
            "{} tokens, {} drafted, {} accepted: {:.0} ms instead of {:.0} ms",
            plain.token_ids.len(),
            drafted.drafted_tokens,
            drafted.accepted_tokens,
            1e3 * drafted.decode_secs,
            1e3 * plain.decode_secs,
        );
    }
    assert!(accepted > 0);
}
