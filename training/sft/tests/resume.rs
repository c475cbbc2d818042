//! A run that stops and resumes ends where an uninterrupted one does, bit for bit; and it learns.

use std::path::{Path, PathBuf};

use episodes::{SampleMaker, SampleSettings};
use parallel::World;
use sft::{Recipe, Trainer};

fn nano() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo/spacer-nano")
}

fn recipe() -> Recipe {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes/spacer-nano.toml");
    let mut recipe = Recipe::read(&path).expect("recipe");
    recipe.data.clips_per_step = 2;
    recipe.data.questions_per_clip = 2;
    recipe.optimiser.steps = 8;
    recipe.optimiser.warmup_steps = 1;
    recipe.optimiser.decay_steps = 1;
    recipe
}

fn trainer(recipe: &Recipe, checkpoint: &Path) -> Trainer {
    let data = &recipe.data;
    let settings = SampleSettings {
        seed: data.seed,
        questions: data.questions_per_clip,
        whole_completions: data.whole_completions_per_clip,
        unknown_camera_share: data.unknown_camera_share,
        extra_furniture: None,
        walk_share: data.walk_share,
        logged: None,
    };
    Trainer::new(recipe.clone(), SampleMaker::new(&nano(), settings).expect("ok"), checkpoint, None, World::single())
        .expect("ok")
}

fn weights(trainer: &Trainer, folder: &Path) -> Vec<u8> {
    let path = folder.join("weights.safetensors");
    trainer.save_policy(&path).expect("ok");
    std::fs::read(path).expect("ok")
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one() {
    let folder = tempfile::tempdir().expect("ok");
    let mut recipe = recipe();
    recipe.data.walk_share = 0.5;
    let mut straight = trainer(&recipe, &folder.path().join("straight"));
    let losses: Vec<f32> = (0..4).map(|_| straight.step().expect("ok").loss.total).collect();

    let checkpoint = folder.path().join("checkpoint");
    let mut first = trainer(&recipe, &checkpoint);
    let mut resumed_losses: Vec<f32> = (0..2).map(|_| first.step().expect("ok").loss.total).collect();
    first.save_checkpoint().expect("ok");
    drop(first);
    let mut second = trainer(&recipe, &checkpoint);
    assert_eq!(second.step_count(), 2);
    resumed_losses.extend((0..2).map(|_| second.step().expect("ok").loss.total));

    assert_eq!(losses, resumed_losses);
    assert!(weights(&straight, folder.path()) == weights(&second, folder.path()), "weights differ");
}

#[test]
fn the_loss_falls() {
    let folder = tempfile::tempdir().expect("ok");
    let mut trainer = trainer(&recipe(), &folder.path().join("checkpoint"));
    let losses: Vec<f32> = (0..8).map(|_| trainer.step().expect("ok").loss.tokens).collect();
    assert!(losses[7] < 0.8 * losses[0], "{losses:?}");
}
