//! A long run's memory stays where it was.

use parallel::World;
use std::path::{Path, PathBuf};

use episodes::{SampleMaker, SampleSettings, Split, Tokens};
use grpo::scene::{Problem, Prompt, Scene, SceneSource};
use processor::Processor;
use scoring::ProblemType;

/// As the command has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const STEPS: u64 = 2000;
const SETTLED: u64 = 200;
/// Five words about two by two merged patches, other words and pixels in each scene.
struct Noise(Processor);

impl SceneSource for Noise {
    fn scene(&self, _: Split, index: u64) -> grpo::Result<Scene> {
        let (video, word) = (self.0.config().tokens.video, |i: u64| 5 + ((index * 7 + i * 31) % 200) as u32);
        let ids = vec![word(0), word(1), word(2), video, video, video, video, word(3), word(4)];
        let positions =
            [vec![0, 1, 2, 3, 3, 3, 3, 5, 6], vec![0, 1, 2, 3, 3, 4, 4, 5, 6], vec![0, 1, 2, 3, 4, 3, 4, 5, 6]];
        let problem = Problem {
            problem_type: ProblemType::FreeForm,
            solution: "two chairs".into(),
            map: None,
            interval_coverage: None,
            format: None,
        };
        let pixel_values = (0..16 * 1176).map(|i| ((i as f32 + index as f32) * 12.9898).sin()).collect();
        let prompts = vec![Prompt { tokens: Tokens { ids, positions }, problem }];
        Ok(Scene { pixel_values, grid_thw: [1, 4, 4], second_per_grid: Some(1.0), prompts })
    }

    fn processor(&self) -> &Processor {
        &self.0
    }
}

fn resident_bytes() -> i64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: i64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("resident pages");
    pages * 4096
}

/// Makes 2,000 steps; the median of resident memory over the last 900 may be `allowed` bytes above that over the 900
/// before. Medians, because an allocator that gives memory back late makes single readings swing by a quarter.
fn hold(mut step: impl FnMut(), allowed: i64) {
    let mut resident = Vec::new();
    for made in 1..=STEPS {
        step();
        resident.push(resident_bytes());
        if made.is_multiple_of(SETTLED) {
            println!("step {made}: {} kB", resident_bytes() / 1024);
        }
    }
    let settled = resident.split_off(SETTLED as usize);
    let [before, after] = [&settled[..settled.len() / 2], &settled[settled.len() / 2..]].map(median);
    println!("medians: {} kB, then {} kB", before / 1024, after / 1024);
    assert!(after - before < allowed, "resident memory grew by {} bytes in 900 steps", after - before);
}

fn median(readings: &[i64]) -> i64 {
    let mut sorted = readings.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
#[ignore = "takes minutes: cargo test -p spacer-train --test memory -- --ignored --nocapture --test-threads 1"]
fn reinforcement_learning_needs_no_more_after_2000_steps() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = root().join("tests/golden/qwen2_5_vl_tiny/tiny-qwen2_5_vl");
    let path = folder.path().join("recipe.toml");
    let text = format!(
        "model = {dir:?}\n[data]\nseed = 1\nscenes_per_step = 2\nquestions_per_scene = 1\nthreads = 2\n\
         [rollout]\ngroup_size = 4\nmax_completion_tokens = 12\n[optimiser]\nsteps = {STEPS}\n"
    );
    std::fs::write(&path, text).expect("a recipe");
    let recipe = grpo::Recipe::read(&path).expect("the recipe");
    let source = Noise(Processor::from_dir(&dir).expect("a processor"));
    let mut trainer = grpo::Trainer::new(recipe, Box::new(source), folder.path(), World::single()).expect("a trainer");
    // 9 kB a step, where a group's activations are some hundred.
    let step = || {
        trainer.step().expect("a step");
    };
    hold(step, 8 << 20);
}

#[test]
#[ignore = "takes minutes: cargo test -p spacer-train --test memory -- --ignored --nocapture --test-threads 1"]
fn supervised_learning_needs_no_more_after_2000_steps() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut recipe = sft::Recipe::read(&root().join("training/recipes/spacer-nano.toml")).expect("the recipe");
    recipe.data.clips_per_step = 1;
    recipe.data.shards = 1;
    let settings = SampleSettings {
        seed: 1,
        questions: 2,
        whole_completions: 0.4,
        unknown_camera_share: 0.1,
        ..SampleSettings::default()
    };
    let maker = SampleMaker::new(&root().join("models/zoo/spacer-nano"), settings).expect("clips");
    let mut trainer = sft::Trainer::new(recipe, maker, folder.path(), World::single()).expect("a trainer");
    // 18 kB a step, where a clip's activations are tens of megabytes; rooms differ in size.
    let step = || {
        trainer.step().expect("a step");
    };
    hold(step, 16 << 20);
}
