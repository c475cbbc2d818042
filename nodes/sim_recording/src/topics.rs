//! The bag's topics, named as `sim_node`'s in the namespace `/spacer`.

use std::path::Path;

use recording::messages::{CameraInfo, Image, Odometry, StringMessage, TfMessage};
use recording::spacer_messages::SpatialQuery;
use recording::{BagWriter, Definitions, Qos, SimTruth, Topic, TopicId, WriterSettings};
use sim::camera::{Camera, Pose};

use crate::error::Result;
use crate::messages::{self, OPTICAL_FRAME, header};

const SENSOR: Qos = Qos { reliable: false, transient_local: false, depth: 5 };
const LATCHED: Qos = Qos { reliable: true, transient_local: true, depth: 1 };

/// The topics of depth images.
struct Depth {
    images: TopicId,
    infos: TopicId,
}

/// A bag that is being recorded.
pub(crate) struct ClipWriter {
    writer: BagWriter,
    images: TopicId,
    infos: TopicId,
    depth: Option<Depth>,
    odometry: TopicId,
    moving: TopicId,
    fixed: TopicId,
    queries: TopicId,
    truth: TopicId,
}

impl ClipWriter {
    pub fn create(folder: &Path, settings: WriterSettings, with_depth: bool) -> Result<Self> {
        let known = Definitions::new("");
        let mut writer = BagWriter::create(folder, settings)?;
        let image =
            |name: &str| -> Result<Topic> { Ok(Topic { qos: SENSOR, ..Topic::of::<Image<'_>>(name, &known)? }) };
        let info =
            |name: &str| -> Result<Topic> { Ok(Topic { qos: SENSOR, ..Topic::of::<CameraInfo>(name, &known)? }) };
        let depth = if with_depth {
            let images = writer.add_topic(image("/spacer/depth/image_raw")?);
            Some(Depth { images, infos: writer.add_topic(info("/spacer/depth/camera_info")?) })
        } else {
            None
        };
        let fixed = Topic { qos: LATCHED, ..Topic::of::<TfMessage>("/tf_static", &known)? };
        let truth = Topic { qos: LATCHED, ..Topic::of::<StringMessage>("/spacer/sim/truth", &known)? };
        Ok(Self {
            images: writer.add_topic(image("/spacer/image_raw")?),
            infos: writer.add_topic(info("/spacer/camera_info")?),
            depth,
            odometry: writer.add_topic(Topic::of::<Odometry>("/spacer/odom", &known)?),
            moving: writer.add_topic(Topic::of::<TfMessage>("/tf", &known)?),
            fixed: writer.add_topic(fixed),
            queries: writer.add_topic(Topic::of::<SpatialQuery>("/spacer/query", &known)?),
            truth: writer.add_topic(truth),
            writer,
        })
    }

    /// Records what never moves.
    pub fn fixed(&mut self, stamp_nanos: i64) -> Result<()> {
        Ok(self.writer.write_message(self.fixed, stamp_nanos, &messages::fixed(stamp_nanos))?)
    }

    /// Records a frame: RGB, and metres along the optical axis, one a pixel.
    pub fn frame(
        &mut self,
        camera: &Camera,
        pose: &Pose,
        stamp_nanos: i64,
        (rgb, metres): (&[u8], &[f32]),
    ) -> Result<()> {
        let info = messages::camera_info(camera, stamp_nanos);
        self.writer.write_message(self.moving, stamp_nanos, &messages::moving(pose, stamp_nanos))?;
        self.writer.write_message(self.odometry, stamp_nanos, &messages::odometry(pose, stamp_nanos))?;
        self.writer.write_message(self.infos, stamp_nanos, &info)?;
        let (height, width) = (camera.height as u32, camera.width as u32);
        let image = |encoding: &str, step: u32| Image {
            header: header(stamp_nanos, OPTICAL_FRAME),
            height,
            width,
            encoding: encoding.to_owned(),
            is_bigendian: 0,
            step,
            data: &[],
        };
        if let Some(Depth { images, infos }) = self.depth {
            let bytes: Vec<u8> = metres.iter().flat_map(|metres| metres.to_le_bytes()).collect();
            self.writer.write_message(infos, stamp_nanos, &info)?;
            self.writer.write_message(images, stamp_nanos, &Image { data: &bytes, ..image("32FC1", width * 4) })?;
        }
        Ok(self.writer.write_message(self.images, stamp_nanos, &Image { data: rgb, ..image("rgb8", width * 3) })?)
    }

    /// Records what is true at a frame.
    pub fn truth(&mut self, truth: &SimTruth) -> Result<()> {
        let message = StringMessage { data: serde_json::to_string(truth)? };
        Ok(self.writer.write_message(self.truth, truth.stamp_nanos, &message)?)
    }

    /// Records a question.
    pub fn query(&mut self, number: usize, text: String, stamp_nanos: i64) -> Result<()> {
        let query_id = format!("q{number}");
        let query = SpatialQuery { header: header(stamp_nanos, ""), query_id, text, ..SpatialQuery::default() };
        Ok(self.writer.write_message(self.queries, stamp_nanos, &query)?)
    }

    /// Ends the bag.
    pub fn close(self) -> Result<()> {
        Ok(self.writer.close()?)
    }
}
