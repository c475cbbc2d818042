//! What is rewarded happens more often: on scenes that come back, the nano model's reward rises.

use std::path::{Path, PathBuf};

use episodes::SampleSettings;
use grpo::{Recipe, Simulation, Trainer};
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
    let settings = SampleSettings { seed: 5, questions: 2, ..SampleSettings::default() };
    let source = Simulation::new(&nano(), settings, Some(2)).expect("the nano model");
    let folder = tempfile::tempdir().expect("a folder");
    let mut trainer = Trainer::new(recipe, Box::new(source), folder.path(), World::single()).expect("a trainer");
    let rewards: Vec<f64> = (0..16).map(|_| trainer.step().expect("a step").rewards.reward).collect();
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    println!("{rewards:.2?}");
    assert!(mean(&rewards[12..]) > mean(&rewards[..4]) + 0.1, "{rewards:.2?}");
}
