//! The thread that notices when the files of the loaded model change. Answers stay those of the model as it was verified;
//! that there is another one now is said, in the diagnostics.

use std::time::Duration;

use crate::shared::Shared;

/// How often it looks, by length and time of change of each file.
const PERIOD: Duration = Duration::from_secs(1);

/// Ends with the queue.
pub(crate) fn keep(shared: &Shared) {
    while !shared.queue.closes_within(PERIOD) {
        shared.look_at_model_files();
    }
}
