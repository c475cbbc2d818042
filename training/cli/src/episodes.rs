//! `spacer-train episodes`.

mod counts;
mod new_folder;
mod sink;

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use clap::ValueEnum;
use episodes::Episode;
use episodes::bag::{BagEpisode, BagSettings, Role, read_bag};
use episodes::episode::PictureFormat;
use episodes::folder::EpisodeFolder;
use episodes::sampling::FrameSampling;
use episodes::spacer::{Records, SpacerEpisodes, SpacerFiles};
use indicatif::ProgressBar;

use self::counts::Counts;
use self::new_folder::NewFolder;
use self::sink::{Format, Sink};
use crate::folders;

/// Examples: `spacer-train episodes --bag episodes/episode_1700000000 --out data/mine`;
/// `spacer-train episodes --spacer-jsonl SpaceR-151k/SpaceR-151k.jsonl --frames 16 --out data/spacer`;
/// `spacer-train episodes --set data/mine --format lerobot --out data/lerobot`
#[derive(clap::Args)]
pub struct Arguments {
    /// rosbag2 folders, or files of them (.mcap, .db3, also compressed by zstd), of this robot or anybody's; a folder
    /// of several recordings is each of them.
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
    /// Label distances by depth images, scans and range finders, at the cell where the answer's map has the thing. A
    /// cell is that of a thing's centre, not of its closest point: 5 to 10 % off as a rule, and often more.
    #[arg(long, requires = "bag")]
    cell_labels: bool,
    /// Most frames a second that are kept.
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// Most frames an episode keeps, spread evenly; 0 = all.
    #[arg(long, default_value_t = 0)]
    frames: usize,
    /// How pictures are kept that are no files already.
    #[arg(long, value_enum, default_value_t = Pictures::Jpeg)]
    pictures: Pictures,
    /// Folder for the result, or s3://bucket/folder. One that this command wrote before is replaced once all is written.
    #[arg(long)]
    out: PathBuf,
    /// Form of the result: our own folder, SpaceR's JSON lines with videos, or LeRobot 3.0.
    #[arg(long, value_enum, default_value_t = Format::Episodes)]
    format: Format,
    /// Leave out what can't be read, and say so, instead of stopping; bags are left out always, which is an error
    /// without this.
    #[arg(long)]
    skip_broken: bool,
    /// Largest share of SpaceR's records that may be left out without being an error.
    #[arg(long, default_value_t = 0.1)]
    broken_share: f64,
    /// Print the counts as JSON.
    #[arg(long)]
    json: bool,
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
    for path in arguments.bag.iter().chain(&arguments.spacer_jsonl) {
        ensure!(path.exists(), "{}: expected a file or folder, found none", path.display());
    }
    let (out, remote) = folders::to_write(&arguments.out)?;
    let result = NewFolder::beside(&out)?;
    let sink = Sink::create(arguments.format, arguments.rate, result.path())?;
    let mut making = Making { arguments, sink, ids: BTreeSet::new(), counts: Counts::default() };
    making.bags()?;
    making.spacer_files()?;
    making.sets()?;
    making.sink.finish()?;
    ensure!(making.counts.episodes > 0, "expected at least one episode, found none in what was named");
    result.take_its_place()?;
    remote.map_or(Ok(()), |mut remote| remote.put(&out))?;
    making.counts.print(&arguments.out, arguments.json);
    let Counts { bags, bags_left_out, records, records_left_out, .. } = making.counts;
    ensure!(
        records_left_out as f64 <= arguments.broken_share * records as f64 || arguments.skip_broken,
        "{records_left_out} of {records} records were left out, each for the reason above, and the others were written; \
         a greater --broken-share than {} or --skip-broken takes that",
        arguments.broken_share
    );
    ensure!(
        bags_left_out == 0 || arguments.skip_broken,
        "{bags_left_out} of {bags} bags were left out, each for the reason above, and the others were written; with \
         --skip-broken that is no error"
    );
    Ok(())
}

/// The result in the making.
struct Making<'a> {
    arguments: &'a Arguments,
    sink: Sink,
    /// Of the episodes written.
    ids: BTreeSet<String>,
    counts: Counts,
}

impl Making<'_> {
    /// Reads the bags; a folder of several recordings is each of them. One that can't be used costs no other.
    fn bags(&mut self) -> Result<()> {
        let progress = ProgressBar::new(self.arguments.bag.len() as u64);
        let mut open: VecDeque<PathBuf> = self.arguments.bag.iter().cloned().collect();
        while let Some(path) = open.pop_front() {
            let read = self.bag(&path);
            if let Some(recordings) = read.as_ref().err().and_then(episodes::Error::recordings) {
                progress.inc_length(recordings.len() as u64 - 1);
                recordings.iter().rev().for_each(|recording| open.push_front(recording.clone()));
                continue;
            }
            self.counts.bags += 1;
            let is_last_hope = open.is_empty() && self.counts.bags == 1;
            match read.and_then(|episode| self.write(episode)) {
                Ok(()) => {}
                Err(error) if error.is_of_output() && !self.arguments.skip_broken => return Err(error.into()),
                Err(error) if is_last_hope && !self.arguments.skip_broken => return Err(error.into()),
                Err(error) => {
                    eprintln!("left out: {error:#}");
                    self.counts.left_out += 1;
                    self.counts.bags_left_out += 1;
                }
            }
            progress.inc(1);
        }
        progress.finish();
        Ok(())
    }

    fn bag(&mut self, path: &Path) -> episodes::Result<Episode> {
        let arguments = self.arguments;
        let settings = BagSettings {
            topics: arguments.topics.iter().cloned().collect(),
            base_frame: arguments.base_frame.clone(),
            sampling: sampling(arguments),
            window_secs: arguments.window,
            motion: !arguments.no_motion,
            cell_labels: arguments.cell_labels,
        };
        let BagEpisode { episode, left_out, notes } = read_bag(path, &settings)?;
        notes.iter().for_each(|note| eprintln!("{}: {note}", path.display()));
        left_out.reasons().iter().for_each(|reason| eprintln!("{}: left out: {reason}", path.display()));
        let more = left_out.count() - left_out.reasons().len();
        if more > 0 {
            eprintln!("{}: left out: {more} more", path.display());
        }
        self.counts.left_out += left_out.count();
        Ok(episode)
    }

    fn spacer_files(&mut self) -> Result<()> {
        for path in &self.arguments.spacer_jsonl {
            let mut read = SpacerEpisodes::open(&spacer_files(path, self.arguments), sampling(self.arguments))?;
            self.counts.left_out += read.excluded();
            let progress = ProgressBar::new(read.size_hint().0 as u64);
            self.leave_out(read.take_left_out());
            for episode in read.by_ref() {
                let unread = match episode.map(|episode| self.write(episode)) {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) if error.is_of_output() => return Err(error.into()),
                    Ok(Err(error)) | Err(error) => Some(error.to_string()),
                };
                self.leave_out(unread.into_iter().collect());
                progress.inc(1);
            }
            progress.finish();
            let Records { all, left_out } = read.records();
            self.counts.records += all;
            self.counts.records_left_out += left_out;
        }
        Ok(())
    }

    fn leave_out(&mut self, reasons: Vec<String>) {
        reasons.iter().for_each(|reason| eprintln!("left out: {reason}"));
        self.counts.left_out += reasons.len();
    }

    fn sets(&mut self) -> Result<()> {
        for path in &self.arguments.set {
            let set = EpisodeFolder::open(&folders::to_read(path)?)?;
            let mut open = set.unlabelled()?;
            let mut episodes = set.episodes()?;
            while let Some(episode) = episodes.next() {
                for reason in episodes.take_left_out() {
                    eprintln!("left out: {reason}");
                    self.counts.left_out += 1;
                }
                self.keep(episode.map(|mut episode| {
                    episode.questions.extend(open.remove(&episode.id).unwrap_or_default());
                    episode
                }))?;
            }
        }
        Ok(())
    }

    /// Writes an episode; one that can't be read or written ends the command, or is left out where that was asked for.
    fn keep(&mut self, episode: episodes::Result<Episode>) -> Result<()> {
        match episode.and_then(|episode| self.write(episode)) {
            Err(error) if self.arguments.skip_broken => {
                eprintln!("left out: {error:#}");
                self.counts.left_out += 1;
                Ok(())
            }
            other => other.map_err(Into::into),
        }
    }

    fn write(&mut self, episode: Episode) -> episodes::Result<()> {
        let episode = Episode { id: new_id(&mut self.ids, &episode.id), ..episode };
        self.sink.write(&episode)?;
        self.counts.add(&episode);
        Ok(())
    }
}

fn sampling(arguments: &Arguments) -> FrameSampling {
    let format = match arguments.pictures {
        Pictures::Jpeg => PictureFormat::Jpeg,
        Pictures::Png => PictureFormat::Png,
    };
    FrameSampling { rate_hz: arguments.rate, most: arguments.frames, format }
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
