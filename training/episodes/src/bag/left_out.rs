//! What of a bag could not be used, in words, however much it is.

/// Most reasons that are kept.
const MOST_REASONS: usize = 50;

/// What was left out: how much, and why for the first of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    reasons: Vec<String>,
    count: usize,
}

impl LeftOut {
    /// Counts one more.
    pub(super) fn push(&mut self, reason: String) {
        self.count += 1;
        if self.reasons.len() < MOST_REASONS {
            self.reasons.push(reason);
        }
    }

    /// Counts all that another left out.
    pub(super) fn extend(&mut self, other: Self) {
        self.count += other.count - other.reasons.len();
        other.reasons.into_iter().for_each(|reason| self.push(reason));
    }

    /// Why, for the first fifty.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// How many messages, questions or files.
    pub fn count(&self) -> usize {
        self.count
    }
}
