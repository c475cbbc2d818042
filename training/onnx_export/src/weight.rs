//! One checkpoint tensor, read row by row as f32.

use half::{bf16, f16};
use safetensors::Dtype;

use crate::error::{Error, Result};
use crate::lora::LowRank;

/// One tensor as it lies in its shard: row-major, little-endian.
pub(crate) struct Weight<'a> {
    /// Hub name, for messages.
    pub name: &'a str,
    /// Element type, one of F32, F16, BF16.
    pub dtype: Dtype,
    /// Dimensions, checked against the architecture.
    pub shape: &'a [usize],
    /// The stored bytes.
    pub bytes: &'a [u8],
    /// Byte of the shard that they begin at.
    pub offset: u64,
    /// What an adapter adds to it.
    pub delta: Option<&'a LowRank>,
}

impl Weight<'_> {
    /// The tensor as a matrix [first dimension, product of the others]; a vector is one row.
    pub fn matrix(&self) -> (usize, usize) {
        match self.shape {
            [] => (1, 1),
            [length] => (1, *length),
            [rows, rest @ ..] => (*rows, rest.iter().product()),
        }
    }

    /// Refuses values that are not finite.
    ///
    /// # Errors
    /// `NotFinite`.
    pub fn check_finite(&self) -> Result<()> {
        let (rows, columns) = self.matrix();
        let mut row = vec![0.0; columns];
        (0..rows).try_for_each(|index| self.read(index, 0, &mut row))
    }

    /// Row `row` of the matrix from column `first` on, as many as `out` holds.
    ///
    /// # Errors
    /// `NotFinite`.
    pub fn read(&self, row: usize, first: usize, out: &mut [f32]) -> Result<()> {
        let start = row * self.matrix().1 + first;
        match self.dtype {
            Dtype::F32 => {
                let stored = self.bytes[4 * start..].as_chunks::<4>().0;
                out.iter_mut().zip(stored).for_each(|(value, bytes)| *value = f32::from_le_bytes(*bytes));
            }
            Dtype::F16 => {
                let stored = self.bytes[2 * start..].as_chunks::<2>().0;
                out.iter_mut().zip(stored).for_each(|(value, bytes)| *value = f16::from_le_bytes(*bytes).to_f32());
            }
            _ => {
                let stored = self.bytes[2 * start..].as_chunks::<2>().0;
                out.iter_mut().zip(stored).for_each(|(value, bytes)| *value = bf16::from_le_bytes(*bytes).to_f32());
            }
        }
        if let Some(delta) = self.delta {
            delta.add(row, first, out);
        }
        match out.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(Error::NotFinite { name: self.name.to_owned(), found: out[at], index: start + at }),
            None => Ok(()),
        }
    }
}
