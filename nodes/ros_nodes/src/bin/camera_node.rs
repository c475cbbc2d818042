//! Plays a camera device, a video file, an image folder or a stream on `image_raw`.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use capture::{Bgr8Frame, Capture};
use r2r::sensor_msgs::msg::{CameraInfo, Image};
use r2r::{Clock, ClockType, QosProfile, RosParams};
use ros_nodes::camera_info::read_camera_info;
use ros_nodes::executor::{Executor, start_logging, warn_on_error};

/// The rate of a source that states none.
const DEFAULT_RATE_HZ: f64 = 10.0;

#[derive(RosParams, Default, Debug, Clone)]
struct Parameters {
    /// Device (/dev/video0), video file, image folder or URL
    source: String,
    /// Images a second; 0 = the source's own, in Hz
    rate_hz: f64,
    /// Frame of the images
    frame_id: String,
    /// Calibration in the YAML form of camera_calibration; empty = none
    camera_info_file: String,
    /// Start again at the end of a file or folder
    r#loop: bool,
}

fn main() -> anyhow::Result<()> {
    start_logging();
    let mut executor = Executor::new("camera_node")?;
    let defaults = Parameters { frame_id: "camera_optical_frame".to_owned(), ..Parameters::default() };
    let parameters = executor.parameters(defaults)?;
    let again = parameters.r#loop;
    let mut capture = Capture::open(&parameters.source)?;
    let rate_hz =
        if parameters.rate_hz > 0.0 { parameters.rate_hz } else { capture.rate_hz().unwrap_or(DEFAULT_RATE_HZ) };
    let images = executor.node.create_publisher::<Image>("image_raw", QosProfile::sensor_data())?;
    let infos = executor.node.create_publisher::<CameraInfo>("camera_info", QosProfile::sensor_data())?;
    let info = match parameters.camera_info_file.as_str() {
        "" => None,
        file => Some(read_camera_info(Path::new(file)).with_context(|| format!("camera_info_file {file}"))?),
    };
    tracing::info!(source = parameters.source, rate_hz, calibrated = info.is_some(), "playing");

    let mut clock = Clock::create(ClockType::SystemTime)?;
    let period = Duration::from_secs_f64(1.0 / rate_hz);
    let mut due = Instant::now();
    executor.run(move || {
        if Instant::now() < due {
            return true;
        }
        due = (due + period).max(Instant::now() - period);
        match next_frame(&mut capture, again) {
            Ok(Some(frame)) => {
                let stamp = clock.get_now().map(|now| Clock::to_builtin_time(&now)).unwrap_or_default();
                let header = r2r::std_msgs::msg::Header { stamp, frame_id: parameters.frame_id.clone() };
                if let Some(info) = &info {
                    warn_on_error(infos.publish(&CameraInfo { header: header.clone(), ..info.clone() }));
                }
                warn_on_error(images.publish(&image(header, frame)));
                true
            }
            Ok(None) => {
                tracing::info!("end of the source");
                false
            }
            Err(error) => {
                tracing::warn!("skipped a frame: {error}");
                true
            }
        }
    });
    Ok(())
}

fn next_frame(capture: &mut Capture, again: bool) -> capture::Result<Option<Bgr8Frame>> {
    match capture.read()? {
        None if again => {
            capture.rewind()?;
            capture.read()
        }
        frame => Ok(frame),
    }
}

fn image(header: r2r::std_msgs::msg::Header, frame: Bgr8Frame) -> Image {
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
