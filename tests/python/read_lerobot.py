"""Reads a LeRobot data set with `lerobot` and its tables with `pyarrow`, and prints what each found as JSON.

    python read_lerobot.py FOLDER"""

import json
import pathlib
import sys

import pyarrow.parquet as parquet
from lerobot.datasets.lerobot_dataset import LeRobotDataset

KEY = "observation.images.camera"


def by_lerobot(folder):
    """Every frame as `lerobot` hands it to a trainer; of its picture the size and the mean of each channel, 0 to 1."""
    dataset = LeRobotDataset("spacer/test", root=folder, video_backend="pyav")
    frames = []
    for index in range(len(dataset)):
        item = dataset[index]
        picture = item[KEY]
        frames.append({"task": item["task"], "answer": item["answer"], "episode": item["episode_index"].item(),
                       "timestamp": item["timestamp"].item(), "state": item["observation.state"].tolist(),
                       "size": list(picture.shape), "mean": picture.mean(dim=(1, 2)).tolist(),
                       "stamp_nanos": item["stamp_nanos"].item(), "label_source": item["label_source"]})
    return {"episodes": dataset.num_episodes, "fps": dataset.fps, "tasks": list(dataset.meta.tasks.index),
            "stats": sorted(dataset.meta.stats), "frames": frames}


def by_pyarrow(folder):
    files = sorted(folder.rglob("*.parquet"))
    return {str(file.relative_to(folder)): parquet.read_table(file).to_pylist() for file in files}


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    json.dump({"lerobot": by_lerobot(root), "pyarrow": by_pyarrow(root)}, sys.stdout)
