"""MuJoCo renders the rooms that we export: on ten seeds its depth is ours within 1 % on every compared pixel.

Compared are pixels that both drew, away from edges: where a pixel's eight neighbours show the same object on one smooth
surface. MuJoCo runs in a virtual environment of its own, made at the first run; where it can't be fetched, or there is no
EGL, the test says so and is skipped."""

import pathlib
import subprocess
import sys
import tempfile

from outside_packages import built_example, python_with, without_python_paths

REPO = pathlib.Path(__file__).resolve().parents[2]
MUJOCO = "3.17.0"
SEEDS = [str(seed) for seed in range(10)]
TOLERANCE = 0.01
# What a neighbour's depth may differ by on one smooth surface, relative.
SMOOTH = 0.03


def compared(ids, depth):
    """Pixels whose neighbours show the same object, and whose depth changes evenly along both axes."""
    import numpy as np

    mask = np.zeros(ids.shape, bool)
    inner = depth[1:-1, 1:-1]
    mask[1:-1, 1:-1] = inner > 0
    for dy in (0, 1, 2):
        for dx in (0, 1, 2):
            rows, columns = slice(dy, dy + inner.shape[0]), slice(dx, dx + inner.shape[1])
            mask[1:-1, 1:-1] &= ids[rows, columns] == ids[1:-1, 1:-1]
            mask[1:-1, 1:-1] &= np.abs(depth[rows, columns] - inner) <= SMOOTH * inner
    return mask


def check(out):
    import numpy as np

    sys.path.insert(0, str(REPO / "scripts"))
    from bench_mujoco import Scene

    width, height, cameras = map(int, pathlib.Path(out, "size").read_text(encoding="utf-8").split())
    for seed in SEEDS:
        folder = pathlib.Path(out, seed)
        scene = Scene(folder, width, height)
        pixels, off, worst = 0, 0, 0.0
        for camera in range(cameras):
            depth = np.fromfile(folder / f"{camera}.depth", np.float32).reshape(height, width)
            ids = np.fromfile(folder / f"{camera}.ids", np.uint16).reshape(height, width)
            mask = compared(ids, depth)
            error = np.abs(scene.depth(camera) / np.where(mask, depth, 1.0) - 1.0)[mask]
            pixels, off, worst = pixels + error.size, off + int((error > TOLERANCE).sum()), max(worst, error.max(initial=0))
        scene.renderer.close()
        print(f"seed {seed}: {pixels} pixels of {cameras} views compared, worst {100 * worst:.2f} %")
        assert pixels > 0.5 * cameras * width * height, f"seed {seed}: only {pixels} pixels could be compared"
        assert off == 0, f"seed {seed}: {off} of {pixels} pixels differ by more than 1 %, by {100 * worst:.1f} % at most"


def main():
    try:
        python = python_with(f"mujoco-{MUJOCO}", [f"mujoco=={MUJOCO}", "numpy"])
    except subprocess.CalledProcessError as error:
        print(f"SKIPPED: mujoco {MUJOCO} could not be installed: {error}")
        return
    environment = without_python_paths() | {"MUJOCO_GL": "egl"}
    probe = "import mujoco; mujoco.GLContext(8, 8).make_current()"
    found = subprocess.run([python, "-c", probe], env=environment, stderr=subprocess.PIPE, text=True)
    if found.returncode != 0:
        print(f"SKIPPED: no EGL (apt: libegl1 libgl1-mesa-dri): {found.stderr.strip().splitlines()[-1:]}")
        return
    with tempfile.TemporaryDirectory() as out:
        size = subprocess.run([built_example("mujoco"), out, *SEEDS], check=True, stdout=subprocess.PIPE, text=True).stdout
        pathlib.Path(out, "size").write_text(size, encoding="utf-8")
        subprocess.run([python, __file__, "--check", out], check=True, env=environment)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        check(sys.argv[2])
    else:
        main()
