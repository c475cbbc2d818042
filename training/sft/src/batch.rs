//! From samples to tensors: every clip is one row, its questions packed behind the shared prefix.
//!
//! A question's tokens see the prefix and themselves, never another question, and all continue from the prefix's last
//! position: the row computes exactly what separate prompts would. Rows of like length share a [`Block`], so that
//! clips without a whole completion are not padded to those with one.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use episodes::evidence::Coordinate;
use episodes::{ClipSample, Label, Part, SampleMaker, Segment, Target, Tokens};
use msgs::Unit;
use sim::questions::angle::off_deg;

use crate::Result;
use crate::auxiliary::PATCHES_PER_TOKEN;
use crate::config::LossConfig;
use crate::loss::{NumberTokens, TargetRow};

/// What an additive mask holds where attention is forbidden.
const FORBIDDEN: f32 = -1e9;

/// Least deviation of a coordinate's soft target, metres: the step of its tokens.
const LEAST_DEVIATION_M: f64 = 0.1;
/// Deviation of a heading's soft target, degrees: what the rounding of coordinates makes of it.
const HEADING_DEVIATION_DEG: f64 = 5.0;

/// Tokens of the rows that are learnt from together.
pub const TOKEN_BUDGET: usize = 2500;

/// Rows padded to the same length.
pub struct Block {
    /// Number of rows, b.
    pub count: usize,
    /// Tokens of each, s.
    pub length: usize,
    /// [3, b, s].
    pub position_ids: Tensor,
    /// Additive, [b, 1, s, s].
    pub mask: Tensor,
}

/// The tensors of one shard's clips, ordered by length: `t` tokens in all blocks, `n` patches.
pub struct Batch {
    /// [n, 1176]; nothing where there are embeds.
    pub pixel_values: Tensor,
    /// What a vision tower that is not trained made of the patches, [n/4, hidden].
    pub image_embeds: Option<Tensor>,
    /// One grid per clip.
    pub grids: Vec<[usize; 3]>,
    /// Token ids of all blocks in order, `[t]`.
    pub input_ids: Tensor,
    /// The blocks, in order.
    pub blocks: Vec<Block>,
    /// For each token: its own embedding, or t + k for the k-th image embedding. `[t]`.
    pub embedding_rows: Tensor,
    /// Flat rows of the vision tokens in image embedding order, [n/4].
    pub vision_rows: Tensor,
    /// Flat rows of the vision tokens whose names are known, `[named]`.
    pub name_rows: Tensor,
    /// One per entry of `name_rows`: the tokens of its names.
    pub names: Vec<TargetRow>,
    /// Flat rows with a target, `[rows]`.
    pub target_rows: Tensor,
    /// One per entry of `target_rows`.
    pub targets: Vec<TargetRow>,
    /// What each entry of `targets` was made from.
    pub labels: Vec<Target>,
    /// Number of questions in the batch.
    pub questions: usize,
    /// Share of each class in each patch of the newer frame of its pair, [n, classes]; no class where there are embeds.
    pub class_shares: Tensor,
    /// The same in the older frame.
    pub older_class_shares: Tensor,
    /// ln(depth) per patch, NaN where unknown, length n.
    pub patch_log_depth: Vec<f32>,
    /// ln(distance) per patch, NaN where there is no object, length n.
    pub patch_log_distance: Vec<f32>,
    /// Plan position per patch in metres, NaN where unknown, [n, 2].
    pub patch_place_m: Vec<f32>,
}

/// What collating needs besides the samples.
pub struct Collation<'a> {
    /// Id of the placeholder that vision embeddings replace.
    pub video_token_id: u32,
    /// Id of the padding token.
    pub pad_token_id: u32,
    /// The tokens that spell numbers, by unit.
    pub numbers: &'a [(Unit, NumberTokens)],
    /// The tokens that spell coordinates; may be empty.
    pub coordinates: &'a [(u32, f64)],
    /// The tokens that spell headings; may be empty.
    pub headings: &'a [(u32, f64)],
    /// Weights of targets.
    pub loss: &'a LossConfig,
}

#[derive(Default)]
struct Rows {
    ids: Vec<u32>,
    positions: [Vec<i64>; 3],
    mask: Vec<f32>,
    embedding_rows: Vec<u32>,
    vision_rows: Vec<u32>,
    target_rows: Vec<u32>,
    targets: Vec<TargetRow>,
    labels: Vec<Target>,
}

impl<'a> Collation<'a> {
    /// What the samples of `maker` need.
    pub fn new(maker: &'a SampleMaker, numbers: &'a [(Unit, NumberTokens)], loss: &'a LossConfig) -> Self {
        let video_token_id = maker.processor().config().tokens.video;
        let [coordinates, headings] = [maker.teacher().coordinate_tokens(), maker.teacher().heading_tokens()];
        Self { video_token_id, pad_token_id: maker.pad_token_id(), numbers, coordinates, headings, loss }
    }

    /// Builds the tensors of `samples`.
    pub fn collate(&self, mut samples: Vec<ClipSample>, device: &Device) -> Result<Batch> {
        samples.sort_by_key(row_length);
        let (short, long) = samples.split_at(best_split(&samples));
        let mut rows = Rows::default();
        let mut blocks = Vec::new();
        for group in [short, long] {
            blocks.extend(self.push_block(&mut rows, group, device)?);
        }
        let total = rows.ids.len();
        let mut next_image = total as u32;
        for (row, id) in rows.ids.iter().enumerate() {
            if *id == self.video_token_id {
                rows.embedding_rows.push(next_image);
                rows.vision_rows.push(row as u32);
                next_image += 1;
            } else {
                rows.embedding_rows.push(row as u32);
            }
        }
        let (name_rows, names) = named(&samples, &rows.vision_rows);
        let joined = |part: fn(&ClipSample) -> &[f32]| samples.iter().flat_map(part).copied().collect::<Vec<f32>>();
        let pixels = joined(|s| &s.pixel_values);
        let patches = samples.iter().map(|s| s.patches.log_depth.len()).sum::<usize>();
        let table = |values: Vec<f32>, rows: usize| {
            let width = values.len() / rows.max(1);
            Tensor::from_vec(values, (rows, width), device)
        };
        let embeds: Vec<f32> =
            samples.iter().flat_map(|s| s.image_embeds.as_deref().unwrap_or_default()).copied().collect();
        let image_embeds = (!embeds.is_empty()).then(|| table(embeds, rows.vision_rows.len())).transpose()?;
        Ok(Batch {
            pixel_values: table(pixels, patches)?,
            image_embeds,
            grids: samples.iter().map(|s| s.grid_thw).collect(),
            input_ids: Tensor::from_vec(rows.ids, total, device)?,
            blocks,
            embedding_rows: Tensor::from_vec(rows.embedding_rows, total, device)?,
            vision_rows: Tensor::new(rows.vision_rows, device)?,
            name_rows: Tensor::new(name_rows, device)?,
            names,
            target_rows: Tensor::new(rows.target_rows, device)?,
            targets: rows.targets,
            labels: rows.labels,
            questions: samples.iter().flat_map(|s| &s.segments).filter(|segment| !segment.is_blind).count(),
            class_shares: table(joined(|s| &s.patches.class_shares), patches)?,
            older_class_shares: table(joined(|s| &s.patches.older_class_shares), patches)?,
            patch_log_depth: joined(|s| &s.patches.log_depth),
            patch_log_distance: joined(|s| &s.patches.log_distance),
            patch_place_m: joined(|s| &s.patches.place_m),
        })
    }

    /// Appends rows of one length; none for no samples.
    fn push_block(&self, rows: &mut Rows, samples: &[ClipSample], device: &Device) -> Result<Option<Block>> {
        let Some(length) = samples.iter().map(row_length).max() else { return Ok(None) };
        let (count, start) = (samples.len(), rows.ids.len());
        for (b, sample) in samples.iter().enumerate() {
            self.push_row(rows, sample, start + b * length, length);
        }
        let positions = std::mem::take(&mut rows.positions).concat();
        let position_ids = Tensor::from_vec(positions, (3, count, length), device)?;
        let mask = Tensor::from_vec(std::mem::take(&mut rows.mask), (count, 1, length, length), device)?;
        Ok(Some(Block { count, length, position_ids, mask }))
    }

    fn push_row(&self, rows: &mut Rows, sample: &ClipSample, start: usize, length: usize) {
        let used = row_length(sample);
        push_tokens(rows, &sample.prefix);
        let mut offset = sample.prefix.ids.len();
        for segment in &sample.segments {
            push_tokens(rows, &segment.tokens);
            self.push_targets(rows, segment, start + offset);
            offset += segment.tokens.ids.len();
        }
        rows.ids.extend(std::iter::repeat_n(self.pad_token_id, length - used));
        for axis in &mut rows.positions {
            axis.extend(std::iter::repeat_n(0, length - used));
        }
        push_mask(&mut rows.mask, sample, length);
    }

    fn push_targets(&self, rows: &mut Rows, segment: &Segment, start: usize) {
        for (index, target) in segment.targets.iter().enumerate() {
            let Some(target) = target else { continue };
            let weight = self.weight(target.part);
            let entries = match target.label {
                Label::Token(id) => vec![(id, weight)],
                Label::Number(unit, value) => self.soft_target(unit, value, weight),
                Label::Coordinate(coordinate) => self.coordinate_target(coordinate, weight),
                Label::Heading(degrees) => self.heading_target(degrees, weight),
            };
            rows.target_rows.push((start + index) as u32);
            rows.targets.push(TargetRow { entries });
            rows.labels.push(*target);
        }
    }

    /// Entries of the tokens near a number.
    fn soft_target(&self, unit: Unit, value: f64, weight: f32) -> Vec<(u32, f32)> {
        let Some((_, tokens)) = self.numbers.iter().find(|(of, _)| *of == unit) else { return Vec::new() };
        let soft = tokens.soft_target(value, self.loss.number_sigma);
        let pairs = tokens.ids.iter().zip(soft);
        pairs.filter(|(_, p)| *p > 1e-5).map(|(id, p)| (*id, p as f32 * weight)).collect()
    }

    /// Entries of the tokens near a coordinate: a Gaussian whose deviation grows with the distance from the camera, as
    /// what can be seen does.
    fn coordinate_target(&self, Coordinate { metres, range_m }: Coordinate, weight: f32) -> Vec<(u32, f32)> {
        let deviation = (self.loss.number_sigma * range_m).max(LEAST_DEVIATION_M);
        bell(self.coordinates, |value| (value - metres) / deviation, weight)
    }

    /// Entries of the tokens near a heading, around the circle.
    fn heading_target(&self, degrees: f64, weight: f32) -> Vec<(u32, f32)> {
        bell(self.headings, |value| off_deg(value, degrees) / HEADING_DEVIATION_DEG, weight)
    }

    fn weight(&self, part: Part) -> f32 {
        match part {
            Part::Place => self.loss.place,
            Part::Working => self.loss.working,
            Part::Words => self.loss.words,
            Part::Presence => self.loss.presence,
            Part::Value => self.loss.value,
            Part::Map => self.loss.map,
            Part::Answer => self.loss.answer,
            Part::Drill => self.loss.drill,
        }
    }
}

/// Entries of tokens by a normal density of how many deviations their values are `off`, which sum to `weight`.
fn bell(tokens: &[(u32, f64)], off: impl Fn(f64) -> f64, weight: f32) -> Vec<(u32, f32)> {
    let density = |value: f64| (-0.5 * off(value).powi(2)).exp();
    let total: f64 = tokens.iter().map(|(_, value)| density(*value)).sum();
    let entries = tokens.iter().map(|(id, value)| (*id, density(*value) / total));
    entries.filter(|(_, p)| *p > 1e-5).map(|(id, p)| (id, p as f32 * weight)).collect()
}

/// The rows of vision tokens that have names, and their names.
fn named(samples: &[ClipSample], vision_rows: &[u32]) -> (Vec<u32>, Vec<TargetRow>) {
    let mut targets: BTreeMap<usize, TargetRow> = BTreeMap::new();
    let mut first = 0;
    for sample in samples {
        for name in &sample.patches.names {
            targets.entry(first + name.place as usize).or_default().entries.push((name.token, name.share));
        }
        first += sample.patches.log_depth.len() / PATCHES_PER_TOKEN;
    }
    targets.into_iter().filter_map(|(place, target)| Some((*vision_rows.get(place)?, target))).unzip()
}

/// Samples in groups of at most [`TOKEN_BUDGET`] tokens, of like length; a longer one is a group of its own. Large
/// tensors would be handed back to the operating system and cleared anew at every step.
pub fn in_budget(mut samples: Vec<ClipSample>) -> Vec<Vec<ClipSample>> {
    samples.sort_by_key(row_length);
    let mut groups: Vec<Vec<ClipSample>> = Vec::new();
    for sample in samples {
        let length = row_length(&sample);
        match groups.last_mut() {
            Some(group) if (group.len() + 1) * length <= TOKEN_BUDGET => group.push(sample),
            _ => groups.push(vec![sample]),
        }
    }
    groups
}

/// Where to cut rows sorted by length in two blocks, so that they are padded least.
fn best_split(sorted: &[ClipSample]) -> usize {
    let longest = sorted.last().map_or(0, row_length);
    let padded = |cut: usize| {
        let short = if cut == 0 { 0 } else { cut * row_length(&sorted[cut - 1]) };
        short + (sorted.len() - cut) * longest
    };
    (0..sorted.len()).min_by_key(|&cut| padded(cut)).unwrap_or(0)
}

fn row_length(sample: &ClipSample) -> usize {
    sample.prefix.ids.len() + sample.segments.iter().map(|s| s.tokens.ids.len()).sum::<usize>()
}

fn push_tokens(rows: &mut Rows, tokens: &Tokens) {
    rows.ids.extend(&tokens.ids);
    for (axis, positions) in rows.positions.iter_mut().zip(&tokens.positions) {
        axis.extend(positions);
    }
}

/// Appends the [length, length] additive mask of one row. Padding sees itself only, so that no softmax is empty.
fn push_mask(mask: &mut Vec<f32>, sample: &ClipSample, length: usize) {
    let prefix = sample.prefix.ids.len();
    let first = mask.len();
    mask.resize(first + length * length, FORBIDDEN);
    let mut allow = |row: usize, columns: std::ops::RangeInclusive<usize>| {
        mask[first + row * length + columns.start()..=first + row * length + columns.end()].fill(0.0);
    };
    (0..prefix).for_each(|row| allow(row, 0..=row));
    let mut start = prefix;
    for segment in &sample.segments {
        let end = start + segment.tokens.ids.len();
        let seen = if segment.is_blind { sample.before_frames } else { prefix };
        for row in start..end {
            if seen > 0 {
                allow(row, 0..=seen - 1);
            }
            allow(row, start..=row);
        }
        start = end;
    }
    (start..length).for_each(|row| allow(row, row..=row));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(length: usize) -> Segment {
        let tokens = Tokens { ids: vec![7; length], positions: std::array::from_fn(|_| vec![0; length]) };
        Segment { tokens, targets: vec![None; length], ..Segment::default() }
    }

    #[test]
    fn long_rows_have_a_block_of_their_own() {
        let sample = |length| ClipSample { prefix: segment(length).tokens, ..ClipSample::default() };
        let rows = |lengths: &[usize]| best_split(&lengths.iter().map(|&n| sample(n)).collect::<Vec<_>>());
        assert_eq!(rows(&[10, 11, 12, 30, 31]), 3);
        assert_eq!(rows(&[10, 10, 10]), 0);
        assert_eq!(rows(&[]), 0);
    }

    #[test]
    fn questions_see_the_prefix_and_themselves_only() {
        let sample =
            ClipSample { prefix: segment(2).tokens, segments: vec![segment(2), segment(1)], ..ClipSample::default() };
        let mut mask = Vec::new();
        push_mask(&mut mask, &sample, 6);
        let seen: Vec<String> =
            mask.chunks(6).map(|row| row.iter().map(|v| if *v == 0.0 { 'x' } else { '.' }).collect()).collect();
        assert_eq!(seen, ["x.....", "xx....", "xxx...", "xxxx..", "xx..x.", ".....x"]);
    }

    #[test]
    fn drills_see_no_frames() {
        let drill = Segment { is_blind: true, ..segment(2) };
        let sample =
            ClipSample { prefix: segment(3).tokens, before_frames: 1, segments: vec![drill], ..ClipSample::default() };
        let mut mask = Vec::new();
        push_mask(&mut mask, &sample, 5);
        let seen: Vec<String> =
            mask.chunks(5).map(|row| row.iter().map(|v| if *v == 0.0 { 'x' } else { '.' }).collect()).collect();
        assert_eq!(seen, ["x....", "xx...", "xxx..", "x..x.", "x..xx"]);
    }
}
