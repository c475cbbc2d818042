//! `adapter.onnx_adapter`, an adapter kept apart from its graphs, in ONNX Runtime's format for LoRA parameters: ONNX Runtime
//! gives them to a run as the inputs they are named after.
//!
//! A FlatBuffers file of `onnxruntime/lora/adapter_format/adapter_schema.fbs` (identifier `TORT`): tables `Adapter
//! { format_version, adapter_version, model_version: i32, parameters: [Parameter] }` and `Parameter { name: string, dims:
//! [i64], data_type: i32, raw_data: [u8], 8-aligned }`, here laid out front to back, every offset pointing forward.

use std::collections::BTreeMap;
use std::path::Path;

use half::f16;

use crate::error::{Error, Result};
use crate::external_data::Float;
use crate::lora::LowRank;

/// Name of the file.
const FILE: &str = "adapter.onnx_adapter";
/// Version of the format.
const FORMAT: i32 = 1;
/// Both tables have four fields of four bytes: length of the vtable, length of the table, places of the fields.
const VTABLE: [u16; 6] = [12, 20, 4, 8, 12, 16];

/// Names of the inputs of the layer `prefix`: A [in, r] and B [r, out].
pub(crate) fn adapter_ports(prefix: &str) -> [String; 2] {
    ["lora_A", "lora_B"].map(|part| format!("{prefix}.{part}"))
}

/// Writes the adapter as `float`s to `dir`.
pub(crate) fn write(adapter: &BTreeMap<String, LowRank>, dir: &Path, float: Float) -> Result<()> {
    let mut parameters = Vec::new();
    for (name, low_rank) in adapter {
        let ([out, input], rank) = (low_rank.shape(), low_rank.rank());
        let [a, b] = adapter_ports(name.strip_suffix(".weight").unwrap_or(name));
        parameters.push(Parameter { name: a, values: transposed(low_rank.a(), input), dims: [input, rank] });
        parameters.push(Parameter { name: b, values: transposed(low_rank.b(), rank), dims: [rank, out] });
    }
    let path = dir.join(FILE);
    std::fs::write(&path, encode(&parameters, float)).map_err(Error::io(&path))
}

/// A tensor of an adapter.
struct Parameter {
    name: String,
    values: Vec<f32>,
    dims: [usize; 2],
}

/// The transpose of a row-major matrix of `columns` columns.
fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| values.iter().skip(column).step_by(columns.max(1)).copied()).collect()
}

fn encode(parameters: &[Parameter], float: Float) -> Vec<u8> {
    let mut file = Buffer::default();
    let root = file.offset();
    file.bytes(b"TORT");
    let vtable = file.vtable();
    file.point(root);
    file.table(vtable);
    for version in [FORMAT, 0, 0] {
        file.int(version);
    }
    let list = file.offset();
    file.point(list);
    file.int(parameters.len() as i32);
    let entries: Vec<usize> = parameters.iter().map(|_| file.offset()).collect();
    for (parameter, entry) in parameters.iter().zip(entries) {
        file.align(4, 0);
        file.point(entry);
        file.table(vtable);
        let (name, dims) = (file.offset(), file.offset());
        file.int(float.data_type() as i32);
        let raw = file.offset();
        file.vector(name, parameter.name.as_bytes(), parameter.name.len());
        file.bytes(&[0]);
        let sizes: Vec<u8> = parameter.dims.iter().flat_map(|&dim| (dim as i64).to_le_bytes()).collect();
        file.vector(dims, &sizes, parameter.dims.len());
        let values: Vec<u8> = match float {
            Float::F32 => parameter.values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Float::F16 => parameter.values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect(),
        };
        file.vector(raw, &values, values.len());
    }
    file.0
}

/// A FlatBuffer under construction; places are bytes from its start.
#[derive(Default)]
struct Buffer(Vec<u8>);

impl Buffer {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn int(&mut self, value: i32) {
        self.bytes(&value.to_le_bytes());
    }

    /// Fills up until the place is `rest` more than a multiple of `alignment`.
    fn align(&mut self, alignment: usize, rest: usize) {
        while self.0.len() % alignment != rest {
            self.0.push(0);
        }
    }

    /// Leaves room for an offset; its place.
    fn offset(&mut self) -> usize {
        self.int(0);
        self.0.len() - 4
    }

    /// Lets the offset at `place` point here.
    fn point(&mut self, place: usize) {
        let distance = (self.0.len() - place) as u32;
        if let Some(offset) = self.0.get_mut(place..place + 4) {
            offset.copy_from_slice(&distance.to_le_bytes());
        }
    }

    /// The vtable that both tables share; its place.
    fn vtable(&mut self) -> usize {
        let place = self.0.len();
        for value in VTABLE {
            self.bytes(&value.to_le_bytes());
        }
        place
    }

    /// Starts a table: how far back its vtable is.
    fn table(&mut self, vtable: usize) {
        self.int((self.0.len() - vtable) as i32);
    }

    /// A vector of `count` elements, which start at a multiple of 8; the offset at `place` points at it.
    fn vector(&mut self, place: usize, bytes: &[u8], count: usize) {
        self.align(8, 4);
        self.point(place);
        self.int(count as i32);
        self.bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_transposed() {
        assert_eq!(transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }

    #[test]
    fn values_lie_at_multiples_of_eight_behind_their_length() {
        for name in ["a", "abcdefg", "abcdefgh"] {
            let parameter = Parameter { name: name.to_owned(), values: vec![1.5; 3], dims: [3, 1] };
            let file = encode(&[parameter], Float::F32);
            let raw = file.len() - 12;
            assert_eq!((raw % 8, &file[raw - 4..raw]), (0, 12i32.to_le_bytes().as_slice()), "{name}");
        }
    }
}
