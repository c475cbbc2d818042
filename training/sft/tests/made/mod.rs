//! The nano model with few clips.

use std::path::{Path, PathBuf};

use episodes::{SampleMaker, SampleSettings};
use parallel::World;
use sft::{Recipe, Trainer};

/// Its directory.
pub fn nano() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo/spacer-nano")
}

/// Its recipe, from scratch, with two questions about each of two clips a step.
pub fn recipe() -> Recipe {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes/spacer-nano.toml");
    let mut recipe = Recipe::read(&path).expect("recipe");
    recipe.model = nano();
    recipe.data.clips_per_step = 2;
    recipe.data.questions_per_clip = 2;
    recipe.optimiser.steps = 8;
    recipe.optimiser.warmup_steps = 1;
    recipe.optimiser.decay_steps = 1;
    recipe.run.evaluation_clips = 2;
    recipe
}

/// The clips of a recipe.
pub fn maker(recipe: &Recipe) -> SampleMaker {
    let data = &recipe.data;
    let settings = SampleSettings {
        seed: data.seed,
        questions: data.questions_per_clip,
        whole_completions: data.whole_completions_per_clip,
        unknown_camera_share: data.unknown_camera_share,
        walk_share: data.walk_share,
        walks: data.walks,
        ..SampleSettings::default()
    };
    SampleMaker::new(&nano(), settings).expect("ok")
}

/// A run of a recipe.
pub fn trainer(recipe: &Recipe, checkpoints: &Path) -> Trainer {
    Trainer::new(recipe.clone(), maker(recipe), checkpoints, World::single()).expect("ok")
}
