//! Finding and loading the ONNX Runtime library, once per process.
//!
//! The library is never linked: a robot brings its own build (a Jetson one with
//! TensorRT, say). Everything goes through `ort::init_from`, whose failure is an
//! error; `ort`'s implicit loading by `ORT_DYLIB_PATH` panics and is not used.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use ort::environment::Environment;

use crate::error::{Error, Result};

/// The release that the set-up installs and that the golden tests run on.
pub const ORT_VERSION: &str = "1.31.1";

/// The process's environment with the library it came from; never dropped, as
/// sessions and tensors refer to it.
struct Loaded {
    environment: Environment,
    library: PathBuf,
}

static LOADED: OnceLock<Loaded> = OnceLock::new();
static LOADING: Mutex<()> = Mutex::new(());

/// The user's cache folder of this project, `${XDG_CACHE_HOME:-~/.cache}/spacer`; `None` where neither `XDG_CACHE_HOME`
/// nor `HOME` is set.
pub fn cache_folder() -> Option<PathBuf> {
    let cache = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("spacer"))
}

/// A path in an environment variable that is set and not empty.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Loads ONNX Runtime. Tried in this order: `library`; `SPACER_ORT_DYLIB`;
/// `ORT_DYLIB_PATH`; the set-up's cache
/// (`${XDG_CACHE_HOME:-~/.cache}/spacer/onnxruntime-1.31.1-<arch>/`); the system loader.
///
/// An explicit `library` or environment variable that fails is an error, not a
/// reason to go on: the user named it. Idempotent and thread-safe; once a library
/// is loaded, later calls return `Ok` whatever they name.
///
/// # Errors
/// [`Error::NoRuntime`] with every place tried and how to get the library;
/// [`Error::Environment`] when the library refuses to start.
pub fn init(library: Option<&Path>) -> Result<()> {
    let _guard = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    if LOADED.get().is_some() {
        return Ok(());
    }
    let places = Places::from_process(library);
    let mut looked_at = places.notes.clone();
    for candidate in places.candidates {
        match ort::init_from(&candidate) {
            Ok(builder) => return start(builder, candidate),
            Err(error) => looked_at.push(error.to_string()),
        }
    }
    Err(Error::NoRuntime { looked_at, version: ORT_VERSION })
}

/// The library in use, or `None` before a successful [`init`].
pub fn library() -> Option<&'static Path> {
    LOADED.get().map(|loaded| loaded.library.as_path())
}

/// The process's environment; [`init`] must have succeeded.
pub(crate) fn environment() -> Result<&'static Environment> {
    init(None)?;
    LOADED
        .get()
        .map(|loaded| &loaded.environment)
        .ok_or(Error::NoRuntime { looked_at: Vec::new(), version: ORT_VERSION })
}

fn start(builder: ort::environment::EnvironmentBuilder, library: PathBuf) -> Result<()> {
    let built = builder.with_name("spacer").with_telemetry(false).build();
    let environment = built
        .map_err(|error| Error::Environment { library: library.display().to_string(), reason: error.to_string() })?;
    environment.set_log_level(ort::logging::LogLevel::Warning);
    tracing::debug!(library = %library.display(), "ONNX Runtime loaded");
    LOADED.get_or_init(|| Loaded { environment, library });
    Ok(())
}

/// Where to look, in order, and what can be said about places that hold nothing.
#[derive(Debug, Default, PartialEq)]
struct Places {
    candidates: Vec<PathBuf>,
    notes: Vec<String>,
}

impl Places {
    fn from_process(library: Option<&Path>) -> Self {
        let named = library
            .map(Path::to_path_buf)
            .or_else(|| variable("SPACER_ORT_DYLIB"))
            .or_else(|| variable("ORT_DYLIB_PATH"));
        Self::list(named, cache_folder())
    }

    fn list(named: Option<PathBuf>, cache: Option<PathBuf>) -> Self {
        let mut places = Self::default();
        if let Some(named) = named {
            places.candidates.push(named);
            return places;
        }
        places.notes.push("argument, SPACER_ORT_DYLIB and ORT_DYLIB_PATH (not set)".into());
        if let Some(cache) = cache {
            let folder = cache.join(format!("onnxruntime-{ORT_VERSION}-{}", std::env::consts::ARCH));
            match find_library(&folder, 8) {
                Some(found) => places.candidates.push(found),
                None => places.notes.push(format!("{} (no libonnxruntime.so in it)", folder.display())),
            }
        }
        places.candidates.push(PathBuf::from(format!("libonnxruntime.so.{ORT_VERSION}")));
        places.candidates.push(PathBuf::from("libonnxruntime.so"));
        places
    }
}

/// The library below `folder`, searched in name order so that the choice is reproducible.
fn find_library(folder: &Path, depth: usize) -> Option<PathBuf> {
    let names = [format!("libonnxruntime.so.{ORT_VERSION}"), "libonnxruntime.so".to_owned()];
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    let here = |name: &String| entries.iter().find(|path| path.is_file() && path.ends_with(name));
    if let Some(found) = names.iter().find_map(here) {
        return Some(found.clone());
    }
    let below = depth.checked_sub(1)?;
    entries.iter().filter(|path| path.is_dir() && !path.is_symlink()).find_map(|path| find_library(path, below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_library_is_the_only_candidate() {
        let places = Places::list(Some("/x/libort.so".into()), Some("/nowhere/spacer".into()));
        assert_eq!(places.candidates, [PathBuf::from("/x/libort.so")]);
        assert!(places.notes.is_empty());
    }

    #[test]
    fn the_cache_is_searched_before_the_system() {
        let cache = tempfile::tempdir().unwrap();
        let name = format!("spacer/onnxruntime-1.31.1-{}/onnxruntime/capi", std::env::consts::ARCH);
        let folder = cache.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("libonnxruntime.so.1.31.1");
        std::fs::write(&file, b"").unwrap();
        let places = Places::list(None, Some(cache.path().join("spacer")));
        assert_eq!(places.candidates[0], file);
        std::fs::rename(&file, folder.join("libonnxruntime.so")).unwrap();
        assert_eq!(
            Places::list(None, Some(cache.path().join("spacer"))).candidates[0],
            folder.join("libonnxruntime.so")
        );
        assert_eq!(places.candidates[2], PathBuf::from("libonnxruntime.so"));
    }

    #[test]
    fn an_empty_cache_is_noted_with_its_path() {
        let places = Places::list(None, Some("/nowhere/spacer".into()));
        assert!(places.notes[1].contains("/nowhere/spacer/onnxruntime-1.31.1"), "{:?}", places.notes);
    }
}
