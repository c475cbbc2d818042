//! An episode with every type of message, the same at every call: what tests record. Each of them needs a part of this.
#![allow(dead_code)]

use std::io::Cursor;
use std::path::Path;

use recording::messages::{
    CameraInfo, CompressedImage, Header, Image, Odometry, Quaternion, StringMessage, TfMessage, Time, Transform,
    TransformStamped, Vector3,
};
use recording::spacer_messages::{AnswerFeedback, ImaginedMap, MapObject, SpatialAnswer, SpatialQuery};
use recording::{BagWriter, Definitions, Qos, Result, Topic, TopicId, WriterSettings};

pub const WIDTH: u32 = 160;
pub const HEIGHT: u32 = 120;
pub const START_NANOS: i64 = 1_700_000_000_000_000_000;
pub const PERIOD_NANOS: i64 = 33_333_333;
/// Messages that one frame comes with, the transforms of the first frame left out.
pub const MESSAGES_PER_FRAME: u64 = 5;

pub fn nanos(number: u32) -> i64 {
    START_NANOS + i64::from(number) * PERIOD_NANOS
}

pub fn header(number: u32, frame_id: &str) -> Header {
    Header { stamp: Time::from_nanos(nanos(number)), frame_id: frame_id.to_owned() }
}

/// Rows that differ from frame to frame.
pub fn pixels(number: u32) -> Vec<u8> {
    (0..WIDTH * HEIGHT * 3).map(|i| (i / WIDTH + number) as u8).collect()
}

pub fn camera_info(number: u32) -> CameraInfo {
    CameraInfo {
        header: header(number, "camera_optical_frame"),
        height: HEIGHT,
        width: WIDTH,
        distortion_model: "plumb_bob".to_owned(),
        d: vec![0.1, -0.2, 0.0, 0.0, 0.05],
        k: [120.0, 0.0, 79.5, 0.0, 120.0, 59.5, 0.0, 0.0, 1.0],
        r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p: [120.0, 0.0, 79.5, 0.0, 0.0, 120.0, 59.5, 0.0, 0.0, 0.0, 1.0, 0.0],
        ..CameraInfo::default()
    }
}

pub fn odometry(number: u32) -> Odometry {
    let mut odometry =
        Odometry { header: header(number, "odom"), child_frame_id: "base_link".to_owned(), ..Odometry::default() };
    odometry.pose.pose.position.x = f64::from(number) / 10.0;
    odometry.pose.covariance[5][5] = 0.25;
    odometry
}

fn link(header: Header, child: &str, translation: Vector3, rotation: Quaternion) -> TransformStamped {
    TransformStamped { header, child_frame_id: child.to_owned(), transform: Transform { translation, rotation } }
}

pub fn moving_transforms(number: u32) -> TfMessage {
    let at = Vector3 { x: f64::from(number) / 10.0, ..Vector3::default() };
    TfMessage { transforms: vec![link(header(number, "odom"), "base_link", at, Quaternion::default())] }
}

/// The camera looks ahead, level, 0.6 m over the ground.
pub fn fixed_transforms() -> TfMessage {
    let up = Vector3 { z: 0.6, ..Vector3::default() };
    let optical = Quaternion { x: -0.5, y: 0.5, z: -0.5, w: 0.5 };
    TfMessage { transforms: vec![link(header(0, "base_link"), "camera_optical_frame", up, optical)] }
}

pub fn query(number: u32) -> SpatialQuery {
    SpatialQuery {
        header: header(number, ""),
        query_id: format!("q{number}"),
        text: "how far is the door?".to_owned(),
        options: vec!["near".to_owned(), "far".to_owned()],
        deadline: 2.5,
    }
}

pub fn answer(number: u32) -> SpatialAnswer {
    let object = MapObject { category: "door".to_owned(), x: 4, y: 2, ..MapObject::default() };
    let map = ImaginedMap { size: 10, cell_size_m: 0.6, objects: vec![object], ..ImaginedMap::default() };
    SpatialAnswer {
        header: header(number, "camera_optical_frame"),
        query_id: format!("q{number}"),
        status: 0,
        kind: "ego_distance".to_owned(),
        text: "The door is 2.4 m away.".to_owned(),
        value: 2.4,
        unit: "m".to_owned(),
        has_map: true,
        map,
        frames_used: 2,
        generated_tokens: 40,
        model: "spacer-nano 0.2.0".to_owned(),
        ..SpatialAnswer::default()
    }
}

pub fn feedback(number: u32) -> AnswerFeedback {
    AnswerFeedback { header: header(number, ""), query_id: format!("q{number}"), value: 2.6, text: String::new() }
}

/// One recording.
pub struct Episode {
    writer: BagWriter,
    images: TopicId,
    compressed: TopicId,
    infos: TopicId,
    odometry: TopicId,
    moving: TopicId,
    fixed: TopicId,
    queries: TopicId,
    answers: TopicId,
    feedback: TopicId,
    truth: TopicId,
}

impl Episode {
    pub fn start(folder: &Path, settings: WriterSettings) -> Result<Self> {
        let definitions = Definitions::new("");
        let mut writer = BagWriter::create(folder, settings)?;
        let sensor = Qos { reliable: false, transient_local: false, depth: 5 };
        let latched = Qos { reliable: true, transient_local: true, depth: 1 };
        let images = Topic { qos: sensor, ..Topic::of::<Image<'_>>("/camera/image_raw", &definitions)? };
        let fixed = Topic { qos: latched, ..Topic::of::<TfMessage>("/tf_static", &definitions)? };
        let compressed = Topic::of::<CompressedImage<'_>>("/camera/image_raw/compressed", &definitions)?;
        Ok(Self {
            images: writer.add_topic(images),
            compressed: writer.add_topic(compressed),
            infos: writer.add_topic(Topic::of::<CameraInfo>("/camera/camera_info", &definitions)?),
            odometry: writer.add_topic(Topic::of::<Odometry>("/odom", &definitions)?),
            moving: writer.add_topic(Topic::of::<TfMessage>("/tf", &definitions)?),
            fixed: writer.add_topic(fixed),
            queries: writer.add_topic(Topic::of::<SpatialQuery>("/spacer/query", &definitions)?),
            answers: writer.add_topic(Topic::of::<SpatialAnswer>("/spacer/answer", &definitions)?),
            feedback: writer.add_topic(Topic::of::<AnswerFeedback>("/spacer/feedback", &definitions)?),
            truth: writer.add_topic(Topic::of::<StringMessage>("/spacer/sim/truth", &definitions)?),
            writer,
        })
    }

    /// Records frame `number`; with frame 0 come the fixed transforms.
    pub fn frame(&mut self, number: u32) -> Result<()> {
        let now = nanos(number);
        if number == 0 {
            self.writer.write_message(self.fixed, now, &fixed_transforms())?;
        }
        self.writer.write_message(self.moving, now, &moving_transforms(number))?;
        self.writer.write_message(self.odometry, now, &odometry(number))?;
        self.writer.write_message(self.infos, now, &camera_info(number))?;
        let truth = StringMessage { data: format!("{{\"frame\": {number}}}") };
        self.writer.write_message(self.truth, now, &truth)?;
        let header = header(number, "camera_optical_frame");
        let (encoding, data) = ("rgb8".to_owned(), &pixels(number)[..]);
        let (height, width, step) = (HEIGHT, WIDTH, WIDTH * 3);
        let image = Image { header, height, width, encoding, is_bigendian: 0, step, data };
        self.writer.write_message(self.images, now, &image)
    }

    /// Records a question about frame `number`, its answer, the truth, and the frame as a PNG.
    pub fn question(&mut self, number: u32) -> Result<()> {
        let now = nanos(number);
        self.writer.write_message(self.queries, now, &query(number))?;
        self.writer.write_message(self.answers, now, &answer(number))?;
        self.writer.write_message(self.feedback, now, &feedback(number))?;
        let mut png = Cursor::new(Vec::new());
        let picture = image::RgbImage::from_raw(WIDTH, HEIGHT, pixels(number)).expect("as many bytes as pixels");
        picture.write_to(&mut png, image::ImageFormat::Png).expect("an encoder in memory");
        let header = header(number, "camera_optical_frame");
        let compressed = CompressedImage { header, format: "png".to_owned(), data: png.get_ref() };
        self.writer.write_message(self.compressed, now, &compressed)
    }

    /// Messages that survive a crash.
    pub fn flushed_messages(&self) -> u64 {
        self.writer.flushed_messages()
    }

    pub fn close(self) -> Result<()> {
        self.writer.close()
    }
}
