//! `meta/info.json`.

use std::path::Path;

use serde_json::{Value, json};

use super::rows::STATE_NUMBERS;
use super::{CHUNK_FILES, CODEBASE_VERSION, LerobotWriter, VIDEO_KEY};
use crate::video::Video;
use crate::{Error, Result};

pub(super) fn write(folder: &Path, set: &LerobotWriter, video: Video) -> Result<()> {
    let (episodes, frames) = (set.episodes.len(), set.frames.len());
    let info = json!({
        "codebase_version": CODEBASE_VERSION,
        "robot_type": "spacer",
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": set.tasks.len(),
        "chunks_size": CHUNK_FILES,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": set.rate_hz,
        "splits": {"train": format!("0:{episodes}")},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        "features": features(set.rate_hz, video),
    });
    let path = folder.join("meta/info.json");
    std::fs::write(&path, format!("{info:#}\n")).map_err(Error::io(&path))
}

fn features(rate_hz: u32, video: Video) -> Value {
    let one = |dtype: &str| json!({"dtype": dtype, "shape": [1], "names": null});
    json!({
        VIDEO_KEY: {
            "dtype": "video",
            "shape": [video.height, video.width, 3],
            "names": ["height", "width", "channels"],
            "info": {
                "video.height": video.height,
                "video.width": video.width,
                "video.codec": video.codec,
                "video.pix_fmt": "yuv420p",
                "video.is_depth_map": false,
                "video.fps": rate_hz,
                "video.channels": 3,
                "has_audio": false,
            },
        },
        "observation.state": {
            "dtype": "float32",
            "shape": [STATE_NUMBERS],
            "names": ["x", "y", "z", "qx", "qy", "qz", "qw"],
        },
        "timestamp": one("float32"),
        "frame_index": one("int64"),
        "episode_index": one("int64"),
        "index": one("int64"),
        "task_index": one("int64"),
        "stamp_nanos": one("int64"),
        "answer": one("string"),
        "label_source": one("string"),
    })
}
