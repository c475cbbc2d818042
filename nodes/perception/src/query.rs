//! A query as it comes, checked.

use grounding::{ParsedQuestion, parse_question, with_options};
use msgs::SpatialQuery;

use crate::QueryError;

/// Most options of a multiple-choice question: one for each letter.
pub(crate) const MAX_OPTIONS: usize = 26;
/// Most bytes of all options together.
pub(crate) const MAX_OPTION_BYTES: usize = 65_536;

/// The question in words as the model is asked it, options included, each behind its letter on a line of its own. A
/// question with options is of the kind [`msgs::QuestionKind::FreeForm`].
///
/// # Errors
/// [`QueryError`] says what is wrong with the query.
pub fn read_query(query: &SpatialQuery) -> Result<ParsedQuestion, QueryError> {
    let deadline = query.deadline_secs;
    if !(deadline.is_finite() && deadline >= 0.0) {
        return Err(QueryError::Deadline { found: deadline });
    }
    let question = parse_question(&query.text)?;
    let bytes = query.options.iter().fold(0usize, |sum, option| sum.saturating_add(option.len()));
    if query.options.len() > MAX_OPTIONS || bytes > MAX_OPTION_BYTES {
        return Err(QueryError::Options { found: query.options.len(), bytes });
    }
    Ok(with_options(&question, &query.options))
}
