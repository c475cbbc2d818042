//! How answers, labels, tags, maps and texts are read: by the rules of SG-RLVR's released reward code, also where they are
//! odd. Every value here is what those rules give.

use std::collections::BTreeSet;

use msgs::{Cell, ImaginedMap, MapObject};
use scoring::*;

fn accuracy(problem: ProblemType, answer: &str, solution: &str) -> f64 {
    problem_accuracy(problem, answer, solution, AbstentionReward::default())
}

fn numerical(answer: &str, solution: &str) -> f64 {
    accuracy(ProblemType::Numerical, answer, solution)
}

#[test]
fn thresholds_fall_where_the_released_ones_do() {
    // Errors of 5, 10, … 50 %.
    let above = [1.0, 0.9, 0.8, 0.6, 0.6, 0.5, 0.4, 0.3, 0.1, 0.1];
    let of = |truth: f64, steps: [f64; 10]| steps.map(|prediction| mean_relative_accuracy(prediction, truth)).to_vec();
    assert_eq!(of(10.0, [10.5, 11.0, 11.5, 12.0, 12.5, 13.0, 13.5, 14.0, 14.5, 15.0]), above);
    assert_eq!(of(10.0, [9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0]), above);
    assert_eq!(of(100.0, [105.0, 110.0, 115.0, 120.0, 125.0, 130.0, 135.0, 140.0, 145.0, 150.0]), above);
    let of_one = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3, 0.3, 0.2, 0.1];
    assert_eq!(of(1.0, [1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.35, 1.4, 1.45, 1.5]), of_one);
    let below_two = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];
    assert_eq!(of(2.0, [1.9, 1.8, 1.7, 1.6, 1.5, 1.4, 1.3, 1.2, 1.1, 1.0]), below_two);
}

#[test]
fn an_answer_is_its_first_word_of_the_list_else_its_first_digits() {
    for (answer, number) in [
        ("forty-five", "5"),
        ("twenty-one", "1"),
        ("ninety nine", "9"),
        ("one hundred and five", "1"),
        ("two thousand", "2"),
        ("three or two", "2"),
        ("zero or one", "1"),
        ("THREE", "3"),
        ("two\u{a0}m", "2"),
        ("a dozen", "1"),
        ("An armchair", "1"),
        ("a table and three chairs", "3"),
        ("3 (one is hidden)", "1"),
        ("It is an estimated 2.5 m", "1"),
        ("1,200", "1"),
        ("1 200", "1"),
        ("1\u{a0}200", "1"),
        ("1.200", "1.2"),
        ("2,5", "2"),
        ("2-3", "2"),
        ("2–3 m", "2"),
        ("between 2 and 3", "2"),
        ("-2.5", "2.5"),
        ("− 2.5 m", "2.5"),
        ("+2.5", "2.5"),
        (".5", "5"),
        ("5.", "5"),
        ("2.5...", "2.5"),
        ("50 %", "50"),
        ("250 cm", "250"),
        ("1e3", "1"),
        ("3_000", "3"),
        ("$\\boxed{2.5}$", "2.5"),
        ("\\text{2.5 m}", "2.5"),
        ("\\boxed{three}", "3"),
        ("**2.5**", "2.5"),
        ("<b>2.5</b>", "2.5"),
        ("2½", "2"),
        ("2.5米", "2.5"),
        ("٢.٥", "2.5"),
        ("٢٫٥", "2"),
        ("２．５", "2"),
        ("２５", "25"),
        ("१२", "12"),
        ("the 2nd", "2"),
        ("x3y", "3"),
    ] {
        assert_eq!(numerical(answer, number), 1.0, "{answer:?} is {number}");
    }
    for answer in
        ["", "none", "½", "x²", "Ⅲ", "十二", "trois", "_three_", "three_chairs", "threes", "hundred", "inf", "nan"]
    {
        assert_eq!([1, 2, 3].map(|number| numerical(answer, &number.to_string())), [0.0; 3], "{answer:?} is no number");
    }
    assert_eq!(numerical(&"9".repeat(400), "inf"), 0.0);
}

#[test]
fn a_label_is_one_number_and_nothing_else() {
    for (label, number) in [
        (" 3\n", "3"),
        ("\u{a0}3\u{1f}", "3"),
        ("+3", "3"),
        ("5.", "5"),
        ("1.2e3", "1200"),
        ("1_200", "1200"),
        ("٣", "3"),
        ("１２", "12"),
        (".5", "0.5"),
    ] {
        assert_eq!(numerical(number, label), 1.0, "{label:?} is {number}");
        assert_eq!(label_number(label), number.parse().ok());
    }
    for label in
        ["1,200", "1/2", "50%", "2.5 m", "about 2.5", "three", "nan", "inf", "-inf", "1e400", "³", "x", "", "2 3"]
    {
        assert_eq!(label_number(label), None, "{label:?}");
        for answer in [label, "1", "1200", "0.5", "50", "2.5", "3", "nan"] {
            assert_eq!(numerical(answer, label), 0.0, "{answer:?} for {label:?}");
        }
    }
    assert_eq!((label_number("1e300"), numerical("1", "1e300")), (Some(1e300), 0.0));
}

#[test]
fn differences_on_purpose() {
    // By the released code a label of 0 is met by nothing, a negative one by every number.
    assert_eq!(["0", "zero", "0.0 m", "1", "none"].map(|answer| numerical(answer, "0")), [1.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(
        ["-2", "−2 m", "-2.02", "2", "two", "-4"].map(|answer| numerical(answer, "-2")),
        [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    );
    // It credits answers that say nothing.
    assert_eq!(["I cannot see a chair", "a chair"].map(|answer| numerical(answer, "1")), [0.0, 1.0]);
    assert_eq!([("nan", "2"), ("2", "nan"), ("2", "inf"), ("inf", "inf"), ("-inf", "2")].map(regression), [0.0; 5]);
    assert_eq!(accuracy(ProblemType::MultipleChoice, "", ""), 0.0);
}

fn regression((answer, solution): (&str, &str)) -> f64 {
    accuracy(ProblemType::Regression, answer, solution)
}

#[test]
fn a_regression_compares_whole_numbers_without_commas() {
    for (answer, solution) in [
        ("1,200", "1200"),
        ("1,2,0,0", "1200"),
        ("1_200", "1,200"),
        ("+1.2e3", "1200"),
        ("١٢٠٠", "1200"),
        ("\u{a0}1200", "1200."),
    ] {
        assert!(regression((answer, solution)) > 0.999_999, "{answer:?} is {solution:?}");
    }
    assert!(regression(("-2", "-2")) > 0.999_999);
    for answer in ["2 m", "about 2", "1__0", "two", "2.5.", "−2", "0x2", "\"2\"", ""] {
        assert_eq!(regression((answer, "2")), 0.0, "{answer:?}");
    }
}

#[test]
fn tags_are_taken_by_the_letter() {
    for (completion, format, answer) in [
        ("<think>x</think>\u{1c}\u{a0}<answer>\u{1f}B\u{1d}</answer>", 1.0, "B"),
        ("<think>x</think>\u{200b}<answer>B</answer>", 0.0, "B"),
        ("<think>x</think><answer>\u{feff}B</answer>", 1.0, "\u{feff}B"),
        ("<think>x</think><answer>A</answer><answer>B</answer>", 1.0, "A"),
        ("<answer>A</answer><think>x</think><answer>B</answer>", 0.0, "A"),
        ("<think>x</think><answer><answer>B</answer>", 1.0, "<answer>B"),
        ("<think>x</think><answer>B</answer></answer>", 1.0, "B"),
        ("<think>x</think><answer>B", 0.0, ""),
        ("<think>x<answer>B</answer>", 0.0, "B"),
        ("<THINK>x</THINK><ANSWER>B</ANSWER>", 0.0, ""),
        ("<think>x</think><answer >B</answer>", 0.0, ""),
        ("</answer><answer>", 0.0, ""),
    ] {
        assert_eq!((format_reward(completion), answer_text(completion)), (format, answer), "{completion:?}");
    }
    assert_eq!(map_text("<map>{}</map>{}</map>"), Some("{}"));
    assert_eq!([map_text("</map>{}<map>"), map_text("<map>{}"), map_text("")], [Some(""), None, None]);
}

#[test]
fn words_are_compared_by_their_stems() {
    // Three ROUGE measures of two words each: 1 where the stems are equal.
    for (answer, solution) in [
        ("running dogs", "runs dog"),
        ("agreed, dying", "agree die"),
        ("happy ties", "Happy tied"),
        ("flies enjoyed", "flying enjoying"),
        ("generalizations here", "generalization here"),
        ("geologies here", "geology here"),
        ("word_with underscore", "word with-underscore"),
        ("CHAIR; TABLE", "chairs tables"),
    ] {
        let found = accuracy(ProblemType::FreeForm, answer, solution);
        assert!((found - 1.0).abs() < 1e-9, "{answer:?} {solution:?}: {found}");
    }
    for (answer, solution) in
        [("proceeds far", "proceed far"), ("happily so", "happy so"), ("its so", "it's so"), ("flies far", "fly far")]
    {
        let found = accuracy(ProblemType::FreeForm, answer, solution);
        assert!(found < 0.5, "{answer:?} {solution:?}: {found}");
    }
    // Of another script there are no words; one word has no pairs.
    assert_eq!(accuracy(ProblemType::FreeForm, "红色", "红色"), 0.0);
    assert!((accuracy(ProblemType::FreeForm, "left", "Left!") - 2.0 / 3.0).abs() < 1e-9);
    assert!(
        (accuracy(ProblemType::FreeForm, "proceeds innings outings", "proceed inning outing") - 0.611_111_1).abs()
            < 1e-6
    );
    assert_eq!(accuracy(ProblemType::Ocr, "a b", "a\u{1c}b"), 1.0);
    assert_eq!(accuracy(ProblemType::Ocr, "Exit here", "EXIT here"), 0.5);
}

fn truth() -> ImaginedMap {
    let object = |x, y| MapObject { category: "chair".to_owned(), cell: Cell { x, y } };
    ImaginedMap { objects: vec![object(2, 2), object(8, 8)], ..ImaginedMap::default() }
}

/// The points of chairs in a map's text.
fn chairs(text: &str) -> Vec<[f64; 2]> {
    let categories = BTreeSet::from(["chair", "armchair", "tv", "tv stand", "children's chair"].map(str::to_owned));
    let mut map = stated_map(&format!("<map>{text}</map>"), &categories).expect("a map");
    map.remove("chair").unwrap_or_default()
}

#[test]
fn points_of_a_literal() {
    let both = vec![[2.0, 2.0], [8.0, 8.0]];
    for text in [
        "{'chair': [(2, 2), (8, 8)]}",
        "{\"chair\": [[\"2\", \"[2]\"], [\" 8 \", \"8.0\"]]}",
        "{\"chair\": [\"2,2\", \"<center>8, 8</center>\"]}",
        "{\"chair\": [[2e0, 2_0e-1], [0x8, 8.9]]}",
        "{\"chair\": [[[2, 2]], ([8, 8],)]}",
        "{\"chair\": [[2, 2], [8, 8], [1], [1, 2, 3], [None, 1], [1, 'x'], 5, {\"x\": 1}, \"3\", [[2, 2], [8, 8]]],}",
        "{\"chair\": [[2, 2],  # two\n [8, 8]], \"chairs\": [[1, 1]], \"lamp\": [[3, 3]]}",
        "{\"chair\": [[5, 5]], \"chair\": [[2, 2], [8, 8]]}",
        "{\"chair\": [[2, 2]], \"Chair\": [[8, 8]]}",
        "{\" <CHAIR}: \": [[2, 2], [8, 8]]}",
        "{\"ch\\x61ir\": [[2, 2], [8, 8]]}",
        "str{{\"chair\": [[2, 2], [8, 8]]}}",
    ] {
        assert_eq!(chairs(text), both, "{text}");
    }
    assert_eq!(chairs("{\"chair\": [[12, -1], [-0.5, 1e3]]}"), [[12.0, -1.0], [0.0, 1000.0]]);
    for text in [
        "{}",
        "{\"chair\": []}",
        "{\"chair\": null}",
        "{\"chairs\": [[2, 2]]}",
        "{\"chair_1\": [[2, 2]]}",
        "{\"children’s chair\": [[2, 2]]}",
        "{\"chair\": [[2, 2, 1], [8, 8, 1]]}",
        "{\"chair\": [[2], [8]]}",
        "{\"chair\": [[[2, 2], [8, 8]]]}",
        "{\"chair\": [{\"x\": 2, \"y\": 2}]}",
        "{\"chair\": [2, 2, 8, 8]}",
        "{\"chair\": {(2, 2), (8, 8)}}",
        "{\"chair\": [[\"nan\", 2]]}",
    ] {
        assert_eq!(chairs(text), [[0.0; 2]; 0], "{text}");
    }
    // One pair for the list: by the released code a tuple or a text, by ours a list, too.
    for text in ["{\"chair\": (2, 2)}", "{\"chair\": \"2, 2\"}", "{\"chair\": [2, 2]}", "{\"chair\": [\"2\", \"2\"]}"] {
        assert_eq!(chairs(text), [[2.0, 2.0]], "{text}");
    }
}

#[test]
fn points_by_position() {
    let both = vec![[2.0, 2.0], [8.0, 8.0]];
    for text in [
        "The chair is at [2,2] and another chair at [8,8].",
        "chair -> (2,2),(8,8)",
        "CHAIR: 2,2; 8,8",
        "{\"chair\": [[2,2],[8,8]]",
        "{“chair”: [[2,2],[8,8]]}",
        "{'chair': array([[2,2],[8,8]])}",
        "{\"chair\": [[02, 02], [08, 08]]}",
        "{\"chair\": [[２，２], [８，８]]}",
        "{\"chair\": {[2, 2], [8, 8]}}",
        "[{\"chair\": [[2,2],[8,8]]}]",
        "```json\n{\"chair\": [[2,2],[8,8]]}\n```",
        "{\"chair\": [[2,2],[8,8]], \"table\": }",
        "{'children's chair': [[1,1]], 'chair': [[2,2],[8,8]], 'armchair': [[3,3]]}",
        "chair_2: 2 8 8",
        "tv stand 5,5 chair 2,2 8,8 tv 4,4",
    ] {
        assert_eq!(chairs(text), both, "{text}");
    }
    // Numbers of what is not in the list belong to what stands before it; a hyphen before digits is a sign.
    assert_eq!(chairs("chair (2,2) table (8,8)"), both);
    assert_eq!(chairs("chair 2-2, 1/2"), [[2.0, -2.0], [1.0, 2.0]]);
    assert_eq!(chairs("{\"chair\": [[2,2],[8,"), [[2.0, 2.0]]);
    assert_eq!(chairs("There are 2 chairs"), [[0.0; 2]; 0]);
    // Deep nesting is no literal, and no danger.
    assert_eq!(chairs(&format!("{{\"chair\": {}2, 2{}}}", "[".repeat(60_000), "]".repeat(9))), [[2.0, 2.0]]);
    assert_eq!(chairs(&format!("{{\"chair\": {}2, 2{}}}", "[".repeat(300), "]".repeat(300))), [[2.0, 2.0]]);
}

#[test]
fn scores_of_odd_maps() {
    let score = |text: &str, truth: &ImaginedMap, categories: &[&str]| {
        let categories: BTreeSet<String> = categories.iter().map(|name| (*name).to_owned()).collect();
        stated_map_score(&format!("<map>{text}</map>"), truth, &categories, MapScoreSettings::default())
    };
    let of = |text| score(text, &truth(), &["chair"]).expect("tags");
    // Off the grid by 10 cells, and by 3: a pair loses its distance over 10·√2.
    assert!((of("{\"chair\": [[12, 2], [8, 8]]}") - (1.0 - 10.0 / 200f64.sqrt() / 2.0)).abs() < 1e-12);
    assert!((of("{\"chair\": [[-1, 2], [8, 8]]}") - (1.0 - 3.0 / 200f64.sqrt() / 2.0)).abs() < 1e-12);
    assert_eq!(of("{\"chair\": [[2, 2], [99, 99]]}"), 0.5);
    assert_eq!([of("{\"chair\": [[2, 2], [8, 1e999]]}"), of("{\"chair\": [[2, 2], [8, 1e200]]}")], [0.0; 2]);
    // Of a record with an empty map no category counts; one with an empty category asks for its absence.
    let empty = ImaginedMap::default();
    assert_eq!(score("{\"chair\": [[2, 2]]}", &empty, &[]), Some(1.0));
    assert_eq!(score("{\"chair\": [[2, 2]]}", &empty, &["chair"]), Some(0.0));
    assert_eq!(score("", &empty, &["chair"]), Some(1.0));
    // Letter case counts on neither side.
    assert_eq!(score("{\"cHAIR\": [[2, 2], [8, 8]]}", &truth(), &["Chair"]), Some(1.0));
    for matching in [Matching::Greedy, Matching::Hungarian] {
        let settings = MapScoreSettings { matching, ..MapScoreSettings::default() };
        let categories = BTreeSet::from(["chair".to_owned()]);
        let far = "<map>{\"chair\": [[1e140, 0], [-1e140, 0], [2, 2]]}</map>";
        let found = stated_map_score(far, &truth(), &categories, settings).expect("tags");
        assert!((found - 1.0 / 3.0).abs() < 1e-12, "{matching:?} {found}");
    }
}
