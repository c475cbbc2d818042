//! What a run may start from, and what it leaves: the model's weights, a new adapter, one in PEFT's format.

mod made;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use episodes::{ClipSample, Split};
use made::{maker, nano, recipe, trainer};
use optimiser::{Gradients, ScheduleKind};
use policy::{Compute, LoraSettings, Trainable, Trained};
use sft::Recipe;
use sft::batch::{Batch, Collation};
use sft::loss::{NumberTokens, cross_entropy};
use sft::network::{GradientSettings, Network};

const CPU: Device = Device::Cpu;

fn lora(targets: &[&str]) -> LoraSettings {
    LoraSettings { rank: 4, alpha: 8.0, targets: targets.iter().map(|&target| target.to_owned()).collect() }
}

/// The recipe that goes on from the model's weights.
fn tuning() -> Recipe {
    let mut recipe = recipe();
    recipe.from_scratch = false;
    recipe.optimiser.schedule = ScheduleKind::Cosine;
    recipe.optimiser.decay_steps = 0;
    recipe.optimiser.matrix_learning_rate = None;
    recipe.optimiser.learning_rate = 1e-3;
    recipe
}

fn load(path: &Path) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(path, &CPU).expect("weights")
}

fn difference(a: &Tensor, b: &Tensor) -> f32 {
    (a - b).and_then(|d| d.abs()?.flatten_all()?.max(0)?.to_scalar()).expect("equal shapes")
}

#[test]
fn the_models_weights_are_where_tuning_starts() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = trainer(&tuning(), folder.path());
    trainer.write(folder.path()).unwrap();
    let (model, start) = (load(&nano().join("onnx/model.safetensors")), load(&folder.path().join("model.safetensors")));
    assert_eq!(model.len(), start.len());
    assert!(model.iter().all(|(name, weight)| difference(weight, &start[name]) == 0.0));
    let tuned = trainer.step().unwrap().loss.tokens;
    let fresh = made::trainer(&recipe(), &folder.path().join("fresh")).step().unwrap().loss.tokens;
    assert!(tuned < 0.5 * fresh, "{tuned} {fresh}");
}

#[test]
fn an_adapter_is_trained_alone_kept_and_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let mut recipe = Recipe { lora: Some(lora(&["q_proj", "v_proj", "attn.qkv"])), ..tuning() };
    let mut first = trainer(&recipe, &folder.path().join("checkpoints"));
    assert!(first.parameter_count() < 100_000, "{}", first.parameter_count());
    first.step().unwrap();
    let next = first.probe(Split::Heldout, 0, 1).unwrap().0;
    let adapter = folder.path().join("adapter");
    first.write(&adapter).unwrap();
    assert!(!adapter.join("model.safetensors").exists());

    recipe.lora = None;
    recipe.adapter = Some(adapter);
    let second = trainer(&recipe, &folder.path().join("others"));
    assert_eq!(difference(&second.probe(Split::Heldout, 0, 1).unwrap().0, &next), 0.0);
    assert_eq!(second.parameter_count(), first.parameter_count());
}

#[test]
fn a_frozen_tower_stays_as_it_is_and_the_decoder_learns_as_it_would_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut frozen = tuning();
    (frozen.data.walk_share, frozen.data.walks) = (1.0, 2);
    frozen.loss.patch_class = 0.0;
    let moving = frozen.clone();
    frozen.optimiser.freeze_vision = true;
    let [mut frozen, mut moving] =
        [("frozen", &frozen), ("moving", &moving)].map(|(name, recipe)| trainer(recipe, &folder.path().join(name)));
    // What the first step learns from.
    let loss = |trainer: &sft::Trainer| -> f32 {
        let (logits, batch) = trainer.probe(Split::Train, 0, 2).unwrap();
        cross_entropy(&logits, &batch.targets, 1.0).unwrap().to_scalar().unwrap()
    };
    let before = loss(&frozen);
    let first = (frozen.step().unwrap(), moving.step().unwrap());
    assert!((first.0.loss.tokens - first.1.loss.tokens).abs() < 1e-4, "{first:?}");
    assert!(loss(&frozen) < 0.9 * before, "{before} before, {} after", loss(&frozen));
    // The second step has the same walks from what was kept of them.
    for trainer in [&mut frozen, &mut moving] {
        trainer.step().unwrap();
    }
    let written = |trainer: &sft::Trainer, name: &str| {
        trainer.write(&folder.path().join(name)).unwrap();
        load(&folder.path().join(name).join("model.safetensors"))
    };
    let (frozen, moving) = (written(&frozen, "one"), written(&moving, "other"));
    for (name, weight) in load(&nano().join("onnx/model.safetensors")) {
        let is_tower = name.starts_with("visual.");
        assert_eq!(difference(&weight, &frozen[&name]) == 0.0, is_tower, "{name}");
        assert!(!is_tower || difference(&weight, &moving[&name]) > 0.0, "{name}");
    }
}

fn batch(recipe: &Recipe) -> (Batch, usize) {
    let maker = maker(recipe);
    let samples: Vec<ClipSample> = (0..3).map(|index| maker.sample(Split::Train, index).expect("a clip")).collect();
    let numbers = NumberTokens::by_unit(&maker);
    let collation = Collation::new(&maker, &numbers, &recipe.loss);
    (collation.collate(samples, &CPU).expect("a batch"), maker.patch_classes().len())
}

#[test]
fn gradients_in_bf16_point_where_those_in_f32_do() {
    let mut recipe = recipe();
    recipe.loss.patch_place = 0.3;
    recipe.loss.token_name = 0.3;
    let (batch, classes) = batch(&recipe);
    let dot = |a: &Tensor, b: &Tensor| f64::from((a * b).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap());
    for (trained, checkpointing) in
        [(Trained::Everything, false), (Trained::Adapter(lora(&["attn.qkv", "q_proj"]), 1), true)]
    {
        let gradients = |dtype| {
            let compute = Compute { dtype, ..Compute::cpu() };
            let network = Network::new(&Trainable::load(&nano(), &trained, &compute).unwrap(), classes, 1).unwrap();
            let settings = GradientSettings { loss: &recipe.loss, share: 0.5, checkpointing };
            network.gradients(&batch, settings).expect("gradients")
        };
        let ((exact_loss, exact), (loss, coarse)) = (gradients(DType::F32), gradients(DType::BF16));
        assert!((loss.total - exact_loss.total).abs() < 0.01 * exact_loss.total, "{loss:?} for {exact_loss:?}");
        assert!(loss != exact_loss && exact.keys().eq(coarse.keys()));
        let (mut product, mut norms) = (0.0, [0.0, 0.0]);
        for (name, gradient) in &exact {
            let found = &coarse[name];
            assert_eq!(found.dtype(), DType::F32, "{name}");
            product += dot(gradient, found);
            norms = [norms[0] + dot(gradient, gradient), norms[1] + dot(found, found)];
        }
        let cosine = product / (norms[0] * norms[1]).sqrt();
        assert!(cosine > 0.99, "{cosine} of {trained:?}");
    }
}

#[test]
fn recomputed_gradients_equal_kept_ones() {
    let mut recipe = recipe();
    // Rows with and without a whole completion, in two blocks.
    recipe.data.whole_completions_per_clip = 0.5;
    recipe.loss.patch_place = 0.3;
    recipe.loss.token_name = 0.3;
    let (batch, classes) = batch(&recipe);
    assert_eq!(batch.blocks.len(), 2);
    for trained in [
        Trained::Everything,
        Trained::Adapter(lora(&["o_proj"]), 1),
        Trained::Adapter(lora(&["attn.qkv", "q_proj"]), 1),
    ] {
        let trainable = Trainable::load(&nano(), &trained, &Compute::cpu()).unwrap();
        let network = Network::new(&trainable, classes, 1).unwrap();
        let gradients = |checkpointing| -> Gradients {
            let settings = GradientSettings { loss: &recipe.loss, share: 0.5, checkpointing };
            network.gradients(&batch, settings).expect("gradients").1
        };
        let (kept, recomputed) = (gradients(false), gradients(true));
        assert_eq!(kept.keys().collect::<Vec<_>>(), recomputed.keys().collect::<Vec<_>>());
        assert_eq!(kept.len(), network.variables().len());
        for (name, gradient) in &kept {
            let largest = gradient.abs().and_then(|g| g.flatten_all()?.max(0)?.to_scalar::<f32>()).unwrap();
            let apart = difference(gradient, &recomputed[name]);
            assert!(apart <= 1e-4 * largest.max(1e-3), "{name}: {apart} of {largest}");
        }
    }
}

#[test]
fn patience_ends_a_run_that_no_longer_improves() {
    let folder = tempfile::tempdir().unwrap();
    let mut recipe = tuning();
    recipe.optimiser.learning_rate = 0.0;
    recipe.run.patience = 1;
    let absent = maker(&recipe).teacher().absent_word();
    let mut trainer = trainer(&recipe, folder.path());
    let best = trainer.evaluate(absent).unwrap().loss;
    trainer.step().unwrap();
    assert!(!trainer.is_done());
    assert_eq!(trainer.evaluate(absent).unwrap().loss, best);
    assert!(trainer.is_done());
}

#[test]
fn recipes_that_contradict_themselves_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recipe.toml");
    let error = |recipe: &Recipe| {
        std::fs::write(&path, toml::to_string(recipe).expect("TOML")).expect("a file");
        Recipe::read(&path).expect_err("refused").to_string()
    };
    let adapted = Recipe { lora: Some(lora(&["q_proj"])), ..tuning() };
    assert!(error(&Recipe { from_scratch: true, ..adapted.clone() }).contains("found from_scratch = true"));
    assert!(error(&Recipe { adapter: Some("adapter".into()), ..adapted.clone() }).contains("found both"));
    let mut muon = adapted;
    muon.optimiser.matrix_learning_rate = Some(1e-3);
    assert!(error(&muon).contains("optimiser.matrix_learning_rate: expected none"));
    let mut cosine = tuning();
    cosine.optimiser.decay_steps = 3;
    assert!(error(&cosine).contains("found 3"));
    let mut told = tuning();
    told.data.unknown_camera_share = 1.5;
    assert!(error(&told).contains("data.unknown_camera_share: expected 0 to 1, found 1.5"));
    let mut unasked = tuning();
    (unasked.data.questions_per_clip, unasked.data.whole_completions_per_clip) = (0, 0.0);
    assert!(error(&unasked).contains("data.questions_per_clip: expected at least 1, found 0"));
    let mut sharp = tuning();
    sharp.loss.number_sigma = 0.0;
    assert!(error(&sharp).contains("loss.number_sigma: expected a finite number above 0, found 0"));
    std::fs::write(&path, toml::to_string(&tuning()).unwrap().replace("warmup_steps", "warm_up_steps")).unwrap();
    assert!(Recipe::read(&path).unwrap_err().to_string().contains("unknown field `warm_up_steps`"));
}
