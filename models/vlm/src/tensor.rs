//! Crossing between our f32 slices and a graph's tensors, which may be f16.

use std::fmt::Debug;
use std::ops::{Deref, Range};

use half::f16;
use ort::memory::{AllocationDevice, Allocator};
use ort::value::{
    DynTensor, DynTensorValueType, DynValue, PrimitiveTensorElementType, Tensor, TensorElementType, TensorRef,
};

/// Memory that long-lived tensors are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The processor's.
    Host,
    /// That of a CUDA device.
    Cuda {
        /// Number of the device.
        device_id: i32,
    },
}

impl Place {
    /// `value`, from the processor's memory, in this one.
    pub(crate) fn take(self, value: DynValue) -> ort::Result<DynValue> {
        match self {
            Self::Host => Ok(value),
            Self::Cuda { device_id } => {
                Ok(value.downcast::<DynTensorValueType>()?.to(AllocationDevice::CUDA, device_id)?.into_dyn())
            }
        }
    }

    /// `value`, from this memory, where the processor can read it.
    pub(crate) fn read(self, value: &DynValue) -> ort::Result<Readable<'_>> {
        match self {
            Self::Host => Ok(Readable::Here(value)),
            Self::Cuda { .. } => {
                let copy = value.view().downcast::<DynTensorValueType>()?.to(AllocationDevice::CPU, 0)?;
                Ok(Readable::Copy(copy.into_dyn()))
            }
        }
    }
}

/// A tensor in the processor's memory.
pub(crate) enum Readable<'v> {
    Here(&'v DynValue),
    Copy(DynValue),
}

impl Deref for Readable<'_> {
    type Target = DynValue;

    fn deref(&self) -> &DynValue {
        match self {
            Self::Here(value) => value,
            Self::Copy(value) => value,
        }
    }
}

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

/// A KV tensor \[batch, kv heads, tokens, head size\] with room for `capacity` tokens: the first `keep` tokens of its rows
/// `rows`, in that order, and zeros behind them.
pub(crate) fn with_capacity(value: &DynValue, rows: &[usize], [keep, capacity]: [usize; 2]) -> ort::Result<DynValue> {
    let [batch, heads, tokens, size] = kv_shape(value)?;
    if let Some(row) = rows.iter().find(|row| **row >= batch) {
        return Err(ort::Error::new(format!("expected rows below {batch}, found {row}")));
    }
    if keep > tokens.min(capacity) {
        return Err(ort::Error::new(format!("expected at most {} tokens, found {keep}", tokens.min(capacity))));
    }
    let mut copy = zeros(*value.data_type(), vec![rows.len(), heads, capacity, size])?;
    let blocks = rows.iter().flat_map(|row| (0..heads).map(move |head| row * heads + head)).enumerate();
    let blocks = blocks.map(|(to, from)| [from * tokens * size, to * capacity * size]);
    copy_blocks((value, &mut copy), blocks, keep * size)?;
    Ok(copy)
}

/// Writes the tokens of `new` \[1, kv heads, added, head size\] behind the first `tokens` of `cache`
/// \[1, kv heads, capacity, head size\].
pub(crate) fn append_tokens(cache: &mut DynValue, tokens: usize, new: &DynValue) -> ort::Result<()> {
    let ([_, heads, capacity, size], [_, new_heads, added, new_size]) = (kv_shape(cache)?, kv_shape(new)?);
    if (heads, size) != (new_heads, new_size) || tokens + added > capacity {
        let expected = format!("[1, {heads}, at most {}, {size}]", capacity.saturating_sub(tokens));
        return Err(ort::Error::new(format!("expected new keys and values {expected}, found {:?}", shape(new))));
    }
    let blocks = (0..heads).map(|head| [head * added * size, (head * capacity + tokens) * size]);
    copy_blocks((new, cache), blocks, added * size)
}

/// Tokens `range` of embeds \[1, tokens, hidden\], copied.
pub(crate) fn tokens(value: &DynValue, range: Range<usize>) -> ort::Result<DynValue> {
    let element = *value.data_type();
    let &[1, tokens, hidden] = shape(value).as_slice() else {
        return Err(ort::Error::new(format!("expected embeds [1, tokens, hidden], found {:?}", shape(value))));
    };
    if range.end > tokens {
        return Err(ort::Error::new(format!("expected at most {tokens} tokens, found {}", range.end)));
    }
    let mut part = zeros(element, vec![1, range.len(), hidden])?;
    copy_blocks((value, &mut part), std::iter::once([range.start * hidden, 0]), range.len() * hidden)?;
    Ok(part)
}

/// A tensor of zeros in memory that ONNX Runtime owns, which it may write its outputs to.
pub(crate) fn zeros(element: TensorElementType, shape: Vec<usize>) -> ort::Result<DynValue> {
    let mut value = DynTensor::new(&Allocator::default(), element, shape)?.into_dyn();
    match element {
        TensorElementType::Float16 => value.try_extract_tensor_mut::<f16>()?.1.fill(f16::ZERO),
        _ => value.try_extract_tensor_mut::<f32>()?.1.fill(0.0),
    }
    Ok(value)
}

fn kv_shape(value: &DynValue) -> ort::Result<[usize; 4]> {
    let found = shape(value);
    let mismatch =
        |found: Vec<usize>| ort::Error::new(format!("expected [batch, heads, tokens, size], found {found:?}"));
    found.try_into().map_err(mismatch)
}

/// Copies `length` elements from the first to the second index of each block.
fn copy_blocks(
    (from, to): (&DynValue, &mut DynValue),
    blocks: impl Iterator<Item = [usize; 2]>,
    length: usize,
) -> ort::Result<()> {
    match *from.data_type() {
        TensorElementType::Float16 => copy_elements::<f16>((from, to), blocks, length),
        _ => copy_elements::<f32>((from, to), blocks, length),
    }
}

fn copy_elements<T: PrimitiveTensorElementType + Copy + Debug + 'static>(
    (from, to): (&DynValue, &mut DynValue),
    blocks: impl Iterator<Item = [usize; 2]>,
    length: usize,
) -> ort::Result<()> {
    let (_, from) = from.try_extract_tensor::<T>()?;
    let (_, to) = to.try_extract_tensor_mut::<T>()?;
    for [source, target] in blocks {
        to[target..target + length].copy_from_slice(&from[source..source + length]);
    }
    Ok(())
}
