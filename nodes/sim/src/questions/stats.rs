//! Figures over the exams of many scenes: how many questions, which answers, how far one gets blind.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ask::{Answer, Topic};
use super::blind;
use super::exam::{Exam, ExamQuestion};
use super::tally::Tally;

/// The questions of many exams.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    scenes: usize,
    /// With the number of their scene.
    questions: Vec<(usize, ExamQuestion)>,
    tally: Tally,
}

/// Figures of one topic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TopicFigures {
    /// Its name.
    pub topic: &'static str,
    /// Questions.
    pub questions: usize,
    /// Questions a scene.
    pub per_scene: f64,
    /// What each filter dropped.
    pub dropped: BTreeMap<&'static str, usize>,
    /// How often each answer is right: words as they stand, counts, other numbers to two digits.
    pub answers: BTreeMap<String, usize>,
    /// Share of the most frequent answer: of letters for choices.
    pub most_frequent: f64,
    /// Largest difference between a letter's share and that of an even draw; 0 where the answer is a number.
    pub letters_off: f64,
    /// How often each letter is right; empty where the answer is a number.
    pub letters: BTreeMap<char, usize>,
    /// What guessing gives on choices; 0 where the answer is a number.
    pub chance: f64,
    /// Best answer that is always the same: share right of choices, mean relative accuracy of numbers.
    pub best_constant: f64,
    /// An answerer that has learnt the answers by class, on other scenes.
    pub text_only: f64,
}

/// Figures of a collection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Scenes.
    pub scenes: usize,
    /// Questions.
    pub questions: usize,
    /// Questions a scene.
    pub per_scene: f64,
    /// By topic.
    pub topics: Vec<TopicFigures>,
    /// Of the questions for distances from the camera and for counts: what is seen against what isn't.
    pub presence: Vec<PresenceFigures>,
}

/// How questions about what is seen and about what isn't are told apart by their words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PresenceFigures {
    /// Name of the topic that words them.
    pub topic: &'static str,
    /// Questions.
    pub questions: usize,
    /// Share whose answer is "not seen".
    pub not_seen: f64,
    /// Mean share right, of the seen and of the unseen, of an answerer that has learnt on other scenes how often each
    /// class is not seen; chance is 0.5.
    pub text_only: f64,
}

impl Collection {
    /// Adds one scene's exams.
    pub fn add(&mut self, exams: impl IntoIterator<Item = Exam>) {
        for exam in exams {
            self.tally.merge(&exam.tally);
            self.questions.extend(exam.questions.into_iter().map(|question| (self.scenes, question)));
        }
        self.scenes += 1;
    }

    /// The figures. Blind answerers learn on every other scene and are judged on the rest.
    pub fn figures(&self) -> Figures {
        let per_scene = self.questions.len() as f64 / self.scenes.max(1) as f64;
        let topics = Topic::ALL.into_iter().map(|topic| self.topic(topic)).collect();
        let presence = [Topic::EgoDistance, Topic::ObjectCounting].map(|topic| self.presence(topic)).to_vec();
        Figures { scenes: self.scenes, questions: self.questions.len(), per_scene, topics, presence }
    }

    fn presence(&self, topic: Topic) -> PresenceFigures {
        let of = |parity: usize| {
            let wanted = self.questions.iter().filter(move |(scene, q)| q.ask.topic() == topic && scene % 2 == parity);
            wanted.map(|(_, question)| question).collect::<Vec<_>>()
        };
        let (learn, judge) = (of(0), of(1));
        let questions = learn.len() + judge.len();
        let not_seen = learn.iter().chain(&judge).filter(|question| question.answer == Answer::NotSeen).count();
        let not_seen = not_seen as f64 / questions.max(1) as f64;
        PresenceFigures { topic: topic.name(), questions, not_seen, text_only: blind::presence(&learn, &judge) }
    }

    fn topic(&self, topic: Topic) -> TopicFigures {
        let of = |parity: usize| {
            let wanted = self.questions.iter().filter(move |(scene, q)| q.topic == topic && scene % 2 == parity);
            wanted.map(|(_, question)| question).collect::<Vec<_>>()
        };
        let (learn, judge) = (of(0), of(1));
        let mut answers: BTreeMap<String, usize> = BTreeMap::new();
        let mut letters: BTreeMap<char, usize> = BTreeMap::new();
        let mut chance = 0.0;
        let mut even: BTreeMap<char, f64> = BTreeMap::new();
        for question in learn.iter().chain(&judge) {
            *answers.entry(answer_text(question)).or_default() += 1;
            if let Some(letter) = question.letter() {
                *letters.entry(letter).or_default() += 1;
                chance += 1.0 / question.options.len() as f64;
                for (letter, _) in ('A'..='Z').zip(&question.options) {
                    *even.entry(letter).or_default() += 1.0 / question.options.len() as f64;
                }
            }
        }
        let questions = learn.len() + judge.len();
        let most = letters.values().max().or(answers.values().max()).copied().unwrap_or(0);
        let (best_constant, text_only) = match letters.is_empty() {
            true => blind::numbers(&learn, &judge),
            false => blind::choices(&learn, &judge),
        };
        let off = |(letter, even): (&char, &f64)| {
            (letters.get(letter).copied().unwrap_or(0) as f64 - even).abs() / questions.max(1) as f64
        };
        let letters_off = even.iter().map(off).fold(0.0, f64::max);
        let counts = self.tally.of(topic);
        TopicFigures {
            topic: topic.name(),
            questions,
            per_scene: questions as f64 / self.scenes.max(1) as f64,
            dropped: counts.dropped,
            answers,
            most_frequent: most as f64 / questions.max(1) as f64,
            letters_off,
            letters,
            chance: chance / questions.max(1) as f64,
            best_constant,
            text_only,
        }
    }
}

fn answer_text(question: &ExamQuestion) -> String {
    match &question.answer {
        Answer::Words(words) => words.clone(),
        Answer::NotSeen => "not seen".to_owned(),
        Answer::Number(value) if question.topic == Topic::ObjectCounting => format!("{value:.0}"),
        Answer::Number(value) => {
            let step = 10f64.powf(value.abs().max(1e-9).log10().floor() - 1.0);
            let digits = (-step.log10()).max(0.0) as usize;
            format!("{:.digits$}", (value / step).round() * step)
        }
    }
}
