//! May a new model replace the present one? Both answered the same exam; what counts is each question's difference.

use std::collections::BTreeMap;

use crate::judged::Judged;
use crate::statistics::{Estimate, estimate};
use crate::{Error, Result};

/// New less present score, by group and over all.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Over all questions.
    pub all: Estimate,
    /// By group.
    pub groups: BTreeMap<String, Estimate>,
}

impl Comparison {
    /// Names of what is worse beyond noise: its whole 95 % interval lies below 0. `all` is one of them.
    pub fn worse(&self) -> Vec<&str> {
        let named = self.groups.iter().map(|(name, difference)| (name.as_str(), difference));
        let all = named.chain([("all", &self.all)]);
        all.filter(|(_, difference)| difference.upper < 0.0).map(|(name, _)| name).collect()
    }
}

/// Compares the answers of two models to one exam.
///
/// # Errors
/// [`Error::OtherExam`] when the questions differ.
pub fn compare(candidate: &[Judged], present: &[Judged]) -> Result<Comparison> {
    if candidate.len() != present.len() {
        let (expected, found) = (format!("{} questions", present.len()), format!("{} questions", candidate.len()));
        return Err(Error::OtherExam { expected, found });
    }
    let mut groups: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (new, old) in candidate.iter().zip(present) {
        if (new.number, &new.question, &new.truth) != (old.number, &old.question, &old.truth) {
            let shown = |one: &Judged| format!("question {} {:?}, {}", one.number, one.question, one.truth);
            return Err(Error::OtherExam { expected: shown(old), found: shown(new) });
        }
        groups.entry(new.group.clone()).or_default().push(new.score - old.score);
    }
    let all: Vec<f64> = groups.values().flatten().copied().collect();
    let groups = groups.into_iter().map(|(name, differences)| (name, estimate(&differences))).collect();
    Ok(Comparison { all: estimate(&all), groups })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exam(score: impl Fn(usize) -> f64) -> Vec<Judged> {
        let one = |number| Judged {
            number,
            group: if number % 2 == 0 { "ego_distance" } else { "absent" }.to_owned(),
            question: format!("question {number}"),
            truth: "1.00".to_owned(),
            answer: "1.00".to_owned(),
            score: score(number),
            constant_score: 0.0,
            blind_score: 0.0,
            map_score: None,
            not_seen_probability: None,
            is_absent: false,
            interval_holds: None,
        };
        (0..200).map(one).collect()
    }

    #[test]
    fn noise_passes_and_a_worse_group_does_not() {
        let present = exam(|number| (number % 7) as f64 / 7.0);
        let shuffled = exam(|number| ((number + 2) % 7) as f64 / 7.0);
        assert!(compare(&shuffled, &present).unwrap().worse().is_empty());
        let worse = exam(|number| if number % 2 == 1 { 0.0 } else { (number % 7) as f64 / 7.0 + 0.5 });
        assert_eq!(compare(&worse, &present).unwrap().worse(), ["absent"]);
    }

    #[test]
    fn answers_to_another_exam_are_refused() {
        let present = exam(|_| 1.0);
        let mut other = present.clone();
        other[3].question = "how far is the door?".to_owned();
        let error = compare(&other, &present).unwrap_err().to_string();
        assert!(error.contains("how far is the door?") && error.contains("question 3"), "{error}");
        assert!(compare(&other[1..], &present).is_err());
    }
}
