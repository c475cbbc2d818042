//! The goals of an action server and their states, as ROS's state machine has them.
//!
//! A goal is accepted and executes at once; it may be asked to cancel; it ends exactly once, as succeeded,
//! cancelled or aborted, whether or not it was asked to cancel before. An ended goal is known for [`KEPT`]
//! and then forgotten.

use std::time::{Duration, Instant};

/// How long an ended goal is known; what rcl has by default.
pub const KEPT: Duration = Duration::from_secs(10);

/// A goal's number, as its client chose it.
pub type GoalId = [u8; 16];

/// What no client chooses: in a wish to cancel it stands for every goal.
const ANY: GoalId = [0; 16];

/// Where a goal is, by its number in `action_msgs/msg/GoalStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoalState {
    /// Accepted and worked on.
    Executing = 2,
    /// As executing, but asked to cancel.
    Canceling = 3,
    /// Ended well.
    Succeeded = 4,
    /// Ended because it was asked to.
    Canceled = 5,
    /// Ended otherwise.
    Aborted = 6,
}

impl GoalState {
    fn has_ended(self) -> bool {
        !matches!(self, Self::Executing | Self::Canceling)
    }
}

/// Why no goal is cancelled, by its number in `action_msgs/srv/CancelGoal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelCode {
    /// Nothing went wrong.
    None = 0,
    /// No such goal.
    UnknownGoal = 2,
    /// It has ended, or was asked before.
    Terminated = 3,
}

/// A goal that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// Its number.
    pub id: GoalId,
    /// When it was accepted, ROS time.
    pub accepted_nanos: i64,
    /// Where it is.
    pub state: GoalState,
    ended: Option<Instant>,
}

/// The goals that are known, oldest first.
#[derive(Debug, Default)]
pub struct Goals {
    known: Vec<Goal>,
}

impl Goals {
    /// Takes a goal in; `false` where its number is taken, or stands for every goal.
    pub fn accept(&mut self, id: GoalId, accepted_nanos: i64) -> bool {
        let is_new = id != ANY && self.get(&id).is_none();
        if is_new {
            self.known.push(Goal { id, accepted_nanos, state: GoalState::Executing, ended: None });
        }
        is_new
    }

    /// Forgets a goal whose client can't be told that it was accepted.
    pub fn withdraw(&mut self, id: &GoalId) {
        self.known.retain(|goal| goal.id != *id);
    }

    /// The goal of that number.
    pub fn get(&self, id: &GoalId) -> Option<&Goal> {
        self.known.iter().find(|goal| goal.id == *id)
    }

    /// Every goal that is known.
    pub fn known(&self) -> &[Goal] {
        &self.known
    }

    /// Asks goals to cancel: the one of that number; with a stamp also those accepted up to then; without
    /// either, all. Returns those that were not asked before.
    pub fn cancel(&mut self, id: &GoalId, until_nanos: i64) -> (CancelCode, Vec<GoalId>) {
        let code = match self.get(id) {
            _ if *id == ANY => CancelCode::None,
            None => CancelCode::UnknownGoal,
            Some(goal) if goal.state == GoalState::Executing => CancelCode::None,
            Some(_) => CancelCode::Terminated,
        };
        let mut asked = Vec::new();
        for goal in self.known.iter_mut().filter(|goal| goal.state == GoalState::Executing) {
            let is_meant = if until_nanos == 0 { *id == ANY } else { goal.accepted_nanos <= until_nanos };
            if is_meant || goal.id == *id {
                goal.state = GoalState::Canceling;
                asked.push(goal.id);
            }
        }
        (code, asked)
    }

    /// Ends a goal; `None` where it is unknown or has ended. One that nobody asked to cancel is not cancelled
    /// but aborted.
    pub fn end(&mut self, id: &GoalId, state: GoalState, now: Instant) -> Option<GoalState> {
        let goal = self.known.iter_mut().find(|goal| goal.id == *id).filter(|goal| !goal.state.has_ended())?;
        let is_unasked = state == GoalState::Canceled && goal.state == GoalState::Executing;
        goal.state = if is_unasked { GoalState::Aborted } else { state };
        goal.ended = Some(now);
        Some(goal.state)
    }

    /// Forgets what ended [`KEPT`] ago; returns the numbers.
    pub fn expire(&mut self, now: Instant) -> Vec<GoalId> {
        let is_due = |goal: &mut Goal| goal.ended.is_some_and(|ended| now.saturating_duration_since(ended) >= KEPT);
        self.known.extract_if(.., is_due).map(|goal| goal.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: GoalId = [1; 16];
    const B: GoalId = [2; 16];
    const C: GoalId = [3; 16];

    fn three() -> Goals {
        let mut goals = Goals::default();
        for (id, nanos) in [(A, 10), (B, 20), (C, 30)] {
            assert!(goals.accept(id, nanos));
        }
        goals
    }

    #[test]
    fn a_number_is_taken_once() {
        let mut goals = three();
        assert!(!goals.accept(A, 40) && !goals.accept(ANY, 40));
        goals.withdraw(&A);
        assert!(goals.get(&A).is_none() && goals.accept(A, 40));
    }

    #[test]
    fn wishes_to_cancel_mean_one_all_or_those_up_to_a_time() {
        assert_eq!(three().cancel(&B, 0), (CancelCode::None, vec![B]));
        assert_eq!(three().cancel(&ANY, 0), (CancelCode::None, vec![A, B, C]));
        assert_eq!(three().cancel(&ANY, 20), (CancelCode::None, vec![A, B]));
        assert_eq!(three().cancel(&C, 10), (CancelCode::None, vec![A, C]));
        assert_eq!(three().cancel(&[9; 16], 0), (CancelCode::UnknownGoal, vec![]));
        let mut goals = three();
        goals.cancel(&A, 0);
        assert_eq!(goals.cancel(&A, 0), (CancelCode::Terminated, vec![]), "asked before");
        goals.end(&B, GoalState::Succeeded, Instant::now());
        assert_eq!(goals.cancel(&B, 0), (CancelCode::Terminated, vec![]));
        assert_eq!(goals.cancel(&ANY, 0), (CancelCode::None, vec![C]));
    }

    #[test]
    fn a_goal_ends_once_and_is_forgotten_later() {
        let (mut goals, now) = (three(), Instant::now());
        goals.cancel(&A, 0);
        assert_eq!(goals.end(&A, GoalState::Canceled, now), Some(GoalState::Canceled));
        assert_eq!(goals.end(&A, GoalState::Succeeded, now), None, "it has ended");
        assert_eq!(goals.end(&B, GoalState::Canceled, now), Some(GoalState::Aborted), "nobody asked");
        goals.cancel(&C, 0);
        assert_eq!(goals.end(&C, GoalState::Succeeded, now + KEPT), Some(GoalState::Succeeded), "it was faster");
        assert!(goals.expire(now + KEPT / 2).is_empty());
        assert_eq!(goals.expire(now + KEPT), [A, B]);
        assert_eq!(goals.known().len(), 1);
    }
}
