"""The ablation of the paper at small size: scripts/ablation.py."""

import json
import pathlib
import subprocess
import sys
import tempfile

from outside_packages import REPO, built_program

ARMS = {"start", "SFT", "GRPO without map", "SG-RLVR"}
PARTS = {"accuracy", "map score", "not seen, absent", "not seen, present"}


def ablated(model, questions, *more):
    """Trains and judges every arm from `model` with one seed for one step."""
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch) / "ablation"
        command = [sys.executable, REPO / "scripts/ablation.py", "--work", work, "--model", model, "--steps", "1",
                   "--seeds", "1", "--questions", str(questions), "--program", built_program("spacer-train"), *more]
        result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        assert set(result["mean and standard deviation"]) == ARMS, result
        for arm in result["runs"].values():
            assert all(set(run) == PARTS and all(0.0 <= score <= 1.0 for score in run.values()) for run in arm), arm
        weights = [path.read_bytes() for path in work.glob("*/model/onnx/model.safetensors")]
        assert len(weights) == 3 and (model / "onnx/model.safetensors").read_bytes() not in weights, "expected new weights"


def main():
    ablated(REPO / "models/zoo/spacer-nano", 9)
    ablated(REPO / "models/zoo/spacer-nano-v1", 21, "--walks")
    print("ok: three arms trained, exported and judged, on clips and on walks")


if __name__ == "__main__":
    main()
