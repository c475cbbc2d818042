//! Golden prompts for the parity gate, with the logits that the policy computes from the checkpoint.

use std::path::Path;

use anyhow::{Context, Result};
use model_dir::{ParityCase, ParityFrames, Prompts};
use policy::reference::LowRank;
use processor::Processor;

/// The weights of a model directory whose graphs read them.
const SHARED: &str = "onnx/model.safetensors";
/// Side of the golden frames, pixels: small, since every robot runs them at each start.
const SIDE: usize = 112;

/// Writes `model/onnx/parity.safetensors` with the logits of the weights in `checkpoint`, into which `adapter` is merged.
pub fn write(model: &Path, checkpoint: &Path, adapter: Option<&Path>) -> Result<()> {
    let adapter = adapter.map(onnx_export::read_adapter).transpose()?.unwrap_or_default();
    let adapter: Vec<LowRank> = adapter
        .iter()
        .map(|(name, added)| LowRank { name, shape: added.shape(), a: added.a(), b: added.b() })
        .collect();
    let processor = Processor::from_dir(model)?;
    let mut cases = golden_prompts(&Prompts::read(&model.join("prompts.toml"))?);
    let inputs = cases
        .iter()
        .map(|case| perception::parity::inputs(&processor, case))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let logits =
        policy::reference::last_logits(checkpoint, &adapter, &inputs).context("reference logits of the checkpoint")?;
    for ((case, inputs), logits) in cases.iter_mut().zip(inputs).zip(logits) {
        (case.input_ids, case.logits) = (inputs.input_ids, logits);
    }
    model_dir::write_parity(model, &cases)?;
    Ok(())
}

/// Refuses a checkpoint whose reference does not fit into free memory: it holds every weight in 32 bits, twice the size of
/// a checkpoint of 16.
pub fn check_memory(checkpoint: &Path) -> Result<()> {
    let shards = std::fs::read_dir(checkpoint)?.flatten().map(|entry| entry.path());
    let weights = shards.filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
    let weights = weights.chain([checkpoint.join(SHARED)]);
    let needed = 2 * weights.filter_map(|path| path.metadata().ok()).map(|file| file.len()).sum::<u64>();
    let found = model_dir::available_memory().unwrap_or(u64::MAX);
    anyhow::ensure!(
        found >= needed,
        "reference logits of {}: expected {} MB of free memory, found {} MB",
        checkpoint.display(),
        needed / 1_000_000,
        found / 1_000_000
    );
    Ok(())
}

/// Words alone, a still picture and a moving one.
fn golden_prompts(prompts: &Prompts) -> Vec<ParityCase> {
    let case = |name: &str, question: &str, kind: &str, shifts: &[usize]| ParityCase {
        name: name.to_owned(),
        system: prompts.system.clone(),
        user: prompts.user_text(kind, question),
        frames: (!shifts.is_empty()).then(|| ParityFrames {
            width: SIDE,
            height: SIDE,
            rgb: shifts.iter().map(|&shift| picture(shift)).collect(),
        }),
        input_ids: Vec::new(),
        logits: Vec::new(),
    };
    vec![
        case("words", "how far is the door?", "ego_distance", &[]),
        case("still", "how far is the chair?", "ego_distance", &[0, 0]),
        case("moving", "how many windows are there?", "object_counting", &[0, 9, 18, 27]),
    ]
}

/// A slope of light with boxes on it, moved to the right by `shift` pixels.
fn picture(shift: usize) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(SIDE * SIDE * 3);
    for y in 0..SIDE {
        for x in (0..SIDE).map(|x| (x + SIDE - shift) % SIDE) {
            let inside = |left: usize, top: usize, side: usize| {
                x / 8 * 8 >= left && x < left + side && y >= top && y < top + side
            };
            rgb.extend(match () {
                () if inside(16, 32, 24) => [200, 40, 30],
                () if inside(64, 24, 40) => [30, 90, 200],
                () => [60 + x as u8, 50 + y as u8, 160 - x as u8],
            });
        }
    }
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_beyond_memory_is_refused_before_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let weights = std::fs::File::create(dir.path().join("model.safetensors")).unwrap();
        // A hole: eight terabytes that take no room.
        weights.set_len(8 << 40).unwrap();
        let error = check_memory(dir.path()).unwrap_err().to_string();
        assert!(error.contains("expected 17592186 MB of free memory, found"), "{error}");
    }
}
