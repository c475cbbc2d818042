//! No gradient is cut, and the hand-written ones are right.

use std::path::PathBuf;
use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::VarBuilder;
use policy::ops::{self, AttentionShape, Mask, Rotary, Segment};
use policy::{Qwen25Vl, checkpoint, init};
use processor::config::ModelConfig;

/// Values in [-1, 1] from a fixed rule.
fn values(shape: &[usize], seed: f32) -> Result<Tensor> {
    let count: usize = shape.iter().product();
    let values = (0..count).map(|i| ((i as f32 + 1.3) * (12.9898 + seed)).sin()).collect::<Vec<_>>();
    Tensor::from_vec(values, shape, &Device::Cpu)
}

fn tiny_config() -> Result<ModelConfig> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/qwen2_5_vl_tiny/tiny-qwen2_5_vl");
    ModelConfig::from_dir(&root).map_err(candle_core::Error::wrap)
}

fn close(found: &Tensor, expected: &Tensor, what: &str) -> Result<()> {
    let difference = (found - expected)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    let scale = expected.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    assert!(difference <= 2e-5 * scale.max(0.1), "{what}: differs by {difference} of {scale}");
    Ok(())
}

type Function<'a> = &'a dyn Fn(&[Tensor]) -> Result<Tensor>;

/// Σ weights · f(vars), with fixed weights so that no gradient vanishes by symmetry.
fn objective(f: Function, vars: &[Var]) -> Result<Tensor> {
    let out = f(&vars.iter().map(|v| v.as_tensor().clone()).collect::<Vec<_>>())?;
    (values(out.dims(), 0.7)? * out)?.sum_all()
}

/// Compares the gradients of `f` with finite differences and, where given, with those of a composed equivalent.
fn check(name: &str, f: Function, composed: Option<Function>, vars: &[Var]) -> Result<()> {
    let grads = objective(f, vars)?.backward()?;
    if let Some(composed) = composed {
        let inputs = vars.iter().map(|v| v.as_tensor().clone()).collect::<Vec<_>>();
        close(&f(&inputs)?, &composed(&inputs)?, name)?;
        let expected = objective(composed, vars)?.backward()?;
        for var in vars {
            close(grads.get(var).expect("gradient"), expected.get(var).expect("gradient"), name)?;
        }
    }
    for (v, var) in vars.iter().enumerate() {
        let grad = grads.get(var).expect("gradient").flatten_all()?.to_vec1::<f32>()?;
        let start = var.as_tensor().copy()?;
        let flat = start.flatten_all()?.to_vec1::<f32>()?;
        for i in (0..flat.len()).step_by(flat.len().div_ceil(7)) {
            let at = |delta: f32| -> Result<f32> {
                let mut moved = flat.clone();
                moved[i] += delta;
                var.set(&Tensor::from_vec(moved, start.shape(), &Device::Cpu)?)?;
                objective(f, vars)?.to_scalar::<f32>()
            };
            let difference = (at(1e-2)? - at(-1e-2)?) / 2e-2;
            assert!(
                (difference - grad[i]).abs() < 1e-2 * (1.0 + grad[i].abs()),
                "{name} {v}[{i}]: {difference} {}",
                grad[i]
            );
        }
        var.set(&start)?;
    }
    Ok(())
}

#[test]
fn row_operations() -> Result<()> {
    let var = |shape: &[usize], seed| Var::from_tensor(&values(shape, seed)?);
    let vars = [var(&[5, 37], 0.1)?, var(&[37], 0.2)?];
    check(
        "rms_norm",
        &|v| ops::rms_norm(&v[0], &v[1], 1e-6),
        Some(&|v| ops::rms_norm_composed(&v[0], &v[1], 1e-6)),
        &vars,
    )?;
    let vars = [var(&[3, 42], 0.3)?];
    check("swiglu", &|v| ops::swiglu(&v[0]), Some(&|v| ops::swiglu_composed(&v[0])), &vars)?;
    let vars = [var(&[2, 3, 8], 0.4)?, var(&[5, 8], 0.5)?, var(&[5], 0.6)?];
    check("linear", &|v| ops::linear(&v[0], &v[1], Some(&v[2])), None, &vars)?;
    check("linear without bias", &|v| ops::linear(&v[0], &v[1], None), None, &vars[..2])?;
    let targets = [3u32, 0, 18, 7];
    let composed = |v: &[Tensor]| {
        let index = Tensor::from_slice(&targets, (4, 1), &Device::Cpu)?;
        candle_nn::ops::log_softmax(&v[0], 1)?.gather(&index, 1)?.squeeze(1)
    };
    let vars = [Var::from_tensor(&(values(&[4, 19], 0.8)? * 5.0)?)?];
    check("token_log_probs", &|v| ops::token_log_probs(&v[0], &targets), Some(&composed), &vars)
}

#[test]
fn attention() -> Result<()> {
    let segment = |start, count, len| Segment { start, count, len };
    let mask = (0..2 * 36).map(|i| if i % 5 == 1 { f32::NEG_INFINITY } else { (i as f32).cos() }).collect::<Vec<_>>();
    let cases = [
        (Mask::Full, vec![segment(0, 2, 5), segment(10, 1, 2)]),
        (Mask::Causal, vec![segment(0, 2, 6)]),
        (Mask::additive(mask[..36].to_vec(), 6), vec![segment(0, 2, 6)]),
        (Mask::additive(mask, 6), vec![segment(0, 2, 6)]),
    ];
    for (heads, kv_heads) in [(4, 2), (3, 3)] {
        let shape = AttentionShape { heads, kv_heads, head_dim: 6 };
        let angles = values(&[36], 0.9)?.to_vec1::<f32>()?;
        let rotary = Rotary::from_angles(&angles.iter().map(|a| a * 3.0).collect::<Vec<_>>(), 3);
        for (mask, segments) in &cases {
            let segments = Arc::new(segments.clone());
            let fused = |v: &[Tensor]| ops::attention(&v[0], shape, &rotary, &segments, mask);
            let composed = |v: &[Tensor]| ops::attention_composed(&v[0], shape, &rotary, &segments, mask);
            let vars = [Var::from_tensor(&values(&[12, shape.qkv_dim()], 0.15)?)?];
            check(&format!("attention {mask:?}"), &fused, Some(&composed), &vars)?;
        }
    }
    Ok(())
}

fn every_variable_gets_a_gradient(config: &ModelConfig) -> Result<()> {
    let vars = init::fresh(config, 7, &Device::Cpu)?;
    let model = Qwen25Vl::new(config, VarBuilder::from_varmap(&vars, candle_core::DType::F32, &Device::Cpu))?;
    let out = model.vision(&values(&[72, 1176], 0.1)?, &[[2, 6, 6]])?;
    let image = config.tokens.image;
    let ids: Vec<u32> = (0..30).map(|i| if (4..22).contains(&i) { image } else { 17 * (i + 1) % 300 }).collect();
    let positions: Vec<i64> = (0..3).flat_map(|axis| (0..30).map(move |i| i / (axis + 1))).collect();
    let position_ids = Tensor::from_vec(positions, (3, 1, 30), &Device::Cpu)?;
    let hidden = model.decode(&model.embed(&[ids], Some(&out.image_embeds))?, &position_ids, None)?;
    let logits = model.logits(&hidden.narrow(1, 21, 9)?.squeeze(0)?)?;
    let grads = ops::token_log_probs(&logits, &[1, 2, 3, 4, 5, 6, 7, 8, 9])?.mean_all()?.neg()?.backward()?;
    for (name, var) in checkpoint::named_vars(&vars) {
        let grad = grads.get(&var).unwrap_or_else(|| panic!("{name}: no gradient"));
        let size = grad.sqr()?.sum_all()?.to_scalar::<f32>()?.sqrt();
        // A key's bias only shifts the scores of a query, up to its rotation: small, never exactly zero.
        assert!(size > 1e-9 && size.is_finite(), "{name}: gradient of size {size}");
    }
    Ok(())
}

#[test]
fn every_variable_of_the_network_gets_a_gradient() -> Result<()> {
    let mut config = tiny_config()?;
    every_variable_gets_a_gradient(&config)?;
    config.tie_word_embeddings = true;
    every_variable_gets_a_gradient(&config)
}

#[test]
fn saved_weights_come_back() -> Result<()> {
    let config = tiny_config()?;
    let vars = init::fresh(&config, 3, &Device::Cpu)?;
    let path = std::env::temp_dir().join(format!("policy-{}.safetensors", std::process::id()));
    checkpoint::save_safetensors(&checkpoint::named_vars(&vars), &path)?;
    let back = checkpoint::load_varmap(&path, DType::F32, &Device::Cpu)?;
    std::fs::remove_file(&path)?;
    init::check(&config, &back)?;
    let (a, b) = (checkpoint::named_vars(&vars), checkpoint::named_vars(&back));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, var) in &a {
        close(var, &b[name], name)?;
    }
    assert_eq!(checkpoint::hub_name("model.language_model.norm.weight"), "model.norm.weight");
    assert_eq!(checkpoint::hub_name("model.visual.merger.ln_q.weight"), "visual.merger.ln_q.weight");
    Ok(())
}
