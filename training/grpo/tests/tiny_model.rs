//! The steps together on a tiny network: sampled tokens, packed log-probabilities, gradients.

use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use episodes::Tokens;
use grpo::experience::{Experience, Group};
use grpo::log_probs::PackedGroup;
use grpo::objective::{Clip, Normalisation, ObjectiveSettings};
use grpo::policies::{Policies, Trained};
use grpo::rollout::{Completion, RolloutSettings, rollout};
use grpo::update::{UpdateSettings, contribution};
use policy::model::GreedyPrompt;
use policy::{Compute, LoraSettings, Qwen25Vl};

const CPU: Device = Device::Cpu;
const GRID: [usize; 3] = [1, 4, 4];

fn policies(trained: &Trained) -> Policies {
    policies_in(DType::F32, trained)
}

fn policies_in(dtype: DType, trained: &Trained) -> Policies {
    let compute = Compute { dtype, ..Compute::cpu() };
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/qwen2_5_vl_tiny/tiny-qwen2_5_vl");
    Policies::load(&dir, trained, true, &compute).expect("the tiny checkpoint")
}

fn pixels() -> Tensor {
    let values: Vec<f32> = (0..16 * 1176).map(|i| ((i as f32 + 1.3) * 12.9898).sin()).collect();
    Tensor::from_vec(values, (16, 1176), &CPU).expect("a tensor")
}

/// Three words, four merged patches, two words.
fn prompt(policies: &Policies) -> Tokens {
    let video = policies.trained.config().tokens.video;
    let ids = vec![5, 17, 3, video, video, video, video, 250, 8];
    let positions = [vec![0, 1, 2, 3, 3, 3, 3, 5, 6], vec![0, 1, 2, 3, 3, 4, 4, 5, 6], vec![0, 1, 2, 3, 4, 3, 4, 5, 6]];
    Tokens { ids, positions }
}

fn completions() -> Vec<Completion> {
    let completion = |ids: &[u32]| Completion { ids: ids.to_vec(), finished: true };
    vec![completion(&[7, 1, 60, 4]), completion(&[9]), completion(&[100, 2, 33])]
}

#[test]
fn packed_log_probs_equal_those_of_whole_sequences() {
    let policies = policies(&Trained::Everything);
    let model = &policies.behaviour;
    let embeds = model.vision(&pixels(), &[GRID]).expect("ok").image_embeds;
    let prompt = prompt(&policies);
    let packed = PackedGroup::new(&prompt, &completions(), &CPU).expect("ok");
    let found = packed.log_probs(model, Some(&embeds)).expect("ok");
    let mut expected = Vec::new();
    for completion in completions() {
        let alone = PackedGroup::new(&prompt, std::slice::from_ref(&completion), &CPU).expect("ok");
        expected.extend(alone.log_probs(model, Some(&embeds)).expect("ok"));
        // The first token's, from the network's own pieces.
        let inputs = model.embed(std::slice::from_ref(&prompt.ids), Some(&embeds)).expect("ok");
        let position_ids = Tensor::from_vec(prompt.positions.concat(), (3, 1, prompt.ids.len()), &CPU).expect("ok");
        let hidden = model.decode(&inputs, &position_ids, None).expect("ok").squeeze(0).expect("ok");
        let logits = model.logits(&hidden.narrow(0, prompt.ids.len() - 1, 1).expect("ok")).expect("ok");
        let row: Vec<f32> =
            candle_nn::ops::log_softmax(&logits, 1).expect("ok").squeeze(0).expect("ok").to_vec1().expect("ok");
        let first = expected[expected.len() - completion.ids.len()];
        assert!((row[completion.ids[0] as usize] - first).abs() < 1e-5);
    }
    assert_eq!(found.len(), 8);
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
}

#[test]
fn bf16_says_nearly_the_same_and_learns_in_f32() {
    let [exact, coarse] = [DType::F32, DType::BF16].map(|dtype| policies_in(dtype, &Trained::Everything));
    let log_probs = |model: &Qwen25Vl| {
        let packed = PackedGroup::new(&prompt(&exact), &completions(), &CPU).expect("ok");
        let embeds = model.vision(&pixels(), &[GRID]).expect("ok").image_embeds;
        packed.log_probs(model, Some(&embeds)).expect("ok")
    };
    for (model, coarse) in [
        (&exact.behaviour, &coarse.behaviour),
        (exact.reference.as_ref().expect("ok"), coarse.reference.as_ref().expect("ok")),
    ] {
        let (expected, found) = (log_probs(model), log_probs(coarse));
        assert_ne!(expected, found);
        let apart = expected.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 0.05, "{expected:?} {found:?}");
    }
    let embeds = coarse.behaviour.vision(&pixels(), &[GRID]).expect("ok").image_embeds;
    let settings = RolloutSettings { group_size: 3, temperature: 1.0, top_p: 0.95, max_completion_tokens: 12 };
    let sampled = rollout(&coarse.behaviour, Some(&embeds), &prompt(&coarse), &settings, 1).expect("ok");
    assert!(sampled.iter().all(|completion| !completion.ids.is_empty()));
    for recompute in [false, true] {
        let contribution = contribution(&coarse, &experience(&coarse), &self::settings(recompute)).expect("ok");
        assert_eq!(contribution.gradients.len(), coarse.variables.len());
        assert!(contribution.gradients.values().all(|gradient| gradient.dtype() == DType::F32));
    }
}

#[test]
fn a_completion_may_name_the_placeholder_of_pictures() {
    let policies = policies(&Trained::Everything);
    let model = &policies.behaviour;
    let embeds = model.vision(&pixels(), &[GRID]).expect("ok").image_embeds;
    let video = model.config().tokens.video;
    let named =
        [Completion { ids: vec![7, video, 60], finished: true }, Completion { ids: vec![9, 4], finished: true }];
    let packed = PackedGroup::new(&prompt(&policies), &named, &CPU).expect("ok");
    let found = packed.log_probs(model, Some(&embeds)).expect("ok");
    assert!(found.len() == 5 && found.iter().all(|value| value.is_finite()), "{found:?}");
}

#[test]
fn cold_rollouts_are_greedy_and_a_seed_repeats() {
    let policies = policies(&Trained::Everything);
    let model = &policies.behaviour;
    let embeds = model.vision(&pixels(), &[GRID]).expect("ok").image_embeds;
    let prompt = prompt(&policies);
    let greedy = model.greedy(&GreedyPrompt {
        ids: &prompt.ids,
        position_ids: prompt.positions.clone(),
        image_embeds: Some(&embeds),
        count: 12,
        stop: true,
    });
    let settings = RolloutSettings { group_size: 3, temperature: 1e-6, top_p: 0.95, max_completion_tokens: 12 };
    let cold = rollout(model, Some(&embeds), &prompt, &settings, 1).expect("ok");
    let greedy = greedy.expect("ok");
    assert!(cold.iter().all(|completion| completion.ids == greedy));

    let warm = RolloutSettings { temperature: 1.0, ..settings };
    let sample = |seed| rollout(model, Some(&embeds), &prompt, &warm, seed).expect("ok");
    assert_eq!(sample(1), sample(1));
    assert_ne!(sample(1), sample(9));
    assert_ne!(sample(1)[0], sample(1)[1]);
    assert!(sample(1).iter().all(|completion| completion.ids.len() <= 12));
}

fn experience(policies: &Policies) -> Experience {
    let packed = PackedGroup::new(&prompt(policies), &completions(), &CPU).expect("ok");
    let embeds = policies.behaviour.vision(&pixels(), &[GRID]).expect("ok").image_embeds;
    let log_probs = packed.log_probs(&policies.behaviour, Some(&embeds)).expect("ok");
    let moved = |by: f32| Some(log_probs.iter().enumerate().map(|(i, lp)| lp + by * (i as f32).cos()).collect());
    let group = Group {
        rewards: Vec::new(),
        advantages: vec![6.0, -9.0, 3.0],
        reference: moved(0.5),
        rollout: moved(0.1),
        served: moved(0.2),
        finished: 3,
        packed,
    };
    Experience { pixels: Some((pixels(), GRID)), groups: vec![group] }
}

fn settings(gradient_checkpointing: bool) -> UpdateSettings {
    let objective = ObjectiveSettings {
        kl_beta: 1.0,
        clip: Some(Clip { epsilon_low: 0.5, epsilon_high: 0.5 }),
        normalisation: Normalisation::Token,
        max_completion_tokens: 12,
    };
    UpdateSettings { objective, groups: 1, importance_cap: 1.1, gradient_checkpointing }
}

/// Compares some entries of the gradients of all variables whose name `wanted` accepts with finite differences.
fn check(policies: &Policies, wanted: impl Fn(&str) -> bool) -> usize {
    let experience = experience(policies);
    let found = contribution(policies, &experience, &settings(false)).expect("ok");
    let recomputed = contribution(policies, &experience, &settings(true)).expect("ok");
    assert_eq!(found.gradients.keys().collect::<Vec<_>>(), recomputed.gradients.keys().collect::<Vec<_>>());
    let mut checked = 0;
    for (name, variable) in policies.variables.iter().filter(|(name, _)| wanted(name)) {
        let gradient: Vec<f32> = found.gradients[name].flatten_all().expect("ok").to_vec1().expect("ok");
        let other: Vec<f32> = recomputed.gradients[name].flatten_all().expect("ok").to_vec1().expect("ok");
        let largest = gradient.iter().fold(0f32, |largest, value| largest.max(value.abs()));
        for (a, b) in gradient.iter().zip(&other) {
            assert!((a - b).abs() <= 1e-4 * largest.max(1e-3), "{name}: recomputed {b}, kept {a}");
        }
        // The entry with the largest gradient stands out of rounding.
        let entry = gradient.iter().position(|value| value.abs() == largest).expect("an entry");
        let start = variable.as_tensor().copy().expect("ok");
        let values: Vec<f32> = start.flatten_all().expect("ok").to_vec1().expect("ok");
        let step = 0.02 / largest.max(1.0);
        let loss = |delta: f32| {
            let mut moved = values.clone();
            moved[entry] += delta;
            variable.set(&Tensor::from_vec(moved, start.shape(), &CPU).expect("ok")).expect("ok");
            contribution(policies, &experience, &settings(false)).expect("ok").terms.loss
        };
        let slope = (loss(step) - loss(-step)) / f64::from(2.0 * step);
        variable.set(&start).expect("ok");
        let expected = f64::from(gradient[entry]);
        assert!((slope - expected).abs() < 0.03 * expected.abs().max(0.05), "{name}[{entry}]: {slope} {expected}");
        checked += 1;
    }
    checked
}

#[test]
fn gradients_of_all_weights_equal_finite_differences() {
    let policies = policies(&Trained::Everything);
    let ends =
        ["embed_tokens.weight", "q_proj.weight", "down_proj.weight", "norm.weight", "merger.mlp.2.weight", "qkv.bias"];
    assert!(check(&policies, |name| ends.iter().any(|end| name.ends_with(end))) > 8);
}

#[test]
fn gradients_of_an_adapter_equal_finite_differences() {
    let lora = LoraSettings { rank: 4, alpha: 8.0, targets: vec!["q_proj".into(), "down_proj".into()] };
    let policies = policies(&Trained::Adapter(lora, 3));
    for (name, variable) in policies.variables.iter().filter(|(name, _)| name.contains("lora_B")) {
        let value = if name.contains("visual") { 0.05f32 } else { 0.1 };
        variable.set(&Tensor::full(value, variable.dims(), &CPU).expect("ok")).expect("ok");
    }
    assert!(check(&policies, |_| true) > 8);
}

#[test]
fn the_reference_policy_stays_where_it_began() {
    for trained in
        [Trained::Everything, Trained::Adapter(LoraSettings { rank: 2, alpha: 2.0, targets: vec!["q_proj".into()] }, 1)]
    {
        let policies = policies(&trained);
        let packed = PackedGroup::new(&prompt(&policies), &completions(), &CPU).expect("ok");
        let of = |model: &policy::Qwen25Vl| {
            let embeds = model.vision(&pixels(), &[GRID]).expect("ok").image_embeds;
            packed.log_probs(model, Some(&embeds)).expect("ok")
        };
        let reference = policies.reference.as_ref().expect("asked for");
        let before = of(reference);
        assert_eq!(before, of(&policies.behaviour));
        for (_, variable) in &policies.variables {
            variable.set(&(variable.as_tensor() + 0.01).expect("ok")).expect("ok");
        }
        assert_eq!(before, of(reference));
        assert_ne!(before, of(&policies.behaviour));
        assert_eq!(of(&policies.trained), of(&policies.behaviour));
    }
}
