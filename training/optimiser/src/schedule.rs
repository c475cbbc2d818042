//! Learning rate over a run.

/// A learning rate for every step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// Warm-up, stable, decay.
    Trapezoid(TrapezoidSchedule),
    /// Linear rise, then half a cosine down to zero (Loshchilov & Hutter, arXiv 1608.03983).
    Cosine {
        /// The highest rate.
        peak: f64,
        /// Steps of linear rise from zero.
        warmup_steps: u64,
        /// Length of the whole run in steps.
        total_steps: u64,
    },
    /// Linear rise, then the same for ever.
    Constant {
        /// The rate.
        peak: f64,
        /// Steps of linear rise from zero.
        warmup_steps: u64,
    },
}

impl Schedule {
    /// The rate of optimiser step `step`, counted from 0.
    #[must_use]
    pub fn rate(&self, step: u64) -> f64 {
        let rise = |warmup: u64| if step < warmup { (step + 1) as f64 / warmup as f64 } else { 1.0 };
        match *self {
            Self::Trapezoid(schedule) => schedule.rate(step),
            Self::Constant { peak, warmup_steps } => peak * rise(warmup_steps),
            Self::Cosine { peak, warmup_steps, .. } if step < warmup_steps => peak * rise(warmup_steps),
            Self::Cosine { peak, warmup_steps, total_steps } => {
                let length = total_steps.saturating_sub(warmup_steps).max(1) as f64;
                let share = ((step - warmup_steps) as f64 / length).min(1.0);
                peak * 0.5 * (1.0 + (std::f64::consts::PI * share).cos())
            }
        }
    }
}

/// Warm-up, stable, decay (Hägele et al., arXiv 2405.18392): linear rise, constant, linear fall to zero.
///
/// Until the decay begins the rate does not depend on the run's length, so a run that was stopped there can be
/// resumed with another length and equals a run that was planned so from the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrapezoidSchedule {
    /// The highest rate.
    pub peak: f64,
    /// Steps of linear rise from zero.
    pub warmup_steps: u64,
    /// Steps of linear fall at the end.
    pub decay_steps: u64,
    /// Length of the whole run in steps.
    pub total_steps: u64,
}

impl TrapezoidSchedule {
    /// The rate of optimiser step `step`, counted from 0; zero past the end.
    pub fn rate(&self, step: u64) -> f64 {
        let rise = (step + 1) as f64 / self.warmup_steps.max(1) as f64;
        let fall = self.total_steps.saturating_sub(step) as f64 / self.decay_steps.max(1) as f64;
        self.peak * rise.min(1.0).min(fall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_stays_and_falls() {
        let schedule = TrapezoidSchedule { peak: 1e-3, warmup_steps: 10, decay_steps: 20, total_steps: 100 };
        let near = |step, rate: f64| (schedule.rate(step) - rate).abs() < 1e-12;
        assert!(near(0, 1e-4) && near(9, 1e-3) && near(80, 1e-3) && near(90, 5e-4) && near(100, 0.0));
    }

    #[test]
    fn cosine_and_constant_by_hand() {
        let cosine = Schedule::Cosine { peak: 2.0, warmup_steps: 2, total_steps: 10 };
        for (step, rate) in [(0, 1.0), (1, 2.0), (2, 2.0), (6, 1.0), (10, 0.0), (99, 0.0)] {
            assert!((cosine.rate(step) - rate).abs() < 1e-12, "step {step}: {}", cosine.rate(step));
        }
        let constant = Schedule::Constant { peak: 3.0, warmup_steps: 0 };
        assert_eq!((constant.rate(0), constant.rate(1_000_000)), (3.0, 3.0));
    }

    #[test]
    fn before_the_decay_the_length_does_not_matter() {
        let short = TrapezoidSchedule { peak: 1e-3, warmup_steps: 10, decay_steps: 20, total_steps: 100 };
        let long = TrapezoidSchedule { total_steps: 500, ..short };
        assert!((0..=80).all(|step| short.rate(step) == long.rate(step)));
    }
}
