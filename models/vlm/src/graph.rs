//! One ONNX graph: loading with a clear refusal, and running by name.
//!
//! File and weights are read here and handed over as they were verified; ONNX Runtime opens no file, but with TensorRT,
//! which needs one: its engine then holds the weights.
//!
//! `ort` wants `&mut Session` to run; the mutex here lets an engine be shared, so
//! that frames can be encoded on one thread while another decodes.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use model_dir::Files;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{IoBinding, Session, SessionInputValue};
use ort::value::{DynValue, Outlet, TensorElementType, ValueType};

use crate::engine::EngineSettings;
use crate::error::{Error, Result};
use crate::onnx_file;
use crate::providers::{Provider, ShapeProfile};
use crate::runtime;
use crate::tensor;
use crate::weights::Weights;

/// Named inputs of one run.
pub(crate) type Inputs<'v> = Vec<(Cow<'v, str>, SessionInputValue<'v>)>;

/// An input or output as the file states it. (`ort`'s `Outlet` is tied to one thread.)
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) dtype: ValueType,
}

/// A loaded graph.
#[derive(Debug)]
pub(crate) struct Graph {
    /// File name, for messages.
    pub(crate) name: &'static str,
    pub(crate) inputs: Vec<Slot>,
    pub(crate) outputs: Vec<Slot>,
    /// Names of inputs that have a default.
    optional: Vec<String>,
    /// Shapes that the first provider was built for; empty where it takes any.
    profiles: Vec<ShapeProfile>,
    /// Bytes of the file and of its weights.
    pub(crate) bytes: u64,
    session: Mutex<Session>,
}

/// Most bytes of a graph without its weights.
const MOST_GRAPH_BYTES: u64 = 256 << 20;

impl Graph {
    /// Loads the graph `name` among `files` on `providers`, the first before the next.
    pub(crate) fn load(
        files: &Files,
        name: &'static str,
        settings: &EngineSettings,
        providers: &[Provider],
    ) -> Result<Self> {
        let path = files.path(name);
        if !files.has(name) {
            return Err(Error::MissingFile { path, expected: "an ONNX graph of the model directory" });
        }
        let graph = files.read(name, MOST_GRAPH_BYTES)?;
        let externals = onnx_file::externals(&graph).map_err(|found| {
            let expected = "an ONNX graph without sub-graphs, with its external data in files beside it";
            Error::MalformedFile { path: path.clone(), expected, found }
        })?;
        let weights = Weights::plan(files, externals)?;
        let (found_bytes, data_bytes) = (graph.len() as u64, weights.bytes());
        let builder = builder(name, settings, providers);
        let refused = |error: ort::Error| Error::Load {
            path: path.clone(),
            found_bytes,
            data_bytes,
            reason: error.message().to_owned(),
        };
        let session = match providers.first() {
            Some(Provider::TensorRt(_)) => {
                weights.verify(files)?;
                builder.and_then(|mut builder| builder.commit_from_file(&path))
            }
            _ => weights.give(files, builder.map_err(refused)?)?.commit_from_memory(&graph),
        }
        .map_err(refused)?;
        let (inputs, outputs) = (slots(session.inputs()), slots(session.outputs()));
        let optional = session.overridable_initializers().iter().map(|input| input.name().to_owned()).collect();
        let profiles = providers.first().map(|provider| provider.profiles_of(name)).unwrap_or_default();
        let bytes = found_bytes + data_bytes;
        Ok(Self { name, inputs, outputs, optional, profiles, bytes, session: Mutex::new(session) })
    }

    /// Runs on `inputs`; outputs in the order of [`Self::outputs`].
    pub(crate) fn run(&self, inputs: Inputs<'_>) -> Result<Vec<DynValue>> {
        self.check_profiles(&inputs)?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(inputs).map_err(|error| self.failed(error))?;
        Ok(outputs.into_iter().map(|(_, value)| value).collect())
    }

    /// A binding of this graph, to name long-lived tensors once.
    pub(crate) fn binding(&self) -> Result<IoBinding> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.create_binding().map_err(|error| self.failed(error))
    }

    /// Runs on what `binding` names and on `inputs`; gives the output `output`, in the processor's memory.
    pub(crate) fn run_bound(
        &self,
        binding: &mut IoBinding,
        inputs: Vec<(&str, DynValue)>,
        output: &str,
    ) -> Result<DynValue> {
        let failed = |error| self.failed(error);
        for (name, value) in &inputs {
            self.check_profile(name, value)?;
            binding.bind_input(*name, value).map_err(failed)?;
        }
        let host = MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Device, MemoryType::CPUOutput);
        binding.bind_output_to_device(output, &host.map_err(failed)?).map_err(failed)?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outputs = session.run_binding(binding).map_err(failed)?;
        outputs.remove(output).ok_or_else(|| self.failed(ort::Error::new(format!("output `{output}` is missing"))))
    }

    fn check_profiles(&self, inputs: &Inputs<'_>) -> Result<()> {
        inputs.iter().try_for_each(|(name, value)| self.check_profile(name, value))
    }

    /// Several profiles of one input are alternatives.
    fn check_profile(&self, name: &str, value: &DynValue) -> Result<()> {
        let shape = tensor::shape(value);
        let mut profiles = self.profiles.iter().filter(|profile| profile.input == name).peekable();
        let Some(first) = profiles.peek().copied() else { return Ok(()) };
        if profiles.any(|profile| profile.holds(&shape)) {
            return Ok(());
        }
        Err(Error::Shape {
            what: "input outside of its TensorRT profile",
            expected: format!("{} {} {:?} to {:?}", self.name, first.input, first.min, first.max),
            found: format!("{shape:?}"),
        })
    }

    /// An `ort` error as this graph's.
    pub(crate) fn failed(&self, error: ort::Error) -> Error {
        Error::Run { graph: self.name, reason: error.message().to_owned() }
    }

    /// An output that a run didn't give.
    pub(crate) fn missing_output(&self, index: usize) -> Error {
        self.failed(ort::Error::new(format!("output {index} is missing")))
    }

    /// Element type of input `name`; f32 where the graph has no such input.
    pub(crate) fn input_type(&self, name: &str) -> TensorElementType {
        let slot = self.inputs.iter().find(|slot| slot.name == name);
        slot.and_then(|slot| slot.dtype.tensor_type()).unwrap_or(TensorElementType::Float32)
    }

    /// Whether the graph has an input `name` that may be left out.
    pub(crate) fn has_optional(&self, name: &str) -> bool {
        self.optional.iter().any(|input| input == name)
    }

    /// Index of output `name`.
    pub(crate) fn output_index(&self, name: &str) -> Result<usize> {
        self.outputs.iter().position(|slot| slot.name == name).ok_or_else(|| Error::Signature {
            graph: self.name,
            what: format!("output `{name}`"),
            expected: "present".into(),
            found: "absent".into(),
        })
    }
}

fn slots(outlets: &[Outlet]) -> Vec<Slot> {
    outlets.iter().map(|outlet| Slot { name: outlet.name().to_owned(), dtype: outlet.dtype().clone() }).collect()
}

fn builder(name: &str, settings: &EngineSettings, providers: &[Provider]) -> ort::Result<SessionBuilder> {
    let environment = runtime::environment().map_err(|error| ort::Error::new(error.to_string()))?;
    let dispatch: Vec<_> = providers.iter().filter_map(|provider| provider.dispatch(name)).collect();
    let builder = Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(settings.threads)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(settings.spin)?
        // Between runs no thread spins.
        .with_config_entry("session.force_spinning_stop", if settings.spin { "1" } else { "0" })?
        .with_deterministic_compute(true)?
        .with_execution_providers(dispatch)?;
    Ok(builder)
}
