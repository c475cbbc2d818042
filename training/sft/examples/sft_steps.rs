//! Seconds of one supervised step, for `scripts/bench_training.py`: `sft_steps MODEL CLIPS OUT` collates clips of one
//! question each for two threads, writes the same tokens to `OUT/batch.safetensors` as transformers takes them, and makes
//! a step (forward, backward, clipping, AdamW on every weight) for each line on standard input.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use candle_core::{Device, Tensor};
use episodes::{ClipSample, SampleMaker, SampleSettings, Split};
use optimiser::{AdamWSettings, Gradients, Optimiser, accumulate, clip_global_norm};
use policy::{Compute, Trainable, Trained};
use sft::Recipe;
use sft::batch::{Batch, Collation};
use sft::loss::NumberTokens;
use sft::network::{GradientSettings, Network};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const CPU: Device = Device::Cpu;
const RECIPE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../recipes/spacer-nano.toml");
const THREADS: usize = 2;
/// What transformers leaves out of its loss.
const IGNORED: i64 = -100;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, clips, out] = arguments.as_slice() else { return Err("usage: sft_steps MODEL CLIPS OUT".into()) };
    let settings = SampleSettings { seed: 1, questions: 1, whole_completions: 1.0, ..SampleSettings::default() };
    let maker = SampleMaker::new(Path::new(model), settings)?;
    let samples = (0..clips.parse()?).map(|index| maker.sample(Split::Train, index));
    let samples = samples.collect::<episodes::Result<Vec<_>>>()?;
    candle_core::safetensors::save(&as_transformers(&samples, &maker)?, Path::new(out).join("batch.safetensors"))?;

    let recipe = Recipe::read(Path::new(RECIPE))?;
    let numbers = NumberTokens::by_unit(&maker);
    let collation = Collation::new(&maker, &numbers, &recipe.loss);
    let share = samples.len().div_ceil(THREADS);
    let batches = samples.chunks(share).map(|part| collation.collate(part.to_vec(), &CPU));
    let batches = batches.collect::<sft::Result<Vec<_>>>()?;
    let trainable = Trainable::load(Path::new(model), &Trained::Everything, &Compute::cpu())?;
    let network = Network::new(&trainable, maker.patch_classes().len(), 1)?;
    let mut optimiser = Optimiser::new(network.variables(), AdamWSettings::default(), None, THREADS)?;
    let settings = GradientSettings { loss: &recipe.loss, share: 1.0 / batches.len() as f64, checkpointing: false };
    println!(
        "{}",
        batches.iter().flat_map(|batch| &batch.blocks).map(|block| block.count * block.length).sum::<usize>()
    );
    for line in std::io::stdin().lock().lines() {
        line?;
        let began = Instant::now();
        step(&network, &batches, settings, &mut optimiser)?;
        println!("{}", began.elapsed().as_secs_f64());
    }
    Ok(())
}

/// As `sft::Trainer` makes it, without rendering.
fn step(network: &Network, batches: &[Batch], settings: GradientSettings, optimiser: &mut Optimiser) -> Result<()> {
    let mut sum = Gradients::new();
    let parts = std::thread::scope(|scope| {
        let spawn = |batch| scope.spawn(move || network.gradients(batch, settings));
        let workers: Vec<_> = batches.iter().map(spawn).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, sft::Result<_>>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().map(join).collect::<sft::Result<Vec<_>>>()
    })?;
    for (_, gradients) in parts {
        accumulate(&mut sum, gradients)?;
    }
    clip_global_norm(&mut sum, 1.0)?;
    Ok(optimiser.step(&sum, 1e-6)?)
}

/// The samples as rows padded to the longest: `input_ids`, `attention_mask`, `labels` [rows, tokens], `position_ids`
/// [3, rows, tokens], `pixel_values_videos` [patches, patch_dim], `video_grid_thw` [rows, 3].
fn as_transformers(samples: &[ClipSample], maker: &SampleMaker) -> Result<HashMap<&'static str, Tensor>> {
    let rows: Vec<_> = samples
        .iter()
        .map(|sample| {
            let segments = || sample.segments.iter();
            let tokens = || std::iter::once(&sample.prefix).chain(segments().map(|segment| &segment.tokens));
            let ids: Vec<i64> = tokens().flat_map(|tokens| &tokens.ids).map(|&id| i64::from(id)).collect();
            let positions: [Vec<i64>; 3] =
                std::array::from_fn(|axis| tokens().flat_map(|tokens| &tokens.positions[axis]).copied().collect());
            // A target stands where its token is predicted, one before the token itself.
            let mut learnt = vec![false; sample.prefix.ids.len() + 1];
            learnt.extend(segments().flat_map(|segment| segment.targets.iter().map(Option::is_some)));
            (ids, positions, learnt)
        })
        .collect();
    let longest = rows.iter().map(|(ids, ..)| ids.len()).max().unwrap_or(0);
    let padded = |values: &[i64], fill: i64| {
        let mut row = values.to_vec();
        row.resize(longest, fill);
        row
    };
    let matrix = |values: Vec<i64>| Tensor::from_vec(values, (rows.len(), longest), &CPU);
    let labels = rows.iter().flat_map(|(ids, _, learnt)| {
        let label = |(&id, &learnt): (&i64, &bool)| if learnt { id } else { IGNORED };
        padded(&ids.iter().zip(learnt).map(label).collect::<Vec<_>>(), IGNORED)
    });
    let pixels: Vec<f32> = samples.iter().flat_map(|sample| sample.pixel_values.iter().copied()).collect();
    let grids: Vec<i64> = samples.iter().flat_map(|sample| sample.grid_thw.map(|size| size as i64)).collect();
    let patches = samples.iter().map(|sample| sample.grid_thw.iter().product::<usize>()).sum::<usize>();
    let positions = (0..3).flat_map(|axis| rows.iter().flat_map(move |(_, positions, _)| padded(&positions[axis], 0)));
    let pad = i64::from(maker.pad_token_id());
    Ok(HashMap::from([
        ("input_ids", matrix(rows.iter().flat_map(|(ids, ..)| padded(ids, pad)).collect())?),
        ("attention_mask", matrix(rows.iter().flat_map(|(ids, ..)| padded(&vec![1; ids.len()], 0)).collect())?),
        ("labels", matrix(labels.collect())?),
        ("position_ids", Tensor::from_vec(positions.collect(), (3, rows.len(), longest), &CPU)?),
        ("pixel_values_videos", Tensor::from_vec(pixels, (patches, ()), &CPU)?),
        ("video_grid_thw", Tensor::from_vec(grids, (samples.len(), 3), &CPU)?),
    ]))
}
