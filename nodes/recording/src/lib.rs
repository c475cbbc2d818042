//! Episodes: what a robot saw, was asked, answered and was told, as rosbag2-compatible MCAP.
//!
//! [`BagReader`] reads recordings of anybody: a rosbag2 folder or one file of it, of MCAP or SQLite, by zstd in whole
//! files, messages or chunks; plain CDR of either byte order. It reads up to any damage and says where that is, writes
//! nothing, and names what it does not read: ROS 1, other serializations, several recordings at once. [`BagWriter`]
//! writes bags that `ros2 bag`, `rosbags` and `mcap-ros2-support` read, in chunks of bounded age and size that are
//! handed to the operating system whole: after SIGKILL at most the last one is lost. Times are nanoseconds; log times
//! are those of the recorder's clock, stamps those of the messages. A full disk is an [`Error`], and what was written
//! before stays readable.
//!
//! ```
//! use recording::messages::StringMessage;
//! use recording::{BagReader, BagWriter, Definitions, Topic, WriterSettings};
//!
//! let folder = std::env::temp_dir().join(format!("recording-doc-{}", std::process::id()));
//! let mut writer = BagWriter::create(&folder, WriterSettings::default())?;
//! let asked = writer.add_topic(Topic::of::<StringMessage>("/ask", &Definitions::new(""))?);
//! writer.write_message(asked, 1_000, &StringMessage { data: "how far is the door?".to_owned() })?;
//! writer.close()?;
//!
//! let bag = BagReader::open(&folder)?;
//! let message = bag.messages().next().expect("one was written");
//! assert_eq!(message.decode::<StringMessage>()?.data, "how far is the door?");
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod background;
mod cdr;
mod cdr_reader;
mod channel;
mod choice;
mod contents;
mod damage;
mod data_file;
mod definitions;
mod error;
mod file;
mod files;
mod image_choice;
mod journal;
mod listed;
mod look;
mod mcap_file;
pub mod messages;
mod metadata;
mod other_choices;
mod picture;
mod pieces;
mod placement;
mod qos;
pub mod range_messages;
mod reader;
mod regular;
mod sim_truth;
pub mod spacer_messages;
mod sqlite_file;
mod storage;
mod stream;
mod unpack;
mod writer;

pub use background::{BackgroundWriter, QueueLimits, RecordingCounts};
pub use cdr::{from_cdr, to_cdr};
pub use channel::TopicInfo;
pub use choice::Choice;
pub use damage::Damage;
pub use definitions::Definitions;
pub use error::{Error, Result};
pub use picture::Picture;
pub use qos::Qos;
pub use reader::BagReader;
pub use sim_truth::{CellMap, SIM_TRUTH_TOPIC, SimTruth, TrueObject, is_sim_truth};
pub use stream::{BagMessage, Messages};
pub use writer::{BagWriter, Compression, Topic, TopicId, WriterSettings};
