//! Episodes: what a robot saw, was asked, answered and was told, as rosbag2-compatible MCAP.
//!
//! [`BagReader`] reads bags of anybody (a rosbag2 folder or one `.mcap`; zstd and lz4 chunks; CDR of either byte order)
//! up to any damage, and says where that is. [`BagWriter`] writes bags that `ros2 bag`, `rosbags` and
//! `mcap-ros2-support` read, in chunks of bounded age and size that are handed to the operating system whole: after
//! SIGKILL at most the last one is lost. Times are nanoseconds; log times are those of the recorder's clock, stamps
//! those of the messages. A full disk is an [`Error`], and what was written before stays readable.
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
mod contents;
mod definitions;
mod error;
mod file;
pub mod messages;
mod metadata;
mod picture;
mod placement;
mod qos;
pub mod range_messages;
mod reader;
mod sim_truth;
pub mod spacer_messages;
mod stream;
mod writer;

pub use background::{BackgroundWriter, QueueLimits, RecordingCounts};
pub use cdr::{from_cdr, to_cdr};
pub use contents::TopicInfo;
pub use definitions::Definitions;
pub use error::{Error, Result};
pub use picture::Picture;
pub use qos::Qos;
pub use reader::BagReader;
pub use sim_truth::{CellMap, SIM_TRUTH_TOPIC, SimTruth, TrueObject, is_sim_truth};
pub use stream::{BagMessage, Damage, Messages};
pub use writer::{BagWriter, Compression, Topic, TopicId, WriterSettings};
