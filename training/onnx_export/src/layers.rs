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
#[derive(Clone, Copy)]
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

    /// Linear layers of one input `x` [.., input] → [.., output] each. Quantised ones of the `ort` profile are one product
    /// under the name `joint`, split afterwards: each product waits for all threads, which costs as much as a small
    /// layer's arithmetic when tokens come one by one.
    pub fn linears<const N: usize>(&mut self, x: &str, joint: &str, layers: [Linear; N]) -> Result<[String; N]> {
        let quantizer = self.style().quantizer().filter(|_| self.style().profile == Profile::Ort);
        let mut outputs = layers.map(|_| String::new());
        let Some(quantizer) = quantizer else {
            for (output, layer) in outputs.iter_mut().zip(&layers) {
                *output = self.linear(x, layer)?;
            }
            return Ok(outputs);
        };
        let product = self.joint_product(x, joint, &layers, &quantizer)?;
        let sizes = self.ints(&[N as i64], &layers.map(|layer| layer.output as i64));
        let split = self.add_all(Node::new("Split", &[&product, &sizes]).int("axis", -1).outputs(N));
        for ((output, part), layer) in outputs.iter_mut().zip(split).zip(&layers) {
            *output = self.adapted(x, part, layer);
        }
        Ok(outputs)
    }

    /// The layers' outputs side by side, biases included.
    fn joint_product(&mut self, x: &str, joint: &str, layers: &[Linear], quantizer: &Quantizer) -> Result<String> {
        let input = layers.first().map_or(0, |layer| layer.input);
        let parts: Vec<_> = layers.iter().map(|layer| (format!("{}.weight", layer.prefix), layer.output)).collect();
        let names = self.quantized_rows(&format!("{joint}.weight"), (&parts, input), quantizer)?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let output = layers.iter().map(|layer| layer.output).sum();
        let product = self.add(n_bits(x, &names, quantizer, [output, input]));
        if !layers.iter().any(|layer| layer.bias) {
            return Ok(product);
        }
        let mut biases = Vec::with_capacity(layers.len());
        for layer in layers {
            biases.push(self.weight(&format!("{}.bias", layer.prefix), &[layer.output], Layout::Kept)?);
        }
        let biases: Vec<&str> = biases.iter().map(String::as_str).collect();
        let bias = self.add(Node::new("Concat", &biases).int("axis", 0));
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
        let prefixes = ["gate", "up"].map(|part| format!("{prefix}.{part}_proj"));
        let widen = |prefix| Linear { prefix, input: hidden, output: intermediate, bias };
        let [gate, up] =
            self.linears(x, &format!("{prefix}.gate_up_proj"), prefixes.each_ref().map(|name| widen(name)))?;
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
