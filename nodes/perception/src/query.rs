//! A query as it comes, checked.

use grounding::{MAX_QUESTION_BYTES, ParsedQuestion, parse_question, with_options};
use msgs::SpatialQuery;

const MAX_OPTIONS: usize = 26;

/// The question in words, options included; the error says what is wrong with it.
pub(crate) fn read_query(query: &SpatialQuery) -> Result<ParsedQuestion, String> {
    let deadline = query.deadline_secs;
    if !(deadline.is_finite() && deadline >= 0.0) {
        return Err(format!("deadline_secs: expected a finite number of at least 0, found {deadline}"));
    }
    let question = parse_question(&query.text).map_err(|error| error.to_string())?;
    if query.options.is_empty() {
        return Ok(question);
    }
    let bytes = query.options.iter().fold(0usize, |sum, option| sum.saturating_add(option.len()));
    if query.options.len() > MAX_OPTIONS || bytes > MAX_QUESTION_BYTES {
        let found = query.options.len();
        return Err(format!(
            "options: expected at most {MAX_OPTIONS} of {MAX_QUESTION_BYTES} bytes in all, found {found} of {bytes} bytes"
        ));
    }
    Ok(with_options(&question, &query.options))
}
