#!/usr/bin/env python3
"""SG-RLVR whose completions a real vLLM samples: it reads our prompts and frames token by token as we do, takes the adapter
of every step, and what its policy differs in from ours is measured and corrected."""

import contextlib
import json
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.request

from outside_packages import REPO, built_program, checkpoint, vllm_python, without_python_paths

MODEL = REPO / "models/zoo/spacer-nano"
STEPS = 3
# Far enough for the adapter of one step to be another policy than that of the step before.
RATE = 3e-2
RECIPE = f"""
model = "{MODEL}"
[data]
seed = 3
scenes_per_step = 2
questions_per_scene = 2
epoch_scenes = 2
threads = 1
[rollout]
group_size = 4
max_completion_tokens = 120
[objective]
kl_beta = 0.04
[optimiser]
steps = {STEPS}
learning_rate = {RATE}
schedule = "constant"
[run]
evaluate_every = 0
checkpoint_every = 100
"""
LORA = """[lora]
rank = 8
alpha = 16.0
targets = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"]
"""


def main():
    program = built_program("spacer-train")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        refuses_what_cannot_work(program, scratch)
        with vllm(checkpoint(MODEL, scratch / "model"), scratch / "vllm.log") as url:
            samples_from_the_policy_of_every_step(program, scratch, url)
    print("ok")


def samples_from_the_policy_of_every_step(program, scratch, url):
    run = scratch / "run"
    train(program, scratch, RECIPE + LORA, run, url)
    steps = [row for row in map(json.loads, (run / "log.jsonl").read_text().splitlines()) if "importance_ratio" in row]
    assert len(steps) == STEPS, steps
    for step in steps:
        print(f"step {step['step']}: importance {step['importance_ratio']:.4f}, "
              f"truncated {step['importance_truncated']:.4f}, KL to the start {step['kl']:.4f}")
        # The mean of the ratios is 1 for any two policies that are both sampled from; few are far from it only where the
        # two are one.
        assert abs(step["importance_ratio"] - 1) < 0.02, step
        assert step["importance_truncated"] < 0.01, step
    assert steps[0]["kl"] < 1e-4 < 1e-2 < steps[-1]["kl"], "the policy has not moved: nothing was reloaded"
    served = [model["id"] for model in get(f"{url}/v1/models")["data"]]
    assert len(served) == 2, f"expected the model and the newest adapter, found {served}"


def refuses_what_cannot_work(program, scratch):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        refusals = [(RECIPE, "expected a recipe with [lora]"), (RECIPE + LORA, f"server {url}: expected an answer")]
        for recipe, expected in refusals:
            said = train(program, scratch, recipe, scratch / "refused", url, succeeds=False)
            assert expected in said, said


def train(program, scratch, recipe, run, url, succeeds=True):
    """Runs the recipe with completions from the server at `url`; what it said on stderr."""
    path = scratch / "recipe.toml"
    path.write_text(recipe)
    command = [program, "grpo", path, "--run", run, "--rollout-server", url]
    done = subprocess.run(command, cwd=REPO, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode == 0) == succeeds, done.stderr
    return done.stderr


@contextlib.contextmanager
def vllm(model, log):
    """A server of spacer-nano; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"--model": model, "--port": port, "--dtype": "float32", "--max-model-len": 2048, "--max-num-seqs": 8,
               "--max-lora-rank": 8, "--limit-mm-per-prompt": '{"video": 1, "image": 0}'}
    command = [vllm_python(), "-m", "vllm.entrypoints.openai.api_server", "--enforce-eager", "--enable-lora",
               "--trust-request-mm-kwargs",
               *(str(part) for option in options.items() for part in option)]
    variables = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1",
                 "VLLM_NO_USAGE_STATS": "1"}
    with open(log, "w", encoding="utf-8") as output:
        server = subprocess.Popen(command, env=without_python_paths() | variables, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            with contextlib.suppress(OSError):
                get(f"{url}/v1/models")
                break
            assert server.poll() is None, log.read_text()[-5000:]
            time.sleep(0.5)
        else:
            raise AssertionError(f"vLLM does not answer:\n{log.read_text()[-5000:]}")
        yield url
    finally:
        server.terminate()
        server.wait(60)


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
