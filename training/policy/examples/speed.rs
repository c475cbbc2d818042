//! Tokens per second of forward, backward and AdamW on a 3–5M network, as `sft` runs it.
//!
//! `RAYON_NUM_THREADS=1 cargo run -p policy --example speed -- [threads]`

use std::time::{Duration, Instant};

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, VarBuilder};
use policy::{Qwen25Vl, checkpoint, init, ops};
use processor::config::ModelConfig;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONFIG: &str = r#"{"model_type": "qwen2_5_vl", "vocab_size": 2048, "hidden_size": 192, "intermediate_size": 512,
 "num_hidden_layers": 6, "num_attention_heads": 6, "num_key_value_heads": 2, "max_position_embeddings": 1024,
 "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "rope_scaling": {"type": "mrope", "mrope_section": [4, 6, 6]},
 "tie_word_embeddings": true, "image_token_id": 1, "video_token_id": 2, "vision_start_token_id": 3,
 "vision_end_token_id": 4, "eos_token_id": 5, "bos_token_id": 6, "hidden_act": "silu",
 "vision_config": {"depth": 4, "hidden_size": 128, "intermediate_size": 256, "num_heads": 4, "patch_size": 14,
 "in_chans": 3, "spatial_merge_size": 2, "temporal_patch_size": 2, "tokens_per_second": 2, "window_size": 112,
 "out_hidden_size": 192, "fullatt_block_indexes": [1, 3], "hidden_act": "silu"}}"#;

/// Clips of two frame pairs at 112², and one text of this length each.
const CLIPS: usize = 8;
const TEXT: usize = 96;

struct Times {
    vision: Duration,
    text: Duration,
    backward: Duration,
}

fn half_batch(model: &Qwen25Vl) -> Result<(candle_core::backprop::GradStore, Times)> {
    let started = Instant::now();
    let pixels = Tensor::rand(-1f32, 1f32, (CLIPS * 128, 1176), &Device::Cpu)?;
    let vision = model.vision(&pixels, &[[2, 8, 8]; CLIPS])?;
    let seen = Instant::now();
    let len = 32 + TEXT;
    let row: Vec<u32> = (0..len as u32).map(|i| if i < 32 { 2 } else { 10 + i * 37 % 2000 }).collect();
    let positions: Vec<i64> = (0..3 * CLIPS * len).map(|i| (i % len) as i64).collect();
    let position_ids = Tensor::from_vec(positions, (3, CLIPS, len), &Device::Cpu)?;
    let embeds = model.embed(&vec![row.clone(); CLIPS], Some(&vision.image_embeds))?;
    let hidden = model.decode(&embeds, &position_ids, None)?.narrow(1, 32, TEXT)?;
    let logits = model.logits(&hidden.reshape((CLIPS * TEXT, ()))?)?;
    let loss = ops::token_log_probs(&logits, &row[32..].repeat(CLIPS))?.mean_all()?.neg()?;
    let read = Instant::now();
    let grads = loss.backward()?;
    Ok((grads, Times { vision: seen - started, text: read - seen, backward: read.elapsed() }))
}

fn main() -> Result<()> {
    let threads: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1);
    let config = ModelConfig::from_json(CONFIG).map_err(candle_core::Error::wrap)?;
    let vars = init::fresh(&config, 1, &Device::Cpu)?;
    let model = Qwen25Vl::new(&config, VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu))?;
    let named = checkpoint::named_vars(&vars);
    let size: usize = named.values().map(|var| var.elem_count()).sum();
    let mut optimizer = AdamW::new(named.values().cloned().collect(), ParamsAdamW::default())?;
    println!(
        "{:.2}M weights, {threads} threads of {CLIPS} clips of 2 frame pairs at 112² and {TEXT} tokens",
        size as f64 / 1e6
    );
    for _ in 0..12 {
        let started = Instant::now();
        let halves = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| half_batch(&model))).collect();
            workers
                .into_iter()
                .map(|worker| worker.join().expect("a worker does not panic"))
                .collect::<Result<Vec<_>>>()
        })?;
        let mut halves = halves.into_iter();
        let Some((mut grads, times)) = halves.next() else { return Ok(()) };
        for (other, _) in halves {
            for var in named.values() {
                if let (Some(a), Some(b)) = (grads.get(var), other.get(var)) {
                    let sum = (a + b)?;
                    grads.insert(var, sum);
                }
            }
        }
        let computed = Instant::now();
        optimizer.step(&grads)?;
        let (step, all) = (computed.elapsed(), started.elapsed());
        let samples = (CLIPS * threads) as f64 / all.as_secs_f64();
        println!(
            "{samples:.1} samples/s, {:.0} decoder tokens/s, {:.0} frame pairs/s (vision {:.0?}, text {:.0?}, backward {:.0?}, AdamW {step:.0?})",
            samples * (TEXT + 32) as f64,
            samples * 2.0,
            times.vision,
            times.text,
            times.backward,
        );
    }
    Ok(())
}
