//! Exports a checkpoint directory and prints sizes and peak memory:
//! `cargo run -p onnx_export --example export_checkpoint -- CHECKPOINT OUT [PRECISION [PROFILE [ADAPTER]]]`
//! with PRECISION one of f32 (default), f16, int8, int4, int4-symmetric, maybe with another for the output layer as in
//! int4/int8, and PROFILE one of ort (default), trt.

use onnx_export::{ExportOptions, ExportRequest, Precision, Profile, export_with};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [checkpoint_dir, out_dir, rest @ ..] = args.as_slice() else {
        return Err("usage: export_checkpoint CHECKPOINT_DIR OUT_DIR [PRECISION [PROFILE [ADAPTER_DIR]]]".into());
    };
    let words = rest.first().map_or("f32", String::as_str);
    let (precision, output) = match words.split_once('/') {
        Some((precision, output)) => (named(precision)?, Some(named(output)?)),
        None => (named(words)?, None),
    };
    let profile = match rest.get(1).map_or("ort", String::as_str) {
        "ort" => Profile::Ort,
        "trt" => Profile::Trt,
        other => return Err(format!("expected ort or trt, found {other}").into()),
    };
    let request = ExportRequest { checkpoint_dir: checkpoint_dir.into(), out_dir: out_dir.into(), precision };
    let adapter_dir = rest.get(2).map(Into::into);
    let options = ExportOptions { profile, output_precision: output, adapter_dir, ..Default::default() };
    let report = export_with(&request, &options)?;
    let peak = std::fs::read_to_string("/proc/self/status").ok();
    let peak = peak.as_deref().and_then(|status| status.lines().find(|line| line.starts_with("VmHWM")));
    println!("{report:#?}\n{} bytes, peak resident memory {}", report.bytes(), peak.unwrap_or("unknown"));
    Ok(())
}

fn named(precision: &str) -> Result<Precision, String> {
    Ok(match precision {
        "f32" => Precision::F32,
        "f16" => Precision::F16,
        "int8" => Precision::Int8,
        "int4" => Precision::Int4 { symmetric: false },
        "int4-symmetric" => Precision::Int4 { symmetric: true },
        other => return Err(format!("expected f32, f16, int8, int4 or int4-symmetric, found {other}")),
    })
}
