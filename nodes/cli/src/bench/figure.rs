//! A measured figure and its aim.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One row of the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Figure {
    /// Model directory; empty for what has nothing to do with one.
    pub(super) model: String,
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: String,
    pub(super) aim: Option<Aim>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

impl Figure {
    pub(super) fn new(name: impl Into<String>, value: f64, unit: &str) -> Self {
        Self { model: String::new(), name: name.into(), value, unit: unit.to_owned(), aim: None }
    }

    pub(super) fn aim(self, aim: Aim) -> Self {
        Self { aim: Some(aim), ..self }
    }

    pub(super) fn of(self, model: &str) -> Self {
        Self { model: model.to_owned(), ..self }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = format!("{:.3} {}", self.value, self.unit);
        write!(f, "{:<16} {:<66} {value:>14}", self.model, self.name)?;
        match self.aim {
            None => Ok(()),
            Some(Aim::AtLeast(least)) => write!(f, "  ≥ {least}{}", missed(self.value >= least)),
            Some(Aim::AtMost(most)) => write!(f, "  ≤ {most}{}", missed(self.value <= most)),
        }
    }
}

fn missed(held: bool) -> &'static str {
    if held { "" } else { "  missed" }
}

/// The middle value; NaN of none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
