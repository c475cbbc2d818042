//! `spacer-train evaluate`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use evaluation::Exam;
use evaluation::judge::{self, Answered, Sight, judge};
use evaluation::judged::{Judged, judged, write_answers};
use evaluation::page::{Heading, page};
use evaluation::report::{Group, Report, report};
use evaluation::statistics::Estimate;
use indicatif::{ProgressBar, ProgressStyle};
use model_dir::{Evaluation, ModelDir};
use perception::{Settings, VlmAnswerer};

use crate::exam::Source;
use crate::folders;

/// Examples: `spacer-train evaluate --model models/zoo/spacer-nano --rooms novel --questions 300 --seed 1 --json`;
/// `spacer-train evaluate --model models/zoo/spacer-nano --rooms heldout --walks --page report.html`;
/// `spacer-train evaluate --model models/zoo/spacer-nano --episodes data/mine --answers-file answers.jsonl`
#[derive(clap::Args)]
pub struct Arguments {
    /// The model directory.
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    source: Source,
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
    #[command(flatten)]
    limits: Limits,
}

/// What an answer may take.
#[derive(clap::Args)]
pub struct Limits {
    /// Longest completion, tokens.
    #[arg(long, default_value_t = judge::Limits::default().max_new_tokens,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub max_new_tokens: usize,
    /// Longest time for one answer, seconds.
    #[arg(long, default_value_t = judge::Limits::default().patience.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub answer_seconds: u64,
}

impl Limits {
    /// As a judge takes them.
    pub fn get(&self) -> judge::Limits {
        judge::Limits { max_new_tokens: self.max_new_tokens, patience: Duration::from_secs(self.answer_seconds) }
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    for path in [&arguments.page, &arguments.answers_file].into_iter().flatten() {
        folders::check_writable(path)?;
    }
    let mut answerer = VlmAnswerer::load(&Settings::new(&arguments.model))?;
    let exam = arguments.source.draw(&arguments.model)?;
    let limits = arguments.limits.get();
    let answers = answer(&mut answerer, &exam, (Sight::Frames, limits))?;
    let on_black = answer(&mut answerer, &exam, (Sight::Black, limits))?;
    let judged = judged(&exam, &answers, &on_black);
    if arguments.answers {
        judged.iter().zip(&answers).for_each(|(judged, answer)| print_answer(judged, answer));
    }
    if let Some(path) = &arguments.answers_file {
        write_answers(path, &judged)?;
    }
    let directory = ModelDir::open(&arguments.model)?;
    let report = report(&judged, directory.calibration());
    if let Some(path) = &arguments.page {
        let manifest = directory.manifest();
        let model = format!("{} {}", manifest.name, manifest.version);
        let heading = Heading { model, command: command_line(arguments) };
        let page = page(&heading, &exam, (&answers, &judged), &report)?;
        std::fs::write(path, page).with_context(|| path.display().to_string())?;
    }
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

/// Asks a model all questions of an exam, behind a progress bar.
pub fn answer(
    answerer: &mut VlmAnswerer,
    exam: &Exam,
    (sight, limits): (Sight, judge::Limits),
) -> Result<Vec<Answered>> {
    let questions: usize = exam.sheets.iter().map(|sheet| sheet.items.len()).sum();
    let doing = match sight {
        Sight::Frames => "answering",
        Sight::Black => "answering on black frames",
    };
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")?;
    let bar = ProgressBar::new(questions as u64).with_style(style).with_message(doing);
    let answers = judge(answerer, &exam.sheets, (sight, limits), &mut || bar.inc(1))?;
    bar.finish_and_clear();
    Ok(answers)
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
    format!("spacer-train evaluate --model {} {}", arguments.model.display(), arguments.source.options())
}

fn scores(report: &Report) -> BTreeMap<String, f64> {
    let mut scores = BTreeMap::new();
    for group in &report.groups {
        let measure = if group.numeric.is_some() { "mra" } else { "accuracy" };
        for (name, score) in [
            (measure.to_owned(), group.score.mean),
            (format!("best_constant_{measure}"), group.constant_score),
            (format!("black_frames_{measure}"), group.blind.mean),
        ] {
            scores.insert(format!("{}.{name}", group.name), score);
        }
        if let Some(numeric) = group.numeric {
            scores.insert(format!("{}.median_relative_error", group.name), numeric.median_relative_error);
        }
    }
    let others = [
        ("absent_not_seen", report.abstention.absent.mean),
        ("present_not_seen", report.abstention.present.mean),
        ("black_not_seen", report.abstention.black.mean),
        ("coverage", report.coverage.mean),
        ("stated_coverage", report.stated_coverage.unwrap_or(f64::NAN)),
        ("map_score", report.map_score.mean),
        ("vsi_mean", report.vsi.score.map_or(f64::NAN, |score| score.mean)),
        ("black_frames_vsi_mean", report.vsi.blind.unwrap_or(f64::NAN)),
    ];
    scores.extend(others.map(|(name, score)| (name.to_owned(), score)));
    if report.unsupported > 0 {
        scores.insert("unsupported".to_owned(), report.unsupported as f64);
    }
    // A rate of nothing is no score.
    scores.retain(|_, score| score.is_finite());
    scores
}

fn print_answer(judged: &Judged, answer: &Answered) {
    eprintln!("{} truth {} answer {} {}", judged.question, judged.truth, judged.answer, answer.completion);
}

fn print_report(report: &Report) {
    println!(
        "{:<28} {:>5} {:>7} {:>15} {:>7} {:>9} {:>9} {:>9}",
        report.exam, "n", "score", "95 % interval", "black", "constant", "med.err", "not seen"
    );
    for group in &report.groups {
        let error = group.numeric.map_or("–".to_owned(), |numeric| percent(numeric.median_relative_error));
        println!(
            "{:<28} {:>5} {:>7} {:>15} {:>7} {:>9} {:>9} {:>9}",
            group.name,
            group.score.count,
            percent(group.score.mean),
            range(&group.score),
            percent(group.blind.mean),
            percent(group.constant_score),
            error,
            percent(group.not_seen.mean)
        );
    }
    match &report.vsi.score {
        Some(score) => println!(
            "mean over the types of VSI-Bench: {} ({}), {} on black frames",
            percent(score.mean),
            range(score),
            percent(report.vsi.blind.unwrap_or(f64::NAN))
        ),
        None => println!("no mean over the types of VSI-Bench: no question of {}", report.vsi.missing.join(", ")),
    }
    let abstention = &report.abstention;
    println!(
        "not seen: {} of what is absent, {} of what is present ({} with black frames instead), {} of black video",
        percent(abstention.absent.mean),
        percent(abstention.present.mean),
        percent(abstention.black_present.mean),
        percent(abstention.black.mean)
    );
    for kind in &report.intervals {
        println!(
            "intervals of {}: {} ({}) hold the truth, {} stated",
            kind.kind.name(),
            percent(kind.measured.mean),
            range(&kind.measured),
            percent(kind.stated)
        );
    }
    println!("maps: {} ({}) of {}", percent(report.map_score.mean), range(&report.map_score), report.map_score.count);
    println!("{} questions, {} unreadable answers", report.questions, report.unreadable);
    print_unsupported(report);
}

/// What the model was not asked, where there is any.
fn print_unsupported(report: &Report) {
    let groups = report.groups.iter().filter(|group| group.unsupported > 0);
    let told = |group: &Group| format!("{} of {} {}", group.unsupported, group.score.count, group.name);
    let told: Vec<String> = groups.map(told).collect();
    if !told.is_empty() {
        println!("not taught to the model and not asked (UNSUPPORTED, score 0): {}", told.join(", "));
    }
}

fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1}%", 100.0 * share) } else { "–".to_owned() }
}

fn range(estimate: &Estimate) -> String {
    format!("{} to {}", percent(estimate.lower), percent(estimate.upper))
}
