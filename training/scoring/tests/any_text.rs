//! No text whatever panics or scores out of range.

use std::collections::BTreeSet;

use msgs::{Cell, ImaginedMap, MapObject};
use proptest::prelude::*;
use scoring::*;

/// Bytes as a model may write them: tags, numbers and brackets between anything else.
fn completion() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..12).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        prop::sample::select(vec![
            "<think>",
            "</think>",
            "<answer>",
            "</answer>",
            "<map>",
            "</map>",
            "{",
            "}",
            "\"chair\":",
            "[[1,2]]",
            "(3, '4')",
            "2.4",
            "-",
            "not seen",
            "three",
            "[1, 2]",
            "\u{a0}",
            "1e999",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

fn cells() -> impl Strategy<Value = ImaginedMap> {
    let object = (prop::sample::select(vec!["chair", "bed"]), 0..10u8, 0..10u8)
        .prop_map(|(category, x, y)| MapObject { category: category.to_owned(), cell: Cell { x, y } });
    let objects = proptest::collection::vec(object, 0..7);
    objects.prop_map(|objects| ImaginedMap { objects, ..ImaginedMap::default() })
}

proptest! {
    #[test]
    fn every_reward_is_in_its_range(text in completion(), solution in completion(), truth in cells()) {
        prop_assert!([0.0, 1.0].contains(&format_reward(&text)));
        for problem in ProblemType::ALL {
            let abstention = AbstentionReward::default();
            let accuracy = problem_accuracy(problem, answer_text(&text), solution_text(&solution), abstention);
            prop_assert!((abstention.number_for_absent..=1.0).contains(&accuracy), "{problem:?} {accuracy}");
            let score = stated_map_score(&text, &truth, &BTreeSet::from(["chair".to_owned()]), MapScoreSettings::default());
            prop_assert!(score.is_none_or(|score| (0.0..=1.0).contains(&score)));
            prop_assert!((0.0..=2.0).contains(&accuracy_with_map(accuracy.max(0.0), score)));
        }
        if let Some(interval) = stated_interval(&text) {
            prop_assert!((0.0..=1.0).contains(&interval_reward(interval, 2.0, 0.9)));
        }
        prop_assert!(word_error_rate(&text, &solution) >= 0.0);
        prop_assert!((0.0..=1.0 + 1e-12).contains(&rouge(&text, &solution).mean()));
    }

    #[test]
    fn a_text_equals_itself(text in "[a-z]{1,8}( [a-z]{1,8}){1,6}") {
        prop_assert_eq!(word_error_rate(&text, &text), 0.0);
        prop_assert!((rouge(&text, &text).mean() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_map_equals_itself_and_hungarian_is_never_worse(a in cells(), b in cells()) {
        let with = |matching, a: &ImaginedMap, b: &ImaginedMap| {
            map_score(a, b, MapScoreSettings { matching, ..Default::default() })
        };
        for matching in [Matching::Greedy, Matching::Hungarian] {
            prop_assert!((with(matching, &a, &a) - 1.0).abs() < 1e-12);
        }
        prop_assert!(with(Matching::Hungarian, &a, &b) >= with(Matching::Greedy, &a, &b) - 1e-9);
    }

    #[test]
    fn the_truths_own_interval_is_best(truth in 0.5..8.0f64, width in 0.0..1.0f64, off in 0.0..2.0f64) {
        let around = |centre: f64| interval_reward([centre - width / 2.0, centre + width / 2.0], truth, 0.9);
        prop_assert!(around(truth) >= around(truth + off) - 1e-12);
    }
}
