//! Checking a graph's inputs and outputs against the configuration, before it runs.
//!
//! A graph exported from another checkpoint would otherwise fail in the middle of
//! an answer, or worse, answer.

use ort::value::{TensorElementType, ValueType};

use crate::error::{Error, Result};
use crate::graph::{Graph, Slot};

pub(crate) const FLOAT: &[TensorElementType] = &[TensorElementType::Float32, TensorElementType::Float16];
pub(crate) const F32: &[TensorElementType] = &[TensorElementType::Float32];
pub(crate) const I64: &[TensorElementType] = &[TensorElementType::Int64];

/// An expected input or output. `None` is a dimension of any size.
pub(crate) struct Port {
    name: String,
    types: &'static [TensorElementType],
    dims: Vec<Option<usize>>,
}

impl Port {
    pub(crate) fn new(name: impl Into<String>, types: &'static [TensorElementType], dims: &[Option<usize>]) -> Self {
        Self { name: name.into(), types, dims: dims.to_vec() }
    }

    fn describe(&self) -> String {
        let types: Vec<String> = self.types.iter().map(ToString::to_string).collect();
        let dims: Vec<String> = self.dims.iter().map(|dim| dim.map_or("?".into(), |size| size.to_string())).collect();
        format!("{} [{}]", types.join(" or "), dims.join(", "))
    }

    /// Whether `found` can be this port. An output whose shape the file doesn't state passes.
    fn accepts(&self, found: &ValueType, output: bool) -> bool {
        let (Some(element), Some(shape)) = (found.tensor_type(), found.tensor_shape()) else { return false };
        let unstated = output && shape.is_empty();
        let fits = |(&size, want): (&i64, &Option<usize>)| size < 0 || want.is_none_or(|want| want as i64 == size);
        self.types.contains(&element)
            && (unstated || shape.len() == self.dims.len() && shape.iter().zip(&self.dims).all(fits))
    }
}

/// Checks that `graph` has exactly the inputs `inputs` and at least the outputs `outputs`.
pub(crate) fn check(graph: &Graph, inputs: &[Port], outputs: &[Port]) -> Result<()> {
    check_side(graph, inputs, false)?;
    check_side(graph, outputs, true)?;
    let extra = graph.inputs.iter().find(|slot| inputs.iter().all(|port| port.name != slot.name));
    extra.map_or(Ok(()), |slot| {
        let what = format!("input `{}`", slot.name);
        Err(Error::Signature { graph: graph.name, what, expected: "absent".into(), found: slot.dtype.to_string() })
    })
}

fn check_side(graph: &Graph, ports: &[Port], output: bool) -> Result<()> {
    let (side, slots): (_, &[Slot]) = if output { ("output", &graph.outputs) } else { ("input", &graph.inputs) };
    for port in ports {
        let found = slots.iter().find(|slot| slot.name == port.name);
        if found.is_some_and(|slot| port.accepts(&slot.dtype, output)) {
            continue;
        }
        return Err(Error::Signature {
            graph: graph.name,
            what: format!("{side} `{}`", port.name),
            expected: port.describe(),
            found: found.map_or("absent".into(), |slot| slot.dtype.to_string()),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ort::value::{Shape, SymbolicDimensions};

    fn tensor(ty: TensorElementType, dims: &[i64]) -> ValueType {
        let dimension_symbols = SymbolicDimensions::empty(dims.len());
        ValueType::Tensor { ty, shape: Shape::new(dims.iter().copied()), dimension_symbols }
    }

    #[test]
    fn dynamic_dimensions_fit_and_fixed_ones_must_agree() {
        let port = Port::new("x", FLOAT, &[None, Some(64)]);
        assert!(port.accepts(&tensor(TensorElementType::Float32, &[-1, 64]), false));
        assert!(port.accepts(&tensor(TensorElementType::Float16, &[-1, -1]), false));
        assert!(!port.accepts(&tensor(TensorElementType::Float32, &[-1, 65]), false));
        assert!(!port.accepts(&tensor(TensorElementType::Int64, &[-1, 64]), false));
        assert!(!port.accepts(&tensor(TensorElementType::Float32, &[64]), false));
        assert_eq!(port.describe(), "f32 or f16 [?, 64]");
    }

    #[test]
    fn only_an_output_may_leave_its_shape_unstated() {
        let port = Port::new("x", F32, &[None, Some(64)]);
        assert!(port.accepts(&tensor(TensorElementType::Float32, &[]), true));
        assert!(!port.accepts(&tensor(TensorElementType::Float32, &[]), false));
    }
}
