#!/usr/bin/env python3
"""The ablation of SpaceR's paper (arXiv 2504.01805) on spacer-nano: from the same weights, over the same scenes and steps,
supervised fine-tuning, GRPO without the map reward, and SG-RLVR; each with several seeds, judged by one exam.

Prints, as JSON, what every run scored and each arm's mean and standard deviation over the seeds.
"""

import argparse
import json
import pathlib
import re
import shutil
import statistics
import sys

from experiment import REPO, run, with_settings

SCENES_PER_STEP, QUESTIONS_PER_SCENE = 4, 4
# Tokens of a completion with the map of a walk; the recipe's limit is for clips.
LONGEST_OF_WALKS = 400


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=pathlib.Path, required=True, help="new folder for runs and models")
    parser.add_argument("--model", type=pathlib.Path, default=REPO / "models/zoo/spacer-nano",
                        help="where all arms start")
    parser.add_argument("--steps", type=int, default=75, help=f"optimiser steps of {SCENES_PER_STEP} scenes each")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each arm")
    parser.add_argument("--questions", type=int, default=600, help="questions of the exam in held-out rooms")
    parser.add_argument("--walks", action="store_true", help="walks of 16 frames with questions of every kind, which "
                        "models/zoo/spacer-nano-v1 answers, instead of clips of two frames")
    parser.add_argument("--program", type=pathlib.Path, default=REPO / "target/debug/spacer-train")
    return parser.parse_args()


class Ablation:
    def __init__(self, options):
        self.options = options
        options.work.mkdir(parents=True)

    def supervised(self, seed):
        text = (REPO / "training/recipes/spacer-nano-retrain.toml").read_text()
        text = re.sub(r"(?m)^episode.*\n", "", text)
        steps = self.options.steps
        return "sft", with_settings(text, {
            "model": str(self.options.model), "seed": seed, "steps": steps, "warmup_steps": steps // 15,
            "decay_steps": 2 * steps // 3, "clips_per_step": SCENES_PER_STEP, "questions_per_clip": QUESTIONS_PER_SCENE,
            "walk_share": float(self.options.walks),
        })

    def reinforced(self, seed, map_reward):
        text = (REPO / "training/recipes/spacer-nano-grpo.toml").read_text()
        text = re.sub(r"(?m)^epoch_scenes.*\n", "", text)
        steps = self.options.steps
        return "grpo", with_settings(text, {
            "model": str(self.options.model), "seed": seed, "steps": steps, "map": map_reward, "threads": 2,
            "scenes_per_step": SCENES_PER_STEP, "questions_per_scene": QUESTIONS_PER_SCENE, "evaluate_every": 10**6,
            # The last step is evaluated all the same, and nobody reads it.
            "evaluation_scenes": 2,
            "warmup_updates": min(2, steps // 15), "walk_share": float(self.options.walks),
        } | ({"max_completion_tokens": LONGEST_OF_WALKS} if self.options.walks else {}))

    def trained(self, name, command, recipe):
        folder = self.options.work / name
        folder.mkdir()
        (folder / "recipe.toml").write_text(recipe)
        run(self.options.program, command, folder / "recipe.toml", "--run", folder / "run")
        shutil.copytree(self.options.model, folder / "model")
        run(self.options.program, "export", "--model", folder / "model", "--run", folder / "run", "--version", "0.0.1")
        return folder / "model"

    def scores(self, model):
        of_walks = ["--walks"] if self.options.walks else []
        report = json.loads(run(self.options.program, "evaluate", "--model", model, "--rooms", "heldout", "--seed", 7,
                                "--questions", self.options.questions, "--json", *of_walks))
        abstention = report["abstention"]
        return {
            "accuracy": statistics.mean(group["score"]["mean"] for group in report["groups"]),
            "map score": report["map_score"]["mean"],
            "not seen, absent": abstention["absent"]["mean"],
            "not seen, present": abstention["present"]["mean"],
        }


def spread(values):
    """Mean and, of several values, standard deviation."""
    return [round(statistics.mean(values), 4), round(statistics.stdev(values), 4) if len(values) > 1 else None]


def main():
    options = arguments()
    ablation = Ablation(options)
    arms = {
        "SFT": ablation.supervised,
        "GRPO without map": lambda seed: ablation.reinforced(seed, False),
        "SG-RLVR": lambda seed: ablation.reinforced(seed, True),
    }
    runs = {"start": [ablation.scores(options.model)]} | {arm: [] for arm in arms}
    for seed in range(1, options.seeds + 1):
        for arm, recipe in arms.items():
            name = f"{arm.lower().replace(' ', '-')}-{seed}"
            runs[arm].append(ablation.scores(ablation.trained(name, *recipe(seed))))
            print(name, runs[arm][-1], file=sys.stderr, flush=True)
    summary = {arm: {part: spread([run[part] for run in done]) for part in done[0]} for arm, done in runs.items()}
    print(json.dumps({"mean and standard deviation": summary, "runs": runs}, indent=2))


if __name__ == "__main__":
    main()
