//! Opening, verifying and writing a model directory.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::calibration::Calibration;
use crate::error::{Error, Result};
use crate::files::{Files, require};
use crate::manifest::{Manifest, Parity};
use crate::prompts::{PromptWindow, Prompts};
use crate::tree::{Stamps, digest_tree, list_files};

const MANIFEST: &str = "manifest.toml";
const PROMPTS: &str = "prompts.toml";
const CALIBRATION: &str = "calibration.toml";
/// Most bytes of a TOML file: room for the losses of a long run.
const MOST_TOML_BYTES: u64 = 16 << 20;
/// Most frames of a window.
const MOST_FRAMES: usize = 768;
/// Most frames a second.
const MOST_RATE_HZ: f64 = 1000.0;
/// What the robot needs besides the TOML files; weights as safetensors are optional, and the preprocessor's configuration
/// has several names.
const REQUIRED: [&str; 6] = [
    "config.json",
    "tokenizer.json",
    "chat_template.jinja",
    "onnx/vision.onnx",
    "onnx/embedding.onnx",
    "onnx/model.onnx",
];

/// A model directory whose layout and TOML files are valid.
#[derive(Clone, Debug)]
pub struct ModelDir {
    path: PathBuf,
    manifest: Manifest,
    prompts: Prompts,
    calibration: Calibration,
    stamps: Stamps,
}

impl ModelDir {
    /// Reads and validates the layout; weights are not read, see [`ModelDir::verify_digests`].
    ///
    /// # Errors
    /// `NoDirectory`, `MissingFile`, `Parse` (with unknown keys), `Value`, `Io`.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            return Err(Error::NoDirectory { path: path.to_path_buf() });
        }
        let before = Stamps::of([path.join(MANIFEST)]);
        let manifest: Manifest = read_toml(path, MANIFEST)?;
        check_manifest(&path.join(MANIFEST), &manifest)?;
        let stamps = before.and(manifest.files.keys().map(|name| path.join(name)));
        for name in REQUIRED.into_iter().chain([manifest.profile.file()]) {
            require(&path.join(name), manifest.files.get(name))?;
        }
        for (name, digest) in &manifest.files {
            require(&path.join(name), Some(digest))?;
        }
        let prompts = Prompts::read(&path.join(PROMPTS))?;
        let calibration = read_toml(path, CALIBRATION)?;
        check_calibration(&path.join(CALIBRATION), &calibration)?;
        Ok(Self { path: path.to_path_buf(), manifest, prompts, calibration, stamps })
    }

    /// Reads every file and compares it with the manifest.
    ///
    /// # Errors
    /// The first file, in order of names, that is absent (`MissingFile`), no file (`NotRegular`), shorter or longer
    /// (`Length`), changed (`Digest`) or not in the manifest (`Unlisted`), with the expected and found digest.
    pub fn verify_digests(&self) -> Result<()> {
        self.verify_rest(&self.files())
    }

    /// As [`ModelDir::verify_digests`], but for the digests of what was read whole of `files` already.
    ///
    /// # Errors
    /// As [`ModelDir::verify_digests`]; `Changed` for a file that is another one than when the directory was opened.
    pub fn verify_rest(&self, files: &Files) -> Result<()> {
        files.verify_rest()?;
        let unlisted = |name: &String| name != MANIFEST && !self.manifest.files.contains_key(name);
        if let Some(name) = list_files(&self.path)?.into_iter().find(unlisted) {
            return Err(Error::Unlisted { path: self.path.join(name) });
        }
        match self.stamps.changed() {
            Some(path) => Err(Error::Changed { path: path.to_path_buf() }),
            None => Ok(()),
        }
    }

    /// The files, each handed out only as the manifest lists it.
    pub fn files(&self) -> Files {
        Files::verified(&self.path, self.manifest.files.clone())
    }

    /// What the files were when the directory was opened.
    pub fn stamps(&self) -> &Stamps {
        &self.stamps
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of the exported graphs.
    pub fn onnx_path(&self) -> PathBuf {
        self.path.join("onnx")
    }

    /// `manifest.toml`.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// `prompts.toml`.
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// `calibration.toml`.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }
}

/// Digests every file under `dir` into `manifest.files` and writes `dir/manifest.toml`; returns what was written. The
/// file appears complete or not at all. Hidden files are left out.
///
/// # Errors
/// `Value`, `Io`, `Format`.
pub fn write_manifest(dir: &Path, mut manifest: Manifest) -> Result<Manifest> {
    manifest.files = digest_tree(dir, MANIFEST)?;
    check_manifest(&dir.join(MANIFEST), &manifest)?;
    write_toml(&dir.join(MANIFEST), &manifest)?;
    Ok(manifest)
}

/// Validates and writes `dir/prompts.toml`.
///
/// # Errors
/// `Value`, `Io`, `Format`.
pub fn write_prompts(dir: &Path, prompts: &Prompts) -> Result<()> {
    check_prompts(&dir.join(PROMPTS), prompts)?;
    write_toml(&dir.join(PROMPTS), prompts)
}

/// Validates and writes `dir/calibration.toml`.
///
/// # Errors
/// `Value`, `Io`, `Format`.
pub fn write_calibration(dir: &Path, calibration: &Calibration) -> Result<()> {
    check_calibration(&dir.join(CALIBRATION), calibration)?;
    write_toml(&dir.join(CALIBRATION), calibration)
}

fn check_manifest(path: &Path, manifest: &Manifest) -> Result<()> {
    let bad = |key: String, expected, found: &str| {
        Err(Error::Value { path: path.to_path_buf(), key, expected, found: format!("{found:?}") })
    };
    for (key, value) in [("name", &manifest.name), ("version", &manifest.version), ("licence", &manifest.licence)] {
        if value.trim().is_empty() {
            return bad(key.to_owned(), "some text", value);
        }
    }
    if let Some(parity) = &manifest.parity {
        check_parity(path, parity)?;
    }
    for (name, file) in &manifest.files {
        let parts = || name.split('/');
        if name.contains('\\') || parts().any(|part| part.is_empty() || part == "." || part == "..") {
            return bad("files".to_owned(), "paths inside the directory, with / between parts", name);
        }
        if file.sha256.len() != 64 || !file.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return bad(format!("files.{name:?}.sha256"), "64 lower-case hexadecimal digits", &file.sha256);
        }
    }
    Ok(())
}

pub(crate) fn check_prompts(path: &Path, prompts: &Prompts) -> Result<()> {
    let bad = |key: String, expected, found: &str| {
        Err(Error::Value { path: path.to_path_buf(), key, expected, found: format!("{found:?}") })
    };
    if !prompts.user.contains("{question}") {
        return bad("user".to_owned(), "a template with {question}", &prompts.user);
    }
    let PromptWindow { frames, rate_hz } = prompts.window;
    if !((1..=MOST_FRAMES).contains(&frames) && rate_hz > 0.0 && rate_hz <= MOST_RATE_HZ) {
        let found = format!("{frames} at {rate_hz} Hz");
        return bad("window".to_owned(), "1 to 768 frames at a rate over 0 and of at most 1000 Hz", &found);
    }
    if let Some(class) = prompts.classes.iter().find(|class| class.trim().is_empty()) {
        return bad("classes".to_owned(), "names of things", class);
    }
    for (kind, words) in &prompts.kinds {
        if words.phrasings.iter().any(|phrasing| phrasing.trim().is_empty()) {
            return bad(format!("kinds.{kind}.phrasings"), "questions in words", "");
        }
        if words.forms.is_empty() {
            return bad(format!("kinds.{kind}.forms"), "\"open\", \"options\" or both", "");
        }
    }
    Ok(())
}

fn check_parity(path: &Path, parity: &Parity) -> Result<()> {
    for (key, value) in [("parity.tolerance", Some(parity.tolerance)), ("parity.found", parity.found)] {
        let Some(value) = value else { continue };
        if !(value.is_finite() && value >= 0.0) {
            let (path, expected) = (path.to_path_buf(), "a finite number of at least 0");
            return Err(Error::Value { path, key: key.to_owned(), expected, found: value.to_string() });
        }
    }
    Ok(())
}

fn check_calibration(path: &Path, calibration: &Calibration) -> Result<()> {
    if let Some(found) = calibration.abstention.as_ref().map(|a| a.logit_bias).filter(|bias| !bias.is_finite()) {
        let key = "abstention.logit_bias".to_owned();
        let (path, expected) = (path.to_path_buf(), "a finite number");
        return Err(Error::Value { path, key, expected, found: found.to_string() });
    }
    for (kind, entry) in &calibration.kinds {
        let bad = |key: &str, expected, found: f64| {
            let key = format!("kinds.{kind}.{key}");
            Err(Error::Value { path: path.to_path_buf(), key, expected, found: found.to_string() })
        };
        let stated = ("", entry.coverage, entry.width);
        let curve = entry.curve.iter().map(|point| ("curve.", point.coverage, point.width));
        for (place, coverage, width) in std::iter::once(stated).chain(curve) {
            if !(coverage > 0.0 && coverage < 1.0) {
                return bad(&format!("{place}coverage"), "over 0 and under 1", coverage);
            }
            if !(width.get().is_finite() && width.get() >= 0.0) {
                return bad(&format!("{place}width"), "a finite number of at least 0", width.get());
            }
        }
    }
    Ok(())
}

/// Reads `dir/name`.
pub(crate) fn read_toml<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<T> {
    let text = Files::unverified(dir).text(name, MOST_TOML_BYTES)?;
    toml::from_str(&text).map_err(|source| Error::Parse { path: dir.join(name), source: Box::new(source) })
}

fn write_toml<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let text = toml::to_string_pretty(value)
        .map_err(|source| Error::Format { path: path.to_path_buf(), source: Box::new(source) })?;
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(parent).map_err(Error::io(path))?;
    file.write_all(text.as_bytes()).map_err(Error::io(path))?;
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(readable).map_err(Error::io(path))?;
    file.as_file().sync_all().map_err(Error::io(path))?;
    file.persist(path).map_err(|error| Error::Io { path: path.to_path_buf(), source: error.error })?;
    Ok(())
}
