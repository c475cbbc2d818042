//! Files of a model directory that would hang, fill memory or end the process are refused by name, in little time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use processor::*;
use serde_json::{Value, json};
use tempfile::TempDir;

const FILES: [&str; 4] = ["config.json", "processor_config.json", "chat_template.jinja", "tokenizer.json"];

fn golden_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/qwen2_5_vl_tiny/tiny-qwen2_5_vl")
}

fn copy() -> TempDir {
    let dir = tempfile::tempdir().expect("a writable temporary folder");
    for file in FILES {
        std::fs::copy(golden_dir().join(file), dir.path().join(file)).expect("golden data");
    }
    dir
}

/// The golden directory with another file `name`.
fn with(name: &str, content: &[u8]) -> TempDir {
    let dir = copy();
    std::fs::write(dir.path().join(name), content).expect("a writable temporary folder");
    dir
}

/// Loads and asks one question, in little time.
fn ask(dir: &Path) -> Result<usize> {
    let start = Instant::now();
    let asked = Processor::from_dir(dir).and_then(|processor| {
        let words =
            [Message::text("system", "camera"), Message::text("user", vec!["how far is the door"; 20].join(" "))];
        Ok(processor.prepare(&words, vec![], vec![])?.input_ids.len())
    });
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    asked
}

fn refusal(dir: &Path) -> String {
    ask(dir).expect_err("a directory to refuse").to_string()
}

/// The golden file `name` after `change`.
fn changed(name: &str, change: impl FnOnce(&mut Value)) -> TempDir {
    let bytes = std::fs::read(golden_dir().join(name)).expect("golden data");
    let mut value: Value = serde_json::from_slice(&bytes).expect("golden data");
    change(&mut value);
    with(name, value.to_string().as_bytes())
}

#[test]
fn templates_without_end_are_stopped() {
    let nested = "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}";
    let error = refusal(with("chat_template.jinja", nested.as_bytes()).path());
    assert!(error.contains("fuel"), "{error}");
    let long = format!("{{% for a in range(1000) %}}{}{{% endfor %}}", "x".repeat(60_000));
    let error = refusal(with("chat_template.jinja", long.as_bytes()).path());
    assert!(error.contains("chat template"), "{error}");
}

#[test]
fn templates_range_over_little() {
    for arguments in ["100000", "1001", "5, 2000", "0, 9000000000000000000", "0, 5000, 2", "5000, 0, -2", "0, 9, 0"] {
        for template in ["{{ 7 in range(ARGS) }}", "{% for a in range(ARGS) %}{% endfor %}"] {
            let template = template.replace("ARGS", arguments);
            let error = refusal(with("chat_template.jinja", template.as_bytes()).path());
            assert!(error.contains("range"), "{template}: {error}");
        }
    }
    for (arguments, expected) in [
        ("3", "012"),
        ("1000, 1003", "100010011002"),
        ("0, 5, 2", "024"),
        ("5, 0, -2", "531"),
        ("5, 0", ""),
        ("-9223372036854775808, 9223372036854775807, 9223372036854775807", "-9223372036854775808-19223372036854775806"),
    ] {
        let source = format!("{{% for a in range({arguments}) %}}{{{{ a }}}}{{% endfor %}}");
        let template = ChatTemplate::new(source).expect("a template");
        assert_eq!(template.render(&[], false).expect("text"), expected, "{arguments}");
    }
    let all = ChatTemplate::new("{{ 999 in range(1000) }}".to_owned()).expect("a template");
    assert_eq!(all.render(&[], false).expect("text"), "True");
}

#[test]
fn templates_that_build_text_without_bound_are_not_run() {
    for (template, found) in [
        (
            "{% set ns = namespace(x='a') %}{% for i in range(45) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
            "joined text",
        ),
        ("{% set x = 'a' %}{% set x = x + x %}", "a sum"),
        ("{{ 'a' * 10000000000 }}", "a multiplication"),
        ("{{ 10 ** 10 ** 10 }}", "a multiplication"),
        ("{% set x %}{{ x }}{{ x }}{% endset %}", "a block of text"),
        ("{% set x = [x, x] %}", "a list of variables"),
        ("{% set x = {'a': x, 'b': x} %}", "a dictionary of variables"),
        ("{% for x in [x ~ x] %}{% endfor %}", "a list of variables"),
        ("{% for x in (x ~ x) %}{% endfor %}", "joined text"),
        ("{% with x = x ~ x %}{% endwith %}", "joined text"),
        ("{% set x = x|tojson %}", "the result of tojson"),
        ("{% set x = x|default(x ~ x) %}", "joined text"),
        ("{% set ns = namespace(x=x ~ x) %}", "joined text"),
        ("{% for x in messages recursive %}{{ loop(messages) }}{% endfor %}", "a recursive loop"),
        ("{{ messages|indent(1000000000) }}", "the filter indent"),
        ("{{ '%1000000000d'|format(1) }}", "the filter format"),
        ("{{ messages|tojson|tojson|tojson }}", "too many filters"),
        ("{{ debug() }}", "a call of another function"),
        ("{{ 'a'.rjust(1000000000) }}", "a call of another function"),
    ] {
        let error = refusal(with("chat_template.jinja", format!("\n{template}").as_bytes()).path());
        assert!(error.contains("chat_template.jinja") && error.contains("line 2"), "{template}: {error}");
        assert!(error.contains(found), "{template}: {error}");
    }
    for template in [
        "{% macro m(x) %}{{ x }}{% endmacro %}",
        "{% include 'x' %}",
        "{% extends 'x' %}",
        &"(".repeat(100_000),
        &format!("{{{{ {} }}}}", "(".repeat(30_000)),
        &format!("{{{{ {} 1 }}}}", "not ".repeat(15_000)),
        &"{% if 1 %}".repeat(6_000),
        &format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(5_000)),
        &format!("{{{{ {} x }}}}", "x ~ ".repeat(10_000)),
        &"x".repeat(70_000),
    ] {
        let start: String = template.chars().take(40).collect();
        let refused = ask(with("chat_template.jinja", template.as_bytes()).path());
        assert!(refused.is_err() || template.starts_with('('), "{start}");
    }
}

#[test]
fn templates_of_the_architecture_run() {
    let spelt = "{% set count = namespace(value=0) %}{% for m in messages %}{% set count.value = count.value + 1 %}\
                 {% set content = m.content|trim %}{% if loop.first and m['role'] != 'system' %}{{ raise_exception('no ' ~ \
                 m.role) }}{% endif %}{{- '<|im_start|>' + m.role + '\\n' + content + '<|im_end|>\\n' }}{% endfor %}\
                 {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    assert_eq!(ask(with("chat_template.jinja", spelt.as_bytes()).path()).unwrap(), ask(&golden_dir()).unwrap());
}

#[test]
fn tokenizers_split_text_and_do_nothing_else() {
    for (key, value, expected) in [
        ("normalizer", json!({"type": "Replace", "pattern": {"String": "a"}, "content": "a".repeat(99)}), "null or"),
        ("normalizer", json!({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "a"}]}), "null or"),
        ("normalizer", json!({"type": "Sequence", "normalizers": vec![json!({"type": "NFC"}); 9]}), "at most 8 steps"),
        ("pre_tokenizer", json!({"type": "Sequence", "pretokenizers": vec![json!({"type": "ByteLevel"}); 2]}), "once"),
        ("pre_tokenizer", json!({"type": "Unheard"}), "Split, ByteLevel"),
        ("pre_tokenizer", json!({"type": "Split", "pattern": {"Regex": "(a{1,1000}){1000}"}}), "counts at most"),
        ("post_processor", json!({"type": "TemplateProcessing", "single": vec![json!({}); 9]}), "at most 8 pieces"),
        ("added_tokens", json!([{"id": u32::MAX, "content": "<|huge|>"}]), "ids below 4194304"),
        ("model", json!({"type": "BPE", "vocab": {"a": 4_000_000_000u64}}), "ids below 4194304"),
    ] {
        let dir = changed("tokenizer.json", |tokenizer| tokenizer[key] = value.clone());
        let error = refusal(dir.path());
        assert!(error.contains("tokenizer.json") && error.contains(key) && error.contains(expected), "{error}");
    }
}

#[test]
fn tokenizers_neither_pad_nor_cut() {
    let padding = json!({
        "strategy": {"Fixed": 20_000_000_000u64}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
        "pad_type_id": 0, "pad_token": "!"
    });
    let truncation = json!({"max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right"});
    let plain = ask(&golden_dir()).unwrap();
    assert!(plain > 4);
    for (key, value) in [("padding", padding), ("truncation", truncation)] {
        let dir = changed("tokenizer.json", |tokenizer| tokenizer[key] = value);
        assert_eq!(ask(dir.path()).unwrap(), plain, "{key}");
    }
}

#[test]
fn patterns_that_search_for_ever_are_an_error() {
    let dir = changed("tokenizer.json", |tokenizer| {
        let split = json!({"type": "Split", "pattern": {"Regex": "(?:[a-z ]|[a-y ])+[0-9]"}, "behavior": "Isolated", "invert": false});
        let steps = tokenizer["pre_tokenizer"]["pretokenizers"].as_array_mut().expect("golden data");
        steps.insert(0, split);
    });
    let error = refusal(dir.path());
    assert!(error.contains("tokenizer.json") && error.contains("retry-limit"), "{error}");
}

#[test]
fn numbers_beyond_any_network_are_refused() {
    for (file, pointer, value) in [
        ("config.json", "/text_config/max_position_embeddings", json!(1u64 << 60)),
        ("config.json", "/text_config/num_hidden_layers", json!(1_000_000_000)),
        ("config.json", "/text_config/vocab_size", json!(u64::MAX)),
        ("config.json", "/text_config/hidden_size", json!(1u64 << 40)),
        ("config.json", "/text_config/rope_parameters/mrope_section", json!([u64::MAX, u64::MAX, 2])),
        ("config.json", "/vision_config/depth", json!(1_000_000_000)),
        ("config.json", "/vision_config/num_heads", json!(1u64 << 62)),
        ("config.json", "/vision_config/patch_size", json!(0)),
        ("config.json", "/vision_config/patch_size", json!(1u64 << 63)),
        ("processor_config.json", "/image_processor/patch_size", json!(0)),
        ("processor_config.json", "/image_processor/patch_size", json!(1u64 << 40)),
        ("processor_config.json", "/image_processor/merge_size", json!(1u64 << 63)),
        ("processor_config.json", "/video_processor/size/shortest_edge", json!(200_000_000)),
    ] {
        let dir = changed(file, |config| *config.pointer_mut(pointer).expect("a key") = value.clone());
        let error = refusal(dir.path());
        let key = pointer.rsplit('/').next().expect("a key");
        let named = error.contains(key) || key == "shortest_edge" && error.contains("min_pixels");
        assert!(named && error.contains("expected"), "{pointer}: {error}");
    }
}

#[test]
fn fifos_giants_and_damaged_files_are_named() {
    for file in FILES {
        let dir = copy();
        let path = dir.path().join(file);
        std::fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let error = refusal(dir.path());
        assert!(error.contains(file) && error.contains("found a FIFO"), "{error}");

        let dir = copy();
        let giant = std::fs::File::options().write(true).open(dir.path().join(file)).unwrap();
        giant.set_len(1 << 40).unwrap();
        let error = refusal(dir.path());
        assert!(error.contains(file) && error.contains("found 1099511627776"), "{error}");

        for damaged in [&b"\xff\xfe{"[..], b"", b"{\"a\":", "[".repeat(1 << 20).as_bytes()] {
            let dir = with(file, damaged);
            if file != "chat_template.jinja" || damaged.first() == Some(&0xff) {
                let error = refusal(dir.path());
                assert!(error.contains(file), "{file}: {error}");
            }
        }
    }
}
