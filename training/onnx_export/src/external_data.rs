//! The file beside an ONNX model that holds its weights, written front to back while the graph is built.
//!
//! Every tensor starts at a multiple of 4 KiB, so that an engine can map it. Conversion goes row by row or panel by
//! panel: memory stays small whatever the tensor's size. Without a file the same calls only measure: what would be
//! written, and the largest buffer it would take.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use half::f16;

use crate::error::{Error, Result};
use crate::proto::{
    StringStringEntryProto, TensorProto,
    tensor_proto::{DataLocation, DataType},
};
use crate::weight::Weight;

/// Alignment of tensors in the file, bytes.
const ALIGNMENT: u64 = 4096;
/// Columns of a matrix that are transposed at a time; a multiple of a quantised block.
pub(crate) const PANEL: usize = 256;

/// Element type of stored floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Float {
    F32,
    F16,
}

impl Float {
    /// ONNX's number for it.
    pub fn data_type(self) -> DataType {
        match self {
            Self::F32 => DataType::Float,
            Self::F16 => DataType::Float16,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }
}

/// How a weight is laid out in the ONNX file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Row-major as in the checkpoint.
    Kept,
    /// A matrix [out, in] becomes [in, out], as MatMul wants it.
    Transposed,
}

/// Name and numbers of an initializer.
pub(crate) struct Part {
    pub name: String,
    pub dims: Vec<usize>,
    pub data_type: DataType,
}

/// An external-data file, or only its measure.
pub(crate) struct ExternalData {
    path: PathBuf,
    location: String,
    file: Option<BufWriter<File>>,
    offset: u64,
    peak_buffer: u64,
}

impl ExternalData {
    /// Creates `dir/location`; without a directory nothing is written, only measured.
    pub fn create(dir: Option<&Path>, location: &str) -> Result<Self> {
        let path = dir.map_or_else(PathBuf::new, |dir| dir.join(location));
        let open = || File::create(&path).map(|file| BufWriter::with_capacity(1 << 20, file));
        let file = dir.map(|_| open()).transpose().map_err(Error::io(&path))?;
        Ok(Self { path, location: location.to_owned(), file, offset: 0, peak_buffer: 0 })
    }

    /// Appends `weight` as floats and returns the initializer that points at it. A weight of more than two dimensions
    /// counts as the matrix [first, product of the others].
    ///
    /// # Errors
    /// `NotFinite`, `Overflow`, `Io`.
    pub fn append(&mut self, weight: &Weight, layout: Layout, float: Float) -> Result<TensorProto> {
        let (rows, columns) = weight.matrix();
        let dims = match layout {
            Layout::Kept => weight.shape.to_vec(),
            Layout::Transposed => vec![columns, rows],
        };
        let start = self.align()?;
        let panel = if layout == Layout::Transposed { PANEL.min(columns) * rows } else { columns };
        self.note_buffer(panel * (4 + float.bytes()) + columns * 4 + weight.bytes.len());
        if self.file.is_none() {
            self.offset += (rows * columns * float.bytes()) as u64;
        } else if layout == Layout::Kept {
            let mut row = vec![0.0; columns];
            for index in 0..rows {
                weight.read(index, 0, &mut row)?;
                self.put_floats(&row, float, weight.name)?;
            }
        } else {
            self.append_transposed(weight, float)?;
        }
        Ok(self.initializer(Part { name: weight.name.to_owned(), dims, data_type: float.data_type() }, start))
    }

    fn append_transposed(&mut self, weight: &Weight, float: Float) -> Result<()> {
        let (rows, columns) = weight.matrix();
        let mut panel = vec![0.0; PANEL.min(columns) * rows];
        let mut row = [0.0; PANEL];
        for first in (0..columns).step_by(PANEL) {
            let width = PANEL.min(columns - first);
            for index in 0..rows {
                weight.read(index, first, &mut row[..width])?;
                row[..width].iter().enumerate().for_each(|(column, &value)| panel[column * rows + index] = value);
            }
            self.put_floats(&panel[..width * rows], float, weight.name)?;
        }
        Ok(())
    }

    /// Appends computed `values` of shape `dims` as `float`; there are none when only measuring.
    pub fn append_values(&mut self, name: &str, dims: &[usize], values: &[f32], float: Float) -> Result<TensorProto> {
        let start = self.align()?;
        match self.file {
            None => self.offset += (float.bytes() * dims.iter().product::<usize>()) as u64,
            Some(_) => self.put_floats(values, float, name)?,
        }
        Ok(self.initializer(Part { name: name.to_owned(), dims: dims.to_vec(), data_type: float.data_type() }, start))
    }

    /// Flushes to the disk; returns the file's length and the largest buffer taken, in bytes. A file of no bytes goes.
    pub fn finish(self) -> Result<(u64, u64)> {
        if let Some(mut file) = self.file {
            file.flush().map_err(Error::io(&self.path))?;
            file.get_ref().sync_all().map_err(Error::io(&self.path))?;
            if self.offset == 0 {
                std::fs::remove_file(&self.path).map_err(Error::io(&self.path))?;
            }
        }
        Ok((self.offset, self.peak_buffer))
    }

    fn put_floats(&mut self, values: &[f32], float: Float, name: &str) -> Result<()> {
        let mut bytes = Vec::with_capacity(values.len().min(1 << 16) * float.bytes());
        for (block, values) in values.chunks(1 << 16).enumerate() {
            bytes.clear();
            match float {
                Float::F32 => values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes())),
                Float::F16 => {
                    values.iter().for_each(|&value| bytes.extend_from_slice(&f16::from_f32(value).to_le_bytes()))
                }
            }
            let beyond = |&value: &f32| float == Float::F16 && f16::from_f32(value).is_infinite();
            if let Some(at) = values.iter().position(beyond) {
                let (name, index) = (name.to_owned(), (block << 16) + at);
                return Err(Error::Overflow { name, found: values[at], index });
            }
            self.put(&bytes)?;
        }
        Ok(())
    }

    /// Is nothing written, only measured?
    pub fn is_measure(&self) -> bool {
        self.file.is_none()
    }

    /// Counts bytes that would be written.
    pub fn count(&mut self, bytes: usize) {
        self.offset += bytes as u64;
    }

    /// Appends bytes.
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes).map_err(Error::io(&self.path))?;
        }
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Fills up to the next tensor's start and returns it.
    pub fn align(&mut self) -> Result<u64> {
        let padding = self.offset.next_multiple_of(ALIGNMENT) - self.offset;
        self.put(&vec![0; padding as usize])?;
        Ok(self.offset)
    }

    /// Notes a buffer that an append takes.
    pub fn note_buffer(&mut self, bytes: usize) {
        self.peak_buffer = self.peak_buffer.max(bytes as u64);
    }

    /// The initializer of what was appended since `start`.
    pub fn initializer(&self, part: Part, start: u64) -> TensorProto {
        external(part, &self.location, start, self.offset - start)
    }
}

/// The initializer whose data are `length` bytes of the file `location` from byte `start` on.
pub(crate) fn external(part: Part, location: &str, start: u64, length: u64) -> TensorProto {
    let entry = |key: &str, value: String| StringStringEntryProto { key: Some(key.to_owned()), value: Some(value) };
    TensorProto {
        name: Some(part.name),
        dims: part.dims.iter().map(|&dim| dim as i64).collect(),
        data_type: Some(part.data_type as i32),
        data_location: Some(DataLocation::External as i32),
        external_data: vec![
            entry("location", location.to_owned()),
            entry("offset", start.to_string()),
            entry("length", length.to_string()),
        ],
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantize::{Quantizer, Scheme};

    #[test]
    fn a_full_disk_is_an_error_with_the_path() {
        let mut data = ExternalData::create(Some(Path::new("/dev")), "full").unwrap();
        data.append_values("x", &[4], &[0.0; 4], Float::F32).unwrap();
        let error = data.finish().unwrap_err();
        assert!(error.to_string().contains("/dev/full: No space left"), "{error}");
    }

    #[test]
    fn a_measure_equals_what_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let values: Vec<u8> = (0..40 * 3).flat_map(|i| (i as f32 / 7.0).sin().to_le_bytes()).collect();
        let shape = [3, 40];
        let weight =
            Weight { name: "w", dtype: safetensors::Dtype::F32, shape: &shape, bytes: &values, offset: 0, delta: None };
        let fill = |dir: Option<&Path>| {
            let mut data = ExternalData::create(dir, "x.data").unwrap();
            let mut all = Vec::new();
            for bits in [4, 8] {
                for scheme in [Scheme::Centered, Scheme::ZeroPoint] {
                    let quantizer = Quantizer { bits, scheme, block: Some(32), half_scales: false };
                    all.extend(data.append_blobs("w", std::slice::from_ref(&weight), &quantizer).unwrap());
                }
                for block in [Some(32), None] {
                    let signed = Quantizer { bits, scheme: Scheme::Signed, block, half_scales: true };
                    all.extend(data.append_signed(&weight, &signed).unwrap());
                }
            }
            for float in [Float::F32, Float::F16] {
                all.push(data.append(&weight, Layout::Kept, float).unwrap());
                all.push(data.append(&weight, Layout::Transposed, float).unwrap());
            }
            (all, data.finish().unwrap())
        };
        let (measured, written) = (fill(None), fill(Some(dir.path())));
        assert_eq!(measured, written);
        assert_eq!(written.1.0, std::fs::metadata(dir.path().join("x.data")).unwrap().len());
    }

    #[test]
    fn a_weight_beyond_f16_is_named() {
        let bytes = 1e5f32.to_le_bytes();
        let weight =
            Weight { name: "w", dtype: safetensors::Dtype::F32, shape: &[1], bytes: &bytes, offset: 0, delta: None };
        let dir = tempfile::tempdir().unwrap();
        let mut data = ExternalData::create(Some(dir.path()), "x").unwrap();
        let error = data.append(&weight, Layout::Kept, Float::F16).unwrap_err().to_string();
        assert!(error.contains('w') && error.contains("65504") && error.contains("100000"), "{error}");
    }
}
