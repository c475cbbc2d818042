"""The ablation of the paper at small size: scripts/ablation.py."""

import json
import pathlib
import subprocess
import sys
import tempfile

from outside_packages import REPO, built_program

MODEL = REPO / "models/zoo/spacer-nano"
ARMS = {"start", "SFT", "GRPO without map", "SG-RLVR"}
PARTS = {"accuracy", "map score", "not seen, absent", "not seen, present"}


def main():
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch) / "ablation"
        command = [sys.executable, REPO / "scripts/ablation.py", "--work", work, "--steps", "1", "--seeds", "1",
                   "--questions", "9", "--program", built_program("spacer-train")]
        result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        assert set(result["mean and standard deviation"]) == ARMS, result
        for arm in result["runs"].values():
            assert all(set(run) == PARTS and all(0.0 <= score <= 1.0 for score in run.values()) for run in arm), arm
        weights = [path.read_bytes() for path in work.glob("*/model/model.safetensors")]
        assert len(weights) == 3 and (MODEL / "model.safetensors").read_bytes() not in weights, "expected new weights"
    print("ok: three arms trained, exported and judged")


if __name__ == "__main__":
    main()
