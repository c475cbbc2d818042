//! Who asked what: one number per question inside, the asker's own id outside, and the way back for each.

use std::collections::HashMap;

use futures::{FutureExt, Stream, StreamExt};
use msgs::{SpatialAnswer, Status};
use perception::Perception;
use r2r::spacer_msgs::action::AnswerSpatialQuery;
use r2r::spacer_msgs::msg as ros;
use r2r::spacer_msgs::srv::AskSpatial;
use r2r::{ActionServerCancelRequest, ActionServerGoal, ActionServerGoalRequest, ServiceRequest};

use crate::executor::warn_on_error;
use crate::outbox::Phase;

type Cancels = Box<dyn Stream<Item = ActionServerCancelRequest> + Unpin>;

/// A goal that was accepted.
struct RunningGoal {
    goal: ActionServerGoal<AnswerSpatialQuery::Action>,
    cancels: Cancels,
    cancelled: bool,
    told: Phase,
}

/// Where an answer goes besides the topics.
enum Asker {
    Topic,
    Service(ServiceRequest<AskSpatial::Service>),
    Action(Box<RunningGoal>),
}

struct Pending {
    query_id: String,
    asker: Asker,
}

/// The questions that have no answer yet.
///
/// Inside, questions are numbered, so that two askers with the same `query_id` never get each other's answer.
#[derive(Default)]
pub struct Switchboard {
    asked: u64,
    pending: HashMap<String, Pending>,
}

impl Switchboard {
    /// Asks for a topic.
    pub fn ask_from_topic(&mut self, perception: &Perception, query: ros::SpatialQuery) {
        self.ask(perception, query, Asker::Topic);
    }

    /// Asks for a service call.
    pub fn ask_from_service(&mut self, perception: &Perception, request: ServiceRequest<AskSpatial::Service>) {
        self.ask(perception, request.message.query.clone(), Asker::Service(request));
    }

    /// Asks for an action's goal; a goal is refused when the queue is full.
    pub fn ask_from_action(
        &mut self,
        perception: &Perception,
        request: ActionServerGoalRequest<AnswerSpatialQuery::Action>,
        queue_capacity: usize,
    ) {
        if perception.diagnostics().queue_len >= queue_capacity {
            return warn_on_error(request.reject());
        }
        let query = request.goal.query.clone();
        match request.accept() {
            Ok((goal, cancels)) => {
                let running = RunningGoal { goal, cancels: Box::new(cancels), cancelled: false, told: Phase::Queued };
                tell(&running.goal, &running.told);
                self.ask(perception, query, Asker::Action(Box::new(running)));
            }
            Err(error) => tracing::warn!("goal not accepted: {error}"),
        }
    }

    fn ask(&mut self, perception: &Perception, query: ros::SpatialQuery, asker: Asker) {
        let number = format!("q{}", self.asked);
        self.asked += 1;
        let query_id = if query.query_id.is_empty() { number.clone() } else { query.query_id };
        self.pending.insert(number.clone(), Pending { query_id, asker });
        perception.ask(msgs::SpatialQuery {
            query_id: number,
            text: query.text,
            options: query.options,
            deadline_secs: query.deadline,
        });
    }

    /// An answer to a question that never became one.
    pub fn refuse(&mut self, why: String) -> SpatialAnswer {
        let query_id = format!("q{}", self.asked);
        self.asked += 1;
        SpatialAnswer { query_id, status: Status::BadQuery, text: format!("question: {why}"), ..Default::default() }
    }

    /// Passes wishes to cancel on, and tells goals how far they are.
    pub fn attend_goals(&mut self, perception: &Perception, phases: &[(String, Phase)]) {
        for (number, pending) in &mut self.pending {
            let Asker::Action(running) = &mut pending.asker else { continue };
            while let Some(Some(request)) = running.cancels.next().now_or_never() {
                request.accept();
                running.cancelled = true;
                perception.cancel(number);
            }
            let phase = phases.iter().find(|(id, _)| id == number).map(|(_, phase)| phase);
            if let Some(phase) = phase.filter(|phase| **phase != running.told) {
                tell(&running.goal, phase);
                running.told = phase.clone();
            }
        }
    }

    /// Cancels every question.
    pub fn cancel_all(&self, perception: &Perception) {
        for number in self.pending.keys() {
            perception.cancel(number);
        }
    }

    /// Whether every question has its answer.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether the answer to `number` must wait a turn: its goal was cancelled, and r2r has not yet noted that.
    pub fn must_wait(&self, number: &str) -> bool {
        match self.pending.get(number).map(|pending| &pending.asker) {
            Some(Asker::Action(running)) => running.cancelled && !running.goal.is_cancelling().unwrap_or(true),
            _ => false,
        }
    }

    /// Gives an answer the asker's own id back.
    pub fn restore_id(&self, answer: &mut SpatialAnswer) -> String {
        let number = answer.query_id.clone();
        if let Some(pending) = self.pending.get(&number) {
            answer.query_id.clone_from(&pending.query_id);
        }
        number
    }

    /// Ends the question `number` with its answer.
    pub fn reply(&mut self, number: &str, answer: &ros::SpatialAnswer, status: Status) {
        let Some(pending) = self.pending.remove(number) else { return };
        match pending.asker {
            Asker::Topic => {}
            Asker::Service(request) => {
                warn_on_error(request.respond(AskSpatial::Response { answer: answer.clone() }));
            }
            Asker::Action(mut running) => {
                let result = AnswerSpatialQuery::Result { answer: answer.clone() };
                warn_on_error(match status {
                    Status::Answered | Status::NotSeen => running.goal.succeed(result),
                    Status::Cancelled if running.cancelled => running.goal.cancel(result),
                    _ => running.goal.abort(result),
                });
            }
        }
    }
}

fn tell(goal: &ActionServerGoal<AnswerSpatialQuery::Action>, phase: &Phase) {
    use AnswerSpatialQuery::Feedback;
    let (phase, partial_text) = match phase {
        Phase::Queued => (Feedback::QUEUED as u8, String::new()),
        Phase::Encoding => (Feedback::ENCODING as u8, String::new()),
        Phase::Prefill => (Feedback::PREFILL as u8, String::new()),
        Phase::Decode(text) => (Feedback::DECODE as u8, crate::convert::without_nul(text)),
    };
    warn_on_error(goal.publish_feedback(Feedback { phase, partial_text }));
}
