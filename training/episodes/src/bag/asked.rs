//! What was asked in a recording, with the answers and the feedback that belong to it.

use recording::spacer_messages::{AnswerFeedback, SpatialAnswer, SpatialQuery};

use super::logbook::{Heard, Logbook};

/// One question of the recording.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    /// When, nanoseconds.
    pub time_nanos: i64,
    pub query: SpatialQuery,
    pub answer: Option<SpatialAnswer>,
    pub feedback: Option<AnswerFeedback>,
}

/// The questions in the order asked.
pub(super) fn pair(log: &Logbook) -> Vec<Asked> {
    let mut answers: Vec<Option<&Heard<SpatialAnswer>>> = log.answers.iter().map(Some).collect();
    let mut asked: Vec<(u64, Asked)> = Vec::new();
    for Heard { log_nanos, message: query } in log.queries.iter().filter(|query| !query.message.query_id.is_empty()) {
        let own = answers.iter_mut().find(|answer| {
            answer.is_some_and(|answer| answer.message.query_id == query.query_id && answer.log_nanos >= *log_nanos)
        });
        let answer = own.and_then(Option::take).map(|heard| heard.message.clone());
        asked.push((*log_nanos, question(*log_nanos, query.clone(), answer)));
    }
    let rest: Vec<&Heard<SpatialAnswer>> = answers.into_iter().flatten().collect();
    asked.extend(pair_numbered(log, rest));
    asked.sort_by_key(|(log_nanos, _)| *log_nanos);
    for Heard { log_nanos, message } in &log.feedback {
        let is_meant = |(asked_at, asked): &&mut (u64, Asked)| {
            asked_at <= log_nanos && !message.query_id.is_empty() && asked.query.query_id == message.query_id
        };
        if let Some((_, asked)) = asked.iter_mut().rev().find(is_meant) {
            asked.feedback = Some(message.clone());
        }
    }
    asked.into_iter().map(|(_, asked)| asked).collect()
}

fn question(log_nanos: u64, query: SpatialQuery, answer: Option<SpatialAnswer>) -> Asked {
    let stamp = query.header.stamp.nanos();
    let time_nanos = if stamp == 0 { i64::try_from(log_nanos).unwrap_or(i64::MAX) } else { stamp };
    Asked { time_nanos, query, answer, feedback: None }
}

/// Questions without an id of their own: the node numbers them `q<N>` as they come. They get their answers only where
/// every one of them has one, in order, behind it in time, and of its kind; else nobody could tell whose is whose.
fn pair_numbered(log: &Logbook, answers: Vec<&Heard<SpatialAnswer>>) -> Vec<(u64, Asked)> {
    let unnamed = log.queries.iter().filter(|query| query.message.query_id.is_empty());
    let unnamed = unnamed.map(|query| (query.log_nanos, query.message.clone()));
    let spoken = log.asks.iter().map(|ask| {
        let text = ask.message.data.clone();
        (ask.log_nanos, SpatialQuery { text, ..SpatialQuery::default() })
    });
    let mut queries: Vec<(u64, SpatialQuery)> = unnamed.chain(spoken).collect();
    queries.sort_by_key(|(log_nanos, _)| *log_nanos);
    let number = |answer: &&Heard<SpatialAnswer>| answer.message.query_id.strip_prefix('q')?.parse::<u64>().ok();
    let mut numbered: Vec<(u64, &Heard<SpatialAnswer>)> =
        answers.into_iter().filter_map(|answer| Some((number(&answer)?, answer))).collect();
    numbered.sort_by_key(|(number, _)| *number);
    let fits = |((asked_at, query), (_, answer)): (&(u64, SpatialQuery), &(u64, &Heard<SpatialAnswer>))| {
        let kind = grounding::parse_question(&query.text).map(|parsed| parsed.kind.name());
        let is_of_kind = answer.message.kind.is_empty() || kind.is_ok_and(|kind| kind == answer.message.kind);
        answer.log_nanos >= *asked_at && is_of_kind
    };
    let is_clear = queries.len() == numbered.len() && queries.iter().zip(&numbered).all(fits);
    let of = |index: usize| numbered.get(index).filter(|_| is_clear).map(|(_, answer)| answer.message.clone());
    let pairs = queries.into_iter().enumerate().map(|(index, (log_nanos, mut query))| {
        let answer = of(index);
        if let Some(answer) = &answer {
            query.query_id.clone_from(&answer.query_id);
        }
        (log_nanos, question(log_nanos, query, answer))
    });
    pairs.collect()
}
