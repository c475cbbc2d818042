"""A simulated bag becomes training data, and an outsider, PyPI's `lerobot`, reads it as LeRobot 3.0."""

import io
import json
import pathlib
import subprocess
import tempfile

from outside_packages import REPO, built_program, python_with, without_python_paths

# torch comes without CUDA's wheels: see torch_without_cuda.py.
BARE = ["lerobot==0.4.4", "torch==2.8.0", "torchvision==0.23.0", "accelerate==1.10.1"]
PACKAGES = ["datasets==4.4.1", "huggingface-hub==0.35.3", "av==15.1.0", "draccus==0.10.0", "jsonlines==4.0.0",
            "pillow", "safetensors", "psutil", "sympy", "jinja2", "networkx", "einops", "termcolor", "deepdiff==8.6.1"]
FRAMES = 24
RATE_HZ = 2


def run(program, *arguments):
    command = [program, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, cwd=REPO, stdout=subprocess.PIPE).stdout)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def recorded(scratch):
    bag = scratch / "sim-7"
    counts = run(built_program("spacer"), "sim", "record", "--seed", 7, "--out", bag, "--frames", FRAMES,
                 "--width", 320, "--height", 240, "--json")
    return bag, counts["questions"]


def episodes(trainer, bag, folder, asked):
    """Our own folder; returns its one episode."""
    counts = run(trainer, "episodes", "--bag", bag, "--out", folder, "--pictures", "png", "--json")
    assert (counts["episodes"], counts["frames"], counts["left_out"]) == (1, FRAMES, 0), counts
    assert counts["labelled"]["simulation"] == asked and counts["labelled"]["odometry"] > 0, counts
    assert json.loads((folder / "format.json").read_text()) == {"format": "spacer-episodes", "version": 1}
    (episode,) = lines(folder / "episodes.jsonl")
    assert len(list((folder / "media" / episode["id"]).iterdir())) == FRAMES
    assert all(question["label"]["source"] for question in episode["questions"])
    return episode


def spacer_files(trainer, source, folder, episode):
    run(trainer, "episodes", "--set", source, "--out", folder, "--format", "spacer", "--json")
    records = lines(folder / "questions.jsonl")
    solutions = [f"<answer>{question['label']['text']}</answer>" for question in episode["questions"]]
    assert [record["solution"] for record in records] == solutions
    assert all((folder / record["path"]).exists() for record in records)
    again = run(trainer, "episodes", "--spacer-jsonl", folder / "questions.jsonl", "--out", folder / "again", "--json")
    assert sum(again["labelled"].values()) == len(records), again


def means(python, files):
    """The mean of each channel of pictures, 0 to 1."""
    script = ("import sys, json, numpy, PIL.Image\n"
              "print(json.dumps([(numpy.asarray(PIL.Image.open(f)) / 255).mean((0, 1)).tolist() for f in sys.argv[1:]]))")
    out = subprocess.run([python, "-c", script, *files], check=True, env=without_python_paths(), stdout=subprocess.PIPE)
    return json.load(io.BytesIO(out.stdout))


def lerobot(trainer, source, folder, episode):
    run(trainer, "episodes", "--set", source, "--out", folder, "--format", "lerobot", "--rate", RATE_HZ, "--json")
    python = python_with("lerobot-1", PACKAGES, BARE, REPO / "tests/python/torch_without_cuda.py")
    command = [python, REPO / "tests/python/read_lerobot.py", folder]
    environment = {**without_python_paths(), "HF_HUB_OFFLINE": "1"}
    found = json.loads(subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE).stdout)

    questions, dataset = episode["questions"], found["lerobot"]
    assert (dataset["episodes"], dataset["fps"]) == (len(questions), RATE_HZ), dataset["episodes"]
    assert "observation.state" in dataset["stats"]
    stamps = [frame["stamp_nanos"] for frame in episode["frames"]]
    pictures = dict(zip(stamps, means(python, [source / frame["file"] for frame in episode["frames"]])))
    poses = {frame["stamp_nanos"]: frame["pose"] for frame in episode["frames"]}
    for index, question in enumerate(questions):
        frames = [frame for frame in dataset["frames"] if frame["episode"] == index]
        span = question["span"]
        expected = [stamp for stamp in stamps if span["from_nanos"] <= stamp <= span["until_nanos"]]
        assert [frame["stamp_nanos"] for frame in frames] == expected, question["id"]
        for number, frame in enumerate(frames):
            stamp = frame["stamp_nanos"]
            assert frame["task"].startswith(question["text"]) and frame["answer"] == question["label"]["text"], frame
            assert abs(frame["timestamp"] - number / RATE_HZ) < 1e-4 and frame["size"] == [3, 240, 320], frame
            pose = poses[stamp]["position_m"] + poses[stamp]["orientation"]
            assert all(abs(a - b) < 1e-5 for a, b in zip(frame["state"], pose)), frame
            # The very picture, not its neighbour: its colours are those of the picture file.
            apart = max(abs(a - b) for a, b in zip(frame["mean"], pictures[stamp]))
            assert apart < 0.02, f"{question['id']} frame {number}: {apart}"
    tables = found["pyarrow"]
    assert len(tables["data/chunk-000/file-000.parquet"]) == len(dataset["frames"])
    (first, *_) = tables["meta/episodes/chunk-000/file-000.parquet"]
    assert first["tasks"] == [dataset["frames"][0]["task"]] and first["dataset_from_index"] == 0, first
    print(f"  lerobot: {dataset['episodes']} episodes, {len(dataset['frames'])} frames, each with its picture")


def test_a_bag_becomes_training_data():
    trainer = built_program("spacer-train")
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        bag, asked = recorded(scratch)
        episode = episodes(trainer, bag, scratch / "set", asked)
        spacer_files(trainer, scratch / "set", scratch / "spacer", episode)
        lerobot(trainer, scratch / "set", scratch / "lerobot", episode)


if __name__ == "__main__":
    test_a_bag_becomes_training_data()
    print("a recorded bag is training data for us, SpaceR's readers and lerobot")
