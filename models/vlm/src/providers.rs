//! Execution providers: an ordered ladder, TensorRT → CUDA → CPU, on which every
//! refusal is kept with its reason.
//!
//! ONNX Runtime falls back to the CPU without a word where a provider can't be had.
//! Here each is registered by itself with `error_on_failure`; what refuses is a
//! [`Refusal`], what remains runs the graphs, and [`crate::EngineSettings::require_provider`]
//! makes a refusal an error. Within a graph ONNX Runtime still gives a node that
//! the first provider lacks to the next one and in the end to the CPU.
//!
//! TensorRT runs only graphs with a fixed profile, an engine for which is built
//! once and cached: a shape outside of the profile is an error, never a rebuild.

use std::path::PathBuf;

use ort::ep::{self, ExecutionProviderDispatch};
use ort::session::Session;

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::runtime;

/// One rung of the ladder.
#[derive(Debug, Clone, PartialEq)]
pub enum Provider {
    /// NVIDIA TensorRT, for graphs of the `trt` export profile.
    TensorRt(TensorRtSettings),
    /// NVIDIA CUDA.
    Cuda(CudaSettings),
    /// The processor: always there.
    Cpu,
}

/// How TensorRT builds and keeps its engines.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorRtSettings {
    /// Number of the device.
    pub device_id: i32,
    /// Folder of built engines; made if it isn't there. Without it every start would build anew, for minutes.
    pub engine_cache: PathBuf,
    /// Lets layers run in f16.
    pub fp16: bool,
    /// Shapes of the dynamic inputs of the graphs that TensorRT runs; a graph without one goes to the next provider.
    pub profiles: Vec<ShapeProfile>,
}

/// Smallest, most usual and largest shape of one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeProfile {
    /// File name of the graph.
    pub graph: String,
    /// Name of the input.
    pub input: String,
    /// Smallest shape.
    pub min: Vec<usize>,
    /// Shape to be fastest at.
    pub opt: Vec<usize>,
    /// Largest shape.
    pub max: Vec<usize>,
}

impl ShapeProfile {
    /// Whether `shape` lies inside.
    pub fn holds(&self, shape: &[usize]) -> bool {
        let inside = |((size, min), max)| (min..=max).contains(&size);
        shape.len() == self.min.len() && shape.iter().zip(&self.min).zip(&self.max).all(inside)
    }

    fn check(&self) -> Result<()> {
        let ordered =
            |low: &[usize], high: &[usize]| low.len() == high.len() && low.iter().zip(high).all(|(l, h)| l <= h);
        if ordered(&self.min, &self.opt) && ordered(&self.opt, &self.max) {
            return Ok(());
        }
        Err(Error::Setting {
            name: "TensorRT profile",
            expected: "min ≤ opt ≤ max in every dimension",
            found: format!("{} {}: {:?} {:?} {:?}", self.graph, self.input, self.min, self.opt, self.max),
        })
    }
}

/// How CUDA runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CudaSettings {
    /// Number of the device.
    pub device_id: i32,
    /// Most memory of the device for tensors, in bytes; `None` is all.
    pub memory_limit_bytes: Option<usize>,
}

/// A provider that was asked for and not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Name of the provider.
    pub provider: &'static str,
    /// ONNX Runtime's reason, or ours.
    pub reason: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.provider, self.reason)
    }
}

impl Provider {
    /// CUDA where there is one, else the processor.
    pub fn cuda_or_cpu() -> Vec<Self> {
        vec![Self::Cuda(CudaSettings::default()), Self::Cpu]
    }

    /// The whole ladder: `tensorrt`, then CUDA, then the processor.
    pub fn ladder(tensorrt: TensorRtSettings) -> Vec<Self> {
        let cuda = CudaSettings { device_id: tensorrt.device_id, memory_limit_bytes: None };
        vec![Self::TensorRt(tensorrt), Self::Cuda(cuda), Self::Cpu]
    }

    /// `TensorRT`, `CUDA` or `CPU`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TensorRt(_) => "TensorRT",
            Self::Cuda(_) => "CUDA",
            Self::Cpu => "CPU",
        }
    }

    /// Profiles of `graph`'s inputs; empty for other providers.
    pub(crate) fn profiles_of(&self, graph: &str) -> Vec<ShapeProfile> {
        let Self::TensorRt(settings) = self else { return Vec::new() };
        settings.profiles.iter().filter(|profile| profile.graph == graph).cloned().collect()
    }

    /// Registers nothing for a graph that this provider doesn't run.
    pub(crate) fn dispatch(&self, graph: &str) -> Option<ExecutionProviderDispatch> {
        let built = match self {
            Self::TensorRt(settings) => tensorrt(settings, &self.profiles_of(graph))?.build(),
            Self::Cuda(settings) => cuda(settings).build(),
            Self::Cpu => ep::CPU::default().build(),
        };
        Some(built.error_on_failure())
    }

    /// Why ONNX Runtime, or we, don't take this provider; an error when its settings are unsound.
    fn probe(&self) -> Result<Option<String>> {
        let environment = runtime::environment()?;
        let bare = match self {
            Self::TensorRt(settings) => {
                settings.profiles.iter().try_for_each(ShapeProfile::check)?;
                ep::TensorRT::default().with_device_id(settings.device_id).build()
            }
            Self::Cuda(settings) => cuda(settings).build(),
            Self::Cpu => ep::CPU::default().build(),
        };
        let register = || -> ort::Result<()> {
            Session::builder(environment)?.with_execution_providers([bare.error_on_failure()])?;
            Ok(())
        };
        if let Err(error) = register() {
            return Ok(Some(error.message().trim().to_owned()));
        }
        let Self::TensorRt(settings) = self else { return Ok(None) };
        if settings.profiles.is_empty() {
            let reason = "no shape profile: expected one for every dynamic input of a graph, \
                          else engines are built anew while running";
            return Ok(Some(reason.to_owned()));
        }
        let folder = std::fs::create_dir_all(&settings.engine_cache);
        Ok(folder.err().map(|error| format!("engine cache {}: {error}", settings.engine_cache.display())))
    }
}

/// The providers of `ladder` that ONNX Runtime takes, and the others with their reasons.
pub(crate) fn probe(ladder: &[Provider]) -> Result<(Vec<Provider>, Vec<Refusal>)> {
    let (mut usable, mut refusals) = (Vec::new(), Vec::new());
    for provider in ladder {
        match provider.probe()? {
            None => usable.push(provider.clone()),
            Some(reason) => refusals.push(refused(provider, reason)),
        }
    }
    Ok((usable, refusals))
}

/// Loads graphs on the first providers that can: one that fails to load any of them is refused for all.
pub(crate) fn load_graphs(
    (mut usable, mut refusals): (Vec<Provider>, Vec<Refusal>),
    load: impl Fn(&[Provider]) -> Result<[Graph; 3]>,
) -> Result<([Graph; 3], Vec<Provider>, Vec<Refusal>)> {
    while let Some(first) = usable.first() {
        match load(&usable) {
            Ok(graphs) => return Ok((graphs, usable, refusals)),
            // The processor is no reason: the file is.
            Err(error @ Error::Load { .. }) if *first != Provider::Cpu => {
                refusals.push(refused(first, error.to_string()))
            }
            Err(error) => return Err(error),
        }
        usable.remove(0);
    }
    Err(Error::Provider { expected: "any provider of the settings".into(), refusals: list(&refusals) })
}

fn refused(provider: &Provider, reason: String) -> Refusal {
    tracing::warn!(provider = provider.name(), reason, "execution provider refused");
    Refusal { provider: provider.name(), reason }
}

/// Refusals in one line.
pub(crate) fn list(refusals: &[Refusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn cuda(settings: &CudaSettings) -> ep::CUDA {
    let cuda = ep::CUDA::default().with_device_id(settings.device_id);
    match settings.memory_limit_bytes {
        Some(bytes) => cuda.with_memory_limit(bytes),
        None => cuda,
    }
}

fn tensorrt(settings: &TensorRtSettings, profiles: &[ShapeProfile]) -> Option<ep::TensorRT> {
    if profiles.is_empty() {
        return None;
    }
    let shapes = |side: fn(&ShapeProfile) -> &[usize]| {
        let one = |profile: &ShapeProfile| {
            let dims: Vec<String> = side(profile).iter().map(usize::to_string).collect();
            format!("{}:{}", profile.input, dims.join("x"))
        };
        profiles.iter().map(one).collect::<Vec<_>>().join(",")
    };
    let cache = settings.engine_cache.display();
    Some(
        ep::TensorRT::default()
            .with_device_id(settings.device_id)
            .with_fp16(settings.fp16)
            .with_engine_cache(true)
            .with_engine_cache_path(&cache)
            .with_timing_cache(true)
            .with_timing_cache_path(&cache)
            .with_profile_min_shapes(shapes(|profile| &profile.min))
            .with_profile_opt_shapes(shapes(|profile| &profile.opt))
            .with_profile_max_shapes(shapes(|profile| &profile.max)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> ShapeProfile {
        let (graph, input) = ("model.onnx".into(), "inputs_embeds".into());
        ShapeProfile { graph, input, min: vec![1, 1, 64], opt: vec![1, 1, 64], max: vec![1, 2048, 64] }
    }

    #[test]
    fn a_profile_holds_what_lies_between_its_ends() {
        assert!(profile().holds(&[1, 700, 64]));
        assert!(!profile().holds(&[1, 2049, 64]));
        assert!(!profile().holds(&[1, 700]));
    }

    #[test]
    fn a_profile_out_of_order_is_refused() {
        let error = ShapeProfile { opt: vec![1, 4096, 64], ..profile() }.check().unwrap_err().to_string();
        assert!(error.contains("min ≤ opt ≤ max") && error.contains("4096"), "{error}");
        profile().check().unwrap();
    }
}
