//! An answer from a hot prefix is the cold one, token for token, and pays for its own tokens only.

use std::time::Instant;

use processor::VisionInput;
use vlm::{Error, ImageEmbeds, Sampling, prefix::shared_tokens};

use crate::golden::{CASES, GOLDEN, messages, relative_deviation, settings};
use crate::nano::{NANO, QUESTIONS};

/// The most likely token.
fn argmax(logits: &[f32]) -> u32 {
    let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(id, _)| id as u32)
}

#[test]
fn hot_answers_equal_the_reference_wherever_the_prefix_ends() {
    let engine = &GOLDEN.engine;
    for case in CASES {
        let (inputs, embeds) = GOLDEN.encoded(case);
        let cold = engine.prefill(&inputs, &embeds).unwrap();
        let length = inputs.input_ids.len();
        for cut in [1, length / 3, engine.vision_end(&inputs), length - 1, length] {
            let mut prefix = engine.empty_prefix();
            engine.extend_prefix(&mut prefix, &inputs, &embeds, cut).unwrap();
            assert_eq!(prefix.tokens(), cut);
            let fork = engine.fork(&prefix, &inputs, &embeds).unwrap();
            assert!(relative_deviation(fork.logits(), cold.logits()) < 1e-5, "{case} {cut}");
            for _ in 0..2 {
                let prompt = (&inputs, embeds.as_slice());
                let hot = engine.generate_from(&prefix, prompt, &settings(24, Sampling::Greedy), &mut |_| {}).unwrap();
                assert_eq!(hot.token_ids, GOLDEN.greedy_reference(case), "{case} {cut}");
                assert_eq!((hot.cached_tokens, prefix.tokens()), (cut, cut));
            }
        }
    }
}

/// A video of the first `pairs` frame pairs.
fn shortened(video: &VisionInput, pairs: usize) -> VisionInput {
    let [steps, height, width] = video.grid_thw;
    let pixel_values = video.pixel_values[..video.pixel_values.len() / steps * pairs].to_vec();
    VisionInput { pixel_values, grid_thw: [pairs, height, width], second_per_grid: video.second_per_grid }
}

#[test]
fn a_window_that_grows_pair_by_pair_answers_as_if_read_at_once() {
    let engine = &GOLDEN.engine;
    let video = GOLDEN.stored("video8").videos.remove(0);
    let [steps, height, width] = video.grid_thw;
    let pair = video.pixel_values.len() / steps;
    let mut prefix = engine.empty_prefix();
    let mut embeds: Vec<ImageEmbeds> = Vec::new();
    for pairs in 1..=steps {
        let patches = &video.pixel_values[(pairs - 1) * pair..pairs * pair];
        embeds.push(engine.encode_pair(patches, [height, width]).unwrap());
        let prompt = |words| {
            let mut message = messages("video8");
            message[0].content[1] = processor::Content::Text(String::from(words));
            GOLDEN.processor.prepare(&message, vec![], vec![shortened(&video, pairs)]).unwrap()
        };
        let questions = ["turn right or left?", "How far is the door?"].map(prompt);
        let end = engine.vision_end(&questions[0]);
        assert!(shared_tokens(&questions[0], &questions[1]) >= end);
        let before = prefix.tokens();
        engine.extend_prefix(&mut prefix, &questions[0], &embeds, end).unwrap();
        assert_eq!(prefix.vision_tokens(), pairs * height * width / 4);
        assert!(before == 0 || prefix.tokens() - before == height * width / 4);
        for inputs in &questions {
            let cold = engine.encode_all(inputs).unwrap();
            let settings = settings(24, Sampling::Greedy);
            let cold = engine.generate(inputs, &cold, &settings, &mut |_| {}).unwrap();
            let hot = engine.generate_from(&prefix, (inputs, &embeds), &settings, &mut |_| {}).unwrap();
            assert_eq!(hot.token_ids, cold.token_ids, "{pairs} pairs");
        }
    }
}

#[test]
fn a_fork_writes_behind_the_prefix_unless_another_does() {
    let engine = &GOLDEN.engine;
    let (inputs, embeds) = GOLDEN.encoded("video8");
    let mut prefix = engine.empty_prefix();
    engine.extend_prefix(&mut prefix, &inputs, &embeds, engine.vision_end(&inputs)).unwrap();
    let mut one = engine.fork(&prefix, &inputs, &embeds).unwrap();
    assert!(one.shares_cache_with(prefix.state()));
    let mut two = engine.fork(&prefix, &inputs, &embeds).unwrap();
    assert!(!two.shares_cache_with(prefix.state()), "what the first fork wrote is in use");
    // Neither disturbs the other, nor the prefix both came from.
    let reference = GOLDEN.greedy_reference("video8");
    for &token in &reference[..8] {
        for state in [&mut one, &mut two] {
            assert_eq!(argmax(state.logits()), token);
            let position = state.next_position();
            engine.step(state, token, position).unwrap();
        }
    }
    let mut longer = prefix.clone();
    engine.extend_prefix(&mut longer, &inputs, &embeds, inputs.input_ids.len()).unwrap();
    assert!(!longer.state().shares_cache_with(prefix.state()));
    drop((one, two, longer));
    let again = engine.fork(&prefix, &inputs, &embeds).unwrap();
    assert!(again.shares_cache_with(prefix.state()));
    assert_eq!(argmax(again.logits()), reference[0]);
}

#[test]
fn memory_is_counted_and_can_be_reserved() {
    let engine = &GOLDEN.engine;
    let (inputs, embeds) = GOLDEN.encoded("video8");
    let mut prefix = engine.empty_prefix();
    let end = engine.vision_end(&inputs);
    engine.extend_prefix(&mut prefix, &inputs, &embeds, end).unwrap();
    let text = &GOLDEN.processor.config().text;
    let token = text.num_hidden_layers * 2 * text.num_key_value_heads * text.head_dim * 4;
    let rest = text.vocab_size * 4 + end * 4 + 3 * end * 8;
    let room = (prefix.bytes() - rest) / token;
    assert!((end..=end + end / 4 + 256).contains(&room), "{end} tokens, room for {room}");
    engine.reserve_prefix(&mut prefix, 600).unwrap();
    assert!(prefix.bytes() >= (end + 600) * token + rest);
    let error = engine.reserve_prefix(&mut prefix, engine.context()).unwrap_err();
    assert!(matches!(error, Error::TooLong { .. }), "{error}");
}

#[test]
fn a_prompt_of_another_window_or_a_bad_end_is_refused() {
    let engine = &GOLDEN.engine;
    let (inputs, embeds) = GOLDEN.encoded("video8");
    let mut prefix = engine.empty_prefix();
    engine.extend_prefix(&mut prefix, &inputs, &embeds, engine.vision_end(&inputs)).unwrap();
    let (mut other, other_embeds) = GOLDEN.encoded("image");
    let error = engine.fork(&prefix, &other, &other_embeds).unwrap_err();
    let Error::Prefix { expected, found } = error else { panic!("{error}") };
    assert!(expected == prefix.tokens() && found < expected);
    let length = inputs.input_ids.len();
    let error = engine.extend_prefix(&mut prefix, &inputs, &embeds, length + 1).unwrap_err();
    assert!(error.to_string().contains(&format!("found {}", length + 1)), "{error}");
    let before = prefix.tokens();
    assert!(engine.extend_prefix(&mut prefix, &inputs, &embeds, before - 1).is_err());
    // Positions count as well as ids.
    other.clone_from(&inputs);
    other.position_ids[0][before - 1] += 1;
    assert!(matches!(engine.fork(&prefix, &other, &embeds), Err(Error::Prefix { .. })));
    assert_eq!(prefix.tokens(), before);
}

#[test]
fn with_trained_weights_hot_equals_cold_and_is_faster() {
    let nano = &NANO;
    let (first, embeds) = nano.ask(QUESTIONS[0], 8);
    let mut prefix = nano.engine.empty_prefix();
    nano.engine.extend_prefix(&mut prefix, &first, &embeds, nano.engine.vision_end(&first)).unwrap();
    let (mut cold_secs, mut hot_secs) = (0.0, 0.0);
    for question in QUESTIONS {
        let (inputs, embeds) = nano.ask(question, 8);
        let start = Instant::now();
        let cold_embeds = nano.engine.encode_all(&inputs).unwrap();
        let vision_secs = start.elapsed().as_secs_f64();
        let cold = nano.engine.generate(&inputs, &cold_embeds, &nano.settings(), &mut |_| {}).unwrap();
        let hot = nano.engine.generate_from(&prefix, (&inputs, &embeds), &nano.settings(), &mut |_| {}).unwrap();
        assert_eq!((&hot.token_ids, &hot.text), (&cold.token_ids, &cold.text), "{question}");
        cold_secs += vision_secs + cold.first_token_secs;
        hot_secs += hot.first_token_secs;
        println!(
            "{question} {} of {} tokens hot; first token: vision {:.1} ms + cold {:.1} ms, hot {:.1} ms: {}",
            hot.cached_tokens,
            inputs.input_ids.len(),
            1e3 * vision_secs,
            1e3 * cold.first_token_secs,
            1e3 * hot.first_token_secs,
            hot.text,
        );
    }
    println!(
        "question to first token, cold over hot: {:.1}; prefix {} KiB",
        cold_secs / hot_secs,
        prefix.bytes() / 1024
    );
    assert!(hot_secs < cold_secs / 3.0, "hot {hot_secs} s, cold {cold_secs} s");
}
