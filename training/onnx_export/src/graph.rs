//! Builds one ONNX graph: nodes in order, small constants inline, weights in an external file.
//!
//! A value is its name. Operators without a domain are standard; `Node::contrib` ones are ONNX Runtime's.

use std::path::Path;

use prost::Message;

use crate::checkpoint::{Checkpoint, WEIGHTS};
use crate::error::{Error, Result};
use crate::external_data::{ExternalData, Float, Layout, Part, external};
use crate::precision::{Profile, Style};
use crate::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto, tensor_proto, tensor_shape_proto, type_proto,
};
use crate::quantize::Quantizer;
use crate::weight::Weight;

/// Domain of ONNX Runtime's own operators.
const CONTRIB: &str = "com.microsoft";

/// Element type of a graph input or output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Float(Float),
    I64,
}

/// A dimension of a graph input or output: fixed, or named and free.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dim<'a> {
    Fixed(usize),
    Free(&'a str),
}

/// A node under construction.
pub(crate) struct Node {
    proto: NodeProto,
    outputs: usize,
}

impl Node {
    /// A standard operator.
    pub fn new(op: &str, inputs: &[&str]) -> Self {
        let inputs = inputs.iter().map(|&name| name.to_owned()).collect();
        Self { proto: NodeProto { op_type: Some(op.to_owned()), input: inputs, ..Default::default() }, outputs: 1 }
    }

    /// One of ONNX Runtime's own operators.
    pub fn contrib(op: &str, inputs: &[&str]) -> Self {
        let mut node = Self::new(op, inputs);
        node.proto.domain = Some(CONTRIB.to_owned());
        node
    }

    /// Number of outputs (1 unless said).
    pub fn outputs(mut self, count: usize) -> Self {
        self.outputs = count;
        self
    }

    /// Names the outputs; an empty name skips an optional one.
    pub fn named(mut self, names: &[&str]) -> Self {
        self.proto.output = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Adds an integer attribute.
    pub fn int(mut self, name: &str, value: i64) -> Self {
        let kind = attribute_proto::AttributeType::Int as i32;
        self.attribute(AttributeProto { i: Some(value), r#type: Some(kind), ..attribute(name) });
        self
    }

    /// Adds a float attribute.
    pub fn float(mut self, name: &str, value: f32) -> Self {
        let kind = attribute_proto::AttributeType::Float as i32;
        self.attribute(AttributeProto { f: Some(value), r#type: Some(kind), ..attribute(name) });
        self
    }

    /// Adds an integer list attribute.
    pub fn ints(mut self, name: &str, values: &[i64]) -> Self {
        let kind = attribute_proto::AttributeType::Ints as i32;
        self.attribute(AttributeProto { ints: values.to_vec(), r#type: Some(kind), ..attribute(name) });
        self
    }

    fn attribute(&mut self, attribute: AttributeProto) {
        self.proto.attribute.push(attribute);
    }
}

fn attribute(name: &str) -> AttributeProto {
    AttributeProto { name: Some(name.to_owned()), ..Default::default() }
}

/// A graph under construction and the file its weights go to.
pub(crate) struct GraphBuilder<'a> {
    checkpoint: &'a Checkpoint,
    graph: GraphProto,
    data: ExternalData,
    style: Style,
    next: usize,
}

/// Bytes of a written or measured graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct GraphSize {
    /// Graph and data on the disk.
    pub bytes: u64,
    /// Largest buffer while it is written.
    pub peak_buffer: u64,
}

impl<'a> GraphBuilder<'a> {
    /// Starts `dir/file` (say `model.onnx`) with external data in `dir/file.data`; without a directory the graph is
    /// only measured.
    pub fn create(checkpoint: &'a Checkpoint, dir: Option<&Path>, file: &str, style: Style) -> Result<Self> {
        let data = ExternalData::create(dir, &format!("{file}.data"))?;
        let graph = GraphProto { name: Some(file.to_owned()), ..Default::default() };
        Ok(Self { checkpoint, graph, data, style, next: 0 })
    }

    /// What the graph is written in.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Declares a graph input.
    pub fn input(&mut self, name: &str, element: Element, dims: &[Dim]) {
        self.graph.input.push(value_info(name, element, dims));
    }

    /// Declares a graph input of the computed type that is empty unless the caller gives it: free dimensions are 0 then.
    pub fn optional_input(&mut self, name: &str, dims: &[Dim]) {
        let float = self.style.compute();
        self.input(name, Element::Float(float), dims);
        let empty = dims.iter().map(|dim| if let Dim::Fixed(size) = dim { *size as i64 } else { 0 }).collect();
        let data_type = Some(float.data_type() as i32);
        let tensor = TensorProto { name: Some(name.to_owned()), dims: empty, data_type, ..Default::default() };
        self.graph.initializer.push(tensor);
    }

    /// Declares an i64 input of shape [1] that is `value` unless the caller gives it.
    pub fn optional_int(&mut self, name: &str, value: i64) {
        self.input(name, Element::I64, &[Dim::Fixed(1)]);
        let (data_type, raw_data) = (Some(tensor_proto::DataType::Int64 as i32), Some(value.to_le_bytes().to_vec()));
        let tensor =
            TensorProto { name: Some(name.to_owned()), dims: vec![1], data_type, raw_data, ..Default::default() };
        self.graph.initializer.push(tensor);
    }

    /// The initializer `name`, if there is one.
    pub fn initializer(&self, name: &str) -> Option<&TensorProto> {
        self.graph.initializer.iter().find(|tensor| tensor.name.as_deref() == Some(name))
    }

    /// Takes over an initializer whose data lies in another graph's file; its name.
    pub fn adopt(&mut self, tensor: TensorProto) -> String {
        let name = tensor.name.clone().unwrap_or_default();
        self.graph.initializer.push(tensor);
        name
    }

    /// Gives the initializer `name` another shape of as many elements.
    pub fn set_dims(&mut self, name: &str, dims: &[usize]) {
        let named = self.graph.initializer.iter_mut().filter(|tensor| tensor.name.as_deref() == Some(name));
        named.for_each(|tensor| tensor.dims = dims.iter().map(|&dim| dim as i64).collect());
    }

    /// Is the weight `name` one that an adapter kept apart adds to?
    pub fn is_adapted(&self, name: &str) -> bool {
        self.checkpoint.kept().contains_key(name)
    }

    /// Declares a graph output.
    pub fn output(&mut self, name: &str, element: Element, dims: &[Dim]) {
        self.graph.output.push(value_info(name, element, dims));
    }

    /// Adds a node and returns its output names.
    pub fn add_all(&mut self, node: Node) -> Vec<String> {
        let mut proto = node.proto;
        let op = proto.op_type.clone().unwrap_or_default();
        for index in proto.output.len()..node.outputs {
            proto.output.push(format!("{op}_{}_{index}", self.next));
        }
        proto.name = Some(format!("{op}_{}", self.next));
        self.next += 1;
        let outputs = proto.output.clone();
        self.graph.node.push(proto);
        outputs
    }

    /// Adds a node and returns its first output.
    pub fn add(&mut self, node: Node) -> String {
        self.add_all(node).swap_remove(0)
    }

    /// Adds a standard operator without attributes.
    pub fn op(&mut self, op: &str, inputs: &[&str]) -> String {
        self.add(Node::new(op, inputs))
    }

    /// A constant i64 tensor; no `dims` means a scalar.
    pub fn ints(&mut self, dims: &[i64], values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(tensor_proto::DataType::Int64, dims, bytes)
    }

    /// A constant i64 scalar.
    pub fn int(&mut self, value: i64) -> String {
        self.ints(&[], &[value])
    }

    /// A constant f32 tensor; no `dims` means a scalar.
    pub fn floats(&mut self, dims: &[i64], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(tensor_proto::DataType::Float, dims, bytes)
    }

    /// A scalar of the type that is computed in.
    pub fn number(&mut self, value: f32) -> String {
        match self.style.compute() {
            Float::F32 => self.floats(&[], &[value]),
            Float::F16 => {
                let bytes = half::f16::from_f32(value).to_le_bytes().to_vec();
                self.constant(tensor_proto::DataType::Float16, &[], bytes)
            }
        }
    }

    /// `x` of type `from` as `to`; `x` itself if they are the same.
    pub fn cast(&mut self, x: &str, from: Float, to: Float) -> String {
        if from == to {
            return x.to_owned();
        }
        self.add(Node::new("Cast", &[x]).int("to", to.data_type() as i64))
    }

    fn constant(&mut self, kind: tensor_proto::DataType, dims: &[i64], bytes: Vec<u8>) -> String {
        let name = format!("constant_{}", self.graph.initializer.len());
        let (data_type, raw_data) = (Some(kind as i32), Some(bytes));
        let tensor =
            TensorProto { name: Some(name.clone()), dims: dims.to_vec(), data_type, raw_data, ..Default::default() };
        self.graph.initializer.push(tensor);
        name
    }

    /// A checkpoint tensor as floats of the computed type, in the layout asked for.
    pub fn weight(&mut self, name: &str, shape: &[usize], layout: Layout) -> Result<String> {
        self.weight_as(name, shape, layout, self.style.compute())
    }

    /// A checkpoint tensor as floats of type `float`, in the layout asked for.
    pub fn weight_as(&mut self, name: &str, shape: &[usize], layout: Layout, float: Float) -> Result<String> {
        let weight = self.checkpoint.weight(name, shape)?;
        if self.style.shared && float == Float::F32 {
            return self.shared(&weight, layout);
        }
        let tensor = self.data.append(&weight, layout, float)?;
        self.graph.initializer.push(tensor);
        self.checkpoint.release(name);
        Ok(name.to_owned())
    }

    /// A weight that stays in the checkpoint's file; the name of the value. Engines transpose it once, at load.
    fn shared(&mut self, weight: &Weight, layout: Layout) -> Result<String> {
        if !self.data.is_measure() {
            weight.check_finite()?;
        }
        let (rows, columns) = weight.matrix();
        let dims = match layout {
            Layout::Kept => weight.shape.to_vec(),
            Layout::Transposed => vec![rows, columns],
        };
        let part = Part { name: weight.name.to_owned(), dims, data_type: Float::F32.data_type() };
        self.graph.initializer.push(external(part, WEIGHTS, weight.offset, weight.bytes.len() as u64));
        self.checkpoint.release(weight.name);
        match layout {
            Layout::Kept => Ok(weight.name.to_owned()),
            Layout::Transposed => Ok(self.add(Node::new("Transpose", &[weight.name]).ints("perm", &[1, 0]))),
        }
    }

    /// A checkpoint tensor as integers and what they are read with, in the form its profile takes; the names of the
    /// initializers.
    pub fn quantized(&mut self, name: &str, shape: &[usize], quantizer: &Quantizer) -> Result<Vec<String>> {
        let weight = self.checkpoint.weight(name, shape)?;
        let tensors = match self.style.profile {
            Profile::Ort => self.data.append_blobs(name, &[weight], quantizer)?,
            Profile::Trt => self.data.append_signed(&weight, quantizer)?,
        };
        let names = tensors.iter().filter_map(|tensor| tensor.name.clone()).collect();
        self.graph.initializer.extend(tensors);
        self.checkpoint.release(name);
        Ok(names)
    }

    /// The rows of several checkpoint tensors of as many columns each as one, quantised for the `ort` profile; the names of
    /// the initializers. `parts` are names and rows.
    pub fn quantized_rows(
        &mut self,
        name: &str,
        (parts, columns): (&[(String, usize)], usize),
        quantizer: &Quantizer,
    ) -> Result<Vec<String>> {
        let weights = parts.iter().map(|(part, rows)| self.checkpoint.weight(part, &[*rows, columns]));
        let tensors = self.data.append_blobs(name, &weights.collect::<Result<Vec<_>>>()?, quantizer)?;
        let names = tensors.iter().filter_map(|tensor| tensor.name.clone()).collect();
        self.graph.initializer.extend(tensors);
        parts.iter().for_each(|(part, _)| self.checkpoint.release(part));
        Ok(names)
    }

    /// Computed values as an external initializer of the type that is computed in.
    pub fn table(&mut self, name: &str, dims: &[usize], values: &[f32]) -> Result<String> {
        let tensor = self.data.append_values(name, dims, values, self.style.compute())?;
        self.graph.initializer.push(tensor);
        Ok(name.to_owned())
    }

    /// Writes the model file and finishes its data file.
    pub fn finish(self, dir: Option<&Path>) -> Result<GraphSize> {
        let file = self.graph.name.clone().unwrap_or_default();
        let (data_len, peak_buffer) = self.data.finish()?;
        let opset =
            |domain: &str, version| OperatorSetIdProto { domain: Some(domain.to_owned()), version: Some(version) };
        let (version, ir_version) = self.style.versions();
        let mut opset_import = vec![opset("", version)];
        if self.style.profile == Profile::Ort {
            opset_import.push(opset(CONTRIB, 1));
        }
        let model = ModelProto {
            ir_version: Some(ir_version),
            producer_name: Some(env!("CARGO_PKG_NAME").to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            opset_import,
            graph: Some(self.graph),
            ..Default::default()
        };
        let bytes = model.encode_to_vec();
        if let Some(dir) = dir {
            let path = dir.join(file);
            std::fs::write(&path, &bytes).map_err(Error::io(&path))?;
        }
        Ok(GraphSize { bytes: data_len + bytes.len() as u64, peak_buffer })
    }
}

fn value_info(name: &str, element: Element, dims: &[Dim]) -> ValueInfoProto {
    use tensor_shape_proto::dimension::Value;
    let dim = dims
        .iter()
        .map(|dim| match dim {
            Dim::Fixed(size) => Value::DimValue(*size as i64),
            Dim::Free(name) => Value::DimParam((*name).to_owned()),
        })
        .map(|value| tensor_shape_proto::Dimension { value: Some(value), ..Default::default() })
        .collect();
    let elem_type = match element {
        Element::Float(float) => float.data_type(),
        Element::I64 => tensor_proto::DataType::Int64,
    } as i32;
    let tensor = type_proto::Tensor { elem_type: Some(elem_type), shape: Some(TensorShapeProto { dim }) };
    let r#type = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() };
    ValueInfoProto { name: Some(name.to_owned()), r#type: Some(r#type), ..Default::default() }
}
