//! TensorBoard's event files: TFRecords of `Event` messages (`tensorflow/core/util/event.proto`), scalars only.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use prost::Message;

/// What the first record of a file says about it.
const FILE_VERSION: &str = "brain.Event:2";
/// `SessionLog.START`: readers drop what an earlier file says about this and later steps.
const START: i32 = 1;

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "7")]
    session_log: Option<SessionLog>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// A file of scalars.
pub struct TensorBoard {
    file: File,
}

impl TensorBoard {
    /// A new file in `folder` for a session that goes on after `step`.
    pub fn create(folder: &Path, step: u64) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let path = folder.join(format!("events.out.tfevents.{}.{}.spacer-train", now.as_secs(), std::process::id()));
        let mut board = Self { file: File::create(&path).with_context(|| path.display().to_string())? };
        board.write(Event { file_version: Some(FILE_VERSION.to_owned()), ..Event::default() })?;
        let session_log = Some(SessionLog { status: START });
        board.write(Event { step: step as i64 + 1, session_log, ..Event::default() })?;
        Ok(board)
    }

    /// Writes the numbers of `fields`, a JSON object, as `prefix/<key>`, those of objects in it as `prefix/<key>/<key>`.
    pub fn scalars(&mut self, step: u64, prefix: &str, fields: &serde_json::Value) -> Result<()> {
        let mut value = Vec::new();
        push_numbers(&mut value, prefix, fields);
        let summary = Some(Summary { value });
        self.write(Event { step: step as i64, summary, ..Event::default() })
    }

    fn write(&mut self, mut event: Event) -> Result<()> {
        event.wall_time = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
        Ok(self.file.write_all(&record(&event.encode_to_vec()))?)
    }
}

fn push_numbers(values: &mut Vec<Value>, prefix: &str, fields: &serde_json::Value) {
    for (key, field) in fields.as_object().into_iter().flatten().filter(|(key, _)| *key != "step") {
        let tag = format!("{prefix}/{key}");
        match field.as_f64() {
            Some(number) => values.push(Value { tag, simple_value: Some(number as f32) }),
            None => push_numbers(values, &tag, field),
        }
    }
}

/// A TFRecord: length, its checksum, data, its checksum; little-endian.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked_checksum(&length).to_le_bytes());
    record.extend(data);
    record.extend(masked_checksum(data).to_le_bytes());
    record
}

fn masked_checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_as_tensorboard_writes_it() {
        // TensorBoard's own `RecordWriter` of b"foo".
        let mut expected = 3u64.to_le_bytes().to_vec();
        expected.extend([0xb0, 0x99, 0x49, 0x0e, b'f', b'o', b'o', 0x61, 0x8a, 0xbe, 0xfe]);
        assert_eq!(record(b"foo"), expected);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut board = TensorBoard::create(folder.path(), 7).unwrap();
        board
            .scalars(
                8,
                "train",
                &serde_json::json!({"step": 8, "reward": 1.5, "text": "no number", "loss": {"total": 2}}),
            )
            .unwrap();
        let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let bytes = std::fs::read(path).unwrap();
        let (mut events, mut rest) = (Vec::new(), bytes.as_slice());
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            events.push(Event::decode(&rest[12..12 + length]).unwrap());
            assert_eq!(record(&rest[12..12 + length]), rest[..16 + length]);
            rest = &rest[16 + length..];
        }
        assert_eq!(events[0].file_version.as_deref(), Some(FILE_VERSION));
        assert_eq!((events[1].step, events[1].session_log.as_ref().unwrap().status), (8, 1));
        let values = &events[2].summary.as_ref().unwrap().value;
        let mut found: Vec<_> = values.iter().map(|value| (value.tag.as_str(), value.simple_value)).collect();
        found.sort_by_key(|(tag, _)| *tag);
        assert_eq!(found, [("train/loss/total", Some(2.0)), ("train/reward", Some(1.5))]);
    }
}
