//! The golden checkpoint in memory, to break or to split.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// Type, shape and bytes.
pub(crate) type Tensor = (Dtype, Vec<usize>, Vec<u8>);

/// Directories that live as long as the tests.
static FOLDERS: Mutex<Vec<tempfile::TempDir>> = Mutex::new(Vec::new());

/// Tensors by their names in the checkpoint.
pub(crate) struct Checkpoint(BTreeMap<String, Tensor>);

pub(crate) fn golden_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/qwen2_5_vl_tiny/tiny-qwen2_5_vl")
}

pub(crate) fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

impl Checkpoint {
    pub(crate) fn empty() -> Self {
        Self(BTreeMap::new())
    }

    pub(crate) fn golden() -> Self {
        let stored = std::fs::read(golden_dir().join("model.safetensors")).expect("a golden checkpoint to copy");
        let tensors = SafeTensors::deserialize(&stored).expect("a golden checkpoint to copy");
        let own = |view: TensorView| (view.dtype(), view.shape().to_vec(), view.data().to_vec());
        Self(tensors.iter().map(|(name, view)| (name.to_owned(), own(view))).collect())
    }

    /// The same tensors by transformers 5's names.
    pub(crate) fn nested(self) -> Self {
        let rename = |name: String| match name.strip_prefix("model.") {
            Some(rest) => format!("model.language_model.{rest}"),
            None if name.starts_with("visual.") => format!("model.{name}"),
            None => name,
        };
        Self(self.0.into_iter().map(|(name, tensor)| (rename(name), tensor)).collect())
    }

    pub(crate) fn tensor(&mut self, name: &str) -> &mut Tensor {
        self.0.get_mut(name).unwrap_or_else(|| panic!("{name} is no tensor of the golden checkpoint"))
    }

    pub(crate) fn insert(&mut self, name: &str, tensor: Tensor) {
        self.0.insert(name.into(), tensor);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name).expect("a golden checkpoint to copy");
    }

    /// One safetensors file.
    pub(crate) fn save(&self, path: &Path) {
        save(self.0.iter(), path);
    }

    /// A checkpoint directory of that many shards; one is a single file without an index.
    pub(crate) fn write(&self, shards: usize) -> PathBuf {
        let folder = tempfile::tempdir().expect("a golden checkpoint to copy");
        let dir = folder.path().to_path_buf();
        FOLDERS.lock().expect("a golden checkpoint to copy").push(folder);
        for file in ["config.json", "generation_config.json", "tokenizer.json", "processor_config.json"] {
            std::fs::copy(golden_dir().join(file), dir.join(file)).expect("a golden checkpoint to copy");
        }
        if shards == 1 {
            self.save(&dir.join("model.safetensors"));
            return dir;
        }
        let mut map = serde_json::Map::new();
        for shard in 0..shards {
            let name = format!("model-{:05}-of-{shards:05}.safetensors", shard + 1);
            let chosen =
                || self.0.iter().enumerate().filter(|(index, _)| index % shards == shard).map(|(_, pair)| pair);
            save(chosen(), &dir.join(&name));
            map.extend(chosen().map(|(tensor, _)| (tensor.clone(), name.clone().into())));
        }
        let index = serde_json::json!({ "metadata": {}, "weight_map": map });
        std::fs::write(dir.join("model.safetensors.index.json"), index.to_string())
            .expect("a golden checkpoint to copy");
        dir
    }
}

fn save<'a>(tensors: impl Iterator<Item = (&'a String, &'a Tensor)>, path: &Path) {
    let view = |(dtype, shape, data): &'a Tensor| {
        TensorView::new(*dtype, shape.clone(), data).expect("a golden checkpoint to copy")
    };
    let views = tensors.map(|(name, tensor)| (name, view(tensor)));
    std::fs::write(path, safetensors::serialize(views, None).expect("a golden checkpoint to copy"))
        .expect("a golden checkpoint to copy");
}
