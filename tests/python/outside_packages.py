"""What tests need from outside: Python packages in virtual environments of their own, and built examples."""

import fcntl
import json
import os
import pathlib
import subprocess
import venv

REPO = pathlib.Path(__file__).resolve().parents[2]
GENAI = "0.18.0"


def without_python_paths():
    """The environment variables without those that would mix another Python's packages in."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def python_with(name, packages):
    """The interpreter of the virtual environment `name` in the cache; made with the packages where it is absent, once."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "spacer"
    folder = cache / name
    python = folder / "bin/python"
    cache.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".complete").exists():
            print(f"fetching {', '.join(packages)} to {folder}")
            venv.create(folder, clear=True, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True, env=without_python_paths())
            (folder / ".complete").touch()
    return python


def genai_python():
    """The interpreter that has onnxruntime-genai."""
    return python_with(f"genai-{GENAI}",
                       ["onnx==1.23.2", "onnxruntime==1.31.1", f"onnxruntime-genai=={GENAI}", "numpy"])


def built_example(name):
    """The path of an example of the workspace; building is a look at time stamps after `cargo test`."""
    build = ["cargo", "build", "--locked", "--workspace", "--example", name, "--message-format", "json"]
    messages = subprocess.run(build, check=True, cwd=REPO, stdout=subprocess.PIPE, text=True).stdout
    built = [json.loads(line).get("executable") for line in messages.splitlines()]
    (program,) = {path for path in built if path and path.endswith(name)}
    return program
