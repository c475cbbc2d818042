//! Plans of a network whose size is known: Qwen2.5-VL-7B has 8,292,166,656 parameters.

use std::path::Path;

use grpo::Recipe;
use grpo::plan::{Circumstances, plan};
use policy::{LoraSettings, Precision};
use processor::config::ModelConfig;

const GIB: f64 = (1u64 << 30) as f64;

/// `config.json` of Qwen/Qwen2.5-VL-7B-Instruct, what of it gives the size.
const CONFIG: &str = r#"{
    "architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl", "vocab_size": 152064,
    "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28,
    "num_key_value_heads": 4, "hidden_act": "silu", "max_position_embeddings": 128000, "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0, "rope_scaling": { "type": "mrope", "mrope_section": [16, 24, 24] },
    "tie_word_embeddings": false, "bos_token_id": 151643, "eos_token_id": 151645, "image_token_id": 151655,
    "video_token_id": 151656, "vision_start_token_id": 151652, "vision_end_token_id": 151653, "vision_token_id": 151654,
    "vision_config": { "model_type": "qwen2_5_vl", "depth": 32, "hidden_size": 1280, "hidden_act": "silu",
        "intermediate_size": 3420, "num_heads": 16, "in_chans": 3, "patch_size": 14, "spatial_patch_size": 14,
        "spatial_merge_size": 2, "temporal_patch_size": 2, "tokens_per_second": 2, "window_size": 112,
        "fullatt_block_indexes": [7, 15, 23, 31], "out_hidden_size": 3584 }
}"#;

fn recipe() -> Recipe {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes/spacer-nano-grpo.toml");
    Recipe::read(&path).expect("the recipe")
}

#[test]
fn the_7b_network() {
    let dir = tempfile::tempdir().expect("ok");
    std::fs::write(dir.path().join("config.json"), CONFIG).expect("ok");
    let config = ModelConfig::from_dir(dir.path()).expect("ok");
    let circumstances = Circumstances {
        frames: 16,
        pixels_per_frame: 128 * 28 * 28,
        question_tokens: 300,
        completion_tokens: 400,
        flops_per_second: 200e12,
    };
    let mut recipe = recipe();
    recipe.compute.precision = Precision::Bf16;
    let full = plan(&config, &recipe, &circumstances).expect("ok");
    assert_eq!((full.parameters, full.trained), (8_292_166_656, 8_292_166_656));
    assert_eq!(full.prompt_tokens, 8 * 128 + 300);
    // Policy, gradients and two moments of 30.9 GiB each, the reference of 15.4.
    assert!(full.memory.peak() as f64 / GIB > 138.0, "{:?}", full.memory);
    let mut lora = recipe;
    let targets = ["q_proj", "k_proj", "v_proj", "o_proj"].map(str::to_owned).to_vec();
    lora.lora = Some(LoraSettings { rank: 16, alpha: 32.0, targets });
    let small = plan(&config, &lora, &circumstances).expect("ok");
    // 28 layers of 16 · ((3584 + 3584) · 2 + (3584 + 512) · 2).
    assert_eq!(small.trained, 28 * 16 * (2 * 7168 + 2 * 4096));
    assert_eq!(small.memory.reference, 0);
    assert_eq!(small.memory.weights, 2 * small.parameters + 4 * small.trained);
    lora.optimiser.gradient_checkpointing = true;
    let recomputed = plan(&config, &lora, &circumstances).expect("ok");
    assert!(recomputed.memory.activations * 3 < small.memory.activations);
    assert!(recomputed.hours > small.hours);
}

#[test]
fn unknown_keys_and_bad_numbers_are_refused_by_name() {
    let dir = tempfile::tempdir().expect("ok");
    let path = dir.path().join("recipe.toml");
    let base =
        "model = \"m\"\n[data]\nseed = 1\nscenes_per_step = 1\nquestions_per_scene = 1\n[optimiser]\nsteps = 1\n";
    let error = |more: &str| {
        std::fs::write(&path, format!("{base}{more}")).expect("ok");
        Recipe::read(&path).expect_err("refused").to_string()
    };
    assert!(error("[rollout]\ngroup_sise = 8\n").contains("unknown field `group_sise`"));
    assert!(error("[rollout]\ngroup_size = 1\n").contains("rollout.group_size: expected at least 2, found 1"));
    assert!(error("[reward]\nnumber_for_absent = 0.5\n").contains("expected less than silence earns, 0, found 0.5"));
    std::fs::write(&path, base).expect("ok");
    let recipe = Recipe::read(&path).expect("the paper's defaults");
    assert_eq!((recipe.rollout.group_size, recipe.rollout.top_p, recipe.objective.kl_beta), (8, 0.95, 0.04));
    assert_eq!(
        (recipe.optimiser.learning_rate, recipe.optimiser.clip_norm, recipe.optimiser.weight_decay),
        (1e-6, 5.0, 0.01)
    );
}
