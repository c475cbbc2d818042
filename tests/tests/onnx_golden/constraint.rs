//! A constrained completion keeps to its grammar whatever the logits are; one that keeps to it anyway is not changed.

use std::time::Instant;

use vlm::{AnswerFormat, AnswerShape, FinishReason, GenerateSettings, Grammar, Sampling};

use crate::golden::{CASES, GOLDEN, settings, tokens};
use crate::nano::{NANO, QUESTIONS};

/// Whether an answer has the shape asked for.
type Fits<'f> = &'f dyn Fn(&str) -> bool;

fn format(answer: AnswerShape) -> AnswerFormat {
    AnswerFormat { answer, abstention: Some("not seen".to_owned()), map_required: false }
}

/// What lies between `open` and `close`, and what follows.
fn between<'t>(text: &'t str, open: &str, close: &str) -> (&'t str, &'t str) {
    let rest = text.strip_prefix(open).unwrap_or_else(|| panic!("{open} expected at {text:?}"));
    rest.split_once(close).unwrap_or_else(|| panic!("{close} expected in {text:?}"))
}

/// Reads a completion by hand, not by the grammar that made it.
fn check_by_hand(text: &str, answer_fits: impl Fn(&str) -> bool) {
    let (thought, rest) = between(text, "<think>", "</think>");
    let (answer, rest) = between(rest.trim_start_matches('\n'), "<answer>", "</answer>");
    assert!(rest.is_empty() && (answer == "not seen" || answer_fits(answer)), "{text:?}");
    let Some((before, map)) = thought.split_once("<map>") else {
        assert!(!thought.is_empty() && !thought.contains('<'), "{text:?}");
        return;
    };
    let (map, after) = map.split_once("</map>").unwrap_or_else(|| panic!("{text:?}"));
    assert!(!before.is_empty() && !before.contains('<') && !after.contains('<'), "{text:?}");
    let map: serde_json::Value = serde_json::from_str(map).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    let cells = |value: &serde_json::Value| {
        let cell = |cell: &serde_json::Value| cell.as_array().is_some_and(|xy| xy.len() == 2);
        value.is_number() || value.as_array().is_some_and(|list| list.iter().all(cell))
    };
    assert!(map.as_object().is_some_and(|entries| entries.values().all(cells)), "{text:?}");
}

/// The golden weights are random: nothing but the grammar keeps these completions in shape. The bias only makes tags
/// and brackets likely enough for them to come to an end.
#[test]
fn random_weights_write_nothing_but_the_grammar() {
    let engine = &GOLDEN.engine;
    let tokenizer = GOLDEN.processor.tokenizer();
    let signs: Vec<(u32, f32)> = (0..512)
        .filter(|&id| tokenizer.decode(&[id], true).is_ok_and(|text| text.contains(['<', '}', ']', '>'])))
        .map(|id| (id, 4.0))
        .collect();
    let number = |text: &str| text.parse::<f64>().is_ok();
    let letter = |text: &str| matches!(text, "A" | "B" | "C" | "D");
    let words = |text: &str| !text.is_empty() && !text.contains('<');
    let shapes: [(AnswerShape, Fits<'_>); 3] =
        [(AnswerShape::Number, &number), (AnswerShape::Option { last: 'D' }, &letter), (AnswerShape::Words, &words)];
    let (inputs, embeds) = GOLDEN.encoded("text");
    let state = engine.prefill(&inputs, &embeds).unwrap();
    let (mut whole, mut with_map) = (0, 0);
    for (shape, fits) in shapes {
        let grammar = format(shape).grammar();
        let constraints =
            [engine.constraint(&grammar).unwrap(), engine.constraint_without_fast_forward(&grammar).unwrap()];
        for seed in 0..24 {
            let sampling = Sampling::TopP { temperature: 1.5, top_p: 1.0, top_k: 0, seed };
            let constraint = &constraints[seed as usize % 2];
            let settings = GenerateSettings {
                constraint: Some(constraint.clone()),
                logit_bias: signs.clone(),
                eos_ids: engine.eos_ids().to_vec(),
                ..settings(600, sampling)
            };
            let generation = engine.complete(&mut state.clone(), &settings, &mut |_| {}).unwrap();
            if generation.finish == FinishReason::Length {
                continue;
            }
            assert_eq!(generation.finish, FinishReason::Stop);
            check_by_hand(&generation.text, fits);
            assert!(constraint.accepts(&generation.token_ids).unwrap());
            whole += 1;
            with_map += usize::from(generation.text.contains("<map>"));
        }
    }
    println!("{whole} of 72 random completions came to their end, {with_map} with a map");
    assert!(whole > 36 && with_map > 0);
}

/// Banning all tokens that are not ASCII text and allowing any ASCII text are the same thing said twice.
#[test]
fn a_completion_that_keeps_to_the_grammar_by_itself_is_unchanged() {
    let engine = &GOLDEN.engine;
    let tokenizer = GOLDEN.processor.tokenizer();
    let ascii = |id: u32| {
        let text = tokenizer.decode(&[id], true).unwrap();
        !text.is_empty() && text.is_ascii()
    };
    let bias: Vec<(u32, f32)> = (0..512).filter(|&id| !ascii(id)).map(|id| (id, f32::NEG_INFINITY)).collect();
    let constraint = engine.constraint_without_fast_forward(&Grammar::Regex(r"[\x00-\x7f]*".to_owned())).unwrap();
    for case in CASES {
        let encoded = GOLDEN.encoded(case);
        for sampling in [Sampling::Greedy, Sampling::TopP { temperature: 1.2, top_p: 0.9, top_k: 0, seed: 5 }] {
            let free = GenerateSettings { logit_bias: bias.clone(), ..settings(48, sampling) };
            let constrained = GenerateSettings { constraint: Some(constraint.clone()), ..free.clone() };
            // The end of the text is allowed at any time; here it may not be chosen.
            let ends = engine.eos_ids().iter().map(|&id| (id, f32::NEG_INFINITY));
            let constrained =
                GenerateSettings { logit_bias: bias.iter().copied().chain(ends).collect(), ..constrained };
            assert_eq!(tokens(engine, &encoded, &free), tokens(engine, &encoded, &constrained), "{case}");
        }
    }
}

#[test]
fn the_trained_completions_of_nano_are_valid_and_near_misses_are_not() {
    let (engine, tokenizer) = (&NANO.engine, NANO.processor.tokenizer());
    let number = engine.constraint(&format(AnswerShape::Number).grammar()).unwrap();
    let accepts = |text: &str| number.accepts(&tokenizer.encode(text).unwrap()).unwrap();
    let map = r#"<map>{"bed":[[4,5]],"door":[[0,9],[1,9]],"cell_size_m":0.6,"robot":[[5,9]]}</map>"#;
    for valid in [
        format!("<think>I see the door 2.4 m away.{map}</think><answer>2.4</answer>"),
        format!("<think>I see 3 chairs.{map}</think><answer>3</answer>"),
        format!("<think>I do not see a chair.{map}</think><answer>not seen</answer>"),
        r#"<think>I see 1 bed.<map>{}</map></think><answer>1</answer>"#.to_owned(),
        "<think>It is to my left.\n<map>{\"bed\": [[4, 5], [4, 6]]}</map>\nSo:</think>\n<answer>12</answer>".to_owned(),
    ] {
        assert!(accepts(&valid), "{valid}");
    }
    for invalid in [
        format!("<think>I see the door 2.4 m away.{map}</think><answer>2.4 m</answer>"),
        format!("<think>I see the door 2.4 m away.{map}</think><answer></answer>"),
        format!("<think>I see 3 chairs.{map}</think>"),
        format!("<think>I see 3 chairs.{map}<answer>3</answer>"),
        r#"<think>I see 1 bed.<map>{"bed":[[4]]}</map></think><answer>1</answer>"#.to_owned(),
        r#"<think>I see 1 bed.<map>{"bed":[[4,5]}</map></think><answer>1</answer>"#.to_owned(),
    ] {
        assert!(!accepts(&invalid), "{invalid}");
    }
    let required = AnswerFormat { map_required: true, ..format(AnswerShape::Number) };
    let required = engine.constraint(&required.grammar()).unwrap();
    let without_map = tokenizer.encode("<think>I see 3 chairs.</think><answer>3</answer>").unwrap();
    assert!(!required.accepts(&without_map).unwrap() && number.accepts(&without_map).unwrap());
}

/// As many and as long options as a query may have, spelt like regular expressions.
#[test]
fn any_options_can_be_stated() {
    let (engine, tokenizer) = (&NANO.engine, NANO.processor.tokenizer());
    let options: Vec<String> = ('A'..='Z').map(|of| format!("(the [{of}] door, near: the sofa)+? {of}")).collect();
    let format = format(AnswerShape::StatedOption { options: options.clone() });
    let start = Instant::now();
    let constraint = engine.constraint(&format.grammar()).unwrap();
    println!("26 options compiled in {:?}", start.elapsed());
    let accepts = |text: &str| constraint.accepts(&tokenizer.encode(text).unwrap()).unwrap();
    let map = r#"<map>{"bed":[[4,5]],"door":[[0,9],[1,9]],"cell_size_m":0.6,"robot":[[5,9]]}</map>"#;
    for (letter, words) in ('A'..='Z').zip(&options) {
        let stated =
            |letter| format!("<think>I see 3 doors, one at +1.2 0.4; nearest: {words}; {letter}.{map}</think><answer>");
        assert!(accepts(&stated(letter)), "{words}");
        assert_eq!(format.stated(&stated(letter)).map(|stated| stated.answer), Some(letter.to_string()));
        assert!(!accepts(&stated(if letter == 'A' { 'B' } else { 'A' })), "{words}");
    }
    assert!(accepts(&format!("<think>I do not see a door.{map}</think><answer>")));
    assert!(!accepts(&format!("<think>I see a door: not any of these.{map}</think><answer>")));
}

#[test]
fn with_trained_weights_valid_answers_are_unchanged_and_cost_is_small() {
    let nano = &NANO;
    let grammar = format(AnswerShape::Number).grammar();
    let constraint = nano.engine.constraint(&grammar).unwrap();
    let slow = nano.engine.constraint_without_fast_forward(&grammar).unwrap();
    let (mut valid, mut secs, mut tokens) = (0, [0.0; 3], [0; 3]);
    for question in QUESTIONS {
        let (inputs, embeds) = nano.ask(question, 2);
        let state = nano.engine.prefill(&inputs, &embeds).unwrap();
        let free = nano.settings();
        let modes = [
            free.clone(),
            GenerateSettings { constraint: Some(slow.clone()), ..free.clone() },
            GenerateSettings { constraint: Some(constraint.clone()), ..free },
        ];
        let texts = [0, 1, 2].map(|mode| {
            let complete = |_| nano.engine.complete(&mut state.clone(), &modes[mode], &mut |_| {}).unwrap();
            let runs: Vec<_> = (0..5).map(complete).collect();
            secs[mode] += runs.iter().map(|run| run.decode_secs).fold(f64::INFINITY, f64::min);
            tokens[mode] += runs[0].token_ids.len();
            (runs[0].token_ids.clone(), runs[0].text.clone())
        });
        if constraint.accepts(&texts[0].0).unwrap() {
            valid += 1;
            assert_eq!(texts[0], texts[1], "{question}");
            assert_eq!(texts[0], texts[2], "{question}");
        } else {
            println!("not valid by itself: {}", texts[0].1);
        }
    }
    let per_token = [0, 1, 2].map(|mode| 1e6 * secs[mode] / tokens[mode] as f64);
    println!(
        "{valid} of 4 valid by themselves; µs per token: free {:.0}, constrained {:.0}, with fast-forward {:.0}",
        per_token[0], per_token[1], per_token[2]
    );
    assert!(valid > 0);
}

/// However likely: a special token is no text, and the end comes only where the grammar may end.
#[test]
fn special_tokens_come_only_where_the_grammar_may_end() {
    let engine = &GOLDEN.engine;
    let (inputs, embeds) = GOLDEN.encoded("text");
    let likely: Vec<(u32, f32)> = (384..512).map(|id| (id, 100.0)).collect();
    let complete = |regex: &str| {
        let constraint = Some(engine.constraint(&Grammar::Regex(regex.to_owned())).unwrap());
        let eos_ids = engine.eos_ids().to_vec();
        let settings =
            GenerateSettings { constraint, eos_ids, logit_bias: likely.clone(), ..settings(40, Sampling::Greedy) };
        engine.generate(&inputs, &embeds, &settings, &mut |_| {}).unwrap()
    };
    let fixed = complete("[a-z ]{12}");
    assert_eq!((fixed.finish, fixed.text.len()), (FinishReason::Stop, 12));
    assert!(fixed.token_ids.iter().all(|id| *id < 384), "{:?}", fixed.token_ids);
    let open = complete("[a-z ]{3,}");
    let (end, text) = open.token_ids.split_last().unwrap();
    assert_eq!(open.finish, FinishReason::Eos);
    assert!(engine.eos_ids().contains(end) && text.iter().all(|id| *id < 384) && open.text.len() >= 3);
}

#[test]
fn a_malformed_grammar_is_an_error_that_says_why() {
    for grammar in [Grammar::Regex("(unclosed".into()), Grammar::Lark("start: nothing".into())] {
        let error = GOLDEN.engine.constraint(&grammar).unwrap_err();
        assert!(matches!(error, vlm::Error::Constraint { .. }), "{error}");
        println!("{error}");
    }
    let lark = Grammar::Lark("start: \"yes\" | \"no\"".into());
    let constraint = GOLDEN.engine.constraint(&lark).unwrap();
    let encoded = GOLDEN.encoded("text");
    let settings = GenerateSettings { constraint: Some(constraint), ..settings(24, Sampling::Greedy) };
    let answer = GOLDEN.engine.generate(&encoded.0, &encoded.1, &settings, &mut |_| {}).unwrap();
    assert!(matches!(answer.text.as_str(), "yes" | "no"), "{}", answer.text);
}
