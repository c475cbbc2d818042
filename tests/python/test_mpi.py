"""Training under a real `mpirun` ends with the very weights of one process: on one machine, over two network namespaces,
and resumed by another number of ranks; a rank that fails or is killed ends the run."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from outside_packages import REPO, built_program

# Root is who runs this in containers; ranks share cores there, where more threads than cores wait in circles.
HERE = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "RAYON_NUM_THREADS": "1"}
MPIRUN = ["mpirun", "--oversubscribe"]
# A run of seconds; a hang is one of minutes.
PATIENCE_S = 240
STEPS = 2
GRPO = """
model = "models/zoo/spacer-nano"
[data]
seed = 3
scenes_per_step = 3
questions_per_scene = 2
{data}
[rollout]
group_size = 4
max_completion_tokens = 160
[optimiser]
steps = {steps}
learning_rate = 1e-4
[run]
evaluate_every = 1
evaluation_scenes = 2
"""
# What times of day and machines decide.
VARYING = ("seconds", "tokens_per_second")
LEFT, RIGHT = "spacer-left", "spacer-right"
LEFT_ADDRESS, RIGHT_ADDRESS = "10.233.7.1", "10.233.7.2"


def run(command, **options):
    environment = os.environ | HERE
    return subprocess.run([*map(str, command)], cwd=REPO, env=environment, timeout=PATIENCE_S, **options)


class Workbench:
    """A trainer and a folder to run it in."""

    def __init__(self, trainer, folder):
        self.trainer, self.folder = trainer, folder

    def recipe(self, name, data="", steps=STEPS):
        path = self.folder / f"{name}.toml"
        path.write_text(GRPO.format(data=data, steps=steps))
        return path

    def grpo(self, recipe, name, *options):
        return [self.trainer, "grpo", recipe, "--run", self.folder / name, *options]

    def weights(self, name):
        return (self.folder / name / "model.safetensors").read_bytes()

    def log(self, name):
        lines = (self.folder / name / "log.jsonl").read_text().splitlines()
        return [{k: v for k, v in json.loads(line).items() if k not in VARYING} for line in lines]


def test_two_ranks_end_where_one_does(bench):
    recipe = bench.recipe("grpo")
    run(bench.grpo(recipe, "one"), check=True)
    run([*MPIRUN, "-n", "2", *bench.grpo(recipe, "two")], check=True)
    assert bench.weights("two") == bench.weights("one"), "the weights of two ranks are not those of one"
    assert bench.log("two") == bench.log("one"), f"{bench.log('two')} {bench.log('one')}"
    assert len(bench.log("one")) == 2 * STEPS + 1, "a line a step and an evaluation, from one writer"
    norms = [line["gradient_norm"] for line in bench.log("one") if "gradient_norm" in line]
    assert all(norm > 0 for norm in norms), f"nothing was learnt: {norms}"


def test_three_ranks_go_on_where_two_stopped(bench):
    recipe = bench.recipe("grpo")
    run([*MPIRUN, "-n", "2", *bench.grpo(recipe, "resumed", "--stop-after", 1)], check=True)
    run([*MPIRUN, "-n", "3", *bench.grpo(recipe, "resumed")], check=True)
    assert bench.weights("resumed") == bench.weights("one"), "resumed with another number of ranks, other weights"


def test_supervised_training_too(bench):
    text = (REPO / "training/recipes/spacer-nano.toml").read_text()
    small = {"clips_per_step": 2, "questions_per_clip": 2, "shards": 2}
    bundled = [line for line in text.splitlines() if not line.startswith("extra_furniture")]
    lines = [f"{key} = {small[key]}" if (key := line.split(" =")[0]) in small else line for line in bundled]
    recipe = bench.folder / "sft.toml"
    recipe.write_text("\n".join(lines))

    def sft(name):
        return [bench.trainer, "sft", recipe, "--stop-after", STEPS, "--run", bench.folder / name]

    run(sft("sft-one"), check=True)
    run([*MPIRUN, "-n", "2", *sft("sft-two")], check=True)
    assert bench.weights("sft-two") == bench.weights("sft-one"), "the weights of two ranks are not those of one"


def test_a_rank_that_fails_ends_the_run(bench):
    good, bad = bench.recipe("grpo"), bench.recipe("bad", data='extra_furniture = "no-such.pack"')
    ranks = [*MPIRUN, "-n", "1", *bench.grpo(good, "failed"), ":", "-n", "1", *bench.grpo(bad, "failed")]
    found = run(ranks, stderr=subprocess.PIPE, text=True)
    assert found.returncode != 0 and "rank 1 of 2" in found.stderr and "no-such.pack" in found.stderr, found.stderr
    other = bench.recipe("other", steps=STEPS + 1)
    ranks = [*MPIRUN, "-n", "1", *bench.grpo(good, "failed"), ":", "-n", "1", *bench.grpo(other, "failed")]
    found = run(ranks, stderr=subprocess.PIPE, text=True)
    assert found.returncode != 0 and "the same recipe on every rank" in found.stderr, found.stderr


def test_a_rank_that_is_killed_ends_the_run(bench):
    recipe = bench.recipe("long", steps=1000)
    command = [*map(str, [*MPIRUN, "-n", "2", *bench.grpo(recipe, "killed")])]
    run_log = bench.folder / "killed/log.jsonl"
    with subprocess.Popen(command, cwd=REPO, env=os.environ | HERE, stderr=subprocess.DEVNULL) as mpirun:
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not (run_log.exists() and run_log.read_text().count("\n") > 1):
                assert mpirun.poll() is None and time.monotonic() < deadline, "the run did not get to its first step"
                time.sleep(0.2)
            ranks = pathlib.Path(f"/proc/{mpirun.pid}/task/{mpirun.pid}/children").read_text().split()
            os.kill(int(ranks[-1]), signal.SIGKILL)
            assert mpirun.wait(PATIENCE_S) != 0
        finally:
            mpirun.terminate()


def test_without_the_feature_ranks_are_refused(bench):
    environment = {"OMPI_COMM_WORLD_SIZE": "2"}
    plain = built_program("spacer-train")
    command = [plain, "grpo", bench.recipe("grpo"), "--run", bench.folder / "none"]
    found = subprocess.run([*map(str, command)], cwd=REPO, env=os.environ | HERE | environment, stderr=subprocess.PIPE, text=True)
    assert found.returncode != 0 and "--features mpi" in found.stderr, found.stderr


class Namespaces:
    """Two network namespaces, each a machine to MPI: with an address, a cable between them, and nothing else."""

    def __enter__(self):
        self.__exit__()
        try:
            for name in (LEFT, RIGHT):
                run(["ip", "netns", "add", name], check=True, stderr=subprocess.PIPE)
            run(["ip", "-n", LEFT, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", RIGHT], check=True)
            for name, address in ((LEFT, LEFT_ADDRESS), (RIGHT, RIGHT_ADDRESS)):
                run(["ip", "-n", name, "address", "add", f"{address}/30", "dev", "cable"], check=True)
                run(["ip", "-n", name, "link", "set", "cable", "up"], check=True)
                run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in (LEFT, RIGHT):
            run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)

    @staticmethod
    def received(name):
        """Bytes that came over the cable."""
        out = run(["ip", "-n", name, "-s", "-j", "link", "show", "cable"], check=True, stdout=subprocess.PIPE).stdout
        return json.loads(out)[0]["stats64"]["rx"]["bytes"]


def test_two_namespaces_are_two_machines(bench):
    """Each with a host name of its own; what ssh does between machines, `ip netns exec` does here."""
    login = bench.folder / "login"
    enter = f"exec ip netns exec {RIGHT} unshare --uts sh -c"
    login.write_text(f"#!/bin/sh\nshift\n{enter} \"hostname {RIGHT}; $*\"\n")
    login.chmod(0o755)
    hosts = ["--host", f"{LEFT_ADDRESS}:1,{RIGHT_ADDRESS}:1", "-n", "2"]
    wires = ["--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", "cable", "--mca", "oob_tcp_if_include", "cable"]
    agent = ["--mca", "plm_rsh_agent", login]
    with Namespaces() as namespaces:
        here = ["ip", "netns", "exec", LEFT]
        run([*here, *MPIRUN, *hosts, *wires, *agent, *bench.grpo(bench.recipe("grpo"), "apart")], check=True)
        received = min(namespaces.received(LEFT), namespaces.received(RIGHT))
    size = len(bench.weights("apart"))
    assert received > STEPS * size, f"{received} bytes went over the cable, less than {STEPS} sums of {size}"
    assert bench.weights("apart") == bench.weights("one"), "the weights of two machines are not those of one process"
    print(f"  {received / 1e6:.0f} MB each way between two namespaces")


def main():
    missing = [tool for tool in ("mpirun", "mpicc") if not shutil.which(tool)]
    if missing:
        print(f"SKIPPED: no {' and no '.join(missing)} (apt: libopenmpi-dev openmpi-bin)")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        trainer = shutil.copy(built_program("spacer-train", "--features", "spacer-train/mpi"), folder)
        bench = Workbench(trainer, folder)
        test_two_ranks_end_where_one_does(bench)
        test_three_ranks_go_on_where_two_stopped(bench)
        test_supervised_training_too(bench)
        test_a_rank_that_fails_ends_the_run(bench)
        test_a_rank_that_is_killed_ends_the_run(bench)
        test_without_the_feature_ranks_are_refused(bench)
        if os.geteuid() != 0 or not shutil.which("ip"):
            print("SKIPPED: two network namespaces (root and iproute2 make them)")
        else:
            test_two_namespaces_are_two_machines(bench)
    print("ranks on one machine and on two end with the weights of one process")


if __name__ == "__main__":
    main()
