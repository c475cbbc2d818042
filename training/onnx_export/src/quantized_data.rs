//! Quantised weights in the external-data file, in the form each profile takes.

use crate::error::Result;
use crate::external_data::{ExternalData, Float, PANEL, Part};
use crate::proto::{TensorProto, tensor_proto::DataType};
use crate::quantize::{BLOCK, BlockScale, Quantizer, Scheme, pack};
use crate::weight::Weight;

impl ExternalData {
    /// Appends the rows of `weights`, [n, k] in all, as MatMulNBits takes them: integers [n, k / 32, 32 · bits / 8] (a
    /// ragged last block is filled up), scales [n, k / 32] and, by scheme, zero points [n, (k / 32) · bits / 8], packed
    /// like the integers. Several weights have rows of the same length.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_blobs(&mut self, name: &str, weights: &[Weight], quantizer: &Quantizer) -> Result<Vec<TensorProto>> {
        let rows = weights.iter().map(|weight| weight.matrix().0).sum::<usize>();
        let columns = weights.first().map_or(0, |weight| weight.matrix().1);
        let blocks = columns.div_ceil(BLOCK);
        let (blob, zero_row) = (BLOCK * quantizer.bits / 8, (blocks * quantizer.bits).div_ceil(8));
        let zeros = quantizer.scheme == Scheme::ZeroPoint;
        let mapped = weights.iter().map(|weight| weight.bytes.len()).sum::<usize>();
        self.note_buffer(rows * (blocks * 4 + zero_row) + columns * 6 + mapped);
        let start = self.align()?;
        let (mut scales, mut zero_points) = (Vec::new(), Vec::new());
        if self.is_measure() {
            self.count(rows * blocks * blob);
        } else {
            scales.reserve(rows * blocks);
            for weight in weights {
                self.put_blobs(weight, quantizer, (&mut scales, &mut zero_points))?;
            }
        }
        let part = |suffix: &str, dims, data_type| Part { name: format!("{name}.{suffix}"), dims, data_type };
        let mut initializers = vec![self.initializer(part("blobs", vec![rows, blocks, blob], DataType::Uint8), start)];
        let float = if quantizer.half_scales { Float::F16 } else { Float::F32 };
        let scales_name = format!("{name}.scales");
        initializers.push(self.append_values(&scales_name, &[rows, blocks], &scales, float)?);
        if zeros {
            let start = self.align()?;
            if self.is_measure() {
                self.count(rows * zero_row);
            } else {
                self.put(&zero_points)?;
            }
            initializers.push(self.initializer(part("zeros", vec![rows, zero_row], DataType::Uint8), start));
        }
        Ok(initializers)
    }

    fn put_blobs(
        &mut self,
        weight: &Weight,
        quantizer: &Quantizer,
        (scales, zero_points): (&mut Vec<f32>, &mut Vec<u8>),
    ) -> Result<()> {
        let (rows, columns) = weight.matrix();
        let blocks = columns.div_ceil(BLOCK);
        let (mut row, mut levels) = (vec![0.0; blocks * BLOCK], vec![0; blocks * BLOCK]);
        let (mut zeros, mut packed) = (vec![0; blocks], Vec::with_capacity(blocks * BLOCK));
        for index in 0..rows {
            weight.read(index, 0, &mut row[..columns])?;
            for (at, block) in row.chunks_exact(BLOCK).enumerate() {
                let fit = quantizer.fit(block);
                quantizer.round(block, fit, &mut levels[at * BLOCK..(at + 1) * BLOCK]);
                scales.push(fit.scale);
                zeros[at] = fit.zero;
            }
            packed.clear();
            pack(&levels, quantizer.bits, &mut packed);
            self.put(&packed)?;
            if quantizer.scheme == Scheme::ZeroPoint {
                pack(&zeros, quantizer.bits, zero_points);
            }
        }
        Ok(())
    }

    /// Appends `weight` [n, k] transposed as DequantizeLinear takes it: signed integers [k, n] and scales [k / block, n],
    /// or [n] where a row has one.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_signed(&mut self, weight: &Weight, quantizer: &Quantizer) -> Result<Vec<TensorProto>> {
        let (rows, columns) = weight.matrix();
        let blocks = quantizer.block.map_or(1, |block| columns.div_ceil(block));
        self.note_buffer(2 * PANEL.min(columns) * rows + blocks * rows * 4 + weight.bytes.len());
        let start = self.align()?;
        let mut scales = Vec::new();
        if self.is_measure() {
            self.count((rows * columns * quantizer.bits).div_ceil(8));
        } else {
            scales = vec![0.0; blocks * rows];
            self.put_signed(weight, quantizer, &mut scales)?;
        }
        let data_type = if quantizer.bits == 4 { DataType::Int4 } else { DataType::Int8 };
        let name = format!("{}.integers", weight.name);
        let integers = self.initializer(Part { name, dims: vec![columns, rows], data_type }, start);
        let float = if quantizer.half_scales { Float::F16 } else { Float::F32 };
        let name = format!("{}.scales", weight.name);
        let dims = if quantizer.block.is_some() { vec![blocks, rows] } else { vec![rows] };
        Ok(vec![integers, self.append_values(&name, &dims, &scales, float)?])
    }

    fn put_signed(&mut self, weight: &Weight, quantizer: &Quantizer, scales: &mut [f32]) -> Result<()> {
        let (rows, columns) = weight.matrix();
        let mut panel = vec![0; PANEL.min(columns) * rows];
        let (mut row, mut levels, mut packed) = ([0.0; PANEL], [0; PANEL], Vec::new());
        if quantizer.block.is_none() {
            let mut whole = vec![0.0; columns];
            for (index, scale) in scales.iter_mut().enumerate() {
                weight.read(index, 0, &mut whole)?;
                *scale = quantizer.fit(&whole).scale;
            }
        }
        for first in (0..columns).step_by(PANEL) {
            let width = PANEL.min(columns - first);
            for index in 0..rows {
                weight.read(index, first, &mut row[..width])?;
                let block = quantizer.block.unwrap_or(PANEL);
                for (at, values) in row[..width].chunks(block).enumerate() {
                    let fit = match quantizer.block {
                        Some(_) => quantizer.fit(values),
                        None => BlockScale { scale: scales[index], zero: 0 },
                    };
                    if quantizer.block.is_some() {
                        scales[(first / block + at) * rows + index] = fit.scale;
                    }
                    quantizer.round(values, fit, &mut levels[at * block..at * block + values.len()]);
                }
                levels[..width].iter().enumerate().for_each(|(column, &level)| panel[column * rows + index] = level);
            }
            packed.clear();
            pack(&panel[..width * rows], quantizer.bits, &mut packed);
            self.put(&packed)?;
        }
        Ok(())
    }
}
