//! `spacer-train gate`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use evaluation::gate::{Difference, compare};
use evaluation::judged::read_answers;

/// Example: `spacer-train gate --candidate new.jsonl --present shipped.jsonl`, of two runs of
/// `spacer-train evaluate --answers-file FILE` on the same kind of exam. With the same questions and seed, question by
/// question, a smaller loss is seen.
#[derive(clap::Args)]
pub struct Arguments {
    /// Answers of the model that wants to replace the present one.
    #[arg(long)]
    candidate: PathBuf,
    /// Answers of the present model.
    #[arg(long)]
    present: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let comparison = compare(&read_answers(&arguments.candidate)?, &read_answers(&arguments.present)?)?;
    let row = |name: &str, Difference { estimate, is_paired }: &Difference| {
        let [mean, lower, upper] = [estimate.mean, estimate.lower, estimate.upper].map(|value| 100.0 * value);
        let other = if *is_paired { "" } else { ", other questions" };
        println!("{name:<28} {:>5}  {mean:>+6.1} points ({lower:+.1} to {upper:+.1}){other}", estimate.count);
    };
    comparison.groups.iter().for_each(|(name, difference)| row(name, difference));
    comparison.vsi.iter().for_each(|difference| row("types of VSI-Bench", difference));
    row("all", &comparison.all);
    match comparison.worse().as_slice() {
        [] => Ok(()),
        worse => {
            bail!("expected a model no worse than the present one, found it worse beyond noise in {}", worse.join(", "))
        }
    }
}
