//! Self-speculative drafting by prompt lookup: where the last tokens stood before,
//! what followed them then is proposed to follow now, and one run checks it all.
//!
//! Only greedy decoding drafts: each drafted token is kept exactly when it is the
//! one that would have been chosen, so the tokens are those without drafting.
//!
//! Reference: Saxena, "Prompt Lookup Decoding" (2023); transformers `PromptLookupCandidateGenerator`.

/// When and how far to draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraftSettings {
    /// Fewest last tokens that must have stood together before; ≥ 1.
    pub min_match: usize,
    /// Most tokens to propose at once; 0 never does.
    pub max_tokens: usize,
    /// Drafts in a row without one accepted token after which a completion drafts no more.
    pub patience: usize,
}

impl Default for DraftSettings {
    fn default() -> Self {
        Self { min_match: 2, max_tokens: 6, patience: 4 }
    }
}

/// Longest match looked for, in tokens.
const LONGEST_MATCH: usize = 6;

/// The drafting of one completion.
#[derive(Debug)]
pub(crate) struct Drafter {
    settings: DraftSettings,
    fruitless: usize,
    pub(crate) drafted: usize,
    pub(crate) accepted: usize,
}

impl Drafter {
    pub(crate) fn new(settings: DraftSettings) -> Self {
        Self { settings, fruitless: 0, drafted: 0, accepted: 0 }
    }

    /// At most `room` tokens that may follow `history`; nothing from the first `banned` one on.
    pub(crate) fn propose(&self, history: &[u32], room: usize, banned: [u32; 2]) -> Vec<u32> {
        if self.fruitless >= self.settings.patience {
            return Vec::new();
        }
        let found = follow(history, self.settings.min_match.max(1));
        let most = self.settings.max_tokens.min(room);
        found.iter().copied().take(most).take_while(|id| !banned.contains(id)).collect()
    }

    /// Takes note of what became of a draft.
    pub(crate) fn settle(&mut self, drafted: usize, accepted: usize) {
        self.drafted += drafted;
        self.accepted += accepted;
        self.fruitless = if accepted == 0 { self.fruitless + 1 } else { 0 };
    }
}

/// What followed the last occurrence of the longest end of `history` that stood before, at least `min_match` tokens.
fn follow(history: &[u32], min_match: usize) -> &[u32] {
    let mut best = (min_match - 1, history.len());
    for end in (1..history.len()).rev() {
        let pairs = history[..end].iter().rev().zip(history.iter().rev());
        let length = pairs.take(LONGEST_MATCH).take_while(|(before, now)| before == now).count();
        if length > best.0 {
            best = (length, end);
            if length == LONGEST_MATCH {
                break;
            }
        }
    }
    &history[best.1..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_and_then_the_latest_match_is_followed() {
        assert_eq!(follow(&[1, 2, 3, 9, 1, 2, 4, 1, 2], 2), [4, 1, 2]);
        assert_eq!(follow(&[7, 1, 2, 3, 9, 1, 2, 4, 7, 1, 2], 2), [3, 9, 1, 2, 4, 7, 1, 2]);
        assert!(follow(&[1, 2, 3], 2).is_empty());
        assert!(follow(&[], 2).is_empty());
    }

    #[test]
    fn a_draft_is_short_enough_free_of_placeholders_and_given_up_when_fruitless() {
        let mut drafter = Drafter::new(DraftSettings { min_match: 1, max_tokens: 3, patience: 2 });
        let history = [1, 2, 3, 4, 5, 1];
        assert_eq!(drafter.propose(&history, 9, [0, 0]), [2, 3, 4]);
        assert_eq!(drafter.propose(&history, 2, [0, 0]), [2, 3]);
        assert_eq!(drafter.propose(&history, 9, [3, 0]), [2]);
        drafter.settle(3, 0);
        drafter.settle(3, 1);
        drafter.settle(3, 0);
        assert!(!drafter.propose(&history, 9, [0, 0]).is_empty());
        drafter.settle(3, 0);
        assert!(drafter.propose(&history, 9, [0, 0]).is_empty());
        assert_eq!((drafter.drafted, drafter.accepted), (12, 1));
    }
}
