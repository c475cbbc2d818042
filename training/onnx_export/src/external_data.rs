//! The file beside an ONNX model that holds its weights, written front to back while the graph is built.
//!
//! Every tensor starts at a multiple of 4 KiB, so that an engine can map it. Conversion goes block by block: memory
//! stays at a few megabytes whatever the tensor's size.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::Dtype;

use crate::checkpoint::Weight;
use crate::error::{Error, Result};
use crate::proto::{StringStringEntryProto, TensorProto, tensor_proto};

/// Alignment of tensors in the file, bytes.
const ALIGNMENT: u64 = 4096;
/// Columns of a matrix that are transposed at a time.
const COLUMN_BLOCK: usize = 256;
/// Elements that are converted at a time when the layout is kept.
const ELEMENT_BLOCK: usize = 1 << 16;

/// How a weight is laid out in the ONNX file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Row-major as in the checkpoint.
    Kept,
    /// A matrix [out, in] becomes [in, out], as MatMul wants it.
    Transposed,
}

/// An open external-data file.
pub(crate) struct ExternalData {
    path: PathBuf,
    location: String,
    file: BufWriter<File>,
    offset: u64,
}

impl ExternalData {
    /// Creates `dir/location`.
    pub fn create(dir: &Path, location: &str) -> Result<Self> {
        let path = dir.join(location);
        let file = BufWriter::with_capacity(1 << 20, File::create(&path).map_err(Error::io(&path))?);
        Ok(Self { path, location: location.to_owned(), file, offset: 0 })
    }

    /// Appends `weight` as f32 and returns the initializer that points at it. A weight of more than two dimensions
    /// counts as the matrix [first, product of the others].
    ///
    /// # Errors
    /// `NotFinite`, `Io`.
    pub fn append(&mut self, weight: &Weight, layout: Layout) -> Result<TensorProto> {
        let rows = weight.shape.first().copied().unwrap_or(1);
        let columns = weight.shape.iter().skip(1).product::<usize>();
        self.align()?;
        let start = self.offset;
        let dims = match layout {
            Layout::Kept => {
                self.append_kept(weight)?;
                weight.shape.to_vec()
            }
            Layout::Transposed => {
                self.append_transposed(weight, rows, columns)?;
                vec![columns, rows]
            }
        };
        Ok(self.initializer(weight.name, &dims, start))
    }

    /// Appends computed f32 `values` of shape `dims`.
    pub fn append_values(&mut self, name: &str, dims: &[usize], values: &[f32]) -> Result<TensorProto> {
        self.align()?;
        let start = self.offset;
        self.put(values)?;
        Ok(self.initializer(name, dims, start))
    }

    /// Flushes to the disk and returns the file's length in bytes.
    pub fn finish(mut self) -> Result<u64> {
        self.file.flush().map_err(Error::io(&self.path))?;
        self.file.get_ref().sync_all().map_err(Error::io(&self.path))?;
        Ok(self.offset)
    }

    fn append_kept(&mut self, weight: &Weight) -> Result<()> {
        let count = weight.shape.iter().product::<usize>();
        let mut block = Vec::with_capacity(ELEMENT_BLOCK.min(count));
        for start in (0..count).step_by(ELEMENT_BLOCK) {
            block.clear();
            for index in start..(start + ELEMENT_BLOCK).min(count) {
                block.push(element(weight, index)?);
            }
            self.put(&block)?;
        }
        Ok(())
    }

    fn append_transposed(&mut self, weight: &Weight, rows: usize, columns: usize) -> Result<()> {
        let mut block = vec![0.0; COLUMN_BLOCK.min(columns) * rows];
        for first in (0..columns).step_by(COLUMN_BLOCK) {
            let width = COLUMN_BLOCK.min(columns - first);
            for row in 0..rows {
                for column in 0..width {
                    block[column * rows + row] = element(weight, row * columns + first + column)?;
                }
            }
            self.put(&block[..width * rows])?;
        }
        Ok(())
    }

    fn put(&mut self, values: &[f32]) -> Result<()> {
        for value in values {
            self.file.write_all(&value.to_le_bytes()).map_err(Error::io(&self.path))?;
        }
        self.offset += 4 * values.len() as u64;
        Ok(())
    }

    fn align(&mut self) -> Result<()> {
        let padding = self.offset.next_multiple_of(ALIGNMENT) - self.offset;
        let zeros = vec![0; padding as usize];
        self.file.write_all(&zeros).map_err(Error::io(&self.path))?;
        self.offset += padding;
        Ok(())
    }

    fn initializer(&self, name: &str, dims: &[usize], start: u64) -> TensorProto {
        let entry = |key: &str, value: String| StringStringEntryProto { key: Some(key.to_owned()), value: Some(value) };
        TensorProto {
            name: Some(name.to_owned()),
            dims: dims.iter().map(|&dim| dim as i64).collect(),
            data_type: Some(tensor_proto::DataType::Float as i32),
            data_location: Some(tensor_proto::DataLocation::External as i32),
            external_data: vec![
                entry("location", self.location.clone()),
                entry("offset", start.to_string()),
                entry("length", (self.offset - start).to_string()),
            ],
            ..Default::default()
        }
    }
}

/// Element `index` (row-major) of a weight, as f32.
fn element(weight: &Weight, index: usize) -> Result<f32> {
    let bytes = weight.bytes;
    let value = match weight.dtype {
        Dtype::F32 => {
            let at = 4 * index;
            f32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        }
        Dtype::F16 => f16::from_le_bytes([bytes[2 * index], bytes[2 * index + 1]]).to_f32(),
        _ => bf16::from_le_bytes([bytes[2 * index], bytes[2 * index + 1]]).to_f32(),
    };
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Error::NotFinite { name: weight.name.to_owned(), found: value, index })
    }
}
