//! Same inputs, model, seed, settings: the same tokens, on one and two threads, whichever way they are made.

use vlm::{AnswerFormat, AnswerShape, DraftSettings, Engine, GenerateSettings, Sampling};

use crate::golden::{CASES, GOLDEN, load, settings};

/// Tokens of one case decoded in every way there is.
fn every_way(engine: &Engine, case: &str) -> vlm::Result<Vec<(&'static str, Vec<u32>)>> {
    let inputs = GOLDEN.stored(case);
    let embeds = engine.encode_all(&inputs)?;
    let sampled = settings(32, Sampling::TopP { temperature: 1.2, top_p: 0.95, top_k: 0, seed: 42 });
    let format = AnswerFormat { answer: AnswerShape::Number, abstention: None, map_required: true };
    let constrained = GenerateSettings { constraint: Some(engine.constraint(&format.grammar())?), ..sampled.clone() };
    let draft = Some(DraftSettings { min_match: 1, ..Default::default() });
    let drafted = GenerateSettings { draft, ..settings(32, Sampling::Greedy) };
    let mut prefix = engine.empty_prefix();
    engine.extend_prefix(&mut prefix, &inputs, &embeds, inputs.input_ids.len() / 2)?;
    let complete = |settings: &GenerateSettings| {
        let generation = engine.generate_from(&prefix, (&inputs, &embeds), settings, &mut |_| {});
        generation.map(|generation| generation.token_ids)
    };
    let state = engine.fork(&prefix, &inputs, &embeds)?;
    let samples = engine.complete_samples(&state, &sampled, 3, &mut |_, _| {})?;
    Ok(vec![
        ("sampled", complete(&sampled)?),
        ("constrained", complete(&constrained)?),
        ("drafted", complete(&drafted)?),
        ("samples", samples.into_iter().flat_map(|sample| sample.token_ids).collect()),
    ])
}

#[test]
fn one_and_two_threads_and_repetition_give_the_same_tokens_in_every_way() {
    let two = load(&GOLDEN.onnx, GOLDEN.processor.config(), 2).unwrap();
    for case in CASES {
        let one = every_way(&GOLDEN.engine, case).unwrap();
        assert_eq!(one, every_way(&GOLDEN.engine, case).unwrap(), "{case}");
        assert_eq!(one, every_way(&two, case).unwrap(), "{case}");
    }
}
