//! From the worker's thread to the node's: answers, and how far each question is.

use std::collections::HashMap;
use std::sync::Mutex;

use msgs::SpatialAnswer;
use perception::{Progress, Sink};

use crate::executor::lock;

/// Where a question is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It waits.
    #[default]
    Queued,
    /// Frames are being encoded.
    Encoding,
    /// The prompt is being read.
    Prefill,
    /// The completion so far.
    Decode(String),
}

#[derive(Default)]
struct Content {
    answers: Vec<SpatialAnswer>,
    phases: HashMap<String, Phase>,
}

/// What the pipeline said since the node last looked.
///
/// It stays small without a limit of its own: refusals come from the thread that empties it after every question, all
/// other answers from the pipeline's bounded queue, and of each running question only the newest phase is held.
#[derive(Default)]
pub struct Outbox {
    content: Mutex<Content>,
}

impl Outbox {
    /// Takes the answers out, oldest first.
    pub fn take_answers(&self) -> Vec<SpatialAnswer> {
        std::mem::take(&mut lock(&self.content).answers)
    }

    /// The phase of each question that runs.
    pub fn phases(&self) -> Vec<(String, Phase)> {
        lock(&self.content).phases.iter().map(|(id, phase)| (id.clone(), phase.clone())).collect()
    }
}

impl Sink for Outbox {
    fn answer(&self, answer: SpatialAnswer) {
        let mut content = lock(&self.content);
        content.phases.remove(&answer.query_id);
        content.answers.push(answer);
    }

    fn progress(&self, query_id: &str, progress: Progress<'_>) {
        let mut content = lock(&self.content);
        let phase = content.phases.entry(query_id.to_owned()).or_default();
        match (progress, phase) {
            (Progress::Vision, phase) => *phase = Phase::Encoding,
            (Progress::Prefill, phase) => *phase = Phase::Prefill,
            (Progress::Decode(piece), Phase::Decode(text)) => text.push_str(piece),
            (Progress::Decode(piece), phase) => *phase = Phase::Decode(piece.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_grow_into_the_text_and_an_answer_ends_them() {
        let outbox = Outbox::default();
        for progress in [Progress::Vision, Progress::Prefill, Progress::Decode("a "), Progress::Decode("door")] {
            outbox.progress("q", progress);
        }
        assert_eq!(outbox.phases(), [("q".to_owned(), Phase::Decode("a door".to_owned()))]);
        outbox.answer(SpatialAnswer { query_id: "q".to_owned(), ..SpatialAnswer::default() });
        assert!(outbox.phases().is_empty());
        assert_eq!(outbox.take_answers().len(), 1);
        assert!(outbox.take_answers().is_empty());
    }
}
