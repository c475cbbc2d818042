#!/usr/bin/env python3
"""Training steps beside torch's on spacer-nano, two threads each: a supervised step beside transformers with torch's AdamW on
the same tokens, and a step of reinforcement learning, rollouts included, beside TRL's GRPOTrainer on the same prompts.

    python3 scripts/bench_training.py [--rounds N] [--programs target/debug/examples]

Both sides take turns, a step each; printed are medians in seconds, their ratio and the spread of the ratio by round."""

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

REPO = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tests/python"))

from outside_packages import built_example, checkpoint, training_python, without_python_paths  # noqa: E402

NANO = REPO / "models/zoo/spacer-nano"
TORCH = REPO / "scripts/bench_torch.py"
CLIPS = 8
PICTURE = (280, 196)
QUESTIONS = ["how far is the chair?", "how far is the table?"]
GROUP_SIZE = 8
COMPLETION_TOKENS = 64
# A token that nobody writes ends completions, so that all are of the longest length.
NEVER_WRITTEN = 816
WARM_UP = 2


class Side:
    """A program that makes a step for each line it is sent."""

    def __init__(self, *command, threads):
        # Ours has a thread for each share of the batch, torch two within every operation.
        environment = {**without_python_paths(), "RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": str(threads),
                       "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        self.process = subprocess.Popen([str(word) for word in command], cwd=tempfile.gettempdir(), env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def read(self):
        line = self.process.stdout.readline()
        assert line, f"{self.process.args}: ended with {self.process.wait()}"
        return [float(word) for word in line.split()]

    def step(self):
        """Seconds, and what else the side says of the step."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.read()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def compare(name, ours, theirs, rounds):
    """Lets both sides take turns; prints medians, the ratio and its spread."""
    for _ in range(WARM_UP):
        ours.step(), theirs.step()
    pairs = [(ours.step(), theirs.step()) for _ in range(rounds)]
    ours.stop()
    theirs.stop()
    seconds = [[side[0] for side in sides] for sides in zip(*pairs)]
    medians = [statistics.median(side) for side in seconds]
    ratios = sorted(their / our for our, their in zip(*seconds))
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f} by round"
    print(f"{name}: ours {medians[0]:.3f} s, torch {medians[1]:.3f} s, {medians[1] / medians[0]:.2f} times as fast ({spread})")
    return [[side[1] for side in sides] for sides in zip(*pairs)] if len(pairs[0][0]) > 1 else None


def supervised(program, python, out, rounds):
    ours = Side(program("sft_steps"), NANO, CLIPS, out, threads=1)
    tokens = ours.read()
    theirs = Side(python, TORCH, "sft", checkpoint(NANO, out / "checkpoint"), out / "batch.safetensors", threads=2)
    print(f"{CLIPS} clips of one question: {tokens[0]:.0f} tokens in our rows, {theirs.read()[0]:.0f} in torch's")
    compare("supervised step", ours, theirs, rounds)


def endless(folder):
    """spacer-nano that never ends by itself."""
    checkpoint(NANO, folder)
    for name in ("config.json", "generation_config.json"):
        settings = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps({**settings, "eos_token_id": NEVER_WRITTEN}), encoding="utf-8")
    return folder


def reinforced(program, python, out, rounds):
    model, picture, (width, height) = endless(out / "model"), out / "picture.rgb", PICTURE
    shades = ((x % 256, y % 256, 120) for y in range(height) for x in range(width))
    picture.write_bytes(bytes(shade for pixel in shades for shade in pixel))
    (out / "recipe.toml").write_text(
        f'model = "{model}"\n[data]\nseed = 1\nscenes_per_step = {len(QUESTIONS)}\nquestions_per_scene = 1\nthreads = 2\n'
        f"[rollout]\ngroup_size = {GROUP_SIZE}\nmax_completion_tokens = {COMPLETION_TOKENS}\n[optimiser]\nsteps = 1000000\n",
        encoding="utf-8")
    task = {"picture": str(picture), "size": PICTURE, "questions": QUESTIONS, "group_size": GROUP_SIZE,
            "completion_tokens": COMPLETION_TOKENS}
    (out / "task.json").write_text(json.dumps(task), encoding="utf-8")
    ours = Side(program("grpo_steps"), out / "recipe.toml", picture, *PICTURE, *QUESTIONS, threads=1)
    prompts = ours.read()
    theirs = Side(python, TORCH, "grpo", model, out / "task.json", threads=2)
    found = compare("step of reinforcement learning", ours, theirs, rounds)
    print(f"{len(QUESTIONS)} prompts of {prompts[0] / len(QUESTIONS):.0f} tokens with a picture, {GROUP_SIZE} completions each,"
          f" of {found[0][-1]:.0f} tokens in ours and {found[1][-1]:.0f} in TRL's")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--programs", type=pathlib.Path, help="where the examples sft_steps and grpo_steps are built")
    parser.add_argument("--only", choices=["sft", "grpo"])
    arguments = parser.parse_args()
    folder = arguments.programs
    program = (lambda name: folder.resolve() / name) if folder else built_example
    python = training_python()
    for name, bench in [("sft", supervised), ("grpo", reinforced)]:
        if arguments.only in (None, name):
            with tempfile.TemporaryDirectory() as out:
                bench(program, python, pathlib.Path(out), arguments.rounds)


main()
