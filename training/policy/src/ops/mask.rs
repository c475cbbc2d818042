//! Who sees whom in attention.

use std::sync::{Arc, OnceLock};

use candle_core::{Device, Result, Tensor};

/// What is added to a score to hide it is at most this.
const HIDDEN: f32 = -1e8;

/// Who sees whom within a sequence.
#[derive(Clone, Debug)]
pub enum Mask {
    /// Every token sees every token.
    Full,
    /// A token sees itself and those before it.
    Causal,
    /// Values added to the scores; only with a single segment.
    Additive(Arc<Additive>),
}

/// Values added to scores, and how far each row sees.
#[derive(Clone, Debug)]
pub struct Additive {
    /// `[sequences or 1, len, len]`.
    values: Vec<f32>,
    /// How many columns, from the first, each row sees.
    columns: Vec<usize>,
    /// The values on the device that has asked for them first: every layer asks.
    tensor: OnceLock<Tensor>,
}

impl Additive {
    /// `[sequences or 1, len, len]`.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// `[sequences or 1, 1, len, len]` on `device`, f32.
    pub(super) fn on(&self, device: &Device, len: usize) -> Result<Tensor> {
        if let Some(tensor) = self.tensor.get().filter(|tensor| tensor.device().same_device(device)) {
            return Ok(tensor.clone());
        }
        let tensor = Tensor::from_slice(&self.values, ((), 1, len, len), device)?;
        drop(self.tensor.set(tensor.clone()));
        Ok(tensor)
    }
}

impl Mask {
    /// A mask of `values` `[sequences or 1, len, len]` that are added to scores. A value of at most -1e8 hides a column from
    /// a row.
    #[must_use]
    pub fn additive(values: Vec<f32>, len: usize) -> Self {
        // A row that sees nothing is as good as one that sees all.
        let seen = |row: &[f32]| row.iter().rposition(|value| *value > HIDDEN).map_or(len, |last| last + 1);
        let columns = values.chunks(len.max(1)).map(seen).collect();
        Self::Additive(Arc::new(Additive { values, columns, tensor: OnceLock::new() }))
    }

    /// What is added to the scores of a row of a sequence of `len` tokens; none where nothing is.
    pub(super) fn added(&self, sequence: usize, row: usize, len: usize) -> Option<&[f32]> {
        let Self::Additive(mask) = self else { return None };
        let start = (sequence * len + row) * len % mask.values.len();
        mask.values.get(start..start + len)
    }

    /// How many columns, from the first, a row sees.
    pub(super) fn columns(&self, sequence: usize, row: usize, len: usize) -> usize {
        match self {
            Self::Full => len,
            Self::Causal => row + 1,
            Self::Additive(mask) => {
                let index = (sequence * len + row) % mask.columns.len();
                mask.columns.get(index).copied().unwrap_or(len)
            }
        }
    }
}
