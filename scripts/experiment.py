"""What the scripts that train and judge models share: commands that end the script when they fail, and recipes with other
values than the committed ones."""

import json
import pathlib
import re
import subprocess
import sys

REPO = pathlib.Path(__file__).resolve().parent.parent


def run(*words):
    """Runs a command in the repository and returns what it printed."""
    command = [str(word) for word in words]
    done = subprocess.run(command, cwd=REPO, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def with_settings(recipe, settings):
    """The recipe's text with other values; every key must be there once."""
    for key, value in settings.items():
        recipe, count = re.subn(rf"(?m)^{key} = [^#\n]*", lambda _: f"{key} = {json.dumps(value)} ", recipe)
        assert count == 1, f"expected one line with `{key}`, found {count}"
    return recipe
