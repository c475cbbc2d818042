//! Every case of the golden data (`tests/golden`, made by transformers): ids, grids, positions and windows equal,
//! pixel values within 0.05 from raw frames.

use processor::*;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::path::PathBuf;

/// Normalised values; one 8-bit level is about 0.015.
const PIXEL_TOLERANCE: f32 = 0.05;
const CASES: [&str; 6] = ["image", "text", "video8", "video5odd", "video_sampled", "mixed"];

struct Golden {
    bytes: Vec<u8>,
    meta: serde_json::Value,
    processor: Processor,
}

impl Golden {
    fn load() -> Self {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/qwen2_5_vl_tiny");
        Self {
            bytes: std::fs::read(dir.join("oracle.safetensors")).expect("golden data"),
            meta: serde_json::from_slice(&std::fs::read(dir.join("meta.json")).expect("golden data"))
                .expect("golden data"),
            processor: Processor::from_dir(&dir.join("tiny-qwen2_5_vl")).expect("golden data"),
        }
    }

    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes).expect("golden data")
    }
}

fn integers(tensor: &TensorView) -> Vec<i64> {
    match tensor.dtype() {
        Dtype::I64 => tensor.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect(),
        Dtype::I32 => tensor.data().as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b).into()).collect(),
        other => panic!("{other:?}"),
    }
}

fn floats(tensor: &TensorView) -> Vec<f32> {
    assert_eq!(tensor.dtype(), Dtype::F32);
    tensor.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn frames<'a>(tensor: &TensorView<'a>) -> Vec<RgbView<'a>> {
    let [.., height, width, 3] = *tensor.shape() else { panic!("{:?}", tensor.shape()) };
    tensor
        .data()
        .chunks_exact(height * width * 3)
        .map(|data| RgbView::new(width, height, data).expect("golden data"))
        .collect()
}

fn max_deviation(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn text(words: &str) -> Content {
    Content::Text(words.to_owned())
}

fn messages(case: &str) -> Vec<Message> {
    let content = match case {
        "image" => vec![Content::Image, text("How many chairs are in the room?")],
        "text" => vec![text("turn left")],
        "video8" | "video5odd" => vec![Content::Video, text("turn right or left?")],
        "video_sampled" => vec![Content::Video, text("move forward?")],
        _ => vec![Content::Image, text("Picture."), Content::Video, text("stop?")],
    };
    vec![Message::new("user", content)]
}

/// The frames the model sees and their rate: all of them, but for the sampled case.
fn sampled<'a>(case: &str, all: Vec<RgbView<'a>>) -> (Vec<RgbView<'a>>, f64) {
    match case {
        "video5odd" => (all, 4.0),
        "video_sampled" => {
            let chosen = sample_frames(all.len(), 10.0, &SamplingRule::default()).expect("golden data");
            (chosen.indices.iter().map(|&i| all[i]).collect(), chosen.sampled_fps)
        }
        _ => (all, 1.0),
    }
}

fn vision(golden: &Golden, case: &str) -> (Vec<VisionInput>, Vec<VisionInput>) {
    let tensors = golden.tensors();
    let raw = |kind: &str| tensors.tensor(&format!("{case}.{kind}0_u8")).ok();
    let image = raw("image").map(|t| golden.processor.image(&frames(&t)[0]).expect("golden data"));
    let video = raw("video").map(|t| {
        let (frames, fps) = sampled(case, frames(&t));
        golden.processor.video(&frames, fps).expect("golden data")
    });
    (image.into_iter().collect(), video.into_iter().collect())
}

#[test]
fn smart_resize_equals_the_table() {
    let golden = Golden::load();
    let limits = [
        ("image_hub(3136,12845056)", 3136, 12_845_056),
        ("video(100352,602112)", 128 * 784, 768 * 784),
        ("spacer(16*784,128*784)", 16 * 784, 128 * 784),
    ];
    let table = golden.meta["smart_resize"].as_object().unwrap();
    assert_eq!(table.len(), 8);
    for (size, expected) in table {
        let (height, width) = size.split_once('x').unwrap();
        for (key, min, max) in limits {
            let found = smart_resize(height.parse().unwrap(), width.parse().unwrap(), 28, min, max).unwrap();
            assert_eq!(serde_json::json!([found.0, found.1]), expected[key], "{size} {key}");
        }
    }
}

#[test]
fn pixel_values_from_raw_frames_are_within_tolerance() {
    let golden = Golden::load();
    let tensors = golden.tensors();
    let mut compared = 0;
    for case in CASES {
        let (images, videos) = vision(&golden, case);
        for (inputs, values, grid) in
            [(&images, "pixel_values", "image_grid_thw"), (&videos, "pixel_values_videos", "video_grid_thw")]
        {
            let Ok(theirs) = tensors.tensor(&format!("{case}.{values}")) else {
                assert!(inputs.is_empty());
                continue;
            };
            let grid = integers(&tensors.tensor(&format!("{case}.{grid}")).unwrap());
            assert_eq!(inputs[0].grid_thw.map(|n| n as i64).as_slice(), grid, "{case}");
            let deviation = max_deviation(&inputs[0].pixel_values, &floats(&theirs));
            println!("{case} {values}: max deviation {deviation:.6}");
            assert!(deviation <= PIXEL_TOLERANCE, "{case} {values}: {deviation}");
            compared += 1;
        }
    }
    assert_eq!(compared, 6);
    let theirs = floats(&tensors.tensor("image.pixel_values_pil").unwrap());
    let deviation = max_deviation(&vision(&golden, "image").0[0].pixel_values, &theirs);
    println!("image against Pillow: max deviation {deviation:.6}");
    assert!(deviation <= PIXEL_TOLERANCE);
}

/// Frames that already have their size pass through no resampling: order and normalisation alone, to rounding.
#[test]
fn patches_of_unresized_frames_are_exact() {
    let golden = Golden::load();
    let tensors = golden.tensors();
    for (case, raw, values) in [
        ("video5odd", "video0_u8", "pixel_values_videos"),
        ("video_sampled", "video0_u8", "pixel_values_videos"),
        ("mixed", "image0_u8", "pixel_values"),
        ("mixed", "video0_u8", "pixel_values_videos"),
    ] {
        let raw = tensors.tensor(&format!("{case}.{raw}")).unwrap();
        let (frames, _) = sampled(case, frames(&raw));
        let (ours, _) = pixel_values(&frames, golden.processor.preprocessor()).unwrap();
        let theirs = floats(&tensors.tensor(&format!("{case}.{values}")).unwrap());
        let deviation = max_deviation(&ours, &theirs);
        println!("{case} {values}: max deviation {deviation:e}");
        assert!(deviation < 2e-6, "{case} {values}: {deviation}");
    }
}

#[test]
fn text_ids_and_positions_are_equal() {
    let golden = Golden::load();
    let tensors = golden.tensors();
    for case in CASES {
        let expected = |name: &str| integers(&tensors.tensor(&format!("{case}.{name}")).unwrap());
        let messages = messages(case);
        let rendered = golden.processor.render(&messages, true).unwrap();
        assert_eq!(rendered, golden.meta["cases"][case]["text"].as_str().unwrap());

        let (images, videos) = vision(&golden, case);
        let inputs = golden.processor.prepare(&messages, images, videos).unwrap();
        let ids: Vec<i64> = inputs.input_ids.iter().map(|&id| id.into()).collect();
        assert_eq!(ids, expected("input_ids"), "{case}");
        assert_eq!(inputs.position_ids.concat(), expected("position_ids_legacy"), "{case}");
        assert_eq!(vec![inputs.rope_delta], expected("rope_delta_legacy"), "{case}");
        if let Some(video) = inputs.videos.first() {
            let seconds = floats(&tensors.tensor(&format!("{case}.second_per_grid_ts")).unwrap());
            assert_eq!(vec![video.second_per_grid.unwrap()], seconds, "{case}");
        }
    }
}

#[test]
fn windows_are_equal() {
    let golden = Golden::load();
    let tensors = golden.tensors();
    let mut compared = 0;
    for case in CASES {
        for kind in ["image", "video"] {
            let Ok(grid) = tensors.tensor(&format!("{case}.{kind}_grid_thw")) else { continue };
            let grid: Vec<usize> = integers(&grid).iter().map(|&n| n as usize).collect();
            let windows = window_index(&[[grid[0], grid[1], grid[2]]], &golden.processor.config().vision).unwrap();
            let expected = |name: &str| -> Vec<u32> {
                let tensor = tensors.tensor(&format!("{case}.{kind}_{name}")).unwrap();
                integers(&tensor).iter().map(|&n| n as u32).collect()
            };
            assert_eq!(windows.index, expected("window_index"), "{case} {kind}");
            assert_eq!(windows.cu_window_seqlens, expected("cu_window_seqlens"), "{case} {kind}");
            let back = windows.reverse();
            assert!(windows.index.iter().enumerate().all(|(place, &block)| back[block as usize] as usize == place));
            compared += 1;
        }
    }
    assert_eq!(compared, 6);
}

#[test]
fn greedy_completions_stream_as_they_decode() {
    let golden = Golden::load();
    let tensors = golden.tensors();
    for case in CASES {
        let ids = integers(&tensors.tensor(&format!("{case}.greedy_legacy")).unwrap());
        let ids: Vec<u32> = ids.iter().map(|&id| id as u32).collect();
        let mut stream = golden.processor.tokenizer().stream();
        let mut text: String = ids.iter().map(|&id| stream.push(id).unwrap()).collect();
        text += &stream.finish().unwrap();
        assert_eq!(text, golden.processor.decode(&ids).unwrap(), "{case}");
    }
}
