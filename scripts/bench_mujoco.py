#!/usr/bin/env python3
"""Our renderer beside MuJoCo's on one scene: frames a second on two cores, without and with shadows, in interleaved rounds.

Needs `mujoco` (PyPI) and EGL with Mesa's software rasteriser (apt: libegl1 libgl1-mesa-dri). Ours draws colours, depth and
ids in one pass; MuJoCo draws colours alone, or all three one after the other.

Example: cargo build -p sim --example mujoco && python scripts/bench_mujoco.py target/debug/examples/mujoco
"""

import os

os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("LP_NUM_THREADS", "2")

import argparse
import pathlib
import statistics
import subprocess
import tempfile
import time

import mujoco

ROUNDS = 3
# Without and with shadows.
FRAMES = {False: 160, True: 40}


class Scene:
    """An exported scene: cameras are numbered from 0, both sides of every face are drawn."""

    def __init__(self, folder, width, height):
        self.model = mujoco.MjModel.from_xml_path(str(pathlib.Path(folder) / "scene.xml"))
        self.data = mujoco.MjData(self.model)
        mujoco.mj_forward(self.model, self.data)
        # Each material of each body is a geometry of its own; the default limit is 10,000.
        self.renderer = mujoco.Renderer(self.model, height, width, max_geom=max(1000, 2 * self.model.ngeom))
        self.renderer.scene.flags[mujoco.mjtRndFlag.mjRND_CULL_FACE] = 0
        self.shadows(False)

    def shadows(self, on):
        """Lamps cast shadows or not."""
        self.renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = on

    def render(self, camera):
        """Colours, or depth in metres where that is switched on."""
        self.renderer.update_scene(self.data, camera=str(camera))
        return self.renderer.render()

    def depth(self, camera):
        """Metres along the optical axis, one a pixel."""
        self.renderer.enable_depth_rendering()
        try:
            return self.render(camera)
        finally:
            self.renderer.disable_depth_rendering()

    def ids(self, camera):
        """Which geometry each pixel shows."""
        self.renderer.enable_segmentation_rendering()
        try:
            return self.render(camera)
        finally:
            self.renderer.disable_segmentation_rendering()

    def frames_per_second(self, frames, *passes):
        """Mean over views from all cameras in turn."""
        for draw in passes:
            draw(0)
        begun = time.perf_counter()
        for frame in range(frames):
            for draw in passes:
                draw(frame % self.model.ncam)
        return frames / (time.perf_counter() - begun)


def ours(program, folder, seed):
    """The scene in words, and frames a second without and with shadow maps."""
    lines = subprocess.run([program, "--speed", folder, str(seed)], check=True, stdout=subprocess.PIPE, text=True).stdout
    rates = dict(line.split() for line in lines.splitlines() if line.count(" ") == 1)
    return lines.splitlines()[:2], float(rates["without_shadows"]), float(rates["with_shadows"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the example `mujoco` of the crate `sim`")
    parser.add_argument("--seed", type=int, default=26)
    arguments = parser.parse_args()
    rates = {(who, shadows): [] for who in ("ours", "colours", "all three") for shadows in (False, True)}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            scene_lines, without, with_shadows = ours(arguments.program, folder, arguments.seed)
            rates["ours", False].append(without)
            rates["ours", True].append(with_shadows)
            scene = Scene(folder, 224, 224)
            for shadows in (False, True):
                scene.shadows(shadows)
                rates["colours", shadows].append(scene.frames_per_second(FRAMES[shadows], scene.render))
                passes = (scene.render, scene.depth, scene.ids)
                rates["all three", shadows].append(scene.frames_per_second(FRAMES[shadows], *passes))
            scene.renderer.close()
    print("\n".join(scene_lines))
    print(f"medians of {ROUNDS} rounds, frames a second; MuJoCo {mujoco.__version__}")
    print(f"{'':16}{'ours':>8}{'MuJoCo: colours':>17}{'ratio':>7}{'MuJoCo: all three':>19}{'ratio':>7}")
    for shadows in (False, True):
        own, colours, all_three = (statistics.median(rates[who, shadows]) for who in ("ours", "colours", "all three"))
        name = "with shadows" if shadows else "without shadows"
        print(f"{name:16}{own:8.0f}{colours:17.0f}{own / colours:7.1f}{all_three:19.0f}{own / all_three:7.1f}")


if __name__ == "__main__":
    main()
