//! Rewards of one completion and of a group, with numbers worked by hand from `spec/sg-rlvr.md`.

use std::collections::BTreeSet;

use msgs::{Cell, ImaginedMap, MapObject};
use scoring::*;

fn accuracy(problem: ProblemType, answer: &str, solution: &str) -> f64 {
    problem_accuracy(problem, answer, solution, AbstentionReward::default())
}

#[test]
fn format_is_of_the_whole_completion() {
    for (completion, expected) in [
        ("<think>a</think><answer>b</answer>", 1.0),
        ("<think>a\nb</think>\n \t<answer>b\nc</answer>", 1.0),
        ("<think></think><answer></answer>", 1.0),
        ("<think>a</think> b </think> <answer>c</answer>", 1.0),
        ("<think>a</think>b<answer>c</answer>", 0.0),
        (" <think>a</think><answer>b</answer>", 0.0),
        ("<think>a</think><answer>b</answer>.", 0.0),
        ("<think>a<answer>b</answer>", 0.0),
        ("<think></answer>", 0.0),
        ("", 0.0),
    ] {
        assert_eq!(format_reward(completion), expected, "{completion:?}");
    }
}

#[test]
fn the_first_pair_of_answer_tags_counts() {
    assert_eq!(answer_text("x <answer> 2 </answer><answer>3</answer>"), "2");
    assert_eq!(answer_text("<answer>2"), "");
    assert_eq!(solution_text("<answer>B</answer>"), "B");
    assert_eq!(solution_text(" B "), "B");
}

#[test]
fn accuracy_by_problem_type() {
    use ProblemType::*;
    assert_eq!(accuracy(MultipleChoice, " B ", "B"), 1.0);
    assert_eq!(accuracy(MultipleChoice, "B.", "B"), 0.0);
    assert_eq!(accuracy(Numerical, "about 2.08 m", "2"), 1.0);
    assert_eq!(accuracy(Numerical, "three chairs", "3"), 1.0);
    assert_eq!(accuracy(Numerical, "a chair", "1"), 1.0);
    assert_eq!(accuracy(Numerical, "2.64", "2"), 0.4);
    assert_eq!(accuracy(Numerical, "none of these", "2"), 0.0);
    assert!((accuracy(Regression, "1,500", "2000") - 0.75).abs() < 1e-9);
    assert_eq!(accuracy(Regression, "nan", "2000"), 0.0);
    assert_eq!(accuracy(Regression, "9000", "2000"), 0.0);
    // One substitution and one insertion over four words.
    assert_eq!(accuracy(Ocr, "the cat sits down there", "the cat sat down"), 0.5);
    assert_eq!(accuracy(Ocr, "a b c", "d"), 0.0);
    assert_eq!(accuracy(FreeForm, "same words here", "same words here"), 1.0);
}

#[test]
fn rouge_equals_googles() {
    // `rouge_score` 0.1.2 with use_stemmer=True.
    for (prediction, target, expected) in [
        ("the cat sat on the mat", "the cat was sitting on the mats", [0.769_230_77, 0.545_454_55, 0.769_230_77]),
        (
            "A red chair stands beside two tables.",
            "There are two red chairs standing beside a table!",
            [0.875, 0.428_571_43, 0.625],
        ),
        (
            "The robot's camera can't see the door-handle",
            "the camera of the robot cannot see door handles",
            [0.736_842_11, 0.235_294_12, 0.526_315_79],
        ),
        ("a b c d e f", "f e d c b a", [1.0, 0.0, 0.166_666_67]),
        ("hello", "world", [0.0; 3]),
    ] {
        let found = rouge(prediction, target);
        for (found, expected) in [found.one, found.two, found.longest].into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-7, "{prediction:?}: {found} {expected}");
        }
    }
}

#[test]
fn silence_beats_a_number_for_what_is_absent() {
    let earned = |answer| accuracy(ProblemType::Numerical, answer, "not seen");
    assert_eq!(earned("not seen"), 1.0);
    assert_eq!(earned(""), 0.0);
    assert!(earned("2.4") < earned(""));
    assert_eq!(accuracy(ProblemType::Numerical, "not seen", "2.4"), 0.0);
}

fn map(cells: &[(&str, u8, u8)]) -> ImaginedMap {
    let object = |&(category, x, y): &(&str, u8, u8)| MapObject { category: category.to_owned(), cell: Cell { x, y } };
    ImaginedMap { objects: cells.iter().map(object).collect(), ..ImaginedMap::default() }
}

#[test]
fn a_wrong_map_cancels_a_right_answer() {
    let truth = map(&[("chair", 2, 2), ("chair", 8, 8)]);
    let categories = BTreeSet::from(["chair".to_owned()]);
    let total = |completion: &str| {
        accuracy_with_map(1.0, stated_map_score(completion, &truth, &categories, MapScoreSettings::default()))
    };
    assert_eq!(total("no map"), 1.0);
    assert_eq!(total("<map>{'Chair ': ['2', '2']}</map>"), 1.5);
    assert_eq!(total("<map>{'chair': [(2.7, 2), (8, 8)]}</map>"), 2.0);
    assert_eq!(total("<map>{'lamp': [[2, 2]]}</map>"), 0.0);
    assert_eq!(total("<map>garbage</map>"), 0.0);
    assert_eq!(total("<map>{'chair': [[2, 2]]"), 1.0);
    assert!(ProblemType::Numerical.is_good(0.6) && !ProblemType::Numerical.is_good(0.5));
    assert!(ProblemType::MultipleChoice.is_good(1.0) && !ProblemType::FreeForm.is_good(1.0));
}

#[test]
fn hungarian_matching_finds_the_better_pairing() {
    // Greedy takes the neighbours (1 cell) and is left with 9 cells; crossing over costs 4 and 4.
    let (predicted, truth) = (map(&[("bed", 4, 0), ("bed", 0, 0)]), map(&[("bed", 5, 0), ("bed", 9, 0)]));
    let score = |matching| map_score(&predicted, &truth, MapScoreSettings { matching, ..Default::default() });
    let expected = |sum: f64| 1.0 - sum / (2.0 * 10.0 * 2f64.sqrt());
    assert!((score(Matching::Greedy) - expected(1.0 + 9.0)).abs() < 1e-12);
    assert!((score(Matching::Hungarian) - expected(5.0 + 5.0)).abs() < 1e-12);
    let (predicted, truth) =
        (map(&[("bed", 3, 0), ("bed", 0, 0)]), map(&[("bed", 4, 0), ("bed", 3, 9), ("bed", 9, 9)]));
    let score = |matching| map_score(&predicted, &truth, MapScoreSettings { matching, ..Default::default() });
    assert!(score(Matching::Hungarian) >= score(Matching::Greedy));
}

#[test]
fn the_temporal_bonus_needs_order_to_help() {
    assert_eq!(temporal_bonus(&[1.0, 0.0], &[0.5]), [0.3, 0.0]);
    assert_eq!(temporal_bonus(&[0.5, 0.1], &[1.0]), [0.0, 0.0]);
    assert_eq!(temporal_bonus(&[0.8, 0.8], &[1.0]), [0.3, 0.3]);
    assert_eq!(temporal_bonus(&[1.0], &[]), [0.0]);
}

#[test]
fn the_length_bonus_needs_two_right_completions() {
    assert_eq!(length_bonus(&[(1.0, 320), (0.5, 512), (0.0, 400), (1.0, 513)]), [0.2, 0.2, 0.0, 0.0]);
    assert_eq!(length_bonus(&[(1.0, 400), (0.1, 400)]), [0.0, 0.0]);
}

#[test]
fn overlong_completions_are_punished_softly() {
    let shaping = OverlongShaping { max_tokens: 100, cache_tokens: 20 };
    let found: Vec<f64> = [10, 80, 90, 100, 101].map(|tokens| shaping.punishment(tokens)).to_vec();
    assert_eq!(found, [0.0, 0.0, -0.5, -1.0, -1.0]);
}

#[test]
fn intervals_by_hand() {
    assert_eq!(stated_interval("2.4 [2.1, 2.8]"), Some([2.1, 2.8]));
    assert_eq!(stated_interval("2.4 [2.1 m, 2.8 m]"), Some([2.1, 2.8]));
    for text in ["2.4", "[2.8, 2.1]", "[2.1; 2.8]", "[2.1, ", "[a, b]"] {
        assert_eq!(stated_interval(text), None, "{text}");
    }
    // Width 0.4 of 2 · 2; outside by 0.1 costs 20 · 0.1 more.
    assert!((interval_reward([1.8, 2.2], 2.0, 0.9) - 0.9).abs() < 1e-12);
    assert!((interval_reward([2.1, 2.3], 2.0, 0.9) - (1.0 - 2.2 / 4.0)).abs() < 1e-9);
    assert_eq!(interval_reward([9.0, 9.1], 2.0, 0.9), 0.0);
}

#[test]
fn names_are_those_of_the_records() {
    let names: Vec<String> = ProblemType::ALL.iter().map(|problem| serde_json::to_string(problem).unwrap()).collect();
    assert_eq!(names, ["\"multiple choice\"", "\"numerical\"", "\"regression\"", "\"OCR\"", "\"free-form\""]);
}
