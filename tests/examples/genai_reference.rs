//! What `tests/python/test_genai.py` compares: `genai_reference OUT` exports spacer-nano and the golden checkpoint in every
//! profile and precision to `OUT/<model>/<profile>-<precision>`, and writes our own engine's inputs, logits and greedy
//! tokens of a text and of an image prompt of spacer-nano to `OUT/nano/reference.json`. The picture's size is a multiple
//! of 28 and within the pixel bounds, so that no two resize filters are compared.

use std::path::Path;

use onnx_export::{ExportOptions, ExportRequest, Precision, Profile, export_with};
use processor::config::{ModelConfig, TextConfig};
use processor::{Content, Message, ModelInputs, Processor, RgbView};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
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
    export_adapted(&nano, &out.join("nano"))?;
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

/// The checkpoint with an adapter, merged to `out/adapter-merged` and kept apart to `out/adapter-kept`.
fn export_adapted(checkpoint: &Path, out: &Path) -> Result<()> {
    let adapter = tempfile::tempdir()?;
    write_adapter(&ModelConfig::from_dir(checkpoint)?.text, adapter.path())?;
    for (name, keep_adapter) in [("adapter-merged", false), ("adapter-kept", true)] {
        let request =
            ExportRequest { checkpoint_dir: checkpoint.into(), out_dir: out.join(name), precision: Precision::F32 };
        let adapter_dir = Some(adapter.path().to_owned());
        export_with(&request, &ExportOptions { adapter_dir, keep_adapter, ..Default::default() })?;
    }
    Ok(())
}

/// A LoRA of rank 4 in PEFT's format on two projections of every layer.
fn write_adapter(text: &TextConfig, dir: &Path) -> Result<()> {
    let config = json!({ "peft_type": "LORA", "r": 4, "lora_alpha": 8, "bias": "none" });
    std::fs::write(dir.join("adapter_config.json"), config.to_string())?;
    let wave =
        |count: usize, step: f32| (0..count).flat_map(|i| ((i as f32 * step).sin() * 0.1).to_le_bytes()).collect();
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for layer in 0..text.num_hidden_layers {
        let query = text.num_attention_heads * text.head_dim;
        for (module, out, input) in
            [("self_attn.q_proj", query, text.hidden_size), ("mlp.down_proj", text.hidden_size, text.intermediate_size)]
        {
            let prefix = format!("base_model.model.model.layers.{layer}.{module}");
            tensors.push((format!("{prefix}.lora_A.weight"), vec![4, input], wave(4 * input, 0.37)));
            tensors.push((format!("{prefix}.lora_B.weight"), vec![out, 4], wave(4 * out, 0.71)));
        }
    }
    let views = tensors.iter().map(|(name, shape, data)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), data)?)));
    let views = views.collect::<Result<Vec<_>>>()?;
    std::fs::write(dir.join("adapter_model.safetensors"), safetensors::serialize(views, None)?)?;
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
