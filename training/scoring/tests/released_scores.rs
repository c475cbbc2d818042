//! Scores against those of SG-RLVR's released reward code, answer by answer: `released_scores.jsonl` holds what that code
//! gave to 441 answers. Where `answer` stands, the completion is that answer behind one thought.

use std::collections::{BTreeMap, BTreeSet};

use msgs::{Cell, ImaginedMap, MapObject};
use scoring::*;
use serde::Deserialize;

/// Where we differ on purpose: ids, what we give, why. The docs of the named function say the same. Rules that none of the
/// answers shows have no ids; `readings.rs` holds them.
const ON_PURPOSE: [(&[u32], f64, &str); 9] = [
    (&[155, 157], 1.0, "problem_accuracy: a solution of 0 is met by 0; the released code divides by it and gives 0"),
    (&[152], 0.0, "problem_accuracy: 2 is not -2; the released code gives 1 to every number, its error being negative"),
    (&[184], 1.0, "problem_accuracy: \"not seen\" is right where the solution says so"),
    (&[185], -0.5, "problem_accuracy: a number for what is absent earns less than silence"),
    (&[], 0.0, "problem_accuracy: \"I cannot see a chair\" says not seen; the released code reads 1, for \"a\""),
    (
        &[],
        0.0,
        "problem_accuracy: an empty option is never right; the released code gives 1 where the solution is empty",
    ),
    (&[440, 443], 0.0, "problem_accuracy: nan and inf are no numbers; the released code gives 1"),
    (
        &[583],
        2.0,
        "stated_map: names are compared in lower case on both sides; the released code lowers the answer's alone",
    ),
    (&[], 1.5, "stated_map: {\"chair\": [2, 2]} is one pair, as (2, 2) is; the released code drops it and gives 0"),
];

const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Released {
    id: u32,
    #[serde(rename = "type")]
    problem: ProblemType,
    solution: String,
    answer: Option<String>,
    completion: Option<String>,
    map: Option<BTreeMap<String, Vec<[u8; 2]>>>,
    #[serde(default = "one")]
    format: f64,
    accuracy: f64,
}

fn one() -> f64 {
    1.0
}

impl Released {
    fn completion(&self) -> String {
        let answer = self.answer.as_deref().unwrap_or_default();
        self.completion.clone().unwrap_or_else(|| format!("<think>I look around.</think><answer>{answer}</answer>"))
    }
}

/// Accuracy with the map's share, as the trainer adds it up.
fn accuracy(
    problem: ProblemType,
    completion: &str,
    solution: &str,
    map: Option<&BTreeMap<String, Vec<[u8; 2]>>>,
) -> f64 {
    let solution = format!("<answer>{solution}</answer>");
    let answer = answer_text(completion);
    let accuracy = problem_accuracy(problem, answer, solution_text(&solution), AbstentionReward::default());
    let score = map.filter(|_| problem.is_good(accuracy)).and_then(|map| {
        let object = |category: &String, [x, y]: [u8; 2]| MapObject { category: category.clone(), cell: Cell { x, y } };
        let objects = map.iter().flat_map(|(category, cells)| cells.iter().map(move |cell| object(category, *cell)));
        let truth = ImaginedMap { objects: objects.collect(), ..ImaginedMap::default() };
        let categories: BTreeSet<String> = map.keys().cloned().collect();
        stated_map_score(completion, &truth, &categories, MapScoreSettings::default())
    });
    accuracy_with_map(accuracy, score)
}

fn released() -> Vec<Released> {
    include_str!("released_scores.jsonl").lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

#[test]
fn accuracies_are_the_released_ones() {
    let records = released();
    assert_eq!(records.len(), 441);
    let mut wrong = Vec::new();
    for record in records {
        let found = accuracy(record.problem, &record.completion(), &record.solution, record.map.as_ref());
        let ours = ON_PURPOSE.iter().find(|(ids, ..)| ids.contains(&record.id)).map(|(_, score, _)| *score);
        assert_ne!(ours, Some(record.accuracy), "{}: no difference on purpose", record.id);
        if (found - ours.unwrap_or(record.accuracy)).abs() > TOLERANCE {
            wrong.push((record.id, record.completion(), record.solution, record.accuracy, found));
        }
    }
    assert!(wrong.is_empty(), "{} of 441: {wrong:#?}", wrong.len());
}

#[test]
fn formats_are_the_released_ones() {
    for record in released() {
        assert_eq!(format_reward(&record.completion()), record.format, "{}: {:?}", record.id, record.completion());
    }
}
