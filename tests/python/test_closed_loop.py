"""The loop from logs to a retrained model that a robot answers with, at small size: scripts/closed_loop.py."""

import json
import pathlib
import subprocess
import sys
import tempfile

from outside_packages import REPO, built_program

MODEL = REPO / "models/zoo/spacer-nano"


def loop(work):
    programs = pathlib.Path(built_program("spacer-train")).parent
    assert pathlib.Path(built_program("spacer")).parent == programs
    command = [sys.executable, REPO / "scripts/closed_loop.py", "--work", work, "--episodes", "4", "--exam-episodes", "3",
               "--steps", "2", "--questions", "9", "--calibration-questions", "0", "--programs", programs]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch) / "loop"
        result = loop(work)
        for model in ("present", "retrained"):
            for rooms in ("new kind", "elsewhere"):
                assert 0.0 <= result[model][rooms]["mean"] <= 1.0, result
        assert result["answer"], result
        candidate = work / "candidate"
        assert (candidate / "onnx/model.safetensors").read_bytes() != (MODEL / "onnx/model.safetensors").read_bytes()
        verify = [built_program("spacer"), "verify", candidate]
        subprocess.run(verify, check=True, stdout=subprocess.DEVNULL)
        (episode, *_) = [json.loads(line) for line in (work / "train/episodes.jsonl").read_text().splitlines()]
        assert all(question["label"]["source"] == "simulation" for question in episode["questions"]), episode
    print("ok: recorded, labelled, retrained, exported, judged, asked")


if __name__ == "__main__":
    main()
