//! What is rewarded happens more often: on scenes that come back, the nano model's reward rises.

use std::path::{Path, PathBuf};

use grpo::{Recipe, Simulation, SimulationSettings, Trainer};
use parallel::World;

fn nano() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo/spacer-nano")
}

#[test]
fn the_reward_rises() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes/spacer-nano-grpo.toml");
    let mut recipe = Recipe::read(&path).expect("the recipe");
    recipe.model = nano();
    recipe.data.scenes_per_step = 2;
    recipe.data.questions_per_scene = 2;
    recipe.optimiser.steps = 16;
    recipe.optimiser.learning_rate = 1e-4;
    recipe.optimiser.warmup_updates = 0;
    let settings = SimulationSettings {
        seed: 5,
        questions: 2,
        epoch_scenes: Some(2),
        unknown_camera_share: 0.0,
        extra_furniture: None,
        walk_share: 0.0,
        logged: None,
    };
    let source = Simulation::new(&nano(), settings).expect("the nano model");
    let folder = tempfile::tempdir().expect("a folder");
    let mut trainer = Trainer::new(recipe, Box::new(source), folder.path(), World::single()).expect("a trainer");
    let rewards: Vec<f64> = (0..16).map(|_| trainer.step().expect("a step").rewards.reward).collect();
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    println!("{rewards:.2?}");
    assert!(mean(&rewards[12..]) > mean(&rewards[..4]) + 0.1, "{rewards:.2?}");
}
