//! What `tests/python/test_genai.py` compares: `genai_reference OUT` exports spacer-nano and the golden checkpoint in every
//! profile and precision to `OUT/<model>/<profile>-<precision>`, and writes our own engine's inputs, logits and greedy
//! tokens of a text and of an image prompt of spacer-nano to `OUT/nano/reference.json`. The picture's size is a multiple
//! of 28 and within the pixel bounds, so that no two resize filters are compared.

use std::path::Path;

use onnx_export::{ExportOptions, ExportRequest, Precision, Profile, export_with};
use processor::{Content, Message, ModelInputs, Processor, RgbView};
use serde_json::{Value, json};
use vlm::{Engine, EngineSettings, GenerateSettings, Sampling};

/// Width and height of the picture in pixels.
const PICTURE: [usize; 2] = [140, 112];
/// Greedy tokens of each case.
const TOKENS: usize = 24;
const PRECISIONS: [(&str, Precision); 5] = [
    ("f32", Precision::F32),
    ("f16", Precision::F16),
    ("int8", Precision::Int8),
    ("int4", Precision::Int4 { symmetric: true }),
    ("int4_asymmetric", Precision::Int4 { symmetric: false }),
];

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let out = std::env::args_os().nth(1).ok_or("usage: genai_reference OUT_DIR")?;
    let (out, root) = (Path::new(&out), Path::new(env!("CARGO_MANIFEST_DIR")));
    let nano = root.join("../models/zoo/spacer-nano");
    export_all(&root.join("golden/qwen2_5_vl_tiny/tiny-qwen2_5_vl"), &out.join("golden"))?;
    export_all(&nano, &out.join("nano"))?;
    let processor = Processor::from_dir(&nano)?;
    let settings = EngineSettings { threads: 1, tokenizer_dir: Some(nano), ..Default::default() };
    let engine = Engine::load(&out.join("nano/ort-f32"), processor.config(), &settings)?;

    let picture = picture();
    std::fs::write(out.join("nano/picture.rgb"), &picture)?;
    let image = processor.image(&RgbView::new(PICTURE[0], PICTURE[1], &picture)?)?;
    let pixels: Vec<u8> = image.pixel_values.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(out.join("nano/pixels.f32"), pixels)?;
    let grid = image.grid_thw;
    let text = Content::Text("how far is the chair?".into());
    let cases = [
        case(&engine, &processor, ("text", vec![text.clone()]), Vec::new())?,
        case(&engine, &processor, ("image", vec![Content::Image, text]), vec![image])?,
    ];
    let reference = json!({ "picture": PICTURE, "grid_thw": grid, "cases": cases });
    std::fs::write(out.join("nano/reference.json"), reference.to_string())?;
    Ok(())
}

/// Every profile and precision that there is.
fn export_all(checkpoint: &Path, out: &Path) -> Result<()> {
    for (profile_name, profile) in [("ort", Profile::Ort), ("trt", Profile::Trt)] {
        for (precision_name, precision) in PRECISIONS {
            if profile == Profile::Trt && precision == (Precision::Int4 { symmetric: false }) {
                continue;
            }
            let out_dir = out.join(format!("{profile_name}-{precision_name}"));
            let request = ExportRequest { checkpoint_dir: checkpoint.into(), out_dir, precision };
            export_with(&request, &ExportOptions { profile, ..Default::default() })?;
        }
    }
    Ok(())
}

/// A gradient with two boxes, three bytes a pixel.
fn picture() -> Vec<u8> {
    let [width, height] = PICTURE;
    let pixel = |x: usize, y: usize| match (x, y) {
        (20..60, 50..100) => [150, 40, 30],
        (80..120, 30..90) => [30, 60, 140],
        _ => [(x + 60) as u8, (y + 80) as u8, 120],
    };
    (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect()
}

/// Inputs, last logits and greedy tokens of one prompt.
fn case(
    engine: &Engine,
    processor: &Processor,
    (name, content): (&str, Vec<Content>),
    images: Vec<processor::VisionInput>,
) -> Result<Value> {
    let messages = [Message::new("user", content)];
    let prompt = processor.render(&messages, true)?;
    let inputs: ModelInputs = processor.prepare(&messages, images, Vec::new())?;
    let embeds = engine.encode_all(&inputs)?;
    let logits = engine.prompt_logits(&inputs, &embeds, 1)?;
    let settings = GenerateSettings { max_new_tokens: TOKENS, sampling: Sampling::Greedy, ..Default::default() };
    let tokens = engine.generate(&inputs, &embeds, &settings, &mut |_| {})?.token_ids;
    Ok(json!({
        "name": name, "prompt": prompt, "input_ids": inputs.input_ids, "position_ids": inputs.position_ids,
        "rope_delta": inputs.rope_delta, "logits": logits.data, "tokens": tokens,
    }))
}
