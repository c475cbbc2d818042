//! Who asks `perception_node`: topics, a service, an action.

use std::cell::RefCell;
use std::rc::Rc;

use r2r::spacer_msgs::action::AnswerSpatialQuery;
use r2r::spacer_msgs::msg as ros;
use r2r::spacer_msgs::srv::AskSpatial;
use r2r::{QosProfile, WrappedTypesupport};

use super::{Shell, on_each};
use crate::action_server::Requests;
use crate::executor::Executor;
use crate::subscriptions::Topic;
use crate::text_message::read_text;

/// Questions that DDS holds for a node that is busy with others; more than a burst of strangers sends.
const QUESTION_DEPTH: usize = 2000;

/// Listens to questions of topics and of the service, and to what is said of answers.
///
/// # Errors
/// When ROS refuses a topic or the service.
pub(super) fn listen(executor: &mut Executor, shell: &Rc<RefCell<Shell>>) -> anyhow::Result<()> {
    let questions = Topic::new("ask", "std_msgs/msg/String", QUESTION_DEPTH).reliable().only_new();
    let queries = Topic::new("query", "spacer_msgs/msg/SpatialQuery", QUESTION_DEPTH).reliable().only_new();
    let feedback = Topic::new("feedback", "spacer_msgs/msg/AnswerFeedback", 10).reliable().only_new();
    let asked = shell.clone();
    executor.listen_raw(questions, move |bytes| asked.borrow_mut().ask_text(&bytes))?;
    let asked = shell.clone();
    executor.listen_raw(queries, move |bytes| asked.borrow_mut().ask_query(&bytes))?;
    super::listen(executor, shell, feedback, |shell, feedback: ros::AnswerFeedback| {
        shell.counts.feedback += 1;
        let ros::AnswerFeedback { query_id, value, text, .. } = feedback;
        tracing::info!(query_id, value, text, "feedback");
    })?;
    let service = executor.node.create_service::<AskSpatial::Service>("ask_spatial", QosProfile::default())?;
    on_each(executor, shell, service, |shell, request| {
        shell.tell_camera();
        let refusal = shell.switchboard.ask_from_service(&shell.perception, request);
        shell.deliver_all(refusal);
    })
}

impl Shell {
    fn ask_text(&mut self, bytes: &[u8]) {
        match read_text(bytes) {
            Ok(text) => self.ask(ros::SpatialQuery { text, ..ros::SpatialQuery::default() }),
            Err(why) => self.refuse(&why),
        }
    }

    fn ask_query(&mut self, bytes: &[u8]) {
        match ros::SpatialQuery::from_serialized_bytes(bytes) {
            Ok(query) => self.ask(query),
            Err(_) => self.refuse(&format!("expected a serialized SpatialQuery, found {} bytes", bytes.len())),
        }
    }

    fn refuse(&mut self, why: &str) {
        let refusal = self.switchboard.refuse(why);
        self.deliver_all(Some(refusal));
    }
}

/// Answers what clients of the action ask.
///
/// # Errors
/// When the executor has ended.
pub(super) fn serve_goals(
    executor: &Executor,
    shell: &Rc<RefCell<Shell>>,
    requests: Requests<AnswerSpatialQuery::Action>,
) -> anyhow::Result<()> {
    on_each(executor, shell, requests.goals, |shell, request| {
        shell.tell_camera();
        let capacity = shell.parameters.queue_capacity as usize;
        let refusal = shell.switchboard.ask_from_action(&shell.perception, request, capacity);
        shell.deliver_all(refusal);
    })?;
    on_each(executor, shell, requests.cancels, |shell, request| {
        shell.switchboard.cancel_goals(&shell.perception, request);
    })?;
    on_each(executor, shell, requests.results, |shell, request| shell.switchboard.give_result(request))
}
