//! A directory that holds anything but a model's files is refused by name, at once: reading it never waits and never takes
//! more memory than a model's files may have.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use model_dir::{Error, Files, ModelDir, Prompts, Stamps, digest_file, write_manifest};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

const PROMPTS: &str = "system = \"camera\"\nuser = \"{question}\"\n[kinds]\n";

/// The layout of a model, of a few bytes.
fn model() -> TempDir {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    fs::create_dir(dir.path().join("onnx")).expect("a writable temporary folder");
    let files = ["config.json", "tokenizer.json", "chat_template.jinja", "onnx/vision.onnx", "onnx/embedding.onnx"];
    for name in files.into_iter().chain(["onnx/model.onnx", "onnx/model.onnx.data", "onnx/genai_config.json"]) {
        write(dir.path(), name, format!("content of {name}").as_bytes());
    }
    write(dir.path(), "prompts.toml", PROMPTS.as_bytes());
    write(dir.path(), "calibration.toml", b"");
    let manifest = "name = \"m\"\nversion = \"1\"\nlicence = \"MIT\"\nprecision = \"f32\"\n";
    write_manifest(dir.path(), toml::from_str(manifest).expect("a manifest")).expect("a writable temporary folder");
    dir
}

fn write(dir: &Path, name: &str, bytes: &[u8]) {
    fs::write(dir.join(name), bytes).expect("a writable temporary folder");
}

/// Opens and verifies; nothing may take long.
fn verify(dir: &Path) -> Result<(), Error> {
    let start = Instant::now();
    let verified = ModelDir::open(dir).and_then(|model| model.verify_digests());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    verified
}

fn refusal(dir: &Path) -> String {
    verify(dir).expect_err("a directory to refuse").to_string()
}

#[test]
fn fifos_sockets_devices_and_folders_are_no_files() {
    for name in ["config.json", "manifest.toml", "prompts.toml", "onnx/model.onnx.data"] {
        let dir = model();
        let path = dir.path().join(name);
        let expect = |found: &str| {
            let error = refusal(dir.path());
            assert!(
                error.contains(name) && error.contains(&format!("expected a regular file, found {found}")),
                "{error}"
            );
            fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).expect("a writable temporary folder");
        };
        fs::remove_file(&path).unwrap();
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR, 0).unwrap();
        expect("a FIFO");
        let _listener = UnixListener::bind(&path).unwrap();
        expect("a socket");
        symlink("/dev/zero", &path).unwrap();
        expect("a device");
        fs::create_dir(&path).unwrap();
        expect("a folder");
        assert!(refusal(dir.path()).contains("expected a file"));
    }
}

#[test]
fn links_may_lead_to_files_but_not_to_folders() {
    let dir = model();
    for name in ["a", "b"] {
        symlink(".", dir.path().join("onnx").join(name)).unwrap();
    }
    let error = refusal(dir.path());
    assert!(error.contains("expected a regular file, found a link to a folder"), "{error}");
    let dir = model();
    let (file, elsewhere) = (dir.path().join("config.json"), tempfile::tempdir().unwrap());
    fs::rename(&file, elsewhere.path().join("blob")).unwrap();
    symlink(elsewhere.path().join("blob"), &file).unwrap();
    verify(dir.path()).unwrap();
    fs::remove_file(&file).unwrap();
    symlink("config.json", &file).unwrap();
    assert!(refusal(dir.path()).contains("config.json"));
}

#[test]
fn hidden_files_are_nobodys_business() {
    let dir = model();
    for name in [".DS_Store", "._config.json", "onnx/.hidden", "onnx/._model.onnx"] {
        write(dir.path(), name, b"left by another system");
    }
    fs::create_dir(dir.path().join(".git")).unwrap();
    symlink("..", dir.path().join(".git/loop")).unwrap();
    verify(dir.path()).unwrap();
}

#[test]
fn files_beyond_their_kind_are_refused_unread() {
    for name in ["manifest.toml", "prompts.toml", "calibration.toml"] {
        let dir = model();
        // A hole: a terabyte that takes no room.
        File::options().write(true).open(dir.path().join(name)).unwrap().set_len(1 << 40).unwrap();
        let error = refusal(dir.path());
        assert!(error.contains(name) && error.contains("bytes, found 1099511627776"), "{error}");
    }
    let dir = model();
    fs::write(dir.path().join("long"), vec![b'x'; 11]).unwrap();
    let files = Files::unverified(dir.path());
    assert!(matches!(files.read("long", 10), Err(Error::TooLarge { most: 10, found: 11, .. })));
    assert_eq!(files.read("long", 11).unwrap().len(), 11);
    // A file that has no length until it is read.
    let endless = Files::unverified(Path::new("/proc/self")).read("maps", 10);
    assert!(matches!(endless, Err(Error::TooLarge { most: 10, .. })), "{endless:?}");
}

#[test]
fn text_that_is_none_cut_short_or_nested_without_end_is_named() {
    let dir = model();
    write(dir.path(), "prompts.toml", b"system = \"\xff\"");
    let error = refusal(dir.path());
    assert!(error.contains("prompts.toml: expected UTF-8 text, found other bytes at byte 10"), "{error}");
    write(dir.path(), "prompts.toml", &PROMPTS.as_bytes()[..10]);
    assert!(refusal(dir.path()).contains("prompts.toml"));
    let deep = format!("x = {}", "[".repeat(1 << 20));
    for name in ["prompts.toml", "manifest.toml"] {
        write(dir.path(), name, deep.as_bytes());
        assert!(refusal(dir.path()).contains(name));
    }
    write(dir.path(), "prompts.toml", b"");
    assert!(refusal(dir.path()).contains("manifest.toml"));
}

#[test]
fn paths_out_of_the_directory_and_crowds_are_refused() {
    for name in ["/etc/passwd", "../secret", "a/../../b", "./config.json", "onnx//x"] {
        let dir = model();
        let path = dir.path().join("manifest.toml");
        let digest = "0".repeat(64);
        let entry = format!("\n[files.\"{name}\"]\nbytes = 1\nsha256 = \"{digest}\"\n");
        fs::write(&path, fs::read_to_string(&path).unwrap() + &entry).unwrap();
        let error = refusal(dir.path());
        assert!(error.contains("manifest.toml: files: expected paths inside") && error.contains(name), "{error}");
    }
    let dir = model();
    fs::create_dir(dir.path().join("crowd")).unwrap();
    for number in 0..10_001 {
        File::create(dir.path().join("crowd").join(number.to_string())).unwrap();
    }
    assert!(refusal(dir.path()).contains("at most 10000 files"));
}

#[test]
fn a_window_of_any_size_is_refused() {
    for (frames, rate) in [("0", "2.0"), ("769", "2.0"), ("18446744073709551615", "2.0"), ("2", "1e300"), ("2", "nan")]
    {
        let dir = model();
        let window = format!("{PROMPTS}[window]\nframes = {frames}\nrate_hz = {rate}\n");
        write(dir.path(), "prompts.toml", window.as_bytes());
        let error = Prompts::read(&dir.path().join("prompts.toml")).unwrap_err().to_string();
        assert!(error.contains("prompts.toml"), "{error}");
    }
}

#[test]
fn what_is_handed_out_is_what_the_manifest_lists() {
    let dir = model();
    let opened = ModelDir::open(dir.path()).unwrap();
    let files = opened.files();
    assert_eq!(files.below("onnx").read("model.onnx", 100).unwrap(), b"content of onnx/model.onnx");
    assert!(files.has("onnx/model.onnx") && !files.has("onnx/other"));
    write(dir.path(), "onnx/other", b"");
    assert!(matches!(files.read("onnx/other", 100), Err(Error::Unlisted { .. })));

    write(dir.path(), "config.json", b"content of konfig.json");
    assert!(matches!(files.read("config.json", 100), Err(Error::Digest { .. })));
    write(dir.path(), "tokenizer.json", b"short");
    assert!(matches!(files.text("tokenizer.json", 100), Err(Error::Length { .. })));
    let mut reader = files.open("onnx/model.onnx.data").unwrap();
    let mut half = [0; 10];
    reader.read_exact(&mut half).unwrap();
    reader.finish().unwrap();
}

#[test]
fn what_was_read_need_not_be_read_again_unless_it_has_changed() {
    let dir = model();
    let opened = ModelDir::open(dir.path()).unwrap();
    let files = opened.files();
    let names: Vec<String> = opened.manifest().files.keys().cloned().collect();
    for name in &names {
        files.read(name, 1000).unwrap();
    }
    opened.verify_rest(&files).unwrap();
    assert_eq!(opened.stamps().changed(), None);
    let path = dir.path().join("onnx/model.onnx.data");
    let digest = digest_file(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(opened.stamps().changed(), Some(path.as_path()));
    fs::write(&path, "content of onnx/model.onnx.data").unwrap();
    assert_eq!(digest_file(&path).unwrap(), digest);
    // The bytes are the same; that somebody wrote them is told.
    assert_eq!(opened.stamps().changed(), Some(path.as_path()));
    assert!(matches!(opened.verify_rest(&files), Err(Error::Changed { .. })));
    let again: Stamps = ModelDir::open(dir.path()).unwrap().stamps().clone();
    assert_eq!(again.changed(), None);
}
