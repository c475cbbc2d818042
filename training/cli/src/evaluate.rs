//! `spacer-train evaluate` and `spacer-train calibrate`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use episodes::Split;
use evaluation::calibrate;
use evaluation::exam::{ExamSettings, Sheet};
use evaluation::judge::{Answered, Sight, judge};
use evaluation::judged::{judged, write_answers};
use evaluation::page::{Heading, page};
use evaluation::report::{Numeric, Report, report};
use model_dir::{Calibration, Evaluation, ModelDir};
use perception::{Settings, VlmAnswerer};
use processor::PreprocessorConfig;

/// Which rooms to ask about.
#[derive(Clone, Copy, ValueEnum)]
enum Rooms {
    /// New rooms with furniture known from training.
    Heldout,
    /// New rooms with furniture never trained on.
    Novel,
}

/// Example: `spacer-train evaluate --model models/zoo/spacer-nano --rooms novel --questions 300 --seed 1 --json`
#[derive(clap::Args)]
pub struct Arguments {
    /// The model directory.
    #[arg(long)]
    model: PathBuf,
    /// Which rooms to ask about.
    #[arg(long, value_enum)]
    rooms: Rooms,
    /// Questions in all: a third each of distances, counts (two or more) and absent objects.
    #[arg(long, default_value_t = 300)]
    questions: usize,
    /// Another seed draws other rooms and questions.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Print every answer with its truth to standard error.
    #[arg(long)]
    answers: bool,
    /// Write the scores into the model's manifest.
    #[arg(long)]
    record: bool,
    /// Write a page with plots and examples that a browser shows without anything else.
    #[arg(long)]
    page: Option<PathBuf>,
    /// Write every judged answer as JSON lines, for `spacer-train gate`.
    #[arg(long)]
    answers_file: Option<PathBuf>,
}

/// Example: `spacer-train calibrate --model models/zoo/spacer-nano --questions 900 --coverage 0.9`
#[derive(clap::Args)]
pub struct CalibrateArguments {
    /// The model directory; its calibration.toml and manifest.toml are written anew.
    #[arg(long)]
    model: PathBuf,
    /// Questions to calibrate from.
    #[arg(long, default_value_t = 900)]
    questions: usize,
    /// Share of truths that the intervals are to hold.
    #[arg(long, default_value_t = 0.9)]
    coverage: f64,
    /// Share of absent objects that the model is to call "not seen".
    #[arg(long, default_value_t = 0.8)]
    absent_recognised: f64,
    /// Another seed draws other rooms and questions.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Runs `evaluate`.
pub fn run(arguments: &Arguments) -> Result<()> {
    let split = match arguments.rooms {
        Rooms::Heldout => Split::Heldout,
        Rooms::Novel => Split::Novel,
    };
    let settings = ExamSettings { split, questions: arguments.questions, seed: arguments.seed };
    let (mut answerer, sheets) = sit_down(&arguments.model, &settings)?;
    let answers = judge(&mut answerer, &sheets, Sight::Frames)?;
    let on_black = judge(&mut answerer, &sheets, Sight::Black)?;
    if arguments.answers {
        answers.iter().for_each(print_answer);
    }
    let of_sheet = sheets.iter().flat_map(|sheet| sheet.items.iter().map(|_| &sheet.map));
    let judged = judged(&answers, &on_black, &of_sheet.collect::<Vec<_>>());
    if let Some(path) = &arguments.answers_file {
        write_answers(path, &judged)?;
    }
    if let Some(path) = &arguments.page {
        let manifest = ModelDir::open(&arguments.model)?.manifest().clone();
        let heading =
            Heading { model: format!("{} {}", manifest.name, manifest.version), command: command_line(arguments) };
        let page = page(&heading, &sheets, &answers, &judged)?;
        std::fs::write(path, page).with_context(|| path.display().to_string())?;
    }
    let report = report(&answers, &on_black);
    if arguments.record {
        record(arguments, &report)?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print_report(&report);
    }
    Ok(())
}

/// Runs `calibrate`: the operating point of "not seen" first, then the intervals of what is answered with it.
pub fn run_calibrate(arguments: &CalibrateArguments) -> Result<()> {
    let settings = ExamSettings { split: Split::Calibration, questions: arguments.questions, seed: arguments.seed };
    let split = "calibration";
    write(&arguments.model, &Calibration::default())?;
    let (mut unbiased, sheets) = sit_down(&arguments.model, &settings)?;
    let odds = judge(&mut unbiased, &sheets, Sight::Frames)?;
    let abstention = Some(calibrate::abstention(&odds, arguments.absent_recognised, split)?);
    write(&arguments.model, &Calibration { abstention: abstention.clone(), ..Calibration::default() })?;
    // Intervals are for what is answered with that bias.
    let answers = judge(&mut VlmAnswerer::load(&Settings::new(&arguments.model))?, &sheets, Sight::Frames)?;
    let kinds = calibrate::intervals(&answers, arguments.coverage, split)?;
    let calibration = Calibration { abstention, kinds };
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
    Ok(())
}

/// Puts the scores in place of those that the same command gave before.
fn record(arguments: &Arguments, report: &Report) -> Result<()> {
    let mut manifest = ModelDir::open(&arguments.model)?.manifest().clone();
    let command = command_line(arguments);
    manifest.evaluation.retain(|evaluation| evaluation.command != command);
    manifest.evaluation.push(Evaluation { command, scores: scores(report) });
    model_dir::write_manifest(&arguments.model, manifest)?;
    Ok(())
}

/// What gives the same scores again.
fn command_line(arguments: &Arguments) -> String {
    let rooms = arguments.rooms.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    format!(
        "spacer-train evaluate --model {} --rooms {rooms} --questions {} --seed {}",
        arguments.model.display(),
        arguments.questions,
        arguments.seed
    )
}

fn scores(report: &Report) -> BTreeMap<String, f64> {
    let mut scores = BTreeMap::new();
    for (kind, n) in [("ego_distance", &report.ego_distance), ("object_counting", &report.object_counting)] {
        for (name, score) in [
            ("median_relative_error", n.median_relative_error),
            ("mra", n.mra),
            ("best_constant_mra", n.best_constant_mra),
            ("black_frames_mra", n.black_frames_mra),
        ] {
            scores.insert(format!("{kind}.{name}"), score);
        }
    }
    let others = [
        ("absent_not_seen", report.absent_not_seen),
        ("present_not_seen", report.present_not_seen),
        ("coverage", report.coverage),
        ("stated_coverage", report.stated_coverage),
    ];
    scores.extend(others.map(|(name, score)| (name.to_owned(), score)));
    // A rate of nothing is no score.
    scores.retain(|_, score| score.is_finite());
    scores
}

fn write(model: &Path, calibration: &Calibration) -> Result<()> {
    model_dir::write_calibration(model, calibration)?;
    let manifest = ModelDir::open(model)?.manifest().clone();
    model_dir::write_manifest(model, manifest)?;
    Ok(())
}

fn sit_down(model: &Path, settings: &ExamSettings) -> Result<(VlmAnswerer, Vec<Sheet>)> {
    let answerer = VlmAnswerer::load(&Settings::new(model))?;
    let prompts = ModelDir::open(model)?.prompts().clone();
    let sheets = evaluation::exam::draw(settings, &prompts, &PreprocessorConfig::from_dir(model)?)?;
    Ok((answerer, sheets))
}

fn print_answer(answer: &Answered) {
    let question = &answer.item.question;
    eprintln!("{} truth {:?} answer {:?} {}", answer.item.text, question.truth, answer.outcome, answer.completion);
}

fn print_report(report: &Report) {
    println!(
        "{:<17} {:>5} {:>8} {:>6} {:>14} {:>12} {:>9}",
        "", "n", "med.err", "MRA", "best constant", "black frames", "coverage"
    );
    let row = |name: &str, n: &Numeric| {
        println!(
            "{name:<17} {:>5} {:>7.1}% {:>6.3} {:>14.3} {:>12.3} {:>8.1}%",
            n.questions,
            100.0 * n.median_relative_error,
            n.mra,
            n.best_constant_mra,
            n.black_frames_mra,
            100.0 * n.coverage
        );
    };
    row("ego_distance", &report.ego_distance);
    row("object_counting", &report.object_counting);
    println!(
        "not seen: {:.1}% of absent, {:.1}% of present objects ({:.1}% of present on black frames)",
        100.0 * report.absent_not_seen,
        100.0 * report.present_not_seen,
        100.0 * report.black_frames_present_not_seen
    );
    println!(
        "intervals: {:.1}% hold the truth, {:.0}% stated",
        100.0 * report.coverage,
        100.0 * report.stated_coverage
    );
    println!("{} questions, {} unreadable answers", report.questions, report.unreadable);
}
