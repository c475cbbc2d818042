//! What is broken is named, with expected and found; nothing panics.

use vlm::Sampling;

use crate::golden::{GOLDEN, load, settings};

/// A copy of the exported graphs to break.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a readable export");
    for entry in std::fs::read_dir(&GOLDEN.onnx).expect("a readable export").flatten() {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a readable export");
    }
    folder
}

#[test]
fn missing_truncated_and_foreign_files_are_named() {
    let config = GOLDEN.processor.config();
    for file in ["vision.onnx", "embedding.onnx", "model.onnx"] {
        let folder = copy();
        let path = folder.path().join(file);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let error = load(folder.path(), config, 1).unwrap_err();
        assert!(matches!(error, vlm::Error::MalformedFile { .. }) && error.to_string().contains(file), "{error}");
        std::fs::remove_file(&path).unwrap();
        let error = load(folder.path(), config, 1).unwrap_err();
        assert!(matches!(error, vlm::Error::MissingFile { .. }) && error.to_string().contains(file), "{error}");
    }
}

#[test]
fn missing_and_truncated_external_data_is_an_error_at_load() {
    for graph in ["vision.onnx", "embedding.onnx", "model.onnx"] {
        let folder = copy();
        let data = folder.path().join(format!("{graph}.data"));
        let length = std::fs::metadata(&data).unwrap().len();
        for cut in [length - 1, length / 2, 100, 0] {
            std::fs::File::options().write(true).open(&data).unwrap().set_len(cut).unwrap();
            let error = load(folder.path(), GOLDEN.processor.config(), 1).unwrap_err();
            let named = error
                .to_string()
                .contains(&format!("{graph}.data: expected the external data of a graph, found: {cut} bytes"));
            assert!(matches!(error, vlm::Error::MalformedFile { .. }) && named, "{cut} of {length}: {error}");
        }
        std::fs::remove_file(&data).unwrap();
        let error = load(folder.path(), GOLDEN.processor.config(), 1).unwrap_err();
        assert!(error.to_string().contains(&format!("{graph}.data: expected a file, found none")), "{error}");
    }
}

#[test]
fn graphs_of_another_configuration_are_refused_with_expected_and_found() {
    let mut config = GOLDEN.processor.config().clone();
    config.text.num_hidden_layers += 1;
    let error = load(&GOLDEN.onnx, &config, 1).unwrap_err().to_string();
    assert!(error.contains("past_key_values.2.key") && error.contains("found absent"), "{error}");
    let mut config = GOLDEN.processor.config().clone();
    config.text.vocab_size = 513;
    let error = load(&GOLDEN.onnx, &config, 1).unwrap_err().to_string();
    assert!(error.contains("513") && error.contains("512"), "{error}");
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let engine = &GOLDEN.engine;
    let (mut inputs, embeds) = GOLDEN.encoded("video8");
    assert!(engine.prefill(&inputs, &[]).unwrap_err().to_string().contains("found 0"));
    let too_long = engine.generate(&inputs, &embeds, &settings(100_000, Sampling::Greedy), &mut |_| {}).unwrap_err();
    assert!(matches!(too_long, vlm::Error::TooLong { expected: 2048, .. }), "{too_long}");
    inputs.videos[0].pixel_values.pop();
    assert!(matches!(engine.encode_all(&inputs), Err(vlm::Error::Shape { what: "pixel_values", .. })));
    inputs.input_ids[0] = 512;
    assert!(engine.prefill(&inputs, &embeds).unwrap_err().to_string().contains("ids below 512"));
}
