//! A run that stops and resumes ends where an uninterrupted one does, bit for bit; and it learns.

mod made;

use std::path::Path;

use made::{recipe, trainer};
use sft::Trainer;

fn weights(trainer: &Trainer, folder: &Path) -> Vec<u8> {
    trainer.write(folder).expect("ok");
    std::fs::read(folder.join("model.safetensors")).expect("ok")
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
