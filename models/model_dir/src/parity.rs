//! `onnx/parity.safetensors`: golden prompts with the logits that the checkpoint gives, by which exported graphs are judged
//! before they are trusted.
//!
//! Tensors per case: `<name>.input_ids` u32 [len], `<name>.logits` f32 [vocab] behind the last token, and for a video
//! `<name>.frames` u8 [frames, height, width, 3]. Its words stand in the file's metadata as `<name>.system` and
//! `<name>.user`.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::{Error, Result};
use crate::files::Files;

/// Place of the file in a model directory: not beside the weights, where other engines would take it for some of them.
pub const PARITY_FILE: &str = "onnx/parity.safetensors";

/// Most bytes of the file: its frames are small, since every robot runs them at each start.
const MOST_BYTES: u64 = 256 << 20;

/// One golden prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct ParityCase {
    /// What messages call it.
    pub name: String,
    /// The system turn.
    pub system: String,
    /// The words of the user's turn; a video stands before them if there are frames.
    pub user: String,
    /// The video, at two frames per second.
    pub frames: Option<ParityFrames>,
    /// Tokens of the whole prompt, placeholders expanded.
    pub input_ids: Vec<u32>,
    /// The checkpoint's logits for the token that comes next, `[vocab]`.
    pub logits: Vec<f32>,
}

/// A short video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParityFrames {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Per frame, three bytes a pixel, rows from the top.
    pub rgb: Vec<Vec<u8>>,
}

/// Writes `dir/onnx/parity.safetensors`.
///
/// # Errors
/// `Io`, and `Tensors` when the file can't be written.
pub fn write_parity(dir: &Path, cases: &[ParityCase]) -> Result<()> {
    let path = dir.join(PARITY_FILE);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Error::Io { path: folder.to_owned(), source })?;
    }
    let mut metadata = HashMap::new();
    let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for case in cases {
        let key = |part: &str| format!("{}.{part}", case.name);
        metadata.insert(key("system"), case.system.clone());
        metadata.insert(key("user"), case.user.clone());
        let ids = case.input_ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        tensors.push((key("input_ids"), Dtype::U32, vec![case.input_ids.len()], ids));
        let logits = case.logits.iter().flat_map(|logit| logit.to_le_bytes()).collect();
        tensors.push((key("logits"), Dtype::F32, vec![case.logits.len()], logits));
        if let Some(frames) = &case.frames {
            let shape = vec![frames.rgb.len(), frames.height, frames.width, 3];
            tensors.push((key("frames"), Dtype::U8, shape, frames.rgb.concat()));
        }
    }
    let broken = |source| Error::Tensors { path: path.clone(), source };
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, data)| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), data)?)))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(broken)?;
    safetensors::serialize_to_file(views, Some(metadata), &path).map_err(broken)
}

/// Reads `dir/onnx/parity.safetensors`, cases in order of their names.
///
/// # Errors
/// As [`parity_of`].
pub fn read_parity(dir: &Path) -> Result<Vec<ParityCase>> {
    parity_of(&Files::unverified(dir))
}

/// Reads `onnx/parity.safetensors` of a model directory's files, cases in order of their names.
///
/// # Errors
/// Those of [`Files::read`]; `Tensors`, `Value` for a case that is not whole.
pub fn parity_of(files: &Files) -> Result<Vec<ParityCase>> {
    let path = files.path(PARITY_FILE);
    let bytes = files.read(PARITY_FILE, MOST_BYTES)?;
    let broken = |source| Error::Tensors { path: path.clone(), source };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(broken)?;
    let words = header.metadata().clone().unwrap_or_default();
    let reader = Reader { path: &path, tensors: &SafeTensors::deserialize(&bytes).map_err(broken)?, words: &words };
    let names: BTreeSet<&str> = words.keys().filter_map(|key| key.strip_suffix(".user")).collect();
    if names.is_empty() {
        return Err(reader.bad("cases", "at least one golden prompt", "none"));
    }
    names.into_iter().map(|name| reader.case(name)).collect()
}

struct Reader<'a> {
    path: &'a Path,
    tensors: &'a SafeTensors<'a>,
    words: &'a HashMap<String, String>,
}

impl Reader<'_> {
    fn bad(&self, key: &str, expected: &'static str, found: impl ToString) -> Error {
        Error::Value { path: self.path.to_owned(), key: key.to_owned(), expected, found: found.to_string() }
    }

    fn case(&self, name: &str) -> Result<ParityCase> {
        let words = |part: &str| self.words.get(&format!("{name}.{part}")).cloned().unwrap_or_default();
        let input_ids = self.vector(&format!("{name}.input_ids"), Dtype::U32)?;
        let logits = self.vector(&format!("{name}.logits"), Dtype::F32)?;
        Ok(ParityCase {
            name: name.to_owned(),
            system: words("system"),
            user: words("user"),
            frames: self.frames(&format!("{name}.frames"))?,
            input_ids: input_ids.into_iter().map(u32::from_le_bytes).collect(),
            logits: logits.into_iter().map(f32::from_le_bytes).collect(),
        })
    }

    fn vector(&self, key: &str, dtype: Dtype) -> Result<Vec<[u8; 4]>> {
        let tensor = self.tensors.tensor(key).map_err(|_| self.bad(key, "a tensor", "none"))?;
        if tensor.dtype() != dtype || tensor.shape().len() != 1 {
            return Err(self.bad(
                key,
                "one axis of u32 ids or f32 logits",
                format!("{:?} {:?}", tensor.dtype(), tensor.shape()),
            ));
        }
        Ok(tensor.data().chunks_exact(4).map(|word| [word[0], word[1], word[2], word[3]]).collect())
    }

    fn frames(&self, key: &str) -> Result<Option<ParityFrames>> {
        let Ok(tensor) = self.tensors.tensor(key) else { return Ok(None) };
        match (tensor.dtype(), tensor.shape()) {
            (Dtype::U8, &[_, height, width, 3]) if !tensor.data().is_empty() => {
                let rgb = tensor.data().chunks_exact(height * width * 3).map(<[u8]>::to_vec).collect();
                Ok(Some(ParityFrames { width, height, rgb }))
            }
            (dtype, shape) => Err(self.bad(key, "u8 [frames, height, width, 3]", format!("{dtype:?} {shape:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, frames: Option<ParityFrames>) -> ParityCase {
        let (system, user) = ("camera: \"fov\"".to_owned(), "how far is the door?\n".to_owned());
        ParityCase {
            name: name.to_owned(),
            system,
            user,
            frames,
            input_ids: vec![3, 1, 70_000],
            logits: vec![0.5, -2.0],
        }
    }

    #[test]
    fn cases_come_back_in_order_of_their_names() {
        let dir = tempfile::tempdir().unwrap();
        let frames = ParityFrames { width: 2, height: 1, rgb: vec![vec![1, 2, 3, 4, 5, 6], vec![7; 6]] };
        let cases = [case("a_text", None), case("b_video", Some(frames))];
        write_parity(dir.path(), &[cases[1].clone(), cases[0].clone()]).unwrap();
        assert_eq!(read_parity(dir.path()).unwrap(), cases);
    }

    #[test]
    fn a_broken_file_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let read = || read_parity(dir.path()).unwrap_err().to_string();
        assert!(read().contains("parity.safetensors: expected a file"));
        write_parity(dir.path(), &[]).unwrap();
        std::fs::write(dir.path().join(PARITY_FILE), b"no tensors").unwrap();
        assert!(read().contains("parity.safetensors"));
        let tensor = TensorView::new(Dtype::U8, vec![1], &[0]).unwrap();
        safetensors::serialize_to_file([("x", tensor)], None, &dir.path().join(PARITY_FILE)).unwrap();
        assert!(read().contains("at least one golden prompt"), "{}", read());
    }
}
