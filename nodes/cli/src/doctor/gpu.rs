//! `spacer doctor --gpu`: the model on the GPU beside the model on the processor. What a machine without a GPU can't test
//! is checked by this one command where there is one.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use model_dir::{ModelDir, Profile};
use perception::{Device, Settings, VlmAnswerer};
use vlm::Provider;

use super::{Finding, Verdict, finding};
use crate::bench::decode::decode;
use crate::bench::model::Model;

/// Parity on the GPU, with no provider below it accepted, then greedy decoding on both.
pub(super) fn check(path: &Path) -> Vec<Finding> {
    let device = match ModelDir::open(path).map(|directory| directory.manifest().profile) {
        Ok(Profile::Ort) => Device::Cuda,
        Ok(Profile::Trt) => Device::TensorRt,
        Err(error) => return vec![finding("gpu", Verdict::Fail, error.to_string())],
    };
    let began = Instant::now();
    match VlmAnswerer::load(&Settings { device, require_device: true, ..Settings::new(path) }) {
        Err(error) => vec![finding("gpu", Verdict::Fail, error.to_string())],
        Ok(loaded) => {
            let (provider, secs) = (device.provider(), began.elapsed().as_secs_f64());
            let found =
                format!("{provider}: loaded in {secs:.1} s, logits within {:.1e} of the checkpoint's", loaded.parity());
            vec![finding("gpu", Verdict::Ok, found), beside_the_processor(path, device)]
        }
    }
}

fn beside_the_processor(path: &Path, device: Device) -> Finding {
    match compared(path, device) {
        Ok(found) => finding("gpu decode", Verdict::Ok, found),
        Err(error) => finding("gpu decode", Verdict::Fail, format!("{error:#}")),
    }
}

fn compared(path: &Path, device: Device) -> Result<String> {
    let on = |providers: Vec<Provider>| decode(&Model::load_on(path, providers)?);
    let ladder = perception::providers(device, &ModelDir::open(path)?)?;
    let (tokens, speed) = on(ladder)?;
    let (expected, processor_speed) = on(vec![Provider::Cpu])?;
    let same = tokens.iter().zip(&expected).take_while(|(ours, theirs)| ours == theirs).count();
    Ok(format!(
        "{speed:.1} tokens/s, {:.1} x the processor's; the first {same} of {} greedy tokens are the processor's",
        speed / processor_speed,
        expected.len()
    ))
}
