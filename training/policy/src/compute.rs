//! Where a network computes, and how precisely.

use std::fmt;

use candle_core::{DType, Device, Result, bail};
use serde::{Deserialize, Serialize};

/// `[compute]` of a recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ComputeConfig {
    /// `cpu`, or a GPU: `cuda`, `cuda:1`; only in a build with the feature `cuda`.
    pub device: DeviceName,
    /// `f32`, or `bf16` for activations and frozen weights: what is trained, its gradients, the optimiser's moments, norms,
    /// softmax and the loss are in f32 all the same.
    pub precision: Precision,
}

/// A device, as recipes name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceName {
    /// The threads of this process.
    #[default]
    Cpu,
    /// The NVIDIA GPU of this number.
    Cuda(usize),
}

impl TryFrom<String> for DeviceName {
    type Error = String;

    fn try_from(name: String) -> std::result::Result<Self, String> {
        match name.split_once(':') {
            None if name == "cpu" => Ok(Self::Cpu),
            None if name == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", number)) if number.parse::<usize>().is_ok() => Ok(Self::Cuda(number.parse().unwrap_or(0))),
            _ => Err(format!("compute.device: expected cpu, cuda or cuda:1, found {name:?}")),
        }
    }
}

impl From<DeviceName> for String {
    fn from(name: DeviceName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(number) => write!(formatter, "cuda:{number}"),
        }
    }
}

/// The type of activations and frozen weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Four bytes.
    #[default]
    F32,
    /// Two bytes, with the range of f32.
    Bf16,
}

impl Precision {
    /// Bytes of a number.
    #[must_use]
    pub fn bytes(self) -> usize {
        self.dtype().size_in_bytes()
    }

    fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
        }
    }
}

/// An open device and the type of activations and frozen weights.
#[derive(Clone, Debug)]
pub struct Compute {
    /// Where tensors are.
    pub device: Device,
    /// Of activations and frozen weights.
    pub dtype: DType,
}

impl Compute {
    /// f32 on the CPU.
    #[must_use]
    pub fn cpu() -> Self {
        Self { device: Device::Cpu, dtype: DType::F32 }
    }
}

impl ComputeConfig {
    /// Opens the device.
    ///
    /// # Errors
    /// When there is no such device, or this program was built without CUDA.
    pub fn open(&self) -> Result<Compute> {
        let device = match self.device {
            DeviceName::Cpu => Device::Cpu,
            DeviceName::Cuda(_) if !cfg!(feature = "cuda") => {
                bail!(
                    "compute.device: expected cpu, for this program was built without the feature cuda, found {}",
                    self.device
                )
            }
            DeviceName::Cuda(number) => Device::new_cuda(number)?,
        };
        Ok(Compute { device, dtype: self.precision.dtype() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_as_torch_names_them() {
        let named = |name: &str| DeviceName::try_from(name.to_owned());
        assert_eq!(named("cpu"), Ok(DeviceName::Cpu));
        assert_eq!(named("cuda"), Ok(DeviceName::Cuda(0)));
        assert_eq!(named("cuda:3").map(String::from), Ok("cuda:3".to_owned()));
        for wrong in ["gpu", "cuda:", "cuda:x", "cpu:0"] {
            assert!(named(wrong).unwrap_err().contains(&format!("{wrong:?}")));
        }
        assert_eq!(ComputeConfig::default().open().unwrap().dtype, DType::F32);
        if !cfg!(feature = "cuda") {
            let absent = ComputeConfig { device: DeviceName::Cuda(1), ..ComputeConfig::default() };
            assert!(absent.open().unwrap_err().to_string().contains("found cuda:1"));
        }
    }
}
