//! Records an episode: `record_episode FOLDER FRAMES`; with 0 frames until it is killed, at the pace of the disk.
//!
//! Each line of its output says how many messages survive a crash from now on. An error ends it with 1.

#[path = "../tests/episode/mod.rs"]
mod episode;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use recording::WriterSettings;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, frames] = arguments.as_slice() else { return Err("usage: record_episode FOLDER FRAMES".into()) };
    let frames: u32 = frames.parse()?;
    let settings =
        WriterSettings { chunk_bytes: 400_000, chunk_age: Duration::from_millis(50), ..WriterSettings::default() };
    let mut recorded = episode::Episode::start(Path::new(folder), settings)?;
    let mut told = 0;
    for number in 0..if frames == 0 { u32::MAX } else { frames } {
        recorded.frame(number)?;
        if frames > 0 && number % 10 == 9 {
            recorded.question(number)?;
        }
        if recorded.flushed_messages() > told {
            told = recorded.flushed_messages();
            writeln!(std::io::stdout(), "{told}")?;
        }
        if frames == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(recorded.close()?)
}
