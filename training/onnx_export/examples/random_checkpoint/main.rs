//! Writes a checkpoint of random weights in the shape of a Qwen2.5-VL model, where the real one can't be had:
//! `cargo run -p onnx_export --example random_checkpoint -- SHAPE OUT [LAYOUT [SHARD_BYTES]]`
//! with SHAPE one of nano, 0.5b, 3b, 7b and LAYOUT one of hub (default: flat config, `model.layers.*`), nested
//! (transformers 5: `text_config`, `model.language_model.layers.*`). Weights are bf16, in shards with an index, and the
//! same at every run. It streams: memory stays at a few megabytes.

mod shapes;
mod tensors;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Map, Value, json};
use shapes::{Layout, Shape};
use tensors::{Pool, Tensor};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Largest shard unless asked otherwise, as on the hub.
const SHARD_BYTES: u64 = 4 << 30;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [shape, out, rest @ ..] = args.as_slice() else {
        return Err("usage: random_checkpoint nano|0.5b|3b|7b OUT_DIR [hub|nested [SHARD_BYTES]]".into());
    };
    let shape = Shape::named(shape).ok_or_else(|| format!("expected nano, 0.5b, 3b or 7b, found {shape}"))?;
    let layout = match rest.first().map_or("hub", String::as_str) {
        "hub" => Layout::Hub,
        "nested" => Layout::Nested,
        other => return Err(format!("expected hub or nested, found {other}").into()),
    };
    let shard_bytes = rest.get(1).map_or(Ok(SHARD_BYTES), |text| text.parse())?;
    let out = Path::new(out);
    std::fs::create_dir_all(out)?;
    std::fs::write(out.join("config.json"), format!("{:#}\n", shape.config(layout)))?;
    let generation = json!({ "eos_token_id": shape.tokens().eos, "pad_token_id": shape.tokens().pad });
    std::fs::write(out.join("generation_config.json"), format!("{generation:#}\n"))?;
    let shards = split(tensors::list(&shape, layout), shard_bytes);
    let (mut map, mut total, mut pool) = (Map::new(), 0, Pool::new());
    for (index, shard) in shards.iter().enumerate() {
        let name = format!("model-{:05}-of-{:05}.safetensors", index + 1, shards.len());
        total += write_shard(&out.join(&name), shard, &mut pool)?;
        map.extend(shard.iter().map(|tensor| (tensor.name.clone(), Value::from(name.as_str()))));
    }
    let index = json!({ "metadata": { "total_size": total }, "weight_map": map });
    std::fs::write(out.join("model.safetensors.index.json"), format!("{index:#}\n"))?;
    println!("{total} bytes in {} shards, {} tensors", shards.len(), map_len(&index));
    Ok(())
}

fn map_len(index: &Value) -> usize {
    index["weight_map"].as_object().map_or(0, Map::len)
}

/// Consecutive tensors, as many to a shard as fit.
fn split(tensors: Vec<Tensor>, shard_bytes: u64) -> Vec<Vec<Tensor>> {
    let (mut shards, mut filled) = (vec![Vec::new()], 0);
    for tensor in tensors {
        if filled > 0 && filled + tensor.bytes() > shard_bytes {
            shards.push(Vec::new());
            filled = 0;
        }
        filled += tensor.bytes();
        if let Some(shard) = shards.last_mut() {
            shard.push(tensor);
        }
    }
    shards
}

/// Writes one safetensors file: header length, header, data; returns the data's bytes.
fn write_shard(path: &Path, tensors: &[Tensor], pool: &mut Pool) -> Result<u64> {
    let (mut header, mut offset) = (Map::new(), 0);
    header.insert("__metadata__".into(), json!({ "format": "pt" }));
    for tensor in tensors {
        let end = offset + tensor.bytes();
        let entry = json!({ "dtype": "BF16", "shape": tensor.shape, "data_offsets": [offset, end] });
        header.insert(tensor.name.clone(), entry);
        offset = end;
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    for tensor in tensors {
        pool.write(tensor, &mut file)?;
    }
    file.flush()?;
    Ok(offset)
}
