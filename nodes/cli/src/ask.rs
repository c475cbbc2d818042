//! `spacer ask`: the robot's pipeline on recorded frames, without ROS.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use anyhow::{Context, Result, bail};
use capture::{Bgr8Frame, Capture};
use frame_ring::RawFrame;
use geometry::CameraFacts;
use msgs::{SpatialAnswer, SpatialQuery, Status};
use perception::{Perception, Progress, Settings, Sink};

/// The rate of a video that states none, frames per second.
const DEFAULT_RATE_HZ: f64 = 30.0;

/// Example: `spacer ask --video walk.mp4 --camera-height 0.6 --pitch -10 "how far is the door?"`
#[derive(clap::Args)]
pub struct Arguments {
    /// What to ask.
    question: String,
    /// A video file, device or URL.
    #[arg(long, required_unless_present = "images", conflicts_with = "images")]
    video: Option<String>,
    /// A folder of pictures, in order of their names, taken at `--rate`.
    #[arg(long)]
    images: Option<String>,
    /// The model directory.
    #[arg(long, default_value = "models/zoo/spacer-nano")]
    model: PathBuf,
    /// Frames that the answer looks at, the last ones.
    #[arg(long, default_value_t = 2)]
    frames: usize,
    /// Frames per second that are looked at.
    #[arg(long, default_value_t = 2.0)]
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
    let source = arguments.video.as_deref().or(arguments.images.as_deref()).unwrap_or_default();
    let mut capture = Capture::open(source)?;
    let rate_hz =
        if arguments.images.is_some() { arguments.rate } else { capture.rate_hz().unwrap_or(DEFAULT_RATE_HZ) };
    let first = capture.read()?.with_context(|| format!("{source}: expected frames, found none"))?;
    let (sender, answers) = mpsc::sync_channel(1);
    let perception =
        Perception::start(settings(arguments, &first), Arc::new(Listener { answers: Mutex::new(sender) }))?;
    perception.set_camera_facts(CameraFacts {
        horizontal_fov_deg: arguments.fov,
        height_m: arguments.camera_height,
        pitch_deg: arguments.pitch,
    });
    push(&perception, &first, 0)?;
    let mut count = 1;
    loop {
        match capture.read() {
            Ok(Some(frame)) => {
                push(&perception, &frame, (f64::from(count) * 1e9 / rate_hz) as i64)?;
                count += 1;
            }
            Ok(None) => break,
            Err(error) => eprintln!("skipped a frame: {error}"),
        }
    }
    perception.ask(SpatialQuery { text: arguments.question.clone(), ..SpatialQuery::default() });
    let answer = answers.recv().context("the pipeline gave no answer")?;
    eprintln!();
    report(arguments, &answer)
}

fn settings(arguments: &Arguments, first: &Bgr8Frame) -> Settings {
    Settings {
        window_frames: arguments.frames,
        frame_rate_hz: arguments.rate,
        // The frames that were asked for, whatever they show.
        still: None,
        camera_size: (first.width, first.height),
        // A recording is as old as it is; the clock says when it was read.
        stale_after_secs: f64::from(u32::MAX),
        deadline_secs: 3600.0,
        // One question about the last frames: those before need not be encoded.
        hot_prefix: false,
        ..Settings::new(&arguments.model)
    }
}

fn push(perception: &Perception, frame: &Bgr8Frame, stamp_nanos: i64) -> Result<()> {
    perception.push(&RawFrame {
        encoding: "bgr8",
        width: frame.width,
        height: frame.height,
        step: frame.width * 3,
        data: &frame.data,
        stamp_nanos,
        received_at_nanos: perception.now_nanos(),
    })?;
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
