//! What `image_grid_thw` says about every patch row: its rotary angles and whom it attends. Computed inside the graph in
//! the `ort` profile, given by the caller in the `trt` profile.
//!
//! Rows of one image come in the order (t, h / m, w / m, m, m), m the merge size, images one after another.

use crate::attention::FORBIDDEN;
use crate::external_data::Float;
use crate::graph::{GraphBuilder, Node};
use processor::config::VisionConfig;
use processor::rotary::inverse_frequencies;

/// Windows per frame pair are numbered `row * WINDOW_ROW + column`.
const WINDOW_ROW: i64 = 1 << 16;
/// Frame pairs are numbered from 0; a window's number is `pair * PAIR + window`.
const PAIR: i64 = 1 << 32;

/// Names of the values computed from the grid; n patches.
pub(crate) struct GridValues {
    pub rotary: Rotary,
    /// [1, 1, n, n]: 0 within a window, very negative elsewhere.
    pub window_bias: String,
    /// [1, 1, n, n]: 0 within a frame pair, very negative elsewhere.
    pub pair_bias: String,
}

/// Angles, in the form of the operator that turns by them; `cos` and `sin` are [n, head_dim / 2].
pub(crate) enum Rotary {
    /// For ONNX Runtime's RotaryEmbedding; `positions` is 0..n, [1, n] i64: the row that belongs to each patch.
    Contrib { positions: String, cos: String, sin: String },
    /// For rotate-half in standard operators.
    Spelt { cos: String, sin: String },
}

/// Reads what the caller gives: `cos`, `sin`, `window_ids`, `pair_ids`.
pub(crate) fn add_given(g: &mut GraphBuilder) -> GridValues {
    let compute = g.style().compute();
    let (cos, sin) = (g.cast("cos", Float::F32, compute), g.cast("sin", Float::F32, compute));
    let (window_bias, pair_bias) = (add_bias(g, "window_ids"), add_bias(g, "pair_ids"));
    GridValues { rotary: Rotary::Spelt { cos, sin }, window_bias, pair_bias }
}

/// Where each patch lies; every value is [n] i64.
struct Patches {
    /// Number of its frame pair among those of all images.
    pair: String,
    /// Row in the merged grid.
    merged_row: String,
    /// Column in the merged grid.
    merged_column: String,
    /// Row in the patch grid.
    row: String,
    /// Column in the patch grid.
    column: String,
}

/// Adds the nodes that read `pixel_values` (its length only) and `image_grid_thw`.
pub(crate) fn add_grid(g: &mut GraphBuilder, vision: &VisionConfig) -> GridValues {
    let index = add_index(g);
    let patches = add_patches(g, vision, &index);
    let (cos, sin) = add_rotary(g, vision, &patches);
    let side = g.int((vision.window_size / vision.spatial_merge_size / vision.patch_size) as i64);
    let (row_step, pair_step) = (g.int(WINDOW_ROW), g.int(PAIR));
    let window_row = g.op("Div", &[&patches.merged_row, &side]);
    let window_column = g.op("Div", &[&patches.merged_column, &side]);
    let row_number = g.op("Mul", &[&window_row, &row_step]);
    let pair_number = g.op("Mul", &[&patches.pair, &pair_step]);
    let window_in_pair = g.op("Add", &[&row_number, &window_column]);
    let window = g.op("Add", &[&pair_number, &window_in_pair]);
    let (window_bias, pair_bias) = (add_bias(g, &window), add_bias(g, &patches.pair));
    let zero = g.ints(&[1], &[0]);
    let positions = g.op("Unsqueeze", &[&index, &zero]);
    let compute = g.style().compute();
    let (cos, sin) = (g.cast(&cos, Float::F32, compute), g.cast(&sin, Float::F32, compute));
    GridValues { rotary: Rotary::Contrib { positions, cos, sin }, window_bias, pair_bias }
}

/// 0..n, [n].
fn add_index(g: &mut GraphBuilder) -> String {
    let shape = g.op("Shape", &["pixel_values"]);
    let (zero, one) = (g.int(0), g.int(1));
    let count = g.add(Node::new("Gather", &[&shape, &zero]).int("axis", 0));
    g.op("Range", &[&zero, &count, &one])
}

fn add_patches(g: &mut GraphBuilder, vision: &VisionConfig, index: &str) -> Patches {
    let [t, h, w] = [0, 1, 2].map(|column| {
        let column = g.int(column);
        g.add(Node::new("Gather", &["image_grid_thw", &column]).int("axis", 1))
    });
    let zero = g.int(0);
    let area = g.op("Mul", &[&h, &w]);
    let size = g.op("Mul", &[&t, &area]);
    let end = g.op("CumSum", &[&size, &zero]);
    let start = g.op("Sub", &[&end, &size]);
    let first_pair = g.add(Node::new("CumSum", &[&t, &zero]).int("exclusive", 1));
    let image = add_image_number(g, index, &end);
    let [start, first_pair, area, w] =
        [start, first_pair, area, w].map(|per_image| g.op("Gather", &[&per_image, &image]));
    let local = g.op("Sub", &[index, &start]);
    let pair_in_image = g.op("Div", &[&local, &area]);
    let pair = g.op("Add", &[&first_pair, &pair_in_image]);
    let in_pair = g.op("Mod", &[&local, &area]);

    let (merge, merge_area) = (
        g.int(vision.spatial_merge_size as i64),
        g.int((vision.spatial_merge_size * vision.spatial_merge_size) as i64),
    );
    let merged_width = g.op("Div", &[&w, &merge]);
    let cell = g.op("Div", &[&in_pair, &merge_area]);
    let in_cell = g.op("Mod", &[&in_pair, &merge_area]);
    let merged_row = g.op("Div", &[&cell, &merged_width]);
    let merged_column = g.op("Mod", &[&cell, &merged_width]);
    let row_in_cell = g.op("Div", &[&in_cell, &merge]);
    let column_in_cell = g.op("Mod", &[&in_cell, &merge]);
    let mut join = |coarse: &str, fine: &str| {
        let scaled = g.op("Mul", &[coarse, &merge]);
        g.op("Add", &[&scaled, fine])
    };
    let row = join(&merged_row, &row_in_cell);
    let column = join(&merged_column, &column_in_cell);
    Patches { pair, merged_row, merged_column, row, column }
}

/// Number of the image each patch belongs to: how many images end at or before it, [n].
fn add_image_number(g: &mut GraphBuilder, index: &str, end: &str) -> String {
    let (first_axis, last_axis) = (g.ints(&[1], &[0]), g.ints(&[1], &[1]));
    let patches = g.op("Unsqueeze", &[index, &last_axis]);
    let ends = g.op("Unsqueeze", &[end, &first_axis]);
    let past = g.op("GreaterOrEqual", &[&patches, &ends]);
    let past = g.add(Node::new("Cast", &[&past]).int("to", crate::proto::tensor_proto::DataType::Int64 as i64));
    g.add(Node::new("ReduceSum", &[&past, &last_axis]).int("keepdims", 0))
}

/// Cosine and sine of (row, column) angles, each [n, head_dim / 2]: the first half by row, the second by column.
fn add_rotary(g: &mut GraphBuilder, vision: &VisionConfig, patches: &Patches) -> (String, String) {
    let frequencies = inverse_frequencies(vision.rope_theta as f32, vision.head_dim() / 2);
    let frequencies = g.floats(&[1, frequencies.len() as i64], &frequencies);
    let last_axis = g.ints(&[1], &[1]);
    let [rows, columns] = [&patches.row, &patches.column].map(|coordinate| {
        let to = crate::proto::tensor_proto::DataType::Float as i64;
        let coordinate = g.add(Node::new("Cast", &[coordinate]).int("to", to));
        let coordinate = g.op("Unsqueeze", &[&coordinate, &last_axis]);
        g.op("Mul", &[&coordinate, &frequencies])
    });
    let angles = g.add(Node::new("Concat", &[&rows, &columns]).int("axis", 1));
    (g.op("Cos", &[&angles]), g.op("Sin", &[&angles]))
}

/// From a group number per patch [n], the bias [1, 1, n, n] that keeps attention within groups.
fn add_bias(g: &mut GraphBuilder, group: &str) -> String {
    let (first_axis, last_axis) = (g.ints(&[1], &[0]), g.ints(&[1], &[1]));
    let rows = g.op("Unsqueeze", &[group, &last_axis]);
    let columns = g.op("Unsqueeze", &[group, &first_axis]);
    let same = g.op("Equal", &[&rows, &columns]);
    let (allowed, forbidden) = (g.number(0.0), g.number(FORBIDDEN));
    let bias = g.op("Where", &[&same, &allowed, &forbidden]);
    let outer_axes = g.ints(&[2], &[0, 1]);
    g.op("Unsqueeze", &[&bias, &outer_axes])
}
