//! Generates the Rust types of `proto/onnx.proto` without a system `protoc`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto/onnx.proto");
    let descriptors = protox::compile(["proto/onnx.proto"], ["proto"])?;
    let mut config = prost_build::Config::new();
    // The comments of onnx.proto hold indented diagrams that rustdoc would compile as doc-tests.
    config.disable_comments(["."]);
    config.compile_fds(descriptors)?;
    Ok(())
}
