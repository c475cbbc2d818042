//! Crossing between our f32 slices and a graph's tensors, which may be f16.

use std::fmt::Debug;
use std::ops::Range;

use half::f16;
use ort::memory::Allocator;
use ort::value::{DynTensor, DynValue, PrimitiveTensorElementType, Tensor, TensorElementType, TensorRef};

/// Shape and values of a float tensor, as f32.
pub(crate) fn to_f32(value: &DynValue) -> ort::Result<(Vec<usize>, Vec<f32>)> {
    let shape = shape(value);
    if *value.data_type() == TensorElementType::Float16 {
        let (_, data) = value.try_extract_tensor::<f16>()?;
        return Ok((shape, data.iter().map(|half| half.to_f32()).collect()));
    }
    let (_, data) = value.try_extract_tensor::<f32>()?;
    Ok((shape, data.to_vec()))
}

/// The last `count` rows (of the last dimension) of a float tensor, as f32, with the row length.
pub(crate) fn last_rows(value: &DynValue, count: usize) -> ort::Result<(usize, Vec<f32>)> {
    let row = shape(value).last().copied().unwrap_or(0);
    let tail = |length: usize| length.saturating_sub(count * row)..length;
    if *value.data_type() == TensorElementType::Float16 {
        let (_, data) = value.try_extract_tensor::<f16>()?;
        return Ok((row, data[tail(data.len())].iter().map(|half| half.to_f32()).collect()));
    }
    let (_, data) = value.try_extract_tensor::<f32>()?;
    Ok((row, data[tail(data.len())].to_vec()))
}

/// A tensor of `element` (f32 or f16) holding a copy of `data`.
pub(crate) fn from_f32(element: TensorElementType, shape: Vec<usize>, data: &[f32]) -> ort::Result<DynValue> {
    if element == TensorElementType::Float16 {
        let halves: Vec<f16> = data.iter().map(|&value| f16::from_f32(value)).collect();
        return Ok(Tensor::from_array((shape, halves))?.into_dyn());
    }
    Ok(Tensor::from_array((shape, data.to_vec()))?.into_dyn())
}

/// An f32 tensor over the caller's memory, without a copy.
pub(crate) fn borrow_f32(shape: Vec<usize>, data: &[f32]) -> ort::Result<TensorRef<'_, f32>> {
    TensorRef::from_array_view((shape, data))
}

/// An i64 tensor.
pub(crate) fn from_i64(shape: Vec<usize>, data: Vec<i64>) -> ort::Result<DynValue> {
    Ok(Tensor::from_array((shape, data))?.into_dyn())
}

/// A tensor without elements (some dimension is 0), such as an empty KV cache.
pub(crate) fn empty(element: TensorElementType, shape: Vec<usize>) -> ort::Result<DynValue> {
    Ok(DynTensor::new(&Allocator::default(), element, shape)?.into_dyn())
}

/// Dimensions of a tensor value.
pub(crate) fn shape(value: &DynValue) -> Vec<usize> {
    value.shape().iter().map(|&dimension| usize::try_from(dimension).unwrap_or(0)).collect()
}

/// Bytes that a float tensor's elements take.
pub(crate) fn bytes(value: &DynValue) -> usize {
    let size = if *value.data_type() == TensorElementType::Float16 { 2 } else { 4 };
    shape(value).iter().product::<usize>() * size
}

/// The first `keep` tokens of a KV tensor \[batch, kv heads, tokens, head size\], copied.
pub(crate) fn first_tokens(value: &DynValue, keep: usize) -> ort::Result<DynValue> {
    let [batch, heads, tokens, size] = kv_shape(value)?;
    let blocks = (0..batch * heads).map(|block| block * tokens * size..(block * tokens + keep.min(tokens)) * size);
    copy_blocks(value, vec![batch, heads, keep.min(tokens), size], blocks)
}

/// Rows `rows` of a KV tensor's batch, copied in that order: \[rows, kv heads, tokens, head size\].
pub(crate) fn batch_rows(value: &DynValue, rows: &[usize]) -> ort::Result<DynValue> {
    let [batch, heads, tokens, size] = kv_shape(value)?;
    if let Some(row) = rows.iter().find(|row| **row >= batch) {
        return Err(ort::Error::new(format!("expected rows below {batch}, found {row}")));
    }
    let row = heads * tokens * size;
    copy_blocks(value, vec![rows.len(), heads, tokens, size], rows.iter().map(|&index| index * row..(index + 1) * row))
}

fn kv_shape(value: &DynValue) -> ort::Result<[usize; 4]> {
    let found = shape(value);
    let mismatch =
        |found: Vec<usize>| ort::Error::new(format!("expected [batch, heads, tokens, size], found {found:?}"));
    found.try_into().map_err(mismatch)
}

fn copy_blocks(
    value: &DynValue,
    shape: Vec<usize>,
    blocks: impl Iterator<Item = Range<usize>>,
) -> ort::Result<DynValue> {
    let element = *value.data_type();
    if shape.contains(&0) {
        return empty(element, shape);
    }
    match element {
        TensorElementType::Float16 => copy_elements::<f16>(value, shape, blocks),
        _ => copy_elements::<f32>(value, shape, blocks),
    }
}

fn copy_elements<T: PrimitiveTensorElementType + Copy + Debug + 'static>(
    value: &DynValue,
    shape: Vec<usize>,
    blocks: impl Iterator<Item = Range<usize>>,
) -> ort::Result<DynValue> {
    let (_, data) = value.try_extract_tensor::<T>()?;
    let mut copy = Vec::with_capacity(shape.iter().product());
    blocks.for_each(|block| copy.extend_from_slice(&data[block]));
    Ok(Tensor::from_array((shape, copy))?.into_dyn())
}
