//! Attention in standard operators, for the `trt` profile: heads, rotate-half, grouped softmax(q · kᵀ + bias) · v.

use crate::graph::{GraphBuilder, Node};

/// Added to the score of a forbidden pair: softmax gives it exactly 0. Within f16's range.
pub(crate) const FORBIDDEN: f32 = -60_000.0;

/// Sizes of an attention layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    /// Query heads.
    pub queries: usize,
    /// Key and value heads; each serves `queries / keys` query heads.
    pub keys: usize,
    pub dim: usize,
}

/// What each query attends.
pub(crate) struct Attended<'a> {
    /// [1, queries, s, dim].
    pub query: &'a str,
    /// [1, keys, t, dim].
    pub key: &'a str,
    /// [1, keys, t, dim].
    pub value: &'a str,
    /// [s, t], added to the scores.
    pub bias: &'a str,
}

impl GraphBuilder<'_> {
    /// `x` [1, s, count · dim] → [1, count, s, dim].
    pub fn split_heads(&mut self, x: &str, count: usize, dim: usize) -> String {
        let shape = self.ints(&[4], &[1, -1, count as i64, dim as i64]);
        let heads = self.op("Reshape", &[x, &shape]);
        self.add(Node::new("Transpose", &[&heads]).ints("perm", &[0, 2, 1, 3]))
    }

    /// Rotates the halves of `x` [1, heads, s, dim] by angles whose cosine and sine are [s, dim / 2].
    pub fn rotate_half(&mut self, x: &str, cos: &str, sin: &str) -> String {
        let halves = self.add_all(Node::new("Split", &[x]).int("axis", -1).int("num_outputs", 2).outputs(2));
        let mut combine = |op: &str, a: (&str, &str), b: (&str, &str)| {
            let (left, right) = (self.op("Mul", &[a.0, a.1]), self.op("Mul", &[b.0, b.1]));
            self.op(op, &[&left, &right])
        };
        let first = combine("Sub", (&halves[0], cos), (&halves[1], sin));
        let second = combine("Add", (&halves[1], cos), (&halves[0], sin));
        self.add(Node::new("Concat", &[&first, &second]).int("axis", -1))
    }

    /// Scaled dot-product attention → [1, s, queries · dim].
    pub fn attend(&mut self, heads: Heads, attended: &Attended) -> String {
        let Heads { queries, keys, dim } = heads;
        let scale = self.number((dim as f32).powf(-0.5));
        let query = self.op("Mul", &[attended.query, &scale]);
        let grouped = self.ints(&[5], &[1, keys as i64, (queries / keys) as i64, -1, dim as i64]);
        let query = self.op("Reshape", &[&query, &grouped]);
        let group_axis = self.ints(&[1], &[2]);
        let key = self.add(Node::new("Transpose", &[attended.key]).ints("perm", &[0, 1, 3, 2]));
        let key = self.op("Unsqueeze", &[&key, &group_axis]);
        let value = self.op("Unsqueeze", &[attended.value, &group_axis]);
        let scores = self.op("MatMul", &[&query, &key]);
        let scores = self.op("Add", &[&scores, attended.bias]);
        let weights = self.add(Node::new("Softmax", &[&scores]).int("axis", -1));
        let context = self.op("MatMul", &[&weights, &value]);
        let flat_heads = self.ints(&[4], &[1, queries as i64, -1, dim as i64]);
        let context = self.op("Reshape", &[&context, &flat_heads]);
        let context = self.add(Node::new("Transpose", &[&context]).ints("perm", &[0, 2, 1, 3]));
        let flat = self.ints(&[3], &[1, -1, (queries * dim) as i64]);
        self.op("Reshape", &[&context, &flat])
    }
}
