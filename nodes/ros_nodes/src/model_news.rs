//! What the log says about the model: once, when it is new.

use perception::ModelState;

/// Remembers what was said.
#[derive(Debug, Default)]
pub struct ModelNews {
    /// The state that was said; `None` = still loading.
    state: Option<ModelState>,
    /// What was said about files that have changed on disk.
    change: Option<String>,
}

impl ModelNews {
    /// Logs what became of the model, and of its files, where that is new.
    pub fn tell(&mut self, state: ModelState, change: Option<String>) {
        if change != self.change {
            if let Some(change) = &change {
                tracing::warn!("{change}");
            }
            self.change = change;
        }
        if self.state.as_ref() == Some(&state) {
            return;
        }
        match &state {
            ModelState::Loading => {}
            ModelState::Ready { model, runs_on } if runs_on.refusals.is_empty() => {
                tracing::info!(model, provider = runs_on.provider, "ready");
            }
            ModelState::Ready { model, runs_on } => {
                let refusals = runs_on.refusals.join("; ");
                tracing::warn!(model, provider = runs_on.provider, refusals, "ready, but not on the device asked for");
            }
            ModelState::Failed { reason } => tracing::error!("no usable model: {reason}"),
        }
        self.state = Some(state);
    }
}
