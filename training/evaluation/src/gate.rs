//! May a new model replace the present one? Where both answered the same questions, what counts is each question's
//! difference; else the difference of two means.

use std::collections::{BTreeMap, VecDeque};

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
    fn paired(pairs: &[Pair<'_>]) -> Self {
        Self::Paired(pairs.iter().map(|(new, present)| new.score - present.score).collect())
    }

    fn apart(new: &[&Judged], present: &[&Judged]) -> Self {
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

/// A new and a present answer to one question.
type Pair<'a> = (&'a Judged, &'a Judged);

/// Compares the answers of two models to one exam, in whatever order and under whatever name it stands in the files, or
/// to two exams of one name that share no question, such as rooms of two seeds.
///
/// # Errors
/// [`Error::OtherExam`] when the exams share only some questions, or share none and differ in name or groups;
/// [`Error::Twice`] when a file has an answer twice.
pub fn compare(candidate: &[Judged], present: &[Judged]) -> Result<Comparison> {
    let (all, groups) = match pairs(candidate, present)? {
        Some(pairs) => (Scores::paired(&pairs), paired_groups(&pairs)),
        None => {
            let apart = |new: &[Judged], old: &[Judged]| {
                Scores::apart(&new.iter().collect::<Vec<_>>(), &old.iter().collect::<Vec<_>>())
            };
            (apart(candidate, present), groups_apart(candidate, present)?)
        }
    };
    let each = 1.0 - (1.0 - CONFIDENCE) / groups.len() as f64;
    Ok(Comparison {
        all: all.estimate(CONFIDENCE),
        vsi: vsi_difference(&groups),
        groups: groups.iter().map(|(name, scores)| (name.clone(), scores.estimate(each))).collect(),
    })
}

/// The answers by question, the present ones in their order; `None` where no question is in both files.
fn pairs<'a>(candidate: &'a [Judged], present: &'a [Judged]) -> Result<Option<Vec<Pair<'a>>>> {
    let mut waiting: BTreeMap<_, VecDeque<&Judged>> = BTreeMap::new();
    for answer in in_order(candidate, "the candidate's")? {
        waiting.entry(question(answer)).or_default().push_back(answer);
    }
    let present = in_order(present, "the present model's")?;
    let partner = |old: &'a Judged| Some((waiting.get_mut(&question(old))?.pop_front()?, old));
    let pairs: Vec<Pair<'a>> = present.iter().copied().filter_map(partner).collect();
    match pairs.len() {
        0 => Ok(None),
        count if count == present.len() && count == candidate.len() => Ok(Some(pairs)),
        count => Err(Error::OtherExam {
            expected: format!("the {} questions of the present model's", present.len()),
            found: format!("{count} of them and {} others", candidate.len() - count),
        }),
    }
}

/// What makes a question the same.
fn question(answer: &Judged) -> (&str, &str, &[String], &str) {
    (&answer.scene, &answer.question, &answer.options, &answer.truth)
}

fn in_order<'a>(answers: &'a [Judged], whose: &'static str) -> Result<Vec<&'a Judged>> {
    let mut answers: Vec<&Judged> = answers.iter().collect();
    answers.sort_by_key(|answer| answer.number);
    match answers.windows(2).find(|two| two.iter().all(|answer| answer.number == two[0].number)) {
        Some(twice) => Err(Error::Twice { whose, number: twice[0].number, question: twice[0].question.clone() }),
        None => Ok(answers),
    }
}

fn paired_groups(pairs: &[Pair<'_>]) -> BTreeMap<String, Scores> {
    let mut groups: BTreeMap<&str, Vec<Pair<'_>>> = BTreeMap::new();
    pairs.iter().for_each(|pair| groups.entry(&pair.1.group).or_default().push(*pair));
    groups.into_iter().map(|(name, pairs)| (name.to_owned(), Scores::paired(&pairs))).collect()
}

fn groups_apart(candidate: &[Judged], present: &[Judged]) -> Result<BTreeMap<String, Scores>> {
    let (new, old) = (by_group(candidate), by_group(present));
    let name = |answers: &[Judged]| answers.first().map_or_else(String::new, |answer| format!("{:?}", answer.exam));
    let names = |groups: &BTreeMap<&str, Vec<&Judged>>| groups.keys().copied().collect::<Vec<_>>().join(", ");
    for (expected, found) in [(name(present), name(candidate)), (names(&old), names(&new))] {
        if expected != found || expected.is_empty() {
            return Err(Error::OtherExam { expected, found });
        }
    }
    let groups = new.iter().zip(old.values());
    Ok(groups.map(|((name, new), old)| ((*name).to_owned(), Scores::apart(new, old))).collect())
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
        let elsewhere = |answer: &Judged| Judged { scene: "another".to_owned(), ..answer.clone() };
        let other: Vec<Judged> =
            present.iter().map(|answer| Judged { exam: "walks novel".to_owned(), ..elsewhere(answer) }).collect();
        let error = compare(&other, &present).unwrap_err().to_string();
        assert!(error.contains("walks novel") && error.contains("walks heldout"), "{error}");
        let fewer: Vec<Judged> = present.iter().filter(|answer| answer.group != "absent").cloned().collect();
        let fewer_elsewhere: Vec<Judged> = fewer.iter().map(elsewhere).collect();
        let error = compare(&fewer_elsewhere, &present).unwrap_err().to_string();
        assert!(error.contains("expected absent, ego_distance, found ego_distance"), "{error}");
        assert!(compare(&[], &[]).is_err() && compare(&[], &present).is_err());
        // One that left out what it could not answer.
        let error = compare(&fewer, &present).unwrap_err().to_string();
        assert!(error.contains("the 200 questions") && error.contains("100 of them and 0 others"), "{error}");
        let twice = [present.clone(), present.clone()].concat();
        assert!(compare(&twice, &present).unwrap_err().to_string().contains("question 0"));
    }

    #[test]
    fn an_exam_is_known_by_its_questions() {
        let present = exam(|number| (number % 7) as f64 / 7.0);
        let mut moved: Vec<Judged> =
            present.iter().map(|answer| Judged { exam: "episodes ../here".to_owned(), ..answer.clone() }).collect();
        moved.reverse();
        let same = compare(&moved, &present).unwrap();
        assert!(same.all.is_paired && same.all.estimate.mean == 0.0, "{same:?}");
        assert_eq!(same.groups["absent"].estimate.lower, 0.0);
        // A question that an exam asks twice.
        let double = |answers: &[Judged]| -> Vec<Judged> {
            let one = |answer: &Judged| Judged { question: "how far?".to_owned(), ..answer.clone() };
            answers.iter().map(one).collect()
        };
        assert!(compare(&double(&moved), &double(&present)).unwrap().all.is_paired);
    }
}
