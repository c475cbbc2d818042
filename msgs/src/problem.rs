//! The types of problems of SG-RLVR (arXiv 2504.01805), by their names in its files.

use serde::{Deserialize, Serialize};

/// What a question's answer is, which decides how it is scored; `problem_type` of a record of SpaceR-151k.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProblemType {
    /// One option letter.
    #[serde(rename = "multiple choice")]
    MultipleChoice,
    /// A number that is judged by relative error, or "not seen".
    #[serde(rename = "numerical")]
    Numerical,
    /// A number that is judged by its distance.
    #[serde(rename = "regression")]
    Regression,
    /// Text read off the picture.
    #[serde(rename = "OCR")]
    Ocr,
    /// Text in one's own words.
    #[default]
    #[serde(rename = "free-form")]
    FreeForm,
}

impl ProblemType {
    /// Every type, in the order of the paper.
    pub const ALL: [Self; 5] = [Self::MultipleChoice, Self::Numerical, Self::Regression, Self::Ocr, Self::FreeForm];

    /// Whether an accuracy is *good* enough for the map to be looked at: a right option, a number with MRA over 0.5.
    #[must_use]
    pub fn is_good(self, accuracy: f64) -> bool {
        match self {
            Self::MultipleChoice => accuracy == 1.0,
            Self::Numerical => accuracy > 0.5,
            Self::Regression | Self::Ocr | Self::FreeForm => false,
        }
    }
}
