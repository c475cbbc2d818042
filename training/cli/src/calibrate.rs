//! `spacer-train calibrate`.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use episodes::Split;
use evaluation::RoomSettings;
use evaluation::calibrate::{MIN_ANSWERS, TOPICS, abstention, intervals};
use evaluation::judge::Sight;
use model_dir::{Calibration, ModelDir};
use perception::{Settings, VlmAnswerer};

use crate::evaluate::{Limits, answer};
use crate::exam::rooms_exam;

/// Questions of a topic of walks, unless another number is asked for: the last quantile of the curve, 95 %, is then
/// that of about five answers.
const QUESTIONS_A_TOPIC: usize = 100;
/// Questions about clips, unless another number is asked for.
const CLIP_QUESTIONS: usize = 900;

/// Examples: `spacer-train calibrate --model models/zoo/spacer-nano --questions 900 --coverage 0.9`;
/// `spacer-train calibrate --model models/zoo/spacer-nano --walks`
#[derive(clap::Args)]
pub struct Arguments {
    /// The model directory; its calibration.toml and manifest.toml are written anew once all is measured.
    #[arg(long)]
    model: PathBuf,
    /// Calibrate from walks of 16 frames, on every kind of question whose answer is a number, instead of from clips of
    /// two frames.
    #[arg(long)]
    walks: bool,
    /// Questions to calibrate from: 900 about clips, 1100 about walks where absent.
    #[arg(long)]
    questions: Option<usize>,
    /// Share of truths that the intervals are to hold.
    #[arg(long, default_value_t = 0.9)]
    coverage: f64,
    /// Share of absent objects that the model is to call "not seen".
    #[arg(long, default_value_t = 0.8)]
    absent_recognised: f64,
    /// Another seed draws other rooms and questions.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    limits: Limits,
}

/// Runs the command: the operating point of "not seen" first, then the intervals of what is answered with it. A
/// calibration that was there before stays where none can be made.
pub fn run(arguments: &Arguments) -> Result<()> {
    for (name, found) in [("coverage", arguments.coverage), ("absent-recognised", arguments.absent_recognised)] {
        ensure!(0.0 < found && found < 1.0, "--{name}: expected a share between 0 and 1, found {found}");
    }
    let usual = if arguments.walks { QUESTIONS_A_TOPIC * TOPICS.len() } else { CLIP_QUESTIONS };
    let questions = arguments.questions.unwrap_or(usual);
    let settings = RoomSettings { split: Split::Calibration, questions, seed: arguments.seed };
    let split = "calibration";
    let mut answerer = VlmAnswerer::load(&Settings::new(&arguments.model))?;
    answerer.recalibrate(Calibration::default())?;
    let exam = rooms_exam(&settings, arguments.walks.then_some(TOPICS.as_slice()), &arguments.model)?;
    let sight = (Sight::Frames, arguments.limits.get());
    let odds = answer(&mut answerer, &exam, sight)?;
    let abstention = Some(abstention(&odds, arguments.absent_recognised, split)?);
    // Intervals are for what is answered with that bias.
    answerer.recalibrate(Calibration { abstention: abstention.clone(), ..Calibration::default() })?;
    let found = intervals(&answer(&mut answerer, &exam, sight)?, arguments.coverage, split);
    let calibration = Calibration { abstention, kinds: found.kinds };
    write(&arguments.model, &calibration)?;
    if let Some(found) = &calibration.abstention {
        println!(
            "not seen: bias {:.2} on {:?}, {:.1}% of absent and {:.1}% of present objects",
            found.logit_bias,
            found.token,
            100.0 * found.absent_not_seen,
            100.0 * found.present_not_seen
        );
    }
    for (kind, entry) in &calibration.kinds {
        println!("{kind}: answer · e^±{:.3} holds {} of {} truths", entry.width.get(), entry.coverage, entry.n);
    }
    for (kind, count) in found.too_few {
        println!("{kind}: no interval: expected at least {MIN_ANSWERS} answers with a number, found {count}");
    }
    Ok(())
}

fn write(model: &Path, calibration: &Calibration) -> Result<()> {
    model_dir::write_calibration(model, calibration)?;
    let manifest = ModelDir::open(model)?.manifest().clone();
    model_dir::write_manifest(model, manifest)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_refused_before_anything_is_written() {
        let usual = Arguments {
            model: "no/such/model".into(),
            walks: true,
            questions: None,
            coverage: 0.9,
            absent_recognised: 0.8,
            seed: 0,
            limits: Limits { max_new_tokens: 512, answer_seconds: 120 },
        };
        let error = |arguments: &Arguments| run(arguments).unwrap_err().to_string();
        assert_eq!(
            error(&Arguments { coverage: 90.0, ..usual }),
            "--coverage: expected a share between 0 and 1, found 90"
        );
    }
}
