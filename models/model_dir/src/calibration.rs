//! `calibration.toml`: how wide the interval around a number must be to hold the truth as often as stated, and how sure
//! the model must be that a thing is not there before it says so.
//!
//! Split conformal prediction (Vovk; Lei et al. 2018, <https://arxiv.org/abs/1604.04173>): the width is a quantile of
//! the errors on a calibration split.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The calibration as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Where "not seen" begins; without it the model's own odds decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abstention: Option<Abstention>,
    /// By question kind, say `distance`; a kind that is absent has no interval.
    #[serde(default)]
    pub kinds: BTreeMap<String, KindCalibration>,
}

/// The operating point of "not seen": a bias on the token that begins it, chosen where the model calls as many absent
/// objects so as was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abstention {
    /// The token as text, say `" do"` of "I do not see".
    pub token: String,
    /// What is added to its logit.
    pub logit_bias: f64,
    /// Share of absent objects called "not seen" with it.
    pub absent_not_seen: f64,
    /// Share of present objects called "not seen" with it.
    pub present_not_seen: f64,
    /// Answers it was chosen from.
    pub n: u64,
    /// Name of the calibration split.
    pub split: String,
}

/// The interval of one question kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindCalibration {
    /// Share of truths the interval holds, over 0 and under 1.
    pub coverage: f64,
    /// Half-width.
    pub width: Width,
    /// Answers the width was computed from.
    pub n: u64,
    /// Name of the calibration split.
    pub split: String,
    /// What other coverages would have taken, by growing coverage: for judging the calibration. Answers state
    /// [`KindCalibration::coverage`] only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<CurvePoint>,
}

/// The width that one coverage takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// Share of truths the interval holds, over 0 and under 1.
    pub coverage: f64,
    /// Half-width.
    pub width: Width,
}

/// A half-width, by what the error was measured in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Width {
    /// Quantile of |ln(truth / value)|: the interval is value · e^±w. For lengths.
    RelativeWidth(f64),
    /// Quantile of |truth − value|, in the answer's unit: the interval is value ± w. For counts.
    AbsoluteWidth(f64),
}

impl Width {
    /// The number itself.
    pub fn get(self) -> f64 {
        match self {
            Width::RelativeWidth(width) | Width::AbsoluteWidth(width) => width,
        }
    }

    /// (lower, upper) around `value`, in its unit.
    pub fn interval(self, value: f64) -> (f64, f64) {
        match self {
            Width::RelativeWidth(width) => (value * (-width).exp(), value * width.exp()),
            Width::AbsoluteWidth(width) => (value - width, value + width),
        }
    }
}

impl KindCalibration {
    /// (lower, upper) around `value`, in its unit.
    ///
    /// ```
    /// use model_dir::{KindCalibration, Width};
    ///
    /// let width = Width::AbsoluteWidth(1.5);
    /// let counts = KindCalibration { coverage: 0.9, width, n: 400, split: "calibration".into(), curve: vec![] };
    /// assert_eq!(counts.interval(4.0), (2.5, 5.5));
    /// ```
    pub fn interval(&self, value: f64) -> (f64, f64) {
        self.width.interval(value)
    }
}
