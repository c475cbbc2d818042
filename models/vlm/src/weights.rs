//! Weights are handed to ONNX Runtime from memory.
//!
//! ONNX Runtime would map the files: a file cut short would then end the process at the next question (SIGBUS), and one
//! that is written over would change the answers. So they are read once, compared with the manifest as they are read, and
//! kept; what is done to the files afterwards changes nothing. It costs the weights' size in memory: what ONNX Runtime
//! packs for its products stands beside them, where it stood beside a map of the file before.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Read;
use std::sync::Arc;

use half::{bf16, f16};
use model_dir::{FileReader, Files};
use ort::session::builder::SessionBuilder;
use ort::value::{DynValue, PrimitiveTensorElementType, Tensor};

use crate::error::{Error, Result};
use crate::onnx_file::External;

/// Values are read in blocks of so many bytes; a multiple of every element's size.
const BLOCK: usize = 1 << 16;
/// ONNX's numbers of the element types that weights have.
const F32: u64 = 1;
const U8: u64 = 2;
const I8: u64 = 3;
const F16: u64 = 10;
const BF16: u64 = 16;

/// Weights by the file that they lie in, each file's in order.
#[derive(Debug)]
pub(crate) struct Weights(BTreeMap<String, Vec<External>>);

impl Weights {
    /// Checks that `found` lie inside their files and fit into free memory.
    pub(crate) fn plan(files: &Files, found: Vec<External>) -> Result<Self> {
        let mut by_file: BTreeMap<String, Vec<External>> = BTreeMap::new();
        for weight in found {
            by_file.entry(weight.location.clone()).or_default().push(weight);
        }
        let mut expected = 0u64;
        for (location, weights) in &mut by_file {
            let length = files.open(location)?.length();
            weights.sort_by_key(|weight| weight.offset);
            for weight in weights.iter_mut() {
                check_place(files, weight, length)?;
                weight.length = weight.length.or(Some(length - weight.offset));
            }
            expected = expected.saturating_add(needed(weights, length));
        }
        let found = model_dir::available_memory().unwrap_or(u64::MAX);
        if expected > found {
            return Err(Error::Memory { folder: files.folder().to_owned(), expected, found });
        }
        Ok(Self(by_file))
    }

    /// Bytes of all.
    pub(crate) fn bytes(&self) -> u64 {
        total(self.0.values().flatten())
    }

    /// Compares their files with the manifest, where one is known, without keeping them.
    pub(crate) fn verify(&self, files: &Files) -> Result<()> {
        Ok(self.0.keys().try_for_each(|location| files.verify(location))?)
    }

    /// Reads the weights and gives them to `builder`.
    pub(crate) fn give(&self, files: &Files, mut builder: SessionBuilder) -> Result<SessionBuilder> {
        for (location, weights) in &self.0 {
            builder = if in_order(weights) {
                give_each(files.open(location)?, weights, builder)?
            } else {
                give_file(files, location, builder)?
            };
        }
        Ok(builder)
    }
}

/// Bytes of an element, of the types that can be given one by one.
fn width(element: u64) -> Option<u64> {
    match element {
        F32 => Some(4),
        F16 | BF16 => Some(2),
        U8 | I8 => Some(1),
        _ => None,
    }
}

fn elements(weight: &External) -> Option<u64> {
    weight.dims.iter().try_fold(1u64, |product, dim| product.checked_mul(*dim))
}

fn check_place(files: &Files, weight: &External, file_length: u64) -> Result<()> {
    let malformed = |expected, found| Err(Error::MalformedFile { path: files.path(&weight.location), expected, found });
    let length = weight.length.unwrap_or(file_length.saturating_sub(weight.offset));
    if weight.offset.checked_add(length).is_none_or(|end| end > file_length) {
        let found = format!("{file_length} bytes, where {} has {length} from byte {} on", weight.name, weight.offset);
        return malformed("the external data of a graph", found);
    }
    let Some(width) = width(weight.element) else { return Ok(()) };
    if elements(weight).and_then(|count| count.checked_mul(width)) != Some(length) {
        let found = format!("{length} bytes for {} of shape {:?}", weight.name, weight.dims);
        return malformed("as many bytes as a weight's shape has", found);
    }
    Ok(())
}

/// Whether each can be read on its own, one behind the other.
fn in_order(weights: &[External]) -> bool {
    let mut at = 0;
    weights.iter().all(|weight| {
        let is_next = weight.offset >= at && weight.length.is_some_and(|length| length > 0);
        at = weight.offset + weight.length.unwrap_or(0);
        is_next && width(weight.element).is_some()
    })
}

/// Memory that the weights of a file take, bytes: their own, or, where the file is given as a whole, twice all of it
/// ([`give_file`] copies it once).
fn needed(weights: &[External], file_length: u64) -> u64 {
    if in_order(weights) {
        return total(weights);
    }
    file_length.saturating_mul(2)
}

/// The lengths of weights together, bytes.
fn total<'a>(weights: impl IntoIterator<Item = &'a External>) -> u64 {
    weights.into_iter().fold(0u64, |sum, weight| sum.saturating_add(weight.length.unwrap_or(0)))
}

fn give_each(mut file: FileReader, weights: &[External], mut builder: SessionBuilder) -> Result<SessionBuilder> {
    let path = file.path().to_owned();
    let broken = |source: std::io::Error| Error::from(model_dir::Error::Io { path: path.clone(), source });
    let mut at = 0;
    for weight in weights {
        std::io::copy(&mut file.by_ref().take(weight.offset - at), &mut std::io::sink()).map_err(broken)?;
        at = weight.offset + weight.length.unwrap_or(0);
        let value = read(weight, &mut file).map_err(broken)?;
        builder = builder.with_external_initializer(&weight.name, value).map_err(|error| refused(&path, &error))?;
    }
    file.finish()?;
    Ok(builder)
}

/// Of element types that have no value of their own here, and of weights that share bytes: ONNX Runtime copies them.
fn give_file(files: &Files, location: &str, builder: SessionBuilder) -> Result<SessionBuilder> {
    let bytes: Arc<[u8]> = files.read(location, files.open(location)?.length())?.into();
    let given = builder.with_external_initializer_file_in_memory(location, bytes);
    given.map_err(|error| refused(&files.path(location), &error))
}

fn refused<R>(path: &std::path::Path, error: &ort::Error<R>) -> Error {
    let expected = "weights that ONNX Runtime takes";
    Error::MalformedFile { path: path.to_owned(), expected, found: error.message().to_owned() }
}

fn read(weight: &External, file: &mut FileReader) -> std::io::Result<DynValue> {
    match weight.element {
        F16 => values(weight, file, f16::from_le_bytes),
        BF16 => values(weight, file, bf16::from_le_bytes),
        U8 => values(weight, file, u8::from_le_bytes),
        I8 => values(weight, file, i8::from_le_bytes),
        _ => values(weight, file, f32::from_le_bytes),
    }
}

fn values<T, const N: usize>(
    weight: &External,
    file: &mut FileReader,
    from: fn([u8; N]) -> T,
) -> std::io::Result<DynValue>
where
    T: PrimitiveTensorElementType + Debug + Clone + 'static,
{
    let mut left = weight.length.unwrap_or(0) as usize;
    let (mut values, mut block) = (Vec::with_capacity(left / N), vec![0; BLOCK]);
    while left > 0 {
        let part = &mut block[..left.min(BLOCK)];
        file.read_exact(part)?;
        values.extend(part.as_chunks::<N>().0.iter().map(|bytes| from(*bytes)));
        left -= part.len();
    }
    let dims: Vec<i64> = weight.dims.iter().map(|dim| *dim as i64).collect();
    let tensor = Tensor::from_array((dims, values)).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(tensor.into_dyn())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ONNX's number of 64-bit integers.
    const I64: u64 = 7;

    fn weight(element: u64, dims: &[u64], offset: u64, length: u64) -> External {
        let (name, location) = (format!("{element} at {offset}"), "weights".to_owned());
        External { name, element, dims: dims.to_vec(), location, offset, length: Some(length) }
    }

    #[test]
    fn a_file_that_is_given_whole_must_fit_into_memory_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = std::fs::File::create(folder.path().join("weights")).unwrap();
        file.set_len(1 << 43).expect("a file that is one hole");
        let files = Files::unverified(folder.path());
        Weights::plan(&files, vec![weight(F32, &[2], 0, 8), weight(U8, &[4], 16, 4)]).expect("a few bytes");
        for whole in [
            vec![weight(I64, &[1], 0, 8)],
            vec![weight(F32, &[0], 0, 0)],
            vec![weight(F32, &[2], 0, 8), weight(F32, &[2], 4, 8)],
        ] {
            let planned = Weights::plan(&files, whole);
            assert!(matches!(planned, Err(Error::Memory { .. })), "{planned:?}");
        }
    }
}
