//! What somebody scores who reads the question and sees no picture: a leak of priors shows here.

use std::collections::BTreeMap;

use super::ask::Answer;
use super::exam::ExamQuestion;

/// The tolerances of VSI-Bench's mean relative accuracy (arXiv 2412.14171): 0.5, 0.55 .. 0.95.
const TOLERANCES: usize = 10;

/// Share of ten tolerances, 0.5 down to 0.05, that the relative error stays below.
pub fn mean_relative_accuracy(predicted: f64, truth: f64) -> f64 {
    let error = (predicted - truth).abs() / truth.abs().max(1e-9);
    let below = (0..TOLERANCES).filter(|&i| error < 0.5 - 0.05 * i as f64).count();
    below as f64 / TOLERANCES as f64
}

/// Score of the one number that does best among the truths themselves, and of the median of each first named class.
/// `(constant, by class)`; the classes are learnt on `learn` and judged on `judge`.
pub fn numbers(learn: &[&ExamQuestion], judge: &[&ExamQuestion]) -> (f64, f64) {
    let (learnt, judged) = (truths(learn), truths(judge));
    let mean = |guess: &dyn Fn(&str) -> f64| {
        let sum: f64 = judged.iter().map(|(class, truth)| mean_relative_accuracy(guess(class), *truth)).sum();
        (sum / judged.len().max(1) as f64).abs()
    };
    let mut all: Vec<f64> = learnt.iter().map(|(_, truth)| *truth).collect();
    all.sort_by(f64::total_cmp);
    let deciles = (1..10).filter_map(|i| all.get(all.len() * i / 10));
    let constant = deciles.map(|&guess| mean(&|_| guess)).fold(0.0, f64::max);
    let mut by_class: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (class, truth) in &learnt {
        by_class.entry(class).or_default().push(*truth);
    }
    let overall = median(&mut all);
    let medians: BTreeMap<&str, f64> = by_class.into_iter().map(|(class, mut all)| (class, median(&mut all))).collect();
    (constant, mean(&|class| medians.get(class).copied().unwrap_or(overall)))
}

fn truths<'a>(questions: &[&'a ExamQuestion]) -> Vec<(&'a str, f64)> {
    let number = |question: &&'a ExamQuestion| match question.answer {
        Answer::Number(truth) => Some((first_class(question), truth)),
        Answer::Words(_) | Answer::NotSeen => None,
    };
    questions.iter().filter_map(number).collect()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Share of right choices of the words that do best everywhere, and of an answerer that has learnt which words go with
/// which named classes. `(constant, by class)`.
pub fn choices(learn: &[&ExamQuestion], judge: &[&ExamQuestion]) -> (f64, f64) {
    let (words, classes) = (Odds::learn(learn, words_only), Odds::learn(learn, words_and_classes));
    (words.score(judge), classes.score(judge))
}

/// Mean of the shares right, of questions about what is seen and about what isn't, of an answerer that knows how often
/// each class was not seen.
pub fn presence(learn: &[&ExamQuestion], judge: &[&ExamQuestion]) -> f64 {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for question in learn {
        let (all, missing) = counts.entry(first_class(question)).or_default();
        *all += 1;
        *missing += usize::from(question.answer == Answer::NotSeen);
    }
    let (all, missing) = counts.values().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    let says_missing = |question: &ExamQuestion| {
        let (asked, unseen) = counts.get(first_class(question)).copied().unwrap_or_default();
        unseen * all > missing * asked
    };
    let share_right = |not_seen: bool| {
        let of: Vec<_> = judge.iter().filter(|question| (question.answer == Answer::NotSeen) == not_seen).collect();
        let right = of.iter().filter(|question| says_missing(question) == not_seen).count();
        right as f64 / of.len().max(1) as f64
    };
    (share_right(true) + share_right(false)) / 2.0
}

fn first_class(question: &ExamQuestion) -> &str {
    question.ask.classes().first().copied().unwrap_or_default()
}

type Features = fn(&ExamQuestion, &str) -> Vec<String>;

/// How often options with a feature were right.
struct Odds {
    features: Features,
    counts: BTreeMap<String, (f64, f64)>,
}

impl Odds {
    fn learn(questions: &[&ExamQuestion], features: Features) -> Self {
        let mut counts: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for question in questions {
            for option in &question.options {
                let right = matches!(&question.answer, Answer::Words(truth) if truth == option);
                for feature in features(question, option) {
                    let (wins, shown) = counts.entry(feature).or_default();
                    *wins += f64::from(u8::from(right));
                    *shown += 1.0;
                }
            }
        }
        Self { features, counts }
    }

    fn score(&self, questions: &[&ExamQuestion]) -> f64 {
        let right = questions.iter().filter(|question| {
            let options = question.options.iter();
            let best = options.max_by(|a, b| self.weight(question, a).total_cmp(&self.weight(question, b)));
            matches!((&question.answer, best), (Answer::Words(truth), Some(best)) if truth == best)
        });
        right.count() as f64 / questions.len().max(1) as f64
    }

    /// Mean of the features' smoothed log-odds.
    fn weight(&self, question: &ExamQuestion, option: &str) -> f64 {
        let chance = 1.0 / question.options.len().max(1) as f64;
        let features = (self.features)(question, option);
        let rate = |feature: &String| {
            let (wins, shown) = self.counts.get(feature).copied().unwrap_or_default();
            ((wins + 8.0 * chance) / (shown + 8.0)).ln()
        };
        features.iter().map(rate).sum::<f64>() / features.len().max(1) as f64
    }
}

/// The parts of an option, each with its place, and every pair of parts in order.
fn words_only(_: &ExamQuestion, option: &str) -> Vec<String> {
    let parts: Vec<&str> = option.split(", ").collect();
    let mut features: Vec<String> = parts.iter().enumerate().map(|(at, part)| format!("{at} {part}")).collect();
    for (at, first) in parts.iter().enumerate() {
        features.extend(parts[at + 1..].iter().map(|second| format!("{first} < {second}")));
    }
    features
}

/// The same, and each part beside each named class.
fn words_and_classes(question: &ExamQuestion, option: &str) -> Vec<String> {
    let mut features = words_only(question, option);
    let own = features.clone();
    for (role, class) in question.ask.classes().into_iter().enumerate().filter(|(_, class)| !option.contains(class)) {
        features.extend(own.iter().map(|feature| format!("{role} {class}: {feature}")));
    }
    features
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_accuracy_counts_tolerances() {
        assert_eq!(mean_relative_accuracy(2.0, 2.0), 1.0);
        assert_eq!(mean_relative_accuracy(2.5, 2.0), 0.5);
        assert_eq!(mean_relative_accuracy(4.0, 2.0), 0.0);
    }
}
