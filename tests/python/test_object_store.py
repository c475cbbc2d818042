"""Data and runs in an S3-compatible object store: moto's server stands for one, read by boto3 as a stranger."""

import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.request

from outside_packages import REPO, built_program, python_with, without_python_paths

BUCKET = "robots"
PACKAGES = ["moto[s3,server]==5.2.5", "boto3"]
RECIPE = """
model = "models/zoo/spacer-nano"
[data]
seed = 5
clips_per_step = 2
shards = 1
questions_per_clip = 2
whole_completions_per_clip = 0.5
unknown_camera_share = 0.1
episodes = "{episodes}"
episode_share = 0.5
[optimiser]
steps = 4
schedule = "constant"
learning_rate = 1e-4
weight_decay = 0.0
clip_norm = 1.0
[loss]
words = 0.1
presence = 1.5
value = 1.0
map = 0.15
answer = 0.3
number_sigma = 0.08
patch_class = 0.0
patch_range = 0.0
[run]
evaluate_every = 0
checkpoint_every = 1
checkpoints_kept = 1
"""
STRANGER = """
import json, sys, boto3
store = boto3.client("s3")
what, *names = sys.argv[1:]
if what == "create":
    store.create_bucket(Bucket=names[0])
elif what == "delete":
    store.delete_object(Bucket=names[0], Key=names[1])
else:
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=names[0], Prefix=names[1])
    print(json.dumps([item["Key"] for page in pages for item in page.get("Contents", [])]))
"""


class Store:
    """A server, and the environment in which programs find it."""

    def __init__(self, python):
        self.python = python
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        self.server = subprocess.Popen([python.parent / "moto_server", "-p", str(port)], env=without_python_paths(),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.environment = without_python_paths() | {
            "AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": "robot", "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}

    def __enter__(self):
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(self.endpoint, timeout=5).close()
                return self
            except OSError:
                assert time.monotonic() < until and self.server.poll() is None, "the server did not start"
                time.sleep(0.2)

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()

    def stranger(self, *words):
        command = [self.python, "-c", STRANGER, *words]
        return subprocess.run(command, check=True, env=self.environment, stdout=subprocess.PIPE, text=True).stdout

    def names(self, prefix):
        return json.loads(self.stranger("list", BUCKET, prefix))


def run(program, *words, environment, refused=False):
    done = subprocess.run([program, *map(str, words)], cwd=REPO, env=environment, capture_output=True, text=True)
    assert (done.returncode != 0) == refused, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


def check(store, work, train):
    spacer = built_program("spacer")
    first, second = ({**store.environment, "XDG_CACHE_HOME": str(work / name)} for name in ("one", "other"))
    data, kept = f"s3://{BUCKET}/data/mine", f"s3://{BUCKET}/runs/mine"
    bag = work / "bag"
    # Recording asks the model, whose runtime lies in the ordinary cache.
    run(spacer, "sim", "record", "--seed", 11, "--out", bag, "--frames", 2, "--json", environment=dict(os.environ))
    run(train, "episodes", "--bag", bag, "--no-motion", "--out", data, environment=first)
    assert {"data/mine/format.json", "data/mine/episodes.jsonl"} <= set(store.names("data/mine/")), store.names("")

    # Begun here, gone on with on another machine; the same without a store.
    recipe, local = work / "recipe.toml", work / "local.toml"
    recipe.write_text(RECIPE.format(episodes=data))
    run(train, "sft", recipe, "--run", kept, "--stop-after", 2, environment=first)
    assert any("step-00000002" in name for name in store.names("runs/mine/checkpoints/")), store.names("runs")
    told = run(train, "sft", recipe, "--run", kept, environment=second | {"RUST_LOG": "trace"})
    assert "X-Amz" not in told and "Authorization" not in told, "a signed address is a key"
    assert "step=2" in told.replace("\x1b[0m", "").replace("\x1b[2m", "").replace("\x1b[3m", ""), told
    local.write_text(RECIPE.format(episodes=work / "one/spacer/s3" / BUCKET / "data/mine"))
    run(train, "sft", local, "--run", work / "run", environment=dict(os.environ))
    assert weights(work / "run") == weights(work / "other/spacer/s3" / BUCKET / "runs/mine")
    steps = {name.split("/")[3] for name in store.names("runs/mine/checkpoints/")}
    assert steps == {"step-00000004"}, steps

    # What is wrong is named.
    third = {**store.environment, "XDG_CACHE_HOME": str(work / "third")}
    store.stranger("delete", BUCKET, "runs/mine/checkpoints/step-00000004/progress.json")
    assert "progress.json" in run(train, "sft", recipe, "--run", kept, environment=third, refused=True)
    nothing = work / "nothing.toml"
    nothing.write_text(RECIPE.format(episodes=f"s3://{BUCKET}/data/none"))
    assert "found none" in run(train, "sft", nothing, "--run", work / "x", environment=third, refused=True)
    nothing.write_text(RECIPE.format(episodes="s3://nobody/data"))
    assert "NoSuchBucket" in run(train, "sft", nothing, "--run", work / "x", environment=third, refused=True)


def main():
    train = built_program("spacer-train")
    with tempfile.TemporaryDirectory() as scratch, Store(python_with("object-store-1", PACKAGES)) as store:
        store.stranger("create", BUCKET)
        check(store, pathlib.Path(scratch), train)
    print("ok: data written and read, a run resumed elsewhere with the same weights, errors named")


if __name__ == "__main__":
    main()
