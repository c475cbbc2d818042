//! Which exam `spacer-train evaluate` and `spacer-train calibrate` ask.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ValueEnum;
use episodes::folder::EpisodeFolder;
use episodes::sampling::FrameSampling;
use episodes::spacer::{SpacerEpisodes, SpacerFiles};
use episodes::{Episode, Split};
use evaluation::logged::LoggedSettings;
use evaluation::walks::Topic;
use evaluation::{Exam, RoomSettings, clips, logged, walks};
use model_dir::{ModelDir, PromptWindow, Prompts};
use processor::PreprocessorConfig;

use crate::folders;

/// Questions of a kind in an exam of simulated rooms, unless another number is asked for.
const QUESTIONS_A_KIND: usize = 100;
/// Kinds of questions about clips: distances, counts, absent objects.
const CLIP_KINDS: usize = 3;

/// Which rooms to ask about.
#[derive(Clone, Copy, ValueEnum)]
enum Rooms {
    /// New rooms with furniture known from training.
    Heldout,
    /// New rooms with furniture never trained on.
    Novel,
}

/// Where questions come from.
#[derive(clap::Args)]
pub struct Source {
    /// Which simulated rooms to ask about.
    #[arg(long, value_enum, required_unless_present_any = ["episodes", "spacer_jsonl"])]
    rooms: Option<Rooms>,
    /// Ask about walks of 16 frames at 1 Hz, on every topic, instead of about clips of two frames.
    #[arg(long, requires = "rooms")]
    walks: bool,
    /// Ask the labelled questions of a folder, or s3://bucket/folder, that `spacer-train episodes` wrote.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["rooms", "spacer_jsonl"])]
    episodes: Option<PathBuf>,
    /// Ask the questions of SpaceR-151k's JSON lines; videos and maps lie beside them.
    #[arg(long, value_name = "FILE", conflicts_with = "rooms")]
    spacer_jsonl: Option<PathBuf>,
    /// Most frames that the model is shown of an episode: its newest, of a video spread evenly. As many as it was trained
    /// on unless given, of SpaceR's videos 16.
    #[arg(long)]
    frames: Option<usize>,
    /// Most frames per second of an episode: the rate that the model was trained on unless given, of SpaceR's videos 1.
    #[arg(long)]
    rate: Option<f64>,
    /// Questions in all, shared equally by the kinds of question: 100 of each where absent, of episodes all of them.
    #[arg(long)]
    questions: Option<usize>,
    /// Another seed draws other rooms and questions.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Source {
    /// Draws the exam for a model.
    pub fn draw(&self, model: &Path) -> Result<Exam> {
        let preprocessor = PreprocessorConfig::from_dir(model)?;
        let (questions, path) = (self.questions, self.logged_path());
        if let (None, Some(rooms)) = (path, self.rooms) {
            let split = match rooms {
                Rooms::Heldout => Split::Heldout,
                Rooms::Novel => Split::Novel,
            };
            let settings = RoomSettings { split, questions: self.room_questions(), seed: self.seed };
            return rooms_exam(&settings, self.walks.then_some(Topic::ALL.as_slice()), model);
        }
        let PromptWindow { frames, rate_hz } = self.window(model)?;
        anyhow::ensure!(rate_hz.is_finite() && rate_hz > 0.0, "--rate: expected a number above 0, found {rate_hz}");
        anyhow::ensure!(frames > 0, "--frames: expected at least 1, found 0");
        let settings = LoggedSettings { frames, rate_hz, questions };
        let name = path.map(|path| format!("episodes {}", path.display())).unwrap_or_default();
        if let Some(folder) = &self.episodes {
            let mut episodes = EpisodeFolder::open(&folders::to_read(folder)?)?.episodes()?;
            let (exam, left_out) = logged::draw(&name, &mut episodes, &settings, &preprocessor)?;
            say_left_out(&[episodes.take_left_out(), left_out].concat());
            return Ok(exam);
        }
        let files = SpacerFiles::beside(path.unwrap_or(Path::new("")));
        let sampling = FrameSampling { rate_hz, most: frames, ..FrameSampling::default() };
        let mut episodes = SpacerEpisodes::open(&files, sampling)?;
        say_left_out(&episodes.take_left_out());
        let (exam, left_out) = logged::draw(&name, episodes.filter_map(unless_broken), &settings, &preprocessor)?;
        say_left_out(&left_out);
        Ok(exam)
    }

    /// How much of an episode the model is shown.
    fn window(&self, model: &Path) -> Result<PromptWindow> {
        let usual = match self.spacer_jsonl {
            Some(_) => PromptWindow { frames: walks::FRAMES, rate_hz: walks::FRAME_RATE_HZ },
            None => Prompts::read(&model.join("prompts.toml"))?.window,
        };
        Ok(PromptWindow { frames: self.frames.unwrap_or(usual.frames), rate_hz: self.rate.unwrap_or(usual.rate_hz) })
    }

    /// The options that give the same exam again.
    pub fn options(&self) -> String {
        if let Some(path) = self.logged_path() {
            let option = if self.episodes.is_some() { "--episodes" } else { "--spacer-jsonl" };
            let most = self.questions.map(|questions| format!(" --questions {questions}")).unwrap_or_default();
            let frames = self.frames.map(|frames| format!(" --frames {frames}")).unwrap_or_default();
            let rate = self.rate.map(|rate| format!(" --rate {rate}")).unwrap_or_default();
            return format!("{option} {}{frames}{rate}{most}", path.display());
        }
        let rooms = self.rooms.and_then(|rooms| rooms.to_possible_value());
        let rooms = rooms.map(|value| value.get_name().to_owned()).unwrap_or_default();
        let walks = if self.walks { " --walks" } else { "" };
        format!("--rooms {rooms}{walks} --questions {} --seed {}", self.room_questions(), self.seed)
    }

    fn logged_path(&self) -> Option<&Path> {
        self.episodes.as_deref().or(self.spacer_jsonl.as_deref())
    }

    fn room_questions(&self) -> usize {
        let kinds = if self.walks { Topic::ALL.len() } else { CLIP_KINDS };
        self.questions.unwrap_or(QUESTIONS_A_KIND * kinds)
    }
}

/// The exam of simulated rooms: of walks on `topics`, else of clips.
pub fn rooms_exam(settings: &RoomSettings, topics: Option<&[Topic]>, model: &Path) -> Result<Exam> {
    let preprocessor = PreprocessorConfig::from_dir(model)?;
    Ok(match topics {
        Some(topics) => walks::draw(settings, topics, &preprocessor)?,
        None => clips::draw(settings, ModelDir::open(model)?.prompts(), &preprocessor)?,
    })
}

fn say_left_out(reasons: &[String]) {
    reasons.iter().for_each(|reason| eprintln!("left out: {reason}"));
}

/// A picture that is broken is not asked about, and standard error says so.
fn unless_broken(episode: episodes::Result<Episode>) -> Option<episodes::Result<Episode>> {
    if let Err(error @ episodes::Error::BrokenFile { .. }) = &episode {
        eprintln!("left out: {error}");
        return None;
    }
    Some(episode)
}
