"""MuJoCo renders the rooms that we export: on ten seeds its depth is ours within 1 % on every compared pixel.

Compared are pixels away from edges: where a pixel's eight neighbours show the same object, and inverse depth, which is
linear on a plane, bends little in both pictures. MuJoCo runs in a virtual environment of its own, made at the first run;
where it can't be fetched, or there is no EGL, the test says so and is skipped."""

import pathlib
import subprocess
import sys
import tempfile

from outside_packages import built_example, python_with, without_python_paths

REPO = pathlib.Path(__file__).resolve().parents[2]
MUJOCO = "3.17.0"
SEEDS = [str(seed) for seed in range(10)]
TOLERANCE = 0.01
# What inverse depth may bend by from one neighbour over a pixel to the opposite one, relative.
BEND = 0.005


def shifted(picture, dy, dx):
    """The picture without its border, looked at so many pixels further."""
    return picture[1 + dy:picture.shape[0] - 1 + dy, 1 + dx:picture.shape[1] - 1 + dx]


def compared(ids, depths):
    """Inner pixels whose neighbours show the same object, on what is nearly a plane in all depth pictures."""
    import numpy as np

    smooth = shifted(depths[0], 0, 0) > 0
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        for sign in (1, -1):
            smooth &= shifted(ids, sign * dy, sign * dx) == shifted(ids, 0, 0)
        for inverse in (1 / np.maximum(depth, 1e-6) for depth in depths):
            inner = shifted(inverse, 0, 0)
            smooth &= np.abs(shifted(inverse, dy, dx) + shifted(inverse, -dy, -dx) - 2 * inner) <= BEND * inner
    return smooth


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
            other = scene.depth(camera)
            mask = compared(ids, (depth, other))
            error = np.abs(shifted(other, 0, 0)[mask] / shifted(depth, 0, 0)[mask] - 1.0)
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
