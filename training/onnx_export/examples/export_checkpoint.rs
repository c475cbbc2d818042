//! Exports a checkpoint directory: `cargo run -p onnx_export --example export_checkpoint -- CHECKPOINT OUT`.

use onnx_export::{ExportRequest, Precision, export};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(checkpoint_dir), Some(out_dir)) = (args.next(), args.next()) else {
        return Err("usage: export_checkpoint CHECKPOINT_DIR OUT_DIR".into());
    };
    let request =
        ExportRequest { checkpoint_dir: checkpoint_dir.into(), out_dir: out_dir.into(), precision: Precision::F32 };
    println!("{:#?}", export(&request)?);
    Ok(())
}
