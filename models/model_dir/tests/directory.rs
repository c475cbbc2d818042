//! A model directory is refused with the file's name and both digests when a file is missing, truncated or tampered.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use model_dir::{
    Abstention, Calibration, CurvePoint, Error, Evaluation, FREE_FORM, Form, KindCalibration, KindPrompts, LossPoint,
    Manifest, ModelDir, Parity, Precision, Profile, PromptWindow, Prompts, Training, Width, digest_file,
    write_calibration, write_manifest, write_prompts,
};
use tempfile::TempDir;

const FILES: [&str; 9] = [
    "config.json",
    "tokenizer.json",
    "preprocessor_config.json",
    "chat_template.jinja",
    "onnx/vision.onnx",
    "onnx/embedding.onnx",
    "onnx/model.onnx",
    "onnx/model.onnx.data",
    "onnx/genai_config.json",
];

fn manifest() -> Manifest {
    Manifest {
        name: "test".into(),
        version: "0.1.0".into(),
        licence: "CC0-1.0".into(),
        precision: Precision::F32,
        profile: Profile::Ort,
        training: Some(Training {
            command: "spacer-train sft --seed 7".into(),
            seed: 7,
            seconds: 12.5,
            loss_curve: vec![LossPoint { step: 1, loss: 6.0 }, LossPoint { step: 2, loss: 5.5 }],
        }),
        evaluation: vec![Evaluation {
            command: "spacer-train evaluate".into(),
            scores: BTreeMap::from([("distance.mra".into(), 0.5)]),
        }],
        parity: Some(Parity { tolerance: 1e-3, found: Some(4e-7) }),
        files: BTreeMap::new(),
    }
}

fn calibration() -> Calibration {
    let entry = |width| {
        let curve = vec![CurvePoint { coverage: 0.5, width: Width::RelativeWidth(0.1) }];
        KindCalibration { coverage: 0.9, width, n: 400, split: "calibration".into(), curve }
    };
    Calibration {
        abstention: Some(Abstention {
            token: " do".to_owned(),
            logit_bias: -0.5,
            absent_not_seen: 0.8,
            present_not_seen: 0.1,
            n: 300,
            split: "calibration".to_owned(),
        }),
        kinds: BTreeMap::from([
            ("distance".into(), entry(Width::RelativeWidth(0.4))),
            ("count".into(), entry(Width::AbsoluteWidth(1.0))),
        ]),
    }
}

fn prompts() -> Prompts {
    let distance = KindPrompts {
        forms: vec![Form::Open, Form::Options],
        instruction: "Answer in metres.".into(),
        phrasings: vec!["How far is the {object}?".into()],
        stretches_secs: Vec::new(),
    };
    Prompts {
        system: "Camera at {camera_height_m} m. Map: {\"a\": [[1, 2]]}".into(),
        user: "{question} {instruction}".into(),
        kinds: BTreeMap::from([("distance".into(), distance)]),
        classes: vec!["chair".into(), "door".into()],
        window: PromptWindow::default(),
        states_answers: false,
    }
}

fn model() -> TempDir {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    fs::create_dir(dir.path().join("onnx")).expect("a writable temporary folder");
    for name in FILES {
        fs::write(dir.path().join(name), format!("content of {name}")).expect("a writable temporary folder");
    }
    write_prompts(dir.path(), &prompts()).expect("a writable temporary folder");
    write_calibration(dir.path(), &calibration()).expect("a writable temporary folder");
    write_manifest(dir.path(), manifest()).expect("a writable temporary folder");
    dir
}

fn verify(dir: &Path) -> Result<(), Error> {
    ModelDir::open(dir)?.verify_digests()
}

#[test]
fn whole_directory_reads_back_as_written() {
    let dir = model();
    let opened = ModelDir::open(dir.path()).unwrap();
    opened.verify_digests().unwrap();
    assert_eq!(opened.prompts(), &prompts());
    assert_eq!(opened.calibration(), &calibration());
    assert_eq!(opened.manifest().training, manifest().training);
    assert_eq!(opened.manifest().evaluation, manifest().evaluation);
    assert_eq!(opened.manifest().files.len(), FILES.len() + 2);
    assert_eq!(opened.prompts().user_text("distance", "{instruction}?"), "{instruction}? Answer in metres.");
    let system = opened.prompts().system_text(&[("camera_height_m", "0.4")]);
    assert_eq!(system, "Camera at 0.4 m. Map: {\"a\": [[1, 2]]}");
}

#[test]
fn digest_is_sha256() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "abc").unwrap();
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(digest_file(file.path()).unwrap().sha256, expected);
}

#[test]
fn tampered_file_is_named_with_both_digests() {
    let dir = model();
    let path = dir.path().join("onnx/model.onnx.data");
    let before = digest_file(&path).unwrap().sha256;
    let mut bytes = fs::read(&path).unwrap();
    bytes[3] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = verify(dir.path()).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Digest { .. }), "{text}");
    assert!(text.contains("model.onnx.data") && text.contains(&before), "{text}");
    assert!(text.contains(&digest_file(&path).unwrap().sha256), "{text}");
}

#[test]
fn truncated_file_says_so() {
    let dir = model();
    let path = dir.path().join("onnx/model.onnx.data");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..5]).unwrap();
    let text = verify(dir.path()).unwrap_err().to_string();
    assert!(text.contains("truncated") && text.contains("found 5 bytes"), "{text}");
}

#[test]
fn missing_file_is_named_with_its_digest() {
    let dir = model();
    let path = dir.path().join("onnx/model.onnx.data");
    let digest = digest_file(&path).unwrap().sha256;
    fs::remove_file(&path).unwrap();
    let text = ModelDir::open(dir.path()).unwrap_err().to_string();
    assert!(text.contains("model.onnx.data") && text.contains(&digest), "{text}");
    assert!(matches!(ModelDir::open(&dir.path().join("absent")), Err(Error::NoDirectory { .. })));
}

#[test]
fn unlisted_file_is_refused() {
    let dir = model();
    fs::write(dir.path().join("onnx/extra.onnx"), "").unwrap();
    assert!(matches!(verify(dir.path()), Err(Error::Unlisted { .. })));
}

#[test]
fn unknown_keys_and_bad_values_are_refused() {
    let dir = model();
    let manifest_path = dir.path().join("manifest.toml");
    let text = fs::read_to_string(&manifest_path).unwrap();
    fs::write(&manifest_path, format!("licnce = \"MIT\"\n{text}")).unwrap();
    let error = ModelDir::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("licnce") && error.contains("manifest.toml"), "{error}");
    fs::write(&manifest_path, text.replace("onnx/model.onnx.data", "../secret")).unwrap();
    assert!(matches!(ModelDir::open(dir.path()), Err(Error::Value { .. })));

    let mut bad = calibration();
    bad.kinds.get_mut("distance").unwrap().coverage = 1.5;
    let error = write_calibration(dir.path(), &bad).unwrap_err().to_string();
    assert!(error.contains("kinds.distance.coverage") && error.contains("1.5"), "{error}");
    let mut bad = calibration();
    bad.kinds.get_mut("distance").unwrap().curve[0].width = Width::RelativeWidth(-0.1);
    let error = write_calibration(dir.path(), &bad).unwrap_err().to_string();
    assert!(error.contains("kinds.distance.curve.width") && error.contains("-0.1"), "{error}");
}

#[test]
fn a_model_answers_what_its_wording_names() {
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("prompts.toml");
    let read = |kinds: &str| {
        fs::write(&path, format!("system = \"\"\nuser = \"{{question}}\"\n{kinds}")).unwrap();
        Prompts::read(&path)
    };
    let narrow = read("[kinds.count]\n[kinds.side]\nforms = [\"options\"]\n").unwrap();
    let answers = |prompts: &Prompts, kind| [Form::Open, Form::Options].map(|form| prompts.answers(kind, form));
    assert_eq!(
        ["count", "side", "size"].map(|kind| answers(&narrow, kind)),
        [[true, false], [false, true], [false; 2]]
    );
    let free = read(&format!("[kinds.count]\n[kinds.{FREE_FORM}]\nforms = [\"open\", \"options\"]\n")).unwrap();
    assert_eq!(["count", "size"].map(|kind| answers(&free, kind)), [[true; 2]; 2]);
    for (broken, named) in [
        ("[kinds.count]\nforms = []\n", "kinds.count.forms"),
        ("[kinds.count]\nforms = [\"letters\"]\n", "letters"),
        ("[kinds.count]\nphrasings = [\" \"]\n", "kinds.count.phrasings"),
        ("classes = [\"\"]\n[kinds]\n", "classes"),
    ] {
        let error = read(broken).unwrap_err().to_string();
        assert!(error.contains(named) && error.contains("prompts.toml"), "{error}");
    }
}
