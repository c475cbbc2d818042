#!/usr/bin/env python3
"""From robot logs to a retrained model, the whole loop: record, label, retrain, export, judge, ask.

The logs are of rooms of a kind that the present model has never seen: furniture that it was not trained on, from a camera
that hangs higher than any of its training. Prints the scores of both models there and in ordinary rooms, as JSON.
"""

import argparse
import json
import pathlib
import shutil

from experiment import REPO, run, with_settings

CAMERA_HEIGHT_M = 2.1
# Seeds of what is trained on, and of what both models are judged by.
TRAIN_SEED, EXAM_SEED = 1_000, 900_000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=pathlib.Path, required=True, help="new folder for logs, data and models")
    parser.add_argument("--episodes", type=int, default=200, help="logged episodes to train on")
    parser.add_argument("--exam-episodes", type=int, default=150, help="logged episodes to judge by")
    parser.add_argument("--steps", type=int, default=None, help="optimiser steps, instead of the recipe's")
    parser.add_argument("--questions", type=int, default=600, help="questions in ordinary rooms")
    parser.add_argument("--calibration-questions", type=int, default=900, help="questions to calibrate with; 0 = keep")
    parser.add_argument("--model", type=pathlib.Path, default=REPO / "models/zoo/spacer-nano", help="present model")
    parser.add_argument("--programs", type=pathlib.Path, default=REPO / "target/debug", help="folder of the programs")
    return parser.parse_args()


class Loop:
    def __init__(self, options):
        self.options = options
        self.spacer, self.train = options.programs / "spacer", options.programs / "spacer-train"
        options.work.mkdir(parents=True)

    def logged(self, name, first_seed, count):
        """Records `count` walks and labels what was asked in them; returns the folder of episodes."""
        bags = []
        for seed in range(first_seed, first_seed + count):
            bags.append(self.options.work / "bags" / f"{name}-{seed}")
            run(self.spacer, "sim", "record", "--seed", seed, "--out", bags[-1], "--rooms", "novel", "--frames", 2,
                "--camera-height", CAMERA_HEIGHT_M, "--model", self.options.model, "--json")
        folder = self.options.work / name
        run(self.train, "episodes", "--bag", *bags, "--no-motion", "--out", folder, "--json")
        return folder, bags

    def retrained(self, episodes):
        """Copies the present model, trains it on with the episodes, and exports it."""
        candidate, written = self.options.work / "candidate", self.options.work / "run"
        shutil.copytree(self.options.model, candidate)
        settings = {"model": str(self.options.model), "episodes": str(episodes)}
        if self.options.steps is not None:
            settings |= {"steps": self.options.steps, "warmup_steps": 0, "decay_steps": 0}
        recipe = with_settings((REPO / "training/recipes/spacer-nano-retrain.toml").read_text(), settings)
        path = self.options.work / "recipe.toml"
        path.write_text(recipe)
        run(self.train, "sft", path, "--run", written)
        run(self.train, "export", "--model", candidate, "--run", written, "--version", "0.0.1")
        if self.options.calibration_questions > 0:
            run(self.train, "calibrate", "--model", candidate, "--questions", self.options.calibration_questions)
        return candidate

    def scores(self, model, *exam):
        report = json.loads(run(self.train, "evaluate", "--model", model, *exam, "--json"))
        groups = {group["name"]: round(group["score"]["mean"], 4) for group in report["groups"]}
        return {"mean": round(sum(groups.values()) / len(groups), 4), **groups}


def main():
    options = arguments()
    loop = Loop(options)
    episodes, _ = loop.logged("train", TRAIN_SEED, options.episodes)
    exam, bags = loop.logged("exam", EXAM_SEED, options.exam_episodes)
    candidate = loop.retrained(episodes)
    result = {}
    for name, model in [("present", options.model), ("retrained", candidate)]:
        result[name] = {
            "new kind": loop.scores(model, "--episodes", exam, "--frames", 2, "--rate", 2),
            "elsewhere": loop.scores(model, "--rooms", "heldout", "--questions", options.questions),
        }
    answer = json.loads(run(loop.spacer, "ask", "--bag", bags[0], "--model", candidate, "--json", "how far is the door?"))
    result["answer"] = answer["text"]
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
