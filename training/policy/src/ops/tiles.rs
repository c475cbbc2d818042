//! Attention under a mask, some rows of queries at a time: the columns behind the last one that any of them sees are
//! never computed. Questions packed behind one prefix see little of each other, so that this halves the work.

use std::ops::Range;

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, Layout, Result};

use super::attention::{AttentionShape, Segment};
use super::kernels;
use super::mask::Mask;

/// Rows of queries that are worked on together.
const ROWS: usize = 64;

/// Some rows of a sequence.
struct Tile {
    sequence: usize,
    rows: Range<usize>,
    /// How many columns, from the first, they see.
    columns: usize,
}

/// One segment's masked attention: `q` `[count, heads, len, head_dim]`, already scaled, `k` and `v` `[count, kv_heads, len,
/// head_dim]`.
pub(super) struct Tiled<'a> {
    pub(super) shape: AttentionShape,
    pub(super) segment: Segment,
    pub(super) mask: &'a Mask,
    pub(super) q: &'a CpuStorage,
    pub(super) k: &'a CpuStorage,
    pub(super) v: &'a CpuStorage,
}

impl Tiled<'_> {
    fn tiles(&self) -> impl Iterator<Item = Tile> {
        let Segment { count, len, .. } = self.segment;
        let tile = move |sequence: usize, start: usize| {
            let rows = start..(start + ROWS).min(len);
            let columns = rows.clone().map(|row| self.mask.columns(sequence, row, len)).max().unwrap_or(len);
            Tile { sequence, rows, columns }
        };
        (0..count).flat_map(move |sequence| (0..len).step_by(ROWS).map(move |start| tile(sequence, start)))
    }

    /// Every tile with every group of heads that share keys.
    fn each(&self, mut f: impl FnMut(&Tile, usize) -> Result<()>) -> Result<()> {
        self.tiles().try_for_each(|tile| (0..self.shape.kv_heads).try_for_each(|kv_head| f(&tile, kv_head)))
    }

    fn group(&self) -> usize {
        self.shape.heads / self.shape.kv_heads
    }

    /// Where the first row of a tile begins in `[count, heads, len, head_dim]`.
    fn offset(&self, tile: &Tile, kv_head: usize) -> usize {
        let head = tile.sequence * self.shape.heads + kv_head * self.group();
        (head * self.segment.len + tile.rows.start) * self.shape.head_dim
    }

    /// The rows of a tile's queries, or of what has their shape: `[group, rows, head_dim]`.
    fn queries(&self, tile: &Tile, kv_head: usize) -> Layout {
        let (d, len) = (self.shape.head_dim, self.segment.len);
        let shape = (self.group(), tile.rows.len(), d);
        Layout::new(shape.into(), vec![len * d, d, 1], self.offset(tile, kv_head))
    }

    /// The keys or values that a tile sees, `[group, columns, head_dim]`: the same for all heads of the group.
    fn keys(&self, tile: &Tile, kv_head: usize) -> Layout {
        let (d, len) = (self.shape.head_dim, self.segment.len);
        let start = (tile.sequence * self.shape.kv_heads + kv_head) * len * d;
        Layout::new((self.group(), tile.columns, d).into(), vec![0, d, 1], start)
    }

    /// `[group, rows, columns]`.
    fn scores(&self, tile: &Tile) -> Layout {
        Layout::contiguous((self.group(), tile.rows.len(), tile.columns))
    }

    /// (batch, rows, columns, head_dim) of a tile's products.
    fn sizes(&self, tile: &Tile) -> (usize, usize, usize, usize) {
        (self.group(), tile.rows.len(), tile.columns, self.shape.head_dim)
    }

    /// The mixed heads `[count, heads, len, head_dim]`, and the probabilities of every tile and group for
    /// [`Self::backward`].
    pub(super) fn forward(&self) -> Result<(Vec<f32>, Vec<CpuStorage>)> {
        let mut mixed = vec![0f32; self.q.as_slice::<f32>()?.len()];
        let mut saved = Vec::new();
        self.each(|tile, kv_head| {
            let (batch, rows, columns, d) = self.sizes(tile);
            let keys = self.keys(tile, kv_head);
            let mut probs = self.q.matmul(
                self.k,
                (batch, rows, columns, d),
                &self.queries(tile, kv_head),
                &keys.transpose(1, 2)?,
            )?;
            if let CpuStorage::F32(scores) = &mut probs {
                self.softmax(scores, tile);
            }
            let part = probs.matmul(self.v, (batch, rows, d, columns), &self.scores(tile), &keys)?;
            self.put(part.as_slice()?, &mut mixed, tile, kv_head);
            saved.push(probs);
            Ok(())
        })?;
        Ok((mixed, saved))
    }

    /// Gradients of queries, keys and values from that of the mixed heads.
    pub(super) fn backward(&self, probs: &[CpuStorage], grad: &CpuStorage) -> Result<[Vec<f32>; 3]> {
        let [mut dq, mut dk, mut dv] =
            [self.q, self.k, self.v].map(|of| of.as_slice::<f32>().map_or(0, <[f32]>::len)).map(|len| vec![0f32; len]);
        let mut probs = probs.iter();
        self.each(|tile, kv_head| {
            let Some(probs) = probs.next() else { return Ok(()) };
            let (batch, rows, columns, d) = self.sizes(tile);
            let (queries, keys) = (self.queries(tile, kv_head), self.keys(tile, kv_head));
            let (here, there) = (self.scores(tile), self.scores(tile).transpose(1, 2)?);
            let value = probs.matmul(grad, (batch, columns, d, rows), &there, &queries)?;
            add_groups(value.as_slice()?, &mut dv[keys.start_offset()..][..columns * d]);
            let mut scores = grad.matmul(self.v, (batch, rows, columns, d), &queries, &keys.transpose(1, 2)?)?;
            if let CpuStorage::F32(scores) = &mut scores {
                let probs = probs.as_slice::<f32>()?;
                kernels::vectorised(
                    #[inline(always)]
                    || {
                        let pairs = probs.chunks_exact(columns).zip(scores.chunks_exact_mut(columns));
                        pairs.for_each(|(p, g)| kernels::softmax_backward(p, g));
                    },
                );
            }
            let query = scores.matmul(self.k, (batch, rows, d, columns), &here, &keys)?;
            self.put(query.as_slice()?, &mut dq, tile, kv_head);
            let key = scores.matmul(self.q, (batch, columns, d, rows), &there, &queries)?;
            add_groups(key.as_slice()?, &mut dk[keys.start_offset()..][..columns * d]);
            Ok(())
        })?;
        Ok([dq, dk, dv])
    }

    /// Softmax of a tile's scores in place.
    fn softmax(&self, scores: &mut [f32], tile: &Tile) {
        let len = self.segment.len;
        kernels::vectorised(
            #[inline(always)]
            || {
                for (r, row) in scores.chunks_exact_mut(tile.columns).enumerate() {
                    let i = tile.rows.start + r % tile.rows.len();
                    let seen = match self.mask {
                        Mask::Causal => i + 1,
                        _ => tile.columns,
                    };
                    if let Some(added) = self.mask.added(tile.sequence, i, len) {
                        row.iter_mut().zip(added).for_each(|(x, a)| *x += a);
                    }
                    let (seen, hidden) = row.split_at_mut(seen);
                    kernels::softmax(seen);
                    hidden.fill(0.0);
                }
            },
        );
    }

    /// Copies a tile's `[group, rows, head_dim]` to its place in `[count, heads, len, head_dim]`.
    fn put(&self, part: &[f32], whole: &mut [f32], tile: &Tile, kv_head: usize) {
        let (d, start) = (self.shape.head_dim, self.offset(tile, kv_head));
        let size = tile.rows.len() * d;
        for (head, rows) in part.chunks_exact(size).enumerate() {
            whole[start + head * self.segment.len * d..][..size].copy_from_slice(rows);
        }
    }
}

/// Adds `[group, n]` to `[n]`.
fn add_groups(parts: &[f32], sum: &mut [f32]) {
    kernels::vectorised(
        #[inline(always)]
        || parts.chunks_exact(sum.len()).for_each(|part| sum.iter_mut().zip(part).for_each(|(s, x)| *s += x)),
    );
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use candle_core::{Device, Tensor, Var};

    use super::super::{Rotary, attention, composed};
    use super::*;

    const SHAPE: AttentionShape = AttentionShape { heads: 4, kv_heads: 2, head_dim: 8 };
    /// Two sequences of several tiles, the last one not full.
    const SEGMENT: Segment = Segment { start: 0, count: 2, len: 150 };

    fn noise(count: usize) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * 12.9898).sin()).collect()
    }

    /// Questions of 30 tokens behind a prefix of 70 (80 in the second sequence), then tokens that see themselves only.
    fn packed() -> Mask {
        let len = SEGMENT.len;
        let mut mask = vec![-1e9; SEGMENT.count * len * len];
        for (sequence, prefix) in [70, 80].into_iter().enumerate() {
            for row in 0..len {
                let question = row.checked_sub(prefix).map(|behind| prefix + behind / 30 * 30);
                for column in 0..len {
                    let seen = match question {
                        Some(_) if row >= 140 => column == row,
                        Some(start) => column < prefix || (start..=row).contains(&column),
                        None => column <= row,
                    };
                    if seen {
                        mask[(sequence * len + row) * len + column] = 0.0;
                    }
                }
            }
        }
        Mask::additive(mask, len)
    }

    #[test]
    fn tiles_compute_what_whole_matrices_do() {
        let tokens = SEGMENT.count * SEGMENT.len;
        let rotary = Rotary::from_angles(&noise(tokens * SHAPE.head_dim / 2), SHAPE.head_dim / 2);
        let qkv = Tensor::from_vec(noise(tokens * SHAPE.qkv_dim()), (tokens, SHAPE.qkv_dim()), &Device::Cpu).unwrap();
        let qkv = Var::from_tensor(&qkv).unwrap();
        let segments = Arc::new(vec![SEGMENT]);
        for mask in [Mask::Causal, packed()] {
            let run = |attention: &dyn Fn() -> Result<Tensor>| {
                let mixed = attention().unwrap();
                let weights = Tensor::from_vec(noise(mixed.elem_count()), mixed.shape(), &Device::Cpu).unwrap();
                let store = (&mixed * weights).unwrap().sum_all().unwrap().backward().unwrap();
                let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                [flat(&mixed), flat(store.get(&qkv).unwrap())]
            };
            let tiled = run(&|| attention(&qkv, SHAPE, &rotary, &segments, &mask));
            let whole = run(&|| composed::attention(&qkv, SHAPE, &rotary, &segments, &mask));
            for (tiled, whole) in tiled.iter().zip(&whole) {
                let off = tiled.iter().zip(whole).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(off < 1e-5, "{mask:?}: {off}");
            }
        }
    }

    #[test]
    fn what_no_row_of_a_tile_sees_is_left_out() {
        let (data, mask) = (CpuStorage::F32(vec![0.0; 9600]), packed());
        let tiled = Tiled { shape: SHAPE, segment: SEGMENT, mask: &mask, q: &data, k: &data, v: &data };
        let columns: Vec<usize> = tiled.tiles().map(|tile| tile.columns).collect();
        assert_eq!(columns, [64, 128, 150, 64, 128, 150]);
    }
}
