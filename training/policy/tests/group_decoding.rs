//! A group decoded over a shared prompt computes what whole passes do; so do checkpointed gradients and adapters.

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use policy::{Adapter, LoraSettings, Qwen25Vl, checkpoint, init, ops};
use processor::config::ModelConfig;

const CPU: Device = Device::Cpu;
const IDS: [u32; 9] = [5, 17, 3, 250, 8, 8, 91, 2, 40];

fn tiny_config() -> Result<ModelConfig> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/qwen2_5_vl_tiny/tiny-qwen2_5_vl");
    ModelConfig::from_dir(&root).map_err(candle_core::Error::wrap)
}

fn model(config: &ModelConfig, vars: &VarMap, adapter: Option<&Adapter>) -> Result<Qwen25Vl> {
    Qwen25Vl::with_adapter(config, VarBuilder::from_varmap(vars, DType::F32, &CPU), adapter)
}

fn positions(len: usize) -> Result<Tensor> {
    let axis: Vec<i64> = (0..len as i64).collect();
    Tensor::from_vec([axis.clone(), axis.clone(), axis].concat(), (3, 1, len), &CPU)
}

fn difference(a: &Tensor, b: &Tensor) -> Result<f32> {
    (a - b)?.abs()?.flatten_all()?.max(0)?.to_scalar()
}

/// Hidden states of a whole pass, [tokens, h].
fn whole(model: &Qwen25Vl, ids: &[u32]) -> Result<Tensor> {
    model.decode(&model.embed(&[ids.to_vec()], None)?, &positions(ids.len())?, None)?.squeeze(0)
}

#[test]
fn a_group_equals_whole_passes() -> Result<()> {
    let config = tiny_config()?;
    let vars = init::fresh(&config, 3, &CPU)?;
    let weights: HashMap<String, Tensor> =
        checkpoint::named_vars(&vars).into_iter().map(|(name, var)| (name, var.as_detached_tensor())).collect();
    let model = Qwen25Vl::new(&config, VarBuilder::from_tensors(weights, DType::F32, &CPU))?;
    let prompt = model.embed(&[IDS.to_vec()], None)?;
    let (last, mut cache) = model.decoder().prefill(&prompt, &positions(IDS.len())?)?;
    assert!(difference(&last, &whole(&model, &IDS)?.narrow(0, IDS.len() - 1, 1)?)? < 1e-5);
    // Three completions; after two tokens the second one drops out.
    let completions = [[7u32, 1, 60, 4], [9, 9, 0, 0], [100, 2, 33, 12]];
    let mut alive = vec![0, 1, 2];
    for step in 0..4 {
        if step == 2 {
            cache.keep(&[0, 2])?;
            alive = vec![0, 2];
        }
        let ids: Vec<u32> = alive.iter().map(|&c: &usize| completions[c][step]).collect();
        let embeds = model.embed_tokens(&Tensor::new(ids, &CPU)?)?;
        let hidden = model.decoder().extend(&embeds, &mut cache)?;
        for (row, &c) in alive.iter().enumerate() {
            let ids = [&IDS[..], &completions[c][..=step]].concat();
            let expected = whole(&model, &ids)?.narrow(0, ids.len() - 1, 1)?;
            let found = difference(&hidden.narrow(0, row, 1)?, &expected)?;
            assert!(found < 1e-5, "completion {c}, token {step}: {found}");
        }
    }
    // No graph is kept: the weights are detached.
    assert!(!last.track_op());
    // An update of the variables is seen by the detached network.
    let before = whole(&model, &IDS)?;
    let norm = &checkpoint::named_vars(&vars)["model.norm.weight"];
    norm.set(&(norm.as_tensor() * 2.0)?)?;
    assert!(difference(&whole(&model, &IDS)?, &(before * 2.0)?)? < 1e-5);
    Ok(())
}

#[test]
fn checkpointed_gradients_equal_plain_ones() -> Result<()> {
    let config = tiny_config()?;
    let vars = init::fresh(&config, 3, &CPU)?;
    let model = model(&config, &vars, None)?;
    let loss = |hidden: &Tensor| ops::token_log_probs(&model.logits(&hidden.squeeze(0)?)?, &IDS)?.mean_all();
    let embeds = Var::from_tensor(&model.embed(&[IDS.to_vec()], None)?.detach())?;
    let plain = loss(&model.decode(&embeds, &positions(IDS.len())?, None)?)?.backward()?;

    let (hidden, tape) = model.decoder().forward_checkpointed(&embeds, &positions(IDS.len())?, None)?;
    assert!(!hidden.track_op());
    let leaf = Var::from_tensor(&hidden)?;
    let head = loss(&leaf)?.backward()?;
    let mut found: HashMap<String, Tensor> = HashMap::new();
    let named = checkpoint::named_vars(&vars);
    let gradient = head.get(&leaf).expect("gradient");
    let at_embeds = model.decoder().backward_checkpointed(tape, gradient, |store| {
        for (name, var) in &named {
            found.extend(store.get(var).map(|gradient| (name.clone(), gradient.clone())));
        }
        Ok(())
    })?;
    assert!(difference(&at_embeds, plain.get(&embeds).expect("gradient"))? < 1e-6);
    let layers: Vec<&String> = named.keys().filter(|name| name.starts_with("model.layers")).collect();
    assert!(layers.len() > 20);
    for name in layers {
        assert!(difference(&found[name], plain.get(&named[name]).expect("gradient"))? < 1e-6, "{name}");
    }
    Ok(())
}

#[test]
fn an_adapter_starts_as_nothing_trains_alone_and_comes_back() -> Result<()> {
    let config = tiny_config()?;
    let vars = init::fresh(&config, 3, &CPU)?;
    let settings = LoraSettings { rank: 4, alpha: 8.0, targets: vec!["q_proj".into(), "mlp.down_proj".into()] };
    let adapter = Adapter::fresh(&config, settings, 1, &CPU)?;
    // Vision blocks have an mlp.down_proj too, and no q_proj.
    let layers = 2 * config.text.num_hidden_layers + config.vision.depth;
    assert_eq!(adapter.named_vars().len(), 2 * layers);
    assert!(adapter.named_vars().contains_key("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"));

    let frozen: HashMap<String, Tensor> =
        checkpoint::named_vars(&vars).into_iter().map(|(name, var)| (name, var.as_detached_tensor())).collect();
    let build = |adapter: Option<&Adapter>| {
        Qwen25Vl::with_adapter(&config, VarBuilder::from_tensors(frozen.clone(), DType::F32, &CPU), adapter)
    };
    let (base, adapted) = (build(None)?, build(Some(&adapter))?);
    assert_eq!(difference(&whole(&base, &IDS)?, &whole(&adapted, &IDS)?)?, 0.0);

    let name = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight";
    adapter.named_vars()[name].set(&Tensor::full(0.3f32, adapter.named_vars()[name].dims(), &CPU)?)?;
    assert!(difference(&whole(&base, &IDS)?, &whole(&adapted, &IDS)?)? > 1e-3);
    // W + alpha / rank · B · A, by hand.
    let a = adapter.named_vars()[&name.replace("_B", "_A")].as_tensor().clone();
    let delta = (adapter.named_vars()[name].matmul(&a)? * 2.0)?;
    let mut merged = frozen.clone();
    let weight = "model.layers.0.self_attn.q_proj.weight";
    merged.insert(weight.into(), (&frozen[weight] + delta)?);
    let merged = Qwen25Vl::new(&config, VarBuilder::from_tensors(merged, DType::F32, &CPU))?;
    assert!(difference(&whole(&merged, &IDS)?, &whole(&adapted, &IDS)?)? < 1e-5);

    let logits = adapted.logits(&whole(&adapted, &IDS)?)?;
    let store = ops::token_log_probs(&logits, &IDS)?.mean_all()?.backward()?;
    let trained = adapter.named_vars().values().filter(|var| store.get(var).is_some()).count();
    assert_eq!(trained, 4 * config.text.num_hidden_layers);
    assert!(!whole(&build(Some(&adapter.detached()))?, &IDS)?.track_op());

    let dir = tempfile::tempdir()?;
    adapter.write(dir.path(), "base")?;
    let back = Adapter::read(dir.path(), &config, &CPU)?;
    assert_eq!(back.settings(), adapter.settings());
    for (name, var) in adapter.named_vars() {
        assert_eq!(difference(var, &back.named_vars()[name])?, 0.0);
    }
    let wrong = LoraSettings { rank: 4, alpha: 8.0, targets: vec!["nothing".into()] };
    let error = Adapter::fresh(&config, wrong, 1, &CPU).err().expect("refused").to_string();
    assert!(error.contains("found \"nothing\""), "{error}");
    Ok(())
}
