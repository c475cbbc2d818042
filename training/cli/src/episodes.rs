//! `spacer-train episodes`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use episodes::Episode;
use episodes::bag::{BagSettings, Role, read_bag};
use episodes::episode::PictureFormat;
use episodes::folder::{EpisodeFolder, FolderWriter};
use episodes::lerobot::LerobotWriter;
use episodes::sampling::FrameSampling;
use episodes::spacer::{SpacerEpisodes, SpacerFiles, SpacerWriter};
use indicatif::ProgressBar;
use serde_json::json;

use crate::folders;

/// Examples: `spacer-train episodes --bag episodes/episode_1700000000 --out data/mine`;
/// `spacer-train episodes --spacer-jsonl SpaceR-151k/SpaceR-151k.jsonl --frames 16 --out data/spacer`;
/// `spacer-train episodes --set data/mine --format lerobot --out data/lerobot`
#[derive(clap::Args)]
pub struct Arguments {
    /// rosbag2 folders or .mcap files, of this robot or anybody's.
    #[arg(long, num_args = 1.., value_name = "BAG")]
    bag: Vec<PathBuf>,
    /// SpaceR-151k's JSON lines.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    spacer_jsonl: Vec<PathBuf>,
    /// Folders that this command wrote, here or at s3://bucket/folder.
    #[arg(long, num_args = 1.., value_name = "DIR")]
    set: Vec<PathBuf>,
    /// Folder that `path` in JSON lines is relative to, where it isn't theirs.
    #[arg(long, requires = "spacer_jsonl")]
    media: Option<PathBuf>,
    /// File of cognitive maps, where it isn't cognitive_map.jsonl beside the JSON lines.
    #[arg(long, requires = "spacer_jsonl")]
    maps: Option<PathBuf>,
    /// List of videos that are left out, one id or path a line.
    #[arg(long, requires = "spacer_jsonl")]
    exclude: Option<PathBuf>,
    /// A bag's topic for a role, where it isn't to be told by its type: image, camera_info, odom, depth, range, ask,
    /// query, answer, feedback or truth; an empty name = none.
    #[arg(long = "topic", value_name = "ROLE=NAME", value_parser = role_and_name, requires = "bag")]
    topics: Vec<(Role, String)>,
    /// Frame of the robot in a bag's TF.
    #[arg(long, default_value = "base_link")]
    base_frame: String,
    /// How long before a bag's question its frames begin where no answer says, and how long stretches of motion are,
    /// seconds.
    #[arg(long, default_value_t = 8.0)]
    window: f64,
    /// Ask nothing about the robot's own motion.
    #[arg(long)]
    no_motion: bool,
    /// Most frames a second that are kept.
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// Most frames an episode keeps, spread evenly; 0 = all.
    #[arg(long, default_value_t = 0)]
    frames: usize,
    /// How pictures are kept that are no files already.
    #[arg(long, value_enum, default_value_t = Pictures::Jpeg)]
    pictures: Pictures,
    /// New folder for the result; or s3://bucket/folder.
    #[arg(long)]
    out: PathBuf,
    /// Form of the result: our own folder, SpaceR's JSON lines with videos, or LeRobot 3.0.
    #[arg(long, value_enum, default_value_t = Format::Episodes)]
    format: Format,
    /// Leave out what can't be read, and say so, instead of stopping.
    #[arg(long)]
    skip_broken: bool,
    /// Print the counts as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Episodes,
    Spacer,
    Lerobot,
}

#[derive(Clone, Copy, ValueEnum)]
enum Pictures {
    Jpeg,
    Png,
}

fn role_and_name(text: &str) -> Result<(Role, String), String> {
    let (role, name) = text.split_once('=').ok_or_else(|| format!("expected ROLE=NAME, found {text:?}"))?;
    Ok((role.parse()?, name.to_owned()))
}

/// Where episodes go.
enum Sink {
    Folder(FolderWriter),
    Spacer(SpacerWriter),
    Lerobot(Box<LerobotWriter>),
}

impl Sink {
    fn create(arguments: &Arguments, out: &Path) -> Result<Self> {
        let rate = arguments.rate;
        Ok(match arguments.format {
            Format::Episodes => Self::Folder(FolderWriter::create(out)?),
            Format::Spacer => Self::Spacer(SpacerWriter::create(out, rate)?),
            Format::Lerobot => {
                ensure!(rate >= 1.0 && rate.fract() == 0.0, "--rate: LeRobot wants a whole number of Hz, found {rate}");
                Self::Lerobot(Box::new(LerobotWriter::create(out, rate as u32)?))
            }
        })
    }

    fn write(&mut self, episode: &Episode) -> episodes::Result<()> {
        match self {
            Self::Folder(writer) => writer.write(episode),
            Self::Spacer(writer) => writer.write(episode),
            Self::Lerobot(writer) => writer.write(episode),
        }
    }

    fn finish(self) -> episodes::Result<()> {
        match self {
            Self::Folder(writer) => writer.finish(),
            Self::Spacer(writer) => writer.finish(),
            Self::Lerobot(writer) => writer.finish(),
        }
    }
}

/// What was written.
#[derive(Default)]
struct Counts {
    episodes: usize,
    frames: usize,
    labelled: BTreeMap<&'static str, usize>,
    unlabelled: usize,
    left_out: usize,
}

impl Counts {
    fn add(&mut self, episode: &Episode) {
        self.episodes += 1;
        self.frames += episode.frames.len();
        for question in &episode.questions {
            match &question.label {
                Some(label) => *self.labelled.entry(label.source.name()).or_default() += 1,
                None => self.unlabelled += 1,
            }
        }
    }

    fn print(&self, out: &Path, as_json: bool) {
        let Self { episodes, frames, labelled, unlabelled, left_out } = self;
        if as_json {
            let counts = json!({"episodes": episodes, "frames": frames, "labelled": labelled, "unlabelled": unlabelled,
                                "left_out": left_out, "out": out});
            println!("{counts:#}");
            return;
        }
        println!("{}: {episodes} episodes, {frames} frames", out.display());
        for (source, count) in labelled {
            println!("  {count} questions labelled by {source}");
        }
        println!("  {unlabelled} questions that nobody knows the answer of");
        println!("  {left_out} messages or files left out");
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    ensure!(
        arguments.rate.is_finite() && arguments.rate > 0.0,
        "--rate: expected a number above 0, found {}",
        arguments.rate
    );
    ensure!(
        arguments.window.is_finite() && arguments.window > 0.0,
        "--window: expected seconds above 0, found {}",
        arguments.window
    );
    if arguments.bag.is_empty() && arguments.spacer_jsonl.is_empty() && arguments.set.is_empty() {
        bail!("expected --bag, --spacer-jsonl or --set, found none");
    }
    let mut counts = Counts::default();
    let mut ids = BTreeSet::new();
    let (out, remote) = folders::to_write(&arguments.out)?;
    let mut sink = Sink::create(arguments, &out)?;
    let mut keep = |counts: &mut Counts, episode: Result<Episode>| -> Result<()> {
        let written = episode.and_then(|episode| {
            let episode = Episode { id: new_id(&mut ids, &episode.id), ..episode };
            sink.write(&episode)?;
            counts.add(&episode);
            Ok(())
        });
        match written {
            Err(error) if arguments.skip_broken => {
                eprintln!("left out: {error:#}");
                counts.left_out += 1;
                Ok(())
            }
            other => other,
        }
    };
    for path in ProgressBar::new(arguments.bag.len() as u64).wrap_iter(arguments.bag.iter()) {
        let episode = bag_episode(path, arguments, &mut counts);
        keep(&mut counts, episode)?;
    }
    for path in &arguments.spacer_jsonl {
        let read = SpacerEpisodes::open(&spacer_files(path, arguments), sampling(arguments))?;
        counts.left_out += read.excluded();
        for episode in ProgressBar::new(read.size_hint().0 as u64).wrap_iter(read) {
            keep(&mut counts, episode.map_err(Into::into))?;
        }
    }
    for path in &arguments.set {
        let set = EpisodeFolder::open(&folders::to_read(path)?)?;
        let mut open = set.unlabelled()?;
        let mut episodes = set.episodes()?;
        while let Some(episode) = episodes.next() {
            for reason in episodes.take_left_out() {
                eprintln!("left out: {reason}");
                counts.left_out += 1;
            }
            let with_open = episode.map(|mut episode| {
                episode.questions.extend(open.remove(&episode.id).unwrap_or_default());
                episode
            });
            keep(&mut counts, with_open.map_err(Into::into))?;
        }
    }
    sink.finish()?;
    remote.map_or(Ok(()), |mut remote| remote.put(&out))?;
    counts.print(&arguments.out, arguments.json);
    Ok(())
}

fn sampling(arguments: &Arguments) -> FrameSampling {
    let format = match arguments.pictures {
        Pictures::Jpeg => PictureFormat::Jpeg,
        Pictures::Png => PictureFormat::Png,
    };
    FrameSampling { rate_hz: arguments.rate, most: arguments.frames, format }
}

fn bag_episode(path: &Path, arguments: &Arguments, counts: &mut Counts) -> Result<Episode> {
    let settings = BagSettings {
        topics: arguments.topics.iter().cloned().collect(),
        base_frame: arguments.base_frame.clone(),
        sampling: sampling(arguments),
        window_secs: arguments.window,
        motion: !arguments.no_motion,
    };
    let read = read_bag(path, &settings).with_context(|| path.display().to_string())?;
    for reason in &read.left_out {
        eprintln!("{}: left out: {reason}", path.display());
    }
    counts.left_out += read.left_out.len();
    Ok(read.episode)
}

fn spacer_files(path: &Path, arguments: &Arguments) -> SpacerFiles {
    let beside = SpacerFiles::beside(path);
    SpacerFiles {
        media: arguments.media.clone().unwrap_or(beside.media),
        maps: arguments.maps.clone().or(beside.maps),
        excluded: arguments.exclude.clone(),
        questions: beside.questions,
    }
}

/// `id`, with a number behind it where another source had it before.
fn new_id(ids: &mut BTreeSet<String>, id: &str) -> String {
    let again = (2u32..).map(|number| format!("{id}-{number}"));
    std::iter::once(id.to_owned()).chain(again).find(|id| ids.insert(id.clone())).unwrap_or_else(|| id.to_owned())
}
