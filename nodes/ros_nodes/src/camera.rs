//! `camera_node`: a device, video file, image folder or stream on `image_raw`.
//!
//! A camera that is gone is opened again, and said once a minute; a recorded source that isn't there is an error at once.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use capture::{Bgr8Frame, Event, Watched};
use r2r::builtin_interfaces::msg::Time;
use r2r::sensor_msgs::msg::{CameraInfo, Image};
use r2r::std_msgs::msg::Header;
use r2r::{Clock, Publisher, QosProfile, RosParams};

use crate::camera_info::{Surroundings, read_camera_info};
use crate::executor::{Executor, lock, warn_on_error};
use crate::time::time_from_nanos;

/// The rate of a recorded source that states none.
const DEFAULT_RATE_HZ: f64 = 10.0;
/// Rates that can be asked for, hertz.
const RATES_HZ: RangeInclusive<f64> = 0.001..=1000.0;
/// How often an absent camera is spoken of.
const REMINDER: Duration = Duration::from_secs(60);

/// As written; `launch/config/parameters.toml` describes each.
#[derive(RosParams, Debug, Clone)]
pub struct Parameters {
    /// Device (/dev/video0), video file, image folder or URL
    pub source: String,
    /// Images a second; 0 = the source's own, in Hz
    pub rate_hz: f64,
    /// Frame of the images
    pub frame_id: String,
    /// Calibration: a path, ~/…, file://… or package://…; empty = none
    pub camera_info_file: String,
    /// Start again at the end of a file or folder
    pub r#loop: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            source: String::new(),
            rate_hz: 0.0,
            frame_id: "camera_optical_frame".to_owned(),
            camera_info_file: String::new(),
            r#loop: false,
        }
    }
}

/// When frames are due.
struct Pace {
    /// Absent: as they come.
    period: Option<Duration>,
    due: Instant,
}

impl Pace {
    /// `rate_hz`: as asked for, 0 for the source's own.
    fn new(rate_hz: f64, source: &Watched) -> Self {
        let own_hz = || source.rate_hz().unwrap_or(DEFAULT_RATE_HZ);
        let rate_hz = if rate_hz > 0.0 { Some(rate_hz) } else { (!source.is_live()).then(own_hz) };
        Self { period: rate_hz.and_then(|hz| Duration::try_from_secs_f64(1.0 / hz).ok()), due: Instant::now() }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.period.is_none() || now >= self.due
    }

    /// A frame was taken; lost time is not made up for.
    fn next(&mut self, now: Instant) {
        if let Some(period) = self.period {
            self.due = (self.due + period).max(now.checked_sub(period).unwrap_or(now));
        }
    }
}

/// What is said about a camera that comes and goes.
#[derive(Default)]
struct Reminder {
    /// Since when it is gone, and when that was last said.
    gone: Option<(Instant, Instant)>,
}

/// A line for the log.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Gone,
    StillGone(Duration),
    Back(Duration),
}

impl Reminder {
    /// What is to be said at `now` of a camera that is gone since `since`, or there.
    fn line(&mut self, since: Option<Instant>, now: Instant) -> Option<Line> {
        match (self.gone, since) {
            (None, Some(since)) => {
                self.gone = Some((since, now));
                Some(Line::Gone)
            }
            (Some((since, said)), Some(_)) if now.duration_since(said) >= REMINDER => {
                self.gone = Some((since, now));
                Some(Line::StillGone(now.duration_since(since)))
            }
            (Some((since, _)), None) => {
                self.gone = None;
                Some(Line::Back(now.duration_since(since)))
            }
            _ => None,
        }
    }
}

struct CameraNode {
    source: Watched,
    name: String,
    frame_id: String,
    info: Option<CameraInfo>,
    images: Publisher<Image>,
    infos: Publisher<CameraInfo>,
    clock: Arc<Mutex<Clock>>,
    pace: Pace,
    reminder: Reminder,
    last_skipped: String,
}

/// Publishes until the source ends, or until told to stop.
///
/// # Errors
/// When the source is recorded and can't be opened, the calibration can't be read, or ROS refuses a topic.
pub fn run(mut executor: Executor, parameters: Parameters) -> anyhow::Result<()> {
    let info = match parameters.camera_info_file.as_str() {
        "" => None,
        file => {
            let read = read_camera_info(file, &Surroundings::of_process());
            Some(read.with_context(|| format!("camera_info_file {file}"))?)
        }
    };
    let rate_hz = parameters.rate_hz;
    if rate_hz != 0.0 && !RATES_HZ.contains(&rate_hz) {
        bail!("rate_hz: expected 0 or {} to {} hertz, found {rate_hz}", RATES_HZ.start(), RATES_HZ.end());
    }
    let source = Watched::start(&parameters.source, parameters.r#loop)?;
    let pace = Pace::new(parameters.rate_hz, &source);
    let rate_hz = pace.period.map(|period| 1.0 / period.as_secs_f64());
    tracing::info!(source = parameters.source, rate_hz, calibrated = info.is_some(), "playing");
    if info.as_ref().is_some_and(|info| info.width == 0) {
        tracing::warn!("the calibration has no image_width and image_height; it is taken to be of the pictures' size");
    }
    let mut node = CameraNode {
        source,
        name: parameters.source,
        frame_id: parameters.frame_id,
        info,
        images: executor.node.create_publisher("image_raw", QosProfile::sensor_data())?,
        infos: executor.node.create_publisher("camera_info", QosProfile::sensor_data())?,
        clock: executor.node.get_ros_clock(),
        pace,
        reminder: Reminder::default(),
        last_skipped: String::new(),
    };
    executor.run(|| node.turn());
    Ok(())
}

impl CameraNode {
    /// Publishes what is due; `false` at the end.
    fn turn(&mut self) -> bool {
        let now = Instant::now();
        self.remind(now);
        if !self.pace.is_due(now) {
            return true;
        }
        // Simulated time begins with the first message on /clock; until then nobody could say when a frame was.
        let Some(nanos) = self.now_nanos() else { return true };
        match self.source.take() {
            None => return true,
            Some(Event::Frame(frame, read_at)) => {
                // A camera's frame was when it was read, a recording's is now.
                let age = if self.source.is_live() { read_at.elapsed() } else { Duration::ZERO };
                let age = i64::try_from(age.as_nanos()).unwrap_or_default();
                self.publish(frame, time_from_nanos(nanos.saturating_sub(age)));
            }
            Some(Event::Skipped(why)) => self.note_skipped(why),
            Some(Event::End) => {
                tracing::info!("end of the source");
                return false;
            }
        }
        self.pace.next(now);
        true
    }

    /// The node's time; `None` before the first message on /clock.
    fn now_nanos(&self) -> Option<i64> {
        let now = lock(&self.clock).get_now().unwrap_or_default();
        i64::try_from(now.as_nanos()).ok().filter(|nanos| *nanos > 0)
    }

    fn publish(&self, frame: Bgr8Frame, stamp: Time) {
        let header = Header { stamp, frame_id: self.frame_id.clone() };
        if let Some(info) = &self.info {
            let (width, height) = if info.width == 0 { (frame.width, frame.height) } else { (info.width, info.height) };
            warn_on_error(self.infos.publish(&CameraInfo { header: header.clone(), width, height, ..info.clone() }));
        }
        warn_on_error(self.images.publish(&image(header, frame)));
    }

    fn remind(&mut self, now: Instant) {
        let absence = self.source.absence();
        let secs = |time: Duration| time.as_secs();
        let (source, why) = (&self.name, absence.as_ref().map(|absence| absence.reason.as_str()).unwrap_or_default());
        match self.reminder.line(absence.as_ref().map(|absence| absence.since), now) {
            Some(Line::Gone) => {
                tracing::warn!("no pictures from {source}: {why}; it is opened again until it is there")
            }
            Some(Line::StillGone(time)) => tracing::warn!("no pictures from {source} for {} s: {why}", secs(time)),
            Some(Line::Back(time)) => tracing::info!("pictures from {source} again after {} s", secs(time)),
            None => {}
        }
    }

    /// Logs a reason once, until another one comes.
    fn note_skipped(&mut self, why: String) {
        if self.last_skipped != why {
            tracing::warn!("skipped a frame: {why}");
            self.last_skipped = why;
        }
    }
}

fn image(header: Header, frame: Bgr8Frame) -> Image {
    Image {
        header,
        height: frame.height,
        width: frame.width,
        encoding: "bgr8".to_owned(),
        is_bigendian: 0,
        step: frame.width * 3,
        data: frame.data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_camera_is_spoken_of_once_a_minute() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut reminder = Reminder::default();
        assert_eq!(reminder.line(None, start), None);
        assert_eq!(reminder.line(Some(at(1)), at(1)), Some(Line::Gone));
        let lines: Vec<_> = (2..200).filter_map(|secs| reminder.line(Some(at(1)), at(secs))).collect();
        let still = |secs| Line::StillGone(Duration::from_secs(secs));
        assert_eq!(lines, [still(60), still(120), still(180)]);
        assert_eq!(reminder.line(None, at(200)), Some(Line::Back(Duration::from_secs(199))));
        assert_eq!(reminder.line(None, at(201)), None);
    }

    #[test]
    fn lost_time_is_not_made_up_for() {
        let start = Instant::now();
        let mut pace = Pace { period: Some(Duration::from_millis(100)), due: start };
        assert!(pace.is_due(start));
        pace.next(start);
        assert!(!pace.is_due(start + Duration::from_millis(99)) && pace.is_due(start + Duration::from_millis(100)));
        let late = start + Duration::from_secs(5);
        pace.next(late);
        assert_eq!(pace.due, late - Duration::from_millis(100));
    }
}
