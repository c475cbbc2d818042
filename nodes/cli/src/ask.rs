//! `spacer ask`: the robot's pipeline on recorded frames, without ROS.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use anyhow::{Context, Result, bail};
use frame_ring::RawFrame;
use geometry::{CameraReport, Fact};
use msgs::{SpatialAnswer, SpatialQuery, Status};
use perception::{Perception, Progress, Settings, Sink};

use crate::bag_flags::BagFlags;
use crate::frames::{CaptureFrames, Frame, Frames};

/// Example: `spacer ask --video walk.mp4 --camera-height 0.6 --pitch -10 "how far is the door?"`
#[derive(clap::Args)]
pub struct Arguments {
    /// What to ask.
    question: String,
    /// A video file, device or URL.
    #[arg(long, group = "source", required_unless_present_any = ["images", "bag"])]
    video: Option<String>,
    /// A folder of pictures, in order of their names, taken at `--rate`.
    #[arg(long, group = "source")]
    images: Option<String>,
    #[command(flatten)]
    bag: BagFlags,
    /// The model directory.
    #[arg(long, default_value = "models/zoo/spacer-nano")]
    model: PathBuf,
    /// Frames that the answer looks at, the last ones; as many as the model was trained on, if not said.
    #[arg(long, default_value_t = 0)]
    frames: usize,
    /// Frames per second that are looked at; the rate that the model was trained on, if not said.
    #[arg(long, default_value_t = 0.0)]
    rate: f64,
    /// Horizontal field of view of the camera, degrees.
    #[arg(long)]
    fov: Option<f32>,
    /// Height of the camera over the floor, metres.
    #[arg(long)]
    camera_height: Option<f32>,
    /// Pitch of the camera, degrees; negative looks down.
    #[arg(long, allow_negative_numbers = true)]
    pitch: Option<f32>,
    /// Print the whole answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Hands the answer over; what the model writes goes to standard error as it is made.
struct Listener {
    answers: Mutex<mpsc::SyncSender<SpatialAnswer>>,
}

impl Sink for Listener {
    fn answer(&self, answer: SpatialAnswer) {
        // One question was asked, so there is room; after the receiver is gone nobody wants the answer.
        let _ = self.answers.lock().unwrap_or_else(PoisonError::into_inner).try_send(answer);
    }

    fn progress(&self, _: &str, progress: Progress<'_>) {
        if let Progress::Decode(piece) = progress {
            let mut out = std::io::stderr().lock();
            let _ = out.write_all(piece.as_bytes()).and_then(|()| out.flush());
        }
    }
}

/// Runs the command; an answer that is neither a value nor "not seen" is an error.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut frames = open(arguments)?;
    let first = frames
        .next_frame()?
        .with_context(|| format!("{}: expected frames, found none{}", frames.name(), refusal(frames.last_skipped())))?;
    let (sender, answers) = mpsc::sync_channel(1);
    let perception = Perception::start(settings(arguments), Arc::new(Listener { answers: Mutex::new(sender) }))?;
    let (mut next, mut taken, mut refused) = (Some(first), 0u32, None);
    while let Some(frame) = next {
        // One broken frame is no reason to look at none.
        match push(&perception, &frame) {
            Ok(()) => taken += 1,
            Err(error) => {
                eprintln!("skipped a frame: {error}");
                refused = Some(error.to_string());
            }
        }
        next = frames.next_frame()?;
    }
    if taken == 0 {
        let why = refusal(refused.as_deref().or(frames.last_skipped()));
        bail!("{}: expected frames, found none that can be read{why}", frames.name());
    }
    perception.set_camera(told(arguments, frames.camera()));
    perception.ask(SpatialQuery { text: arguments.question.clone(), ..SpatialQuery::default() });
    let answer = answers.recv().context("the pipeline gave no answer")?;
    eprintln!();
    report(arguments, &answer)
}

/// Why the last frame was refused, as the end of an error.
fn refusal(why: Option<&str>) -> String {
    why.map(|why| format!("; the last was refused: {why}")).unwrap_or_default()
}

fn open(arguments: &Arguments) -> Result<Box<dyn Frames>> {
    match (&arguments.video, &arguments.images) {
        (Some(video), _) => Ok(Box::new(CaptureFrames::open(video, None)?)),
        (_, Some(images)) => {
            let rate = Settings { frame_rate_hz: arguments.rate, ..Settings::new(&arguments.model) };
            Ok(Box::new(CaptureFrames::open(images, Some(rate.with_models_window().frame_rate_hz))?))
        }
        _ => Ok(Box::new(arguments.bag.open().context("expected --video, --images or --bag, found none")??)),
    }
}

/// What the source tells about the camera, with what the flags say in its place.
fn told(arguments: &Arguments, recorded: CameraReport) -> CameraReport {
    let flag = |value: Option<f32>, name: &str, recorded: Fact| match value {
        Some(value) => Fact { value: Some(value), source: format!("--{name}") },
        None => recorded,
    };
    CameraReport {
        fov: flag(arguments.fov, "fov", recorded.fov),
        height: flag(arguments.camera_height, "camera-height", recorded.height),
        pitch: flag(arguments.pitch, "pitch", recorded.pitch),
        ..recorded
    }
}

fn settings(arguments: &Arguments) -> Settings {
    Settings {
        window_frames: arguments.frames,
        frame_rate_hz: arguments.rate,
        // The frames that were asked for, whatever they show.
        still: None,
        // A recording is as old as it is; the clock says when it was read.
        stale_after_secs: f64::from(u32::MAX),
        deadline_secs: 3600.0,
        // One question about the last frames: those before need not be encoded.
        hot_prefix: false,
        ..Settings::new(&arguments.model)
    }
}

fn push(perception: &Perception, frame: &Frame) -> Result<()> {
    let raw = RawFrame {
        encoding: &frame.encoding,
        is_bigendian: frame.is_bigendian,
        width: frame.width,
        height: frame.height,
        step: frame.step,
        data: &frame.data,
        stamp_nanos: frame.stamp_nanos,
        received_at_nanos: perception.now_nanos(),
    };
    perception.push_at(&raw, &frame.shot)?;
    Ok(())
}

fn report(arguments: &Arguments, answer: &SpatialAnswer) -> Result<()> {
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(answer)?);
    } else {
        println!("{}", answer.text);
    }
    match answer.status {
        Status::Answered | Status::NotSeen => Ok(()),
        status => bail!("{}", status.name()),
    }
}
