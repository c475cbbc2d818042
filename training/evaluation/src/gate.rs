//! May a new model replace the present one? Where both answered the same questions, what counts is each question's
//! difference; else the difference of two means.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;

use crate::judged::Judged;
use crate::statistics::{CONFIDENCE, Estimate, bootstrap, mean, resampled};
use crate::vsi;
use crate::{Error, Result};

/// New less present score.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Over all questions, with its 95 % interval.
    pub all: Difference,
    /// Over VSI-Bench's types, where the exam has all of them, with its 95 % interval.
    pub vsi: Option<Difference>,
    /// By group; all their intervals together hold in 95 % of cases (Bonferroni 1936), so that many groups don't refuse
    /// a model by chance.
    pub groups: BTreeMap<String, Difference>,
}

/// A difference of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// New less present, with its interval.
    pub estimate: Estimate,
    /// Whether both models answered the same questions.
    pub is_paired: bool,
}

impl Comparison {
    /// Names of what is worse beyond noise: its whole interval lies below 0. `all` and `vsi` may be among them.
    pub fn worse(&self) -> Vec<&str> {
        let named = self.groups.iter().map(|(name, difference)| (name.as_str(), difference));
        let means = [("vsi", self.vsi.as_ref()), ("all", Some(&self.all))];
        let all = named.chain(means.into_iter().filter_map(|(name, difference)| Some((name, difference?))));
        all.filter(|(_, difference)| difference.estimate.upper < 0.0).map(|(name, _)| name).collect()
    }
}

/// The scores of two models on one group.
enum Scores {
    /// Of the same questions: new less present.
    Paired(Vec<f64>),
    /// Of different questions.
    Apart { new: Vec<f64>, present: Vec<f64> },
}

impl Scores {
    fn of(new: &[&Judged], present: &[&Judged]) -> Self {
        let question = |answer: &Judged| (answer.scene.clone(), answer.question.clone(), answer.truth.clone());
        if new.len() == present.len() && new.iter().zip(present).all(|(a, b)| question(a) == question(b)) {
            return Self::Paired(new.iter().zip(present).map(|(new, present)| new.score - present.score).collect());
        }
        let scores = |answers: &[&Judged]| answers.iter().map(|answer| answer.score).collect();
        Self::Apart { new: scores(new), present: scores(present) }
    }

    fn count(&self) -> usize {
        match self {
            Self::Paired(differences) => differences.len(),
            Self::Apart { new, present } => new.len().min(present.len()),
        }
    }

    fn difference(&self) -> f64 {
        match self {
            Self::Paired(differences) => mean(differences),
            Self::Apart { new, present } => mean(new) - mean(present),
        }
    }

    fn resampled(&self, random: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Paired(differences) => resampled(differences, random),
            Self::Apart { new, present } => resampled(new, random) - resampled(present, random),
        }
    }

    fn estimate(&self, confidence: f64) -> Difference {
        let estimate = bootstrap((self.difference(), self.count()), confidence, |random| self.resampled(random));
        Difference { estimate, is_paired: matches!(self, Self::Paired(_)) }
    }
}

/// Compares the answers of two models to exams of one name.
///
/// # Errors
/// [`Error::OtherExam`] when the names of the exams or of their groups differ.
pub fn compare(candidate: &[Judged], present: &[Judged]) -> Result<Comparison> {
    let (new, old) = (by_group(candidate), by_group(present));
    let name = |answers: &[Judged]| answers.first().map_or_else(String::new, |answer| format!("{:?}", answer.exam));
    let names = |groups: &BTreeMap<&str, Vec<&Judged>>| groups.keys().copied().collect::<Vec<_>>().join(", ");
    for (expected, found) in [(name(present), name(candidate)), (names(&old), names(&new))] {
        if expected != found || expected.is_empty() {
            return Err(Error::OtherExam { expected, found });
        }
    }
    let pairs = new.iter().zip(old.values());
    let scores: BTreeMap<String, Scores> =
        pairs.map(|((name, new), old)| ((*name).to_owned(), Scores::of(new, old))).collect();
    let each = 1.0 - (1.0 - CONFIDENCE) / scores.len() as f64;
    Ok(Comparison {
        all: Scores::of(&candidate.iter().collect::<Vec<_>>(), &present.iter().collect::<Vec<_>>())
            .estimate(CONFIDENCE),
        vsi: vsi_difference(&scores),
        groups: scores.iter().map(|(name, scores)| (name.clone(), scores.estimate(each))).collect(),
    })
}

fn by_group(answers: &[Judged]) -> BTreeMap<&str, Vec<&Judged>> {
    let mut groups: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
    answers.iter().for_each(|answer| groups.entry(&answer.group).or_default().push(answer));
    groups
}

fn vsi_difference(scores: &BTreeMap<String, Scores>) -> Option<Difference> {
    let types = vsi::types(scores).ok()?;
    let count = types.iter().flatten().map(|scores| scores.count()).sum();
    let is_paired = types.iter().flatten().all(|scores| matches!(scores, Scores::Paired(_)));
    let difference = vsi::mean_over(&types, Scores::difference);
    let draw = |random: &mut ChaCha8Rng| vsi::mean_over(&types, |scores| scores.resampled(random));
    Some(Difference { estimate: bootstrap((difference, count), CONFIDENCE, draw), is_paired })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judged::tests::answer;

    fn exam(score: impl Fn(usize) -> f64) -> Vec<Judged> {
        let one = |number| Judged {
            question: format!("question {number}"),
            score: score(number),
            ..answer(number, if number % 2 == 0 { "ego_distance" } else { "absent" })
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
    fn the_same_questions_show_a_small_loss_that_others_hide() {
        let present = exam(|number| (number % 7) as f64 / 7.0);
        let slightly_worse = exam(|number| (number % 7) as f64 / 7.0 - 0.02);
        let paired = compare(&slightly_worse, &present).unwrap();
        assert!(paired.all.is_paired && paired.worse().contains(&"all"));
        let elsewhere: Vec<Judged> =
            slightly_worse.into_iter().map(|answer| Judged { scene: "another".to_owned(), ..answer }).collect();
        let apart = compare(&elsewhere, &present).unwrap();
        assert!(!apart.all.is_paired && apart.worse().is_empty(), "{apart:?}");
        assert!((apart.all.estimate.mean - paired.all.estimate.mean).abs() < 1e-12);
    }

    #[test]
    fn a_loss_over_the_eight_types_is_refused_though_no_type_shows_it() {
        let names: Vec<&str> = vsi::TYPES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let exam = |loss: f64| -> Vec<Judged> {
            let one = |number: usize| {
                let name = names[number % names.len()];
                let score = (number * 7 % 10) as f64 / 10.0 - if (number / 10).is_multiple_of(3) { loss } else { 0.0 };
                Judged { question: format!("question {number}"), score, ..answer(number, name) }
            };
            (0..80).map(one).collect()
        };
        let comparison = compare(&exam(0.5), &exam(0.0)).unwrap();
        assert_eq!(comparison.worse(), ["vsi", "all"], "{comparison:?}");
        assert_eq!(compare(&exam(0.0), &exam(0.0)).unwrap().worse(), Vec::<&str>::new());
    }

    #[test]
    fn answers_to_another_exam_are_refused() {
        let present = exam(|_| 1.0);
        let other: Vec<Judged> =
            present.iter().map(|answer| Judged { exam: "walks novel".to_owned(), ..answer.clone() }).collect();
        let error = compare(&other, &present).unwrap_err().to_string();
        assert!(error.contains("walks novel") && error.contains("walks heldout"), "{error}");
        let fewer: Vec<Judged> = present.iter().filter(|answer| answer.group != "absent").cloned().collect();
        let error = compare(&fewer, &present).unwrap_err().to_string();
        assert!(error.contains("expected absent, ego_distance, found ego_distance"), "{error}");
        assert!(compare(&[], &[]).is_err());
    }
}
