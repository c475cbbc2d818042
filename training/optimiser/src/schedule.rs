//! Learning rate over a run.

use serde::{Deserialize, Serialize};

/// The form of a schedule behind its linear rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// Half a cosine down to zero (Loshchilov & Hutter, arXiv 1608.03983).
    #[default]
    Cosine,
    /// The same for ever.
    Constant,
    /// Constant, then a linear fall to zero: warm-up, stable, decay (Hägele et al., arXiv 2405.18392).
    ///
    /// Until the fall begins the rate does not depend on the run's length, so a run that was stopped there can be resumed
    /// with another length and equals a run that was planned so from the start.
    Trapezoid,
}

/// A learning rate for every step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Its form.
    pub kind: ScheduleKind,
    /// The highest rate.
    pub peak: f64,
    /// Steps of linear rise from zero.
    pub warmup_steps: u64,
    /// Steps of linear fall at the end of a trapezoid; 0 for other forms.
    pub decay_steps: u64,
    /// Length of the whole run in steps.
    pub total_steps: u64,
}

impl Schedule {
    /// The rate of optimiser step `step`, counted from 0.
    #[must_use]
    pub fn rate(&self, step: u64) -> f64 {
        let rise = ((step + 1) as f64 / self.warmup_steps.max(1) as f64).min(1.0);
        self.peak
            * match self.kind {
                ScheduleKind::Constant => rise,
                ScheduleKind::Trapezoid => {
                    let left = self.total_steps.saturating_sub(step) as f64;
                    rise.min(left / self.decay_steps.max(1) as f64)
                }
                ScheduleKind::Cosine if step < self.warmup_steps => rise,
                ScheduleKind::Cosine => {
                    let length = self.total_steps.saturating_sub(self.warmup_steps).max(1) as f64;
                    let share = ((step - self.warmup_steps) as f64 / length).min(1.0);
                    0.5 * (1.0 + (std::f64::consts::PI * share).cos())
                }
            }
    }

    /// Whether rise and fall fit into the run.
    ///
    /// # Errors
    /// What was expected, what was found.
    pub fn check(&self) -> Result<(), String> {
        let Self { kind, warmup_steps, decay_steps, total_steps, .. } = *self;
        if kind != ScheduleKind::Trapezoid && decay_steps > 0 {
            return Err(format!("expected a decay of 0 with a schedule that is no trapezoid, found {decay_steps}"));
        }
        match warmup_steps + decay_steps <= total_steps {
            true => Ok(()),
            false => Err(format!(
                "expected warm-up and decay to take at most the {total_steps} of the run, found {}",
                warmup_steps + decay_steps
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAPEZOID: Schedule =
        Schedule { kind: ScheduleKind::Trapezoid, peak: 1e-3, warmup_steps: 10, decay_steps: 20, total_steps: 100 };

    #[test]
    fn rises_stays_and_falls() {
        let near = |step, rate: f64| (TRAPEZOID.rate(step) - rate).abs() < 1e-12;
        assert!(near(0, 1e-4) && near(9, 1e-3) && near(80, 1e-3) && near(90, 5e-4) && near(100, 0.0));
    }

    #[test]
    fn cosine_and_constant_by_hand() {
        let cosine =
            Schedule { kind: ScheduleKind::Cosine, peak: 2.0, warmup_steps: 2, decay_steps: 0, total_steps: 10 };
        for (step, rate) in [(0, 1.0), (1, 2.0), (2, 2.0), (6, 1.0), (10, 0.0), (99, 0.0)] {
            assert!((cosine.rate(step) - rate).abs() < 1e-12, "step {step}: {}", cosine.rate(step));
        }
        let constant = Schedule { kind: ScheduleKind::Constant, warmup_steps: 0, ..cosine };
        assert_eq!((constant.rate(0), constant.rate(1_000_000)), (2.0, 2.0));
    }

    #[test]
    fn before_the_decay_the_length_does_not_matter() {
        let long = Schedule { total_steps: 500, ..TRAPEZOID };
        assert!((0..=80).all(|step| TRAPEZOID.rate(step) == long.rate(step)));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(TRAPEZOID.check(), Ok(()));
        assert!(Schedule { total_steps: 29, ..TRAPEZOID }.check().is_err_and(|error| error.contains("found 30")));
        let cosine = Schedule { kind: ScheduleKind::Cosine, ..TRAPEZOID };
        assert!(cosine.check().is_err_and(|error| error.contains("found 20")));
    }
}
