//! Who asked what: one number per question inside, the asker's own id outside, and the way back for each.

use std::collections::HashMap;

use msgs::{SpatialAnswer, Status};
use perception::Perception;
use r2r::ServiceRequest;
use r2r::spacer_msgs::action::AnswerSpatialQuery;
use r2r::spacer_msgs::msg as ros;
use r2r::spacer_msgs::srv::AskSpatial;

use crate::action_server::{ActionServer, CancelRequest, GoalRequest, ResultRequest};
use crate::executor::warn_unless_delivered;
use crate::goals::{GoalId, GoalState};
use crate::log_line::cut;
use crate::outbox::Phase;

/// The longest `query_id`, bytes. Ids travel with every answer and are held until then.
const LONGEST_ID: usize = 256;
/// Characters of a longer one that its refusal bears.
const SHOWN_ID: usize = 64;

type Server = ActionServer<AnswerSpatialQuery::Action>;

/// Where an answer goes besides the topics.
enum Asker {
    Topic,
    Service(ServiceRequest<AskSpatial::Service>),
    Action { goal: GoalId, told: Phase },
}

struct Pending {
    query_id: String,
    asker: Asker,
}

/// The questions that have no answer yet.
///
/// Inside, questions are numbered, so that two askers with the same `query_id` never get each other's answer.
/// They are at most as many as the pipeline's queue holds, for what it refuses is answered at once.
pub struct Switchboard {
    asked: u64,
    pending: HashMap<String, Pending>,
    actions: Server,
}

impl Switchboard {
    /// Nobody has asked yet; goals come and end through `actions`.
    pub fn new(actions: Server) -> Self {
        Self { asked: 0, pending: HashMap::new(), actions }
    }

    /// Asks for a topic. Here and below: returns the answer to a question that is refused before the pipeline
    /// sees it.
    pub fn ask_from_topic(&mut self, perception: &Perception, query: ros::SpatialQuery) -> Option<SpatialAnswer> {
        self.ask(perception, query, Asker::Topic)
    }

    /// Asks for a service call.
    pub fn ask_from_service(
        &mut self,
        perception: &Perception,
        request: ServiceRequest<AskSpatial::Service>,
    ) -> Option<SpatialAnswer> {
        self.ask(perception, request.message.query.clone(), Asker::Service(request))
    }

    /// Asks for an action's goal; a goal is rejected when the queue is full.
    pub fn ask_from_action(
        &mut self,
        perception: &Perception,
        request: GoalRequest<AnswerSpatialQuery::Action>,
        queue_capacity: usize,
    ) -> Option<SpatialAnswer> {
        if perception.diagnostics().queue_len >= queue_capacity {
            self.actions.reject(request);
            return None;
        }
        let (id, goal) = self.actions.accept(request)?;
        tell(&self.actions, &id, &Phase::Queued);
        self.ask(perception, goal.query, Asker::Action { goal: id, told: Phase::Queued })
    }

    fn ask(&mut self, perception: &Perception, query: ros::SpatialQuery, asker: Asker) -> Option<SpatialAnswer> {
        let number = self.number();
        let found = query.query_id.len();
        if found > LONGEST_ID {
            let query_id = cut(&query.query_id, SHOWN_ID);
            self.pending.insert(number.clone(), Pending { query_id, asker });
            return Some(refusal(number, format!("query_id: expected at most {LONGEST_ID} bytes, found {found}")));
        }
        let query_id = if found == 0 { number.clone() } else { query.query_id };
        self.pending.insert(number.clone(), Pending { query_id, asker });
        perception.ask(msgs::SpatialQuery {
            query_id: number,
            text: query.text,
            options: query.options,
            deadline_secs: query.deadline,
        });
        None
    }

    fn number(&mut self) -> String {
        self.asked += 1;
        format!("q{}", self.asked - 1)
    }

    /// An answer to a question that never became one.
    pub fn refuse(&mut self, why: &str) -> SpatialAnswer {
        refusal(self.number(), format!("question: {why}"))
    }

    /// Passes a wish to cancel on to the questions of the goals that are meant.
    pub fn cancel_goals(&mut self, perception: &Perception, request: CancelRequest) {
        for id in self.actions.cancel(request) {
            let is_its = |pending: &Pending| matches!(pending.asker, Asker::Action { goal, .. } if goal == id);
            for number in self.pending.iter().filter(|(_, pending)| is_its(pending)).map(|(number, _)| number) {
                perception.cancel(number);
            }
        }
    }

    /// Replies with the result of a goal, when there is one.
    pub fn give_result(&mut self, request: ResultRequest<AnswerSpatialQuery::Action>) {
        self.actions.give_result(request);
    }

    /// Tells goals how far they are, and forgets those that ended long ago.
    pub fn attend_goals(&mut self, phases: &[(String, Phase)]) {
        self.actions.expire();
        for (number, phase) in phases {
            if let Some(Pending { asker: Asker::Action { goal, told }, .. }) = self.pending.get_mut(number)
                && told != phase
            {
                tell(&self.actions, goal, phase);
                told.clone_from(phase);
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
                let response = AskSpatial::Response { answer: answer.clone() };
                warn_unless_delivered("ask_spatial", request.respond(response));
            }
            Asker::Action { goal, .. } => {
                let state = match status {
                    Status::Answered | Status::NotSeen => GoalState::Succeeded,
                    Status::Cancelled => GoalState::Canceled,
                    _ => GoalState::Aborted,
                };
                self.actions.finish(&goal, state, AnswerSpatialQuery::Result { answer: answer.clone() });
            }
        }
    }
}

fn refusal(query_id: String, text: String) -> SpatialAnswer {
    SpatialAnswer { query_id, status: Status::BadQuery, text, ..Default::default() }
}

fn tell(actions: &Server, goal: &GoalId, phase: &Phase) {
    use AnswerSpatialQuery::Feedback;
    let (phase, partial_text) = match phase {
        Phase::Queued => (Feedback::QUEUED as u8, String::new()),
        Phase::Encoding => (Feedback::ENCODING as u8, String::new()),
        Phase::Prefill => (Feedback::PREFILL as u8, String::new()),
        Phase::Decode(text) => (Feedback::DECODE as u8, crate::convert::without_nul(text)),
    };
    actions.tell(goal, Feedback { phase, partial_text });
}
