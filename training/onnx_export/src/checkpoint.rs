//! The weights of a checkpoint directory, memory-mapped: one `model.safetensors`, or shards with an index.
//!
//! Names are given in the hub's scheme (`model.layers.0…`, `visual.blocks.0…`, `lm_head.weight`); the nested scheme of
//! transformers 5 (`model.language_model.layers.0…`, `model.visual.blocks.0…`) is mapped to it when the file is opened.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::{Mmap, UncheckedAdvice};
use safetensors::{Dtype, SafeTensors};

use crate::error::{Error, Result};
use crate::lora::{self, LowRank};
use crate::weight::Weight;

/// The weights of a checkpoint with a single file; of a model directory whose graphs read them, in its `onnx`.
pub(crate) const WEIGHTS: &str = "model.safetensors";

/// A checkpoint's tensors by hub name; remembers which were read, so that left-overs can be refused.
pub(crate) struct Checkpoint {
    shards: Vec<Shard>,
    tensors: BTreeMap<String, Entry>,
    /// What an adapter adds, by hub name of the weight.
    deltas: BTreeMap<String, LowRank>,
    /// What an adapter would add that is kept apart, by hub name of the weight.
    kept: BTreeMap<String, LowRank>,
    used: RefCell<BTreeSet<String>>,
}

struct Shard {
    path: PathBuf,
    map: Mmap,
}

struct Entry {
    shard: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    /// Byte range within the shard's file.
    range: std::ops::Range<usize>,
}

impl Checkpoint {
    /// Maps every shard of `dir` and reads the headers; no weight is touched yet.
    ///
    /// # Errors
    /// `NoWeights`, `Io` for an absent shard, `Safetensors` for a broken or truncated one, `DuplicateTensor`.
    pub fn open(dir: &Path) -> Result<Self> {
        let mut checkpoint = Self {
            shards: Vec::new(),
            tensors: BTreeMap::new(),
            deltas: BTreeMap::new(),
            kept: BTreeMap::new(),
            used: RefCell::default(),
        };
        for path in shard_paths(dir)? {
            checkpoint.add_shard(path)?;
        }
        Ok(checkpoint)
    }

    /// Merges the LoRA adapter in `dir` into every weight read from now on.
    ///
    /// # Errors
    /// Those of [`lora::read_adapter`]; `MissingTensor` and `Shape` for a layer the checkpoint has not or otherwise.
    pub fn merge_adapter(&mut self, dir: &Path) -> Result<()> {
        self.deltas = self.fitting_adapter(dir)?;
        Ok(())
    }

    /// Leaves room for the LoRA adapter in `dir` beside the decoder's linear layers that it adapts.
    ///
    /// # Errors
    /// As [`Self::merge_adapter`]; `Adapter` for one that adapts anything else.
    pub fn keep_adapter(&mut self, dir: &Path) -> Result<()> {
        let adapter = self.fitting_adapter(dir)?;
        if let Some(name) = adapter.keys().find(|name| !name.starts_with("model.layers.")) {
            return Err(Error::Adapter {
                path: dir.to_path_buf(),
                expected: "the decoder's layers alone in an adapter kept apart (merge others)".to_owned(),
                found: name.clone(),
            });
        }
        self.kept = adapter;
        Ok(())
    }

    /// What the adapter kept apart adds, by hub name of the weight.
    pub fn kept(&self) -> &BTreeMap<String, LowRank> {
        &self.kept
    }

    fn fitting_adapter(&self, dir: &Path) -> Result<BTreeMap<String, LowRank>> {
        let adapter = lora::read_adapter(dir)?;
        adapter.iter().try_for_each(|(name, delta)| self.entry(name, &delta.shape()).map(|_| ()))?;
        Ok(adapter)
    }

    fn add_shard(&mut self, path: PathBuf) -> Result<()> {
        let map = map_file(&path)?;
        let broken = |source| Error::Safetensors { path: path.clone(), source };
        let (header_len, header) = SafeTensors::read_metadata(&map).map_err(broken)?;
        let data_start = 8 + header_len;
        // `deserialize` also checks that the data is as long as the header says.
        SafeTensors::deserialize(&map).map_err(broken)?;
        for (raw, info) in header.tensors() {
            let name = hub_name(&raw);
            let range = data_start + info.data_offsets.0..data_start + info.data_offsets.1;
            let entry = Entry { shard: self.shards.len(), dtype: info.dtype, shape: info.shape.clone(), range };
            if let Some(first) = self.tensors.insert(name.clone(), entry) {
                let first = self.shards.get(first.shard).map_or_else(|| path.clone(), |shard| shard.path.clone());
                return Err(Error::DuplicateTensor { name, first, second: path });
            }
        }
        self.shards.push(Shard { path, map });
        Ok(())
    }

    /// The tensor `name` (hub scheme) of exactly `shape`.
    ///
    /// # Errors
    /// `MissingTensor`, `Shape`, `Dtype`.
    pub fn weight<'a>(&'a self, name: &'a str, shape: &[usize]) -> Result<Weight<'a>> {
        let entry = self.entry(name, shape)?;
        Error::check_float(name, entry.dtype)?;
        self.used.borrow_mut().insert(name.to_owned());
        let bytes = &self.shards[entry.shard].map[entry.range.clone()];
        let (dtype, offset, delta) = (entry.dtype, entry.range.start as u64, self.deltas.get(name));
        Ok(Weight { name, dtype, shape: &entry.shape, bytes, offset, delta })
    }

    /// The one file of a checkpoint that a graph can read as it is.
    ///
    /// # Errors
    /// `Unsupported` for several files, other types than f32, and an adapter that is merged into the weights.
    pub fn sharable(&self) -> Result<&Path> {
        let unsupported = |found: String| {
            let expected = "one model.safetensors of f32 weights without an adapter, for graphs that read it";
            Err(Error::Unsupported { profile: "ort", expected, found })
        };
        if let Some((name, entry)) = self.tensors.iter().find(|(_, entry)| entry.dtype != Dtype::F32) {
            return unsupported(format!("{name} of {:?}", entry.dtype));
        }
        match self.shards.as_slice() {
            _ if !self.deltas.is_empty() => unsupported("an adapter to be merged".to_owned()),
            [single] => Ok(&single.path),
            shards => unsupported(format!("{} files", shards.len())),
        }
    }

    /// Lets go of the memory that `name` was mapped to; reading it again maps it again. Without this the resident set
    /// would grow to the checkpoint's size.
    pub fn release(&self, name: &str) {
        let Some(entry) = self.tensors.get(name) else { return };
        // A hint: where it is refused the pages merely stay, so the error is of no use.
        let _ = drop_pages(&self.shards[entry.shard].map, &entry.range);
    }

    fn entry(&self, name: &str, shape: &[usize]) -> Result<&Entry> {
        let entry = self.tensors.get(name).ok_or_else(|| Error::MissingTensor {
            name: name.to_owned(),
            expected: shape.to_vec(),
            count: self.tensors.len(),
        })?;
        if entry.shape != shape {
            return Err(Error::Shape { name: name.to_owned(), expected: shape.to_vec(), found: entry.shape.clone() });
        }
        Ok(entry)
    }

    /// Refuses tensors that were never read, but for `ignored` ones.
    ///
    /// # Errors
    /// `ExtraTensors` with the first five names.
    pub fn refuse_unused(&self, ignored: impl Fn(&str) -> bool) -> Result<()> {
        let used = self.used.borrow();
        let extra: Vec<String> =
            self.tensors.keys().filter(|name| !used.contains(*name) && !ignored(name)).cloned().collect();
        if extra.is_empty() {
            return Ok(());
        }
        Err(Error::ExtraTensors { count: extra.len(), names: extra.into_iter().take(5).collect() })
    }
}

fn shard_paths(dir: &Path) -> Result<Vec<PathBuf>> {
    let single = [dir.join(WEIGHTS), dir.join("onnx").join(WEIGHTS)];
    if let Some(single) = single.into_iter().find(|path| path.is_file()) {
        return Ok(vec![single]);
    }
    let index = dir.join("model.safetensors.index.json");
    if !index.is_file() {
        return Err(Error::NoWeights { dir: dir.to_path_buf() });
    }
    let text = std::fs::read_to_string(&index).map_err(Error::io(&index))?;
    let json: serde_json::Value = serde_json::from_str(&text).map_err(Error::json(&index))?;
    let names: BTreeSet<&str> = json["weight_map"]
        .as_object()
        .ok_or_else(|| Error::ShardIndex { path: index.clone() })?
        .values()
        .filter_map(|file| file.as_str())
        .collect();
    Ok(names.into_iter().map(|name| dir.join(name)).collect())
}

/// A tensor's or module's name in the hub's scheme.
pub(crate) fn hub_name(raw: &str) -> String {
    if let Some(rest) = raw.strip_prefix("model.language_model.") {
        return format!("model.{rest}");
    }
    raw.strip_prefix("model.visual.").map_or_else(|| raw.to_owned(), |rest| format!("visual.{rest}"))
}

#[allow(unsafe_code)]
fn map_file(path: &Path) -> Result<Mmap> {
    let file = File::open(path).map_err(Error::io(path))?;
    // SAFETY: the map is read-only and lives no longer than the export. Truncating a checkpoint while it is being
    // exported is outside the contract of this tool, as with every program that maps weights.
    unsafe { Mmap::map(&file) }.map_err(Error::io(path))
}

#[allow(unsafe_code)]
fn drop_pages(map: &Mmap, range: &std::ops::Range<usize>) -> std::io::Result<()> {
    // SAFETY: the map is of a file and read-only, so dropped pages hold nothing that the file doesn't; the next read
    // faults them in again.
    unsafe { map.unchecked_advise_range(UncheckedAdvice::DontNeed, range.start, range.len()) }
}

#[cfg(test)]
mod tests {
    use super::hub_name;

    #[test]
    fn nested_names_become_hub_names() {
        assert_eq!(hub_name("model.language_model.layers.0.mlp.up_proj.weight"), "model.layers.0.mlp.up_proj.weight");
        assert_eq!(hub_name("model.visual.merger.ln_q.weight"), "visual.merger.ln_q.weight");
        assert_eq!(hub_name("lm_head.weight"), "lm_head.weight");
        assert_eq!(hub_name("visual.merger.ln_q.weight"), "visual.merger.ln_q.weight");
    }
}
