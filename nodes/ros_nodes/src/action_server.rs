//! An action server over services and topics: `_action/send_goal`, `cancel_goal`, `get_result`, `feedback`,
//! `status`.
//!
//! r2r's own never forgets a goal and turns without end once the first has ended, and loses results where a
//! wish to cancel meets the end. Here goals are plain data on the node's thread ([`crate::goals`]): each gets
//! exactly one result, which is kept for [`crate::goals::KEPT`]. A reply that can't be delivered is a
//! warning.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures::StreamExt;
use futures::stream::LocalBoxStream;
use r2r::action_msgs::msg::{GoalInfo, GoalStatus, GoalStatusArray};
use r2r::action_msgs::srv::CancelGoal;
use r2r::unique_identifier_msgs::msg::UUID;
use r2r::{
    Clock, Node, Publisher, QosProfile, ServiceRequest, WrappedActionTypeSupport as Action,
    WrappedServiceTypeSupport as Service,
};

use crate::executor::{lock, warn_on_error, warn_unless_delivered};
use crate::goals::{GoalId, GoalState, Goals};
use crate::time::{nanos_from_time, time_from_nanos};

/// For the log.
const RESULT: &str = "get_result";
/// Askers that wait for one goal's result; more are told at once that it is unknown.
const WAITING_ASKERS: usize = 64;
/// What a result has in place of a state where the goal is unknown.
const UNKNOWN: i8 = 0;

/// A client's wish to have a goal done.
pub type GoalRequest<A> = ServiceRequest<<A as Action>::SendGoal>;
/// A client's wish to have goals cancelled.
pub type CancelRequest = ServiceRequest<CancelGoal::Service>;
/// A client's wish to be told a goal's result.
pub type ResultRequest<A> = ServiceRequest<<A as Action>::GetResult>;

type ResultResponse<A> = <<A as Action>::GetResult as Service>::Response;

/// What clients ask of an action server; each stream's items go to the method of [`ActionServer`] named
/// beside it.
pub struct Requests<A: Action> {
    /// [`ActionServer::accept`] or [`ActionServer::reject`].
    pub goals: LocalBoxStream<'static, GoalRequest<A>>,
    /// [`ActionServer::cancel`].
    pub cancels: LocalBoxStream<'static, CancelRequest>,
    /// [`ActionServer::give_result`].
    pub results: LocalBoxStream<'static, ResultRequest<A>>,
}

/// What is known of a goal besides its state.
struct Outcome<A: Action> {
    result: Option<ResultResponse<A>>,
    waiting: Vec<ResultRequest<A>>,
}

/// The server's side of an action.
pub struct ActionServer<A: Action> {
    goals: Goals,
    outcomes: HashMap<GoalId, Outcome<A>>,
    feedback: Publisher<A::FeedbackMessage>,
    status: Publisher<GoalStatusArray>,
    clock: Arc<Mutex<Clock>>,
}

impl<A: Action + 'static> ActionServer<A> {
    /// Serves the action `name`.
    ///
    /// # Errors
    /// When ROS refuses a service or a topic.
    pub fn new(node: &mut Node, name: &str) -> r2r::Result<(Self, Requests<A>)> {
        let part = |part: &str| format!("{name}/_action/{part}");
        let requests = Requests {
            goals: node.create_service(&part("send_goal"), QosProfile::services_default())?.boxed_local(),
            cancels: node.create_service(&part("cancel_goal"), QosProfile::services_default())?.boxed_local(),
            results: node.create_service(&part("get_result"), QosProfile::services_default())?.boxed_local(),
        };
        let latched = QosProfile::default().keep_last(1).transient_local();
        let server = Self {
            goals: Goals::default(),
            outcomes: HashMap::new(),
            feedback: node.create_publisher(&part("feedback"), QosProfile::default())?,
            status: node.create_publisher(&part("status"), latched)?,
            clock: node.get_ros_clock(),
        };
        Ok((server, requests))
    }

    /// Accepts a goal; `None` where its number is taken or its client can't be told.
    pub fn accept(&mut self, request: GoalRequest<A>) -> Option<(GoalId, A::Goal)> {
        let (id, goal) = A::destructure_goal_request_msg(request.message.clone());
        let id = goal_id(&id)?;
        let now = lock(&self.clock).get_now().unwrap_or_default();
        let nanos = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
        let accepted = self.goals.accept(id, nanos);
        if let Err(error) = request.respond(A::make_goal_response_msg(accepted, time_from_nanos(nanos))) {
            tracing::warn!("goal not accepted, as its client can't be told: {error}");
            if accepted {
                self.goals.withdraw(&id);
            }
            return None;
        }
        if !accepted {
            return None;
        }
        self.outcomes.insert(id, Outcome { result: None, waiting: Vec::new() });
        self.publish_status();
        Some((id, goal))
    }

    /// Rejects a goal.
    pub fn reject(&self, request: GoalRequest<A>) {
        warn_unless_delivered("send_goal", request.respond(A::make_goal_response_msg(false, time_from_nanos(0))));
    }

    /// Notes a wish to cancel and replies; returns the goals that shall now end.
    pub fn cancel(&mut self, request: CancelRequest) -> Vec<GoalId> {
        let wanted = &request.message.goal_info;
        let id = goal_id(&wanted.goal_id).unwrap_or_default();
        let (code, asked) = self.goals.cancel(&id, nanos_from_time(&wanted.stamp));
        let infos = asked.iter().filter_map(|id| self.goals.get(id)).map(|goal| info(goal.id, goal.accepted_nanos));
        let response = CancelGoal::Response { return_code: code as i8, goals_canceling: infos.collect() };
        warn_unless_delivered("cancel_goal", request.respond(response));
        if !asked.is_empty() {
            self.publish_status();
        }
        asked
    }

    /// Replies with a goal's result: at once, or when there is one.
    pub fn give_result(&mut self, request: ResultRequest<A>) {
        let id = goal_id(&A::destructure_result_request_msg(request.message.clone()));
        match id.and_then(|id| self.outcomes.get_mut(&id)) {
            Some(Outcome { result: Some(result), .. }) => {
                warn_unless_delivered(RESULT, request.respond(result.clone()))
            }
            Some(Outcome { waiting, .. }) if waiting.len() < WAITING_ASKERS => waiting.push(request),
            _ => {
                let unknown = A::make_result_response_msg(UNKNOWN, A::Result::default());
                warn_unless_delivered(RESULT, request.respond(unknown));
            }
        }
    }

    /// Ends a goal with its result; one that has ended, or is unknown, stays as it is.
    pub fn finish(&mut self, id: &GoalId, state: GoalState, result: A::Result) {
        let Some(state) = self.goals.end(id, state, Instant::now()) else { return };
        let result = A::make_result_response_msg(state as i8, result);
        if let Some(outcome) = self.outcomes.get_mut(id) {
            for request in outcome.waiting.drain(..) {
                warn_unless_delivered(RESULT, request.respond(result.clone()));
            }
            outcome.result = Some(result);
        }
        self.publish_status();
    }

    /// Tells how far a goal is.
    pub fn tell(&self, id: &GoalId, feedback: A::Feedback) {
        warn_on_error(self.feedback.publish(&A::make_feedback_msg(uuid(*id), feedback)));
    }

    /// Forgets goals that ended long ago; to be called now and then.
    pub fn expire(&mut self) {
        let expired = self.goals.expire(Instant::now());
        for id in &expired {
            self.outcomes.remove(id);
        }
        if !expired.is_empty() {
            self.publish_status();
        }
    }

    fn publish_status(&self) {
        let status = self
            .goals
            .known()
            .iter()
            .map(|goal| GoalStatus { goal_info: info(goal.id, goal.accepted_nanos), status: goal.state as i8 });
        warn_on_error(self.status.publish(&GoalStatusArray { status_list: status.collect() }));
    }
}

fn goal_id(uuid: &UUID) -> Option<GoalId> {
    uuid.uuid.as_slice().try_into().ok()
}

fn uuid(id: GoalId) -> UUID {
    UUID { uuid: id.to_vec() }
}

fn info(id: GoalId, accepted_nanos: i64) -> GoalInfo {
    GoalInfo { goal_id: uuid(id), stamp: time_from_nanos(accepted_nanos) }
}
