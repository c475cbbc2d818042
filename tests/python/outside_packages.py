"""What tests need from outside: Python packages in virtual environments of their own, and built examples."""

import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys
import venv

REPO = pathlib.Path(__file__).resolve().parents[2]
GENAI = "0.18.0"
TRAINING_BARE = ["torch==2.8.0", "torchvision==0.23.0", "accelerate==1.10.1", "peft==0.21.2", "trl==1.16.0"]
TRAINING = ["transformers==5.23.0", "datasets==5.2.0", "pillow==13.0.0", "psutil", "sympy", "networkx", "jinja2"]


def checkpoint(model, folder):
    """A model of the zoo as transformers and vLLM read it: the weights that its graphs share beside its configuration."""
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns("onnx"))
    shutil.copy(model / "onnx/model.safetensors", folder)
    return folder


def without_python_paths():
    """The environment variables without those that would mix another Python's packages in."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def python_with(name, packages, bare=(), prepare=None):
    """The interpreter of the virtual environment `name` in the cache; made with the packages where it is absent, once.

    `bare`: packages that are installed without what they depend on; `prepare`: a script that it runs then."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "spacer"
    folder = cache / name
    python = folder / "bin/python"
    cache.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".complete").exists():
            # Whoever asks for the interpreter's path reads standard output.
            print(f"fetching {', '.join(packages)} to {folder}", file=sys.stderr)
            venv.create(folder, clear=True, with_pip=True)
            install = [python, "-m", "pip", "install", "-q"]
            subprocess.run([*install, *packages], check=True, env=without_python_paths(), stdout=sys.stderr)
            if bare:
                subprocess.run([*install, "--no-deps", *bare], check=True, env=without_python_paths(),
                               stdout=sys.stderr)
            if prepare:
                subprocess.run([python, prepare], check=True, env=without_python_paths(), stdout=sys.stderr)
            (folder / ".complete").touch()
    return python


def genai_python():
    """The interpreter that has onnxruntime-genai."""
    return python_with(f"genai-{GENAI}",
                       ["onnx==1.23.2", "onnxruntime==1.31.1", f"onnxruntime-genai=={GENAI}", "numpy"])


def training_python():
    """The interpreter that has transformers, PEFT and TRL on torch without CUDA's wheels: see torch_without_cuda.py."""
    return python_with("training-1", TRAINING, TRAINING_BARE, REPO / "tests/python/torch_without_cuda.py")


def vllm_python():
    """The interpreter that has vLLM for processors without a GPU."""
    requirements = REPO / "tests/python/vllm_requirements.txt"
    return python_with("vllm-0.32.0", ["setuptools==78.1.1"], ["-r", requirements],
                       REPO / "tests/python/torch_without_cuda.py")


def built_program(name, *options):
    """The path of a program of the workspace; building is a look at time stamps after `scripts/build.sh`, unless there
    are options of cargo's."""
    return built("--bin", name, *options)


def built_example(name):
    """The path of an example of the workspace; as `built_program`."""
    return built("--example", name)


def built(kind, name, *options):
    """The path of what cargo builds."""
    build = ["cargo", "build", "--locked", "--workspace", kind, name, *options, "--message-format", "json"]
    messages = subprocess.run(build, check=True, cwd=REPO, stdout=subprocess.PIPE, text=True).stdout
    programs = [json.loads(line).get("executable") for line in messages.splitlines()]
    (program,) = {path for path in programs if path and path.endswith(f"/{name}")}
    return program
