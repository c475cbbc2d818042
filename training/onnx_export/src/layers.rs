//! The layers that both towers share: linear, RMS norm (alone and with the residual sum), gated MLP, rotary tables.
//! Each takes the form of the graph's profile.

use crate::adapter_file::adapter_ports;
use crate::error::Result;
use crate::external_data::{Float, Layout};
use crate::graph::{Dim, GraphBuilder, Node};
use crate::precision::Profile;
use crate::quantize::{BLOCK, Quantizer};

/// MatMulNBits may round its input to 8 bits for each block of 32: the fast kernels of the CPU provider, and what
/// onnxruntime-genai's own builder asks for. Its error is far below that of 4-bit weights.
const ACCURACY_INT8: i64 = 4;

/// A linear layer by checkpoint name: `prefix.weight` [output, input] and, if it has one, `prefix.bias` [output].
pub(crate) struct Linear<'n> {
    pub prefix: &'n str,
    pub input: usize,
    pub output: usize,
    pub bias: bool,
}

/// A root-mean-square norm by the checkpoint name of its gain [size].
pub(crate) struct Norm<'n> {
    pub name: &'n str,
    pub size: usize,
    pub epsilon: f32,
}

/// A SwiGLU block: `prefix.{gate,up,down}_proj`.
pub(crate) struct GatedMlp<'n> {
    pub prefix: &'n str,
    pub hidden: usize,
    pub intermediate: usize,
    pub bias: bool,
}

impl GraphBuilder<'_> {
    /// `x` [.., input] → [.., output].
    pub fn linear(&mut self, x: &str, layer: &Linear) -> Result<String> {
        let (name, quantizer) = (format!("{}.weight", layer.prefix), self.style().quantizer());
        let product = self.product(x, &name, [layer.output, layer.input], quantizer.as_ref())?;
        let product = self.adapted(x, product, layer);
        if !layer.bias {
            return Ok(product);
        }
        let bias = self.weight(&format!("{}.bias", layer.prefix), &[layer.output], Layout::Kept)?;
        Ok(self.op("Add", &[&product, &bias]))
    }

    /// Adds x · A · B to `product` where an adapter is kept apart; the two are inputs, empty unless given.
    fn adapted(&mut self, x: &str, product: String, layer: &Linear) -> String {
        if !self.is_adapted(&format!("{}.weight", layer.prefix)) {
            return product;
        }
        let [a, b] = adapter_ports(layer.prefix);
        self.optional_input(&a, &[Dim::Fixed(layer.input), Dim::Free("lora_rank")]);
        self.optional_input(&b, &[Dim::Free("lora_rank"), Dim::Fixed(layer.output)]);
        let narrow = self.op("MatMul", &[x, &a]);
        let added = self.op("MatMul", &[&narrow, &b]);
        self.op("Add", &[&product, &added])
    }

    /// `x` [.., input] times the transpose of the weight `name` [output, input], of floats without a quantizer.
    pub fn product(
        &mut self,
        x: &str,
        name: &str,
        [output, input]: [usize; 2],
        quantizer: Option<&Quantizer>,
    ) -> Result<String> {
        let Some(quantizer) = quantizer else {
            let weight = self.weight(name, &[output, input], Layout::Transposed)?;
            return Ok(self.op("MatMul", &[x, &weight]));
        };
        let parts = self.quantized(name, &[output, input], quantizer)?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match self.style().profile {
            Profile::Ort => Ok(self.add(n_bits(x, &parts, quantizer, [output, input]))),
            Profile::Trt => {
                let node = Node::new("DequantizeLinear", &parts);
                let weight = self.add(match quantizer.block {
                    Some(block) => node.int("axis", 0).int("block_size", block as i64),
                    None => node.int("axis", 1),
                });
                Ok(self.op("MatMul", &[x, &weight]))
            }
        }
    }

    /// `x` [.., size] → the same shape. The standard operator, because `onnx.checker` refuses ONNX Runtime's
    /// SimplifiedLayerNormalization, which lives in the standard domain without being standard.
    pub fn rms_norm(&mut self, x: &str, norm: &Norm) -> Result<String> {
        let gain = self.weight(norm.name, &[norm.size], Layout::Kept)?;
        if self.style().profile == Profile::Trt {
            return Ok(self.spelt_norm(x, &gain, norm.epsilon));
        }
        let node = Node::new("RMSNormalization", &[x, &gain]).int("axis", -1).float("epsilon", norm.epsilon);
        Ok(self.add(node))
    }

    /// Adds `delta` to the residual stream `x` [b, s, size]; returns (norm of the sum, the sum).
    pub fn skip_norm(&mut self, x: &str, delta: &str, norm: &Norm) -> Result<(String, String)> {
        if self.style().profile == Profile::Trt {
            let sum = self.op("Add", &[x, delta]);
            return Ok((self.rms_norm(&sum, norm)?, sum));
        }
        let gain = self.weight(norm.name, &[norm.size], Layout::Kept)?;
        let (normed, sum) = (format!("{}.normed", norm.name), format!("{}.residual", norm.name));
        let node = Node::contrib("SkipSimplifiedLayerNormalization", &[x, delta, &gain])
            .float("epsilon", norm.epsilon)
            .named(&[&normed, "", "", &sum]);
        self.add(node);
        Ok((normed, sum))
    }

    /// x / √(mean(x²) + ε) · gain; the mean in f32, as transformers takes it.
    fn spelt_norm(&mut self, x: &str, gain: &str, epsilon: f32) -> String {
        let compute = self.style().compute();
        let wide = self.cast(x, compute, Float::F32);
        let (epsilon, last_axis) = (self.floats(&[], &[epsilon]), self.ints(&[1], &[-1]));
        let square = self.op("Mul", &[&wide, &wide]);
        let mean = self.op("ReduceMean", &[&square, &last_axis]);
        let mean = self.op("Add", &[&mean, &epsilon]);
        let root = self.op("Sqrt", &[&mean]);
        let normed = self.op("Div", &[&wide, &root]);
        let normed = self.cast(&normed, Float::F32, compute);
        self.op("Mul", &[&normed, gain])
    }

    /// down(silu(gate(x)) · up(x)), `x` [.., hidden] → the same shape.
    pub fn gated_mlp(&mut self, x: &str, mlp: &GatedMlp) -> Result<String> {
        let GatedMlp { prefix, hidden, intermediate, bias } = *mlp;
        let mut widen = |part: &str| {
            let prefix = format!("{prefix}.{part}_proj");
            self.linear(x, &Linear { prefix: &prefix, input: hidden, output: intermediate, bias })
        };
        let (gate, up) = (widen("gate")?, widen("up")?);
        let sigmoid = self.op("Sigmoid", &[&gate]);
        let silu = self.op("Mul", &[&gate, &sigmoid]);
        let product = self.op("Mul", &[&silu, &up]);
        let down = format!("{prefix}.down_proj");
        self.linear(&product, &Linear { prefix: &down, input: intermediate, output: hidden, bias })
    }
}

/// ONNX Runtime's product with quantised weights; `parts` are integers, scales and, if any, zero points.
fn n_bits(x: &str, parts: &[&str], quantizer: &Quantizer, [output, input]: [usize; 2]) -> Node {
    let inputs: Vec<&str> = std::iter::once(x).chain(parts.iter().copied()).collect();
    Node::contrib("MatMulNBits", &inputs)
        .int("K", input as i64)
        .int("N", output as i64)
        .int("bits", quantizer.bits as i64)
        .int("block_size", BLOCK as i64)
        .int("accuracy_level", ACCURACY_INT8)
}

/// θ^(−2i / dim) for i < dim / 2, computed in f32 as torch does.
pub(crate) fn inverse_frequencies(theta: f32, dim: usize) -> Vec<f32> {
    (0..dim).step_by(2).map(|i| 1.0 / theta.powf(i as f32 / dim as f32)).collect()
}
