//! `spacer-train plan`.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use grpo::Recipe;
use grpo::plan::{Circumstances, Plan, plan};
use processor::config::ModelConfig;

const GIB: f64 = (1u64 << 30) as f64;

/// Example: `spacer-train plan training/recipes/spacer-nano-grpo.toml --model /data/Qwen2.5-VL-7B-Instruct --frames 16
/// --memory-gib 80`
///
/// Fails if the run can't fit.
#[derive(clap::Args)]
pub struct Arguments {
    /// The recipe.
    recipe: PathBuf,
    /// A directory with config.json, instead of the recipe's model.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Memory of the device, GiB.
    #[arg(long)]
    memory_gib: f64,
    /// Frames of a scene.
    #[arg(long, default_value_t = 16)]
    frames: usize,
    /// Pixels of a frame.
    #[arg(long, default_value_t = 128 * 28 * 28)]
    pixels_per_frame: usize,
    /// Tokens of a question with its template.
    #[arg(long, default_value_t = 300)]
    question_tokens: usize,
    /// Mean tokens of a completion.
    #[arg(long, default_value_t = 400)]
    completion_tokens: usize,
    /// Teraflops that the device sustains; two cores with AVX-512 do about 0.1.
    #[arg(long, default_value_t = 0.1)]
    teraflops: f64,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let recipe = Recipe::read(&arguments.recipe)?;
    let config = ModelConfig::from_dir(arguments.model.as_ref().unwrap_or(&recipe.model))?;
    let circumstances = Circumstances {
        frames: arguments.frames,
        pixels_per_frame: arguments.pixels_per_frame,
        question_tokens: arguments.question_tokens,
        completion_tokens: arguments.completion_tokens,
        flops_per_second: arguments.teraflops * 1e12,
    };
    let plan = plan(&config, &recipe, &circumstances)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&plan)?);
    } else {
        print(&plan);
    }
    let needed = plan.memory.peak() as f64 / GIB;
    ensure!(
        needed <= arguments.memory_gib,
        "expected a run that fits into {} GiB, found one that needs {needed:.1} GiB; a [lora] section, \
         compute.precision = \"bf16\", optimiser.gradient_checkpointing, objective.kl_beta = 0, fewer frames or \
         shorter completions need less",
        arguments.memory_gib
    );
    Ok(())
}

fn print(plan: &Plan) {
    println!("parameters         {:>14}", plan.parameters);
    println!("  trained          {:>14}", plan.trained);
    println!("prompt             {:>14} tokens", plan.prompt_tokens);
    let memory = &plan.memory;
    for (part, bytes) in [
        ("weights", memory.weights),
        ("reference", memory.reference),
        ("gradients", memory.gradients),
        ("moments", memory.moments),
        ("activations", memory.activations),
        ("logits", memory.logits),
        ("KV cache", memory.kv_cache),
        ("peak", memory.peak()),
    ] {
        println!("{part:<18} {:>14.3} GiB", bytes as f64 / GIB);
    }
    println!("{:<18} {:>14.2} h", "time", plan.hours);
}
