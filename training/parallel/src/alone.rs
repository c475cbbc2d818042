//! Stands in for MPI in builds without it: there are never other ranks.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Ranks that no value of can exist.
pub(crate) enum Ranks {}

impl Ranks {
    /// Refuses to be one of several.
    pub(crate) fn start(ranks: usize) -> Result<Option<Self>> {
        if ranks == 1 { Ok(None) } else { Err(Error::WithoutMpi { ranks }) }
    }

    pub(crate) fn rank(&self) -> usize {
        match *self {}
    }

    pub(crate) fn size(&self) -> usize {
        match *self {}
    }

    pub(crate) fn gather<T: Serialize, R: DeserializeOwned>(&self, _: &T) -> Result<Vec<R>> {
        match *self {}
    }

    pub(crate) fn broadcast<T: Serialize + DeserializeOwned>(&self, _: &T) -> Result<T> {
        match *self {}
    }

    pub(crate) fn broadcast_floats(&self, _: usize, _: &mut [f32]) {
        match *self {}
    }

    pub(crate) fn send(&self, _: usize, _: &[f32]) {
        match *self {}
    }

    pub(crate) fn receive(&self, _: usize, _: &mut [f32]) {
        match *self {}
    }

    pub(crate) fn abort(&self) -> ! {
        match *self {}
    }
}
