//! Learning rate over a run.

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
    fn before_the_decay_the_length_does_not_matter() {
        let short = TrapezoidSchedule { peak: 1e-3, warmup_steps: 10, decay_steps: 20, total_steps: 100 };
        let long = TrapezoidSchedule { total_steps: 500, ..short };
        assert!((0..=80).all(|step| short.rate(step) == long.rate(step)));
    }
}
