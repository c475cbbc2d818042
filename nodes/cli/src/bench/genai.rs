//! onnxruntime-genai in a process of its own, which takes turns with us.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};

use super::decode::{PROMPT, TOKENS};
use super::model::THREADS;

/// The running `scripts/bench_genai.py`.
pub(super) struct Genai {
    child: Child,
    go: ChildStdin,
    rounds: BufReader<ChildStdout>,
}

impl Genai {
    /// Loads `packages` with the Python interpreter `python`, which has onnxruntime-genai.
    pub(super) fn start(python: &Path, script: &Path, ids: &[u32], packages: &[PathBuf]) -> Result<Self> {
        anyhow::ensure!(ids.len() == PROMPT, "expected a prompt of {PROMPT} tokens, found {}", ids.len());
        let ids = ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let mut child = Command::new(python)
            .arg(script)
            .args(["--tokens", &TOKENS.to_string(), "--threads", &THREADS.to_string(), "--ids", &ids])
            .args(packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| python.display().to_string())?;
        let go = child.stdin.take().context("no standard input")?;
        let rounds = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Self { child, go, rounds })
    }

    /// Tokens per second of each package, in their order.
    pub(super) fn round(&mut self) -> Result<Vec<(String, f64)>> {
        writeln!(self.go)?;
        let mut line = String::new();
        self.rounds.read_line(&mut line)?;
        serde_json::from_str(&line)
            .with_context(|| format!("bench_genai.py: expected a list of speeds, found {line:?}"))
    }
}

impl Drop for Genai {
    fn drop(&mut self) {
        // It reads an end of file at the latest when this process ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
