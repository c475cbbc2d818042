//! Bags as other recorders write them. Each test needs a part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::Path;

use recording::messages::{CameraInfo, CompressedImage, Header, Image, Odometry, RosMessage, Time};
use recording::{BagReader, to_cdr};
use serde::Serialize;

pub const SECOND: u64 = 1_000_000_000;

/// A message on its way into a bag.
#[derive(Clone)]
pub struct Said {
    pub topic: String,
    pub type_name: String,
    pub serialization: String,
    pub nanos: u64,
    pub data: Vec<u8>,
}

pub fn said<M: RosMessage + Serialize>(topic: &str, nanos: u64, message: &M) -> Said {
    Said {
        topic: topic.to_owned(),
        type_name: M::TYPE_NAME.to_owned(),
        serialization: "cdr".to_owned(),
        nanos,
        data: to_cdr(message).expect("a message that CDR can say"),
    }
}

pub fn header(nanos: u64, frame_id: &str) -> Header {
    Header { stamp: Time::from_nanos(nanos as i64), frame_id: frame_id.to_owned() }
}

/// A picture of 2×2 pixels of any encoding.
pub fn picture(topic: &str, nanos: u64, encoding: &str) -> Said {
    let (header, encoding) = (header(nanos, "camera"), encoding.to_owned());
    let image = Image { header, height: 2, width: 2, encoding, is_bigendian: 0, step: 6, data: &[7; 12] };
    said(topic, nanos, &image)
}

pub fn compressed(topic: &str, nanos: u64, format: &str) -> Said {
    let image = CompressedImage { header: header(nanos, "camera"), format: format.to_owned(), data: &[1, 2, 3] };
    said(topic, nanos, &image)
}

/// The calibration of one of a stereo pair's cameras; `baseline`: what `P[3]` holds.
pub fn calibration(topic: &str, nanos: u64, baseline: f64) -> Said {
    let mut info = CameraInfo { header: header(nanos, "camera"), width: 2, height: 2, ..CameraInfo::default() };
    info.p[3] = baseline;
    said(topic, nanos, &info)
}

pub fn odometry(topic: &str, nanos: u64, [frame, child]: [&str; 2]) -> Said {
    let odometry = Odometry { header: header(nanos, frame), child_frame_id: child.to_owned(), ..Odometry::default() };
    said(topic, nanos, &odometry)
}

/// Three pictures of the second that begins at `start_secs`.
pub fn walk(start_secs: u64) -> Vec<Said> {
    (0..3).map(|number| picture("/camera/image_raw", start_secs * SECOND + number * SECOND / 3, "rgb8")).collect()
}

/// Writes an MCAP file; a type without a name has no schema.
pub fn write_mcap(path: &Path, messages: &[Said]) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).expect("a file"));
    let options = mcap::WriteOptions::new().compression(None).chunk_size(Some(1000));
    let mut writer = options.create(&mut file).expect("a writer");
    let mut channels = BTreeMap::new();
    for said in messages {
        let id = *channels.entry(said.topic.clone()).or_insert_with(|| {
            let schema = match said.type_name.as_str() {
                "" => 0,
                name => writer.add_schema(name, "ros2msg", b"").expect("a schema"),
            };
            writer.add_channel(schema, &said.topic, &said.serialization, &BTreeMap::new()).expect("a channel")
        });
        let (sequence, log_time, publish_time) = (1, said.nanos, said.nanos);
        let header = mcap::records::MessageHeader { channel_id: id, sequence, log_time, publish_time };
        writer.write_to_known_channel(&header, &said.data).expect("a message");
    }
    writer.finish().expect("the end");
}

/// Writes a database as rosbag2 does on Humble.
pub fn write_db3(path: &Path, messages: &[Said]) {
    let database = rusqlite::Connection::open(path).expect("a database");
    database
        .execute_batch(
            "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, serialization_format \
             TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL); CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id \
             INTEGER NOT NULL, timestamp INTEGER NOT NULL, data BLOB NOT NULL); CREATE INDEX timestamp_idx ON messages \
             (timestamp ASC);",
        )
        .expect("tables");
    let mut topics: BTreeMap<String, i64> = BTreeMap::new();
    for said in messages {
        let next = topics.len() as i64 + 1;
        let id = *topics.entry(said.topic.clone()).or_insert(next);
        if id == next {
            let row = (id, &said.topic, &said.type_name, &said.serialization);
            database.execute("INSERT INTO topics VALUES(?1, ?2, ?3, ?4, '')", row).expect("a topic");
        }
        let row = (id, said.nanos as i64, &said.data);
        let insert = "INSERT INTO messages(topic_id, timestamp, data) VALUES(?1, ?2, ?3)";
        database.execute(insert, row).expect("a message");
    }
    database.close().expect("the end");
}

/// A `metadata.yaml` that lists `files`.
pub fn write_metadata(folder: &Path, files: &[&str]) {
    let text = format!(
        "rosbag2_bagfile_information:\n  version: 5\n  storage_identifier: mcap\n  relative_file_paths: [{}]\n",
        files.join(", ")
    );
    std::fs::write(folder.join("metadata.yaml"), text).expect("a file");
}

pub fn pack(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("zstd in memory")
}

/// The names and contents of a folder: reading may not change them.
pub fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    files
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).expect("a file")))
        .collect()
}

/// The times of the pictures that are read, and what could not be.
pub fn pictures(path: &Path) -> (Vec<u64>, Vec<String>) {
    let bag = BagReader::open(path).expect("a bag");
    let mut messages = bag.messages();
    let mut times = Vec::new();
    for message in messages.by_ref() {
        assert_eq!(&*message.picture().expect("a picture").data, &[7; 12]);
        times.push(message.log_time_nanos());
    }
    (times, messages.damage().iter().map(ToString::to_string).collect())
}

pub fn times(messages: &[Said]) -> Vec<u64> {
    messages.iter().map(|said| said.nanos).collect()
}

pub fn refusal(path: &Path) -> String {
    BagReader::open(path).err().map(|error| error.to_string()).unwrap_or_default()
}
