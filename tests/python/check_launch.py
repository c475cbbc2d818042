"""Checks the launch files, the parameter file and the parameter table against each other and against the node crate."""

import pathlib
import re
import sys

import launch_stand_in as stand_in

REPO = pathlib.Path(__file__).resolve().parents[2]
LAUNCH = REPO / "launch"
EXECUTABLES = {"spacer_nodes": ("perception_node", "camera_node", "sim_node", "recorder_node", "replay_node")}
SHARES = {"spacer_bringup": str(LAUNCH), "spacer_nodes": str(REPO / "models")}
OVERRIDES = {
    "sim.launch.py": {"namespace": "/robot_2", "seed": "7", "rate_hz": "5", "rooms": "novel"},
    "replay.launch.py": {"bag": "other", "image_topic": "/rgb", "rate": "2", "questions": "true"},
    "robot.launch.py": {"source": "0", "rate_hz": "30", "loop": "true", "camera_info_file": "camera.yaml",
                        "respawn": "false"},
}
# Arguments without a default.
REQUIRED = {"replay.launch.py": {"bag": "bag"}}
EXPECTED = {
    "replay.launch.py": ["replay_node", "perception_node"],
    "sim.launch.py": ["sim_node", "perception_node"],
    "robot.launch.py": ["camera_node", "perception_node"],
}


def parameter_table(path):
    """Reads `parameters.toml`; a line-wise reader, since Python 3.10 has no tomllib."""
    table, section = {}, None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if found := re.fullmatch(r"\[(\w+)\]", line):
            section = table.setdefault(found[1], {})
        elif found := re.fullmatch(r'(\w+) = \{ type = "(\w+)", about = "([^"]+)" \}', line):
            assert found[2] in stand_in.PYTHON_TYPES, f"{path}:{number}: unknown type {found[2]}"
            section[found[1]] = {"type": found[2], "about": found[3]}
        else:
            raise ValueError(f"{path}:{number}: not understood: {line}")
    return table


def resolve(path, table, **given):
    context = stand_in.Context(SHARES, EXECUTABLES, table, given)
    return stand_in.launch(str(path), context), context


def check_launch_files(table):
    files = {path.name: path for path in (LAUNCH / "launch").glob("*.launch.py")}
    assert set(files) == set(EXPECTED), f"expected {sorted(EXPECTED)}, found {sorted(files)}"
    for name, path in sorted(files.items()):
        nodes, context = resolve(path, table, **REQUIRED.get(name, {}))
        assert [node["executable"] for node in nodes] == EXPECTED[name], nodes
        for node in nodes:
            assert node["namespace"] == "/spacer", node
            profile = node["environment"]["FASTRTPS_DEFAULT_PROFILES_FILE"]
            assert pathlib.Path(profile).is_file(), profile
            # A replay ends with its bag; whatever else ends is started again.
            respawned = (node["respawn"], node["respawn_delay"])
            assert respawned == ((False, None) if node["executable"] == "replay_node" else (True, 2.0)), node
        perception = nodes[-1]["parameters"]
        missing = set(table["perception_node"]) - set(perception) - {"use_sim_time"}
        assert not missing, f"{name}: perception_node is not given {sorted(missing)}"
        assert perception.get("use_sim_time", False) == (name != "robot.launch.py"), perception
        overridden, _ = resolve(path, table, **OVERRIDES[name])
        assert overridden != nodes, f"{name}: overrides change nothing"
        check_recorder(name, path, table)


def check_recorder(name, path, table):
    """A robot and a simulation are recorded on demand, on the clock of the other nodes; a replay is not."""
    if name == "replay.launch.py":
        return
    nodes, _ = resolve(path, table, record="true", episodes="/data")
    assert [node["executable"] for node in nodes] == ["recorder_node", *EXPECTED[name]], nodes
    assert nodes[0]["respawn"], nodes[0]
    recorder, perception = nodes[0]["parameters"], nodes[-1]["parameters"]
    assert recorder["folder"] == "/data", recorder
    assert recorder.get("use_sim_time") == perception.get("use_sim_time"), recorder


def check_recorded_topics(table):
    """The robot's own sensors are recorded under the names that the recorder's source has for them."""
    path = LAUNCH / "launch" / "robot.launch.py"
    given = {"odom_topic": "/odom", "depth_topic": "/depth", "depth_info_topic": "/depth_info", "scan_topic": "/scan",
             "range_topic": "/sonar"}
    nodes, _ = resolve(path, table, record="true", **given)
    remappings = nodes[0]["remappings"]
    assert set(remappings.values()) == set(given.values()), remappings
    source = (REPO / "nodes/ros_nodes/src/recorded_topics.rs").read_text(encoding="utf-8")
    unknown = [name for name in remappings if f'("{name}", ' not in source]
    assert not unknown, f"recorder_node does not know the topics {unknown}"


def check_refusals(table):
    """The stand-in itself is strict: each of these must be refused."""
    source = (LAUNCH / "launch" / "robot.launch.py").read_text(encoding="utf-8")
    mistakes = {
        'package="spacer_nodes"': 'package="spacer_node"',
        'executable="camera_node"': 'executable="cam_node"',
        '"frame_id": Par': '"frame": Par',
        'output="screen",\n            respawn=Launch': 'outputs="screen",\n            respawn=Launch',
        'LaunchConfiguration("loop")': 'LaunchConfiguration("looping")',
        "value_type=bool": "value_type=int",
        "respawn_delay=2.0": 'respawn_delay="2.0"',
        "respawn=True": "respawned=True",
        'FindPackageShare("spacer_bringup")': 'FindPackageShare("spacer_launch")',
    }
    for right, wrong in mistakes.items():
        assert right in source, f"not in robot.launch.py: {right}"
        broken = source.replace(right, wrong)
        context = stand_in.Context(SHARES, EXECUTABLES, table, {})
        try:
            scope = {}
            exec(compile(broken, "robot.launch.py", "exec"), scope)
            for entity in scope["generate_launch_description"]().entities:
                entity.visit(context)
        except (stand_in.Refused, TypeError):
            continue
        raise AssertionError(f"not refused: {wrong}")
    for given in ({"sede": "7"}, {"loop": "perhaps"}, {"respawn": "perhaps"}, {"params_file": "/nowhere.yaml"}):
        try:
            resolve(LAUNCH / "launch" / "robot.launch.py", table, **given)
        except stand_in.Refused:
            continue
        raise AssertionError(f"not refused: {given}")


def check_node_crate(table):
    """Each parameter of the table is one that the node crate names."""
    sources = {path: path.read_text(encoding="utf-8") for path in (REPO / "nodes/ros_nodes").rglob("*.rs")}
    text = "\n".join(sources.values())
    names = {name for section in table.values() for name in section} - {"use_sim_time"}
    # A parameter is a field of a derived parameter struct or a quoted name; Rust writes keywords as r#loop.
    unknown = [name for name in sorted(names) if not re.search(rf"\b{name}\b", text)]
    assert not unknown, f"nodes/ros_nodes does not name the parameters {unknown}"


def main():
    stand_in.install()
    table = parameter_table(LAUNCH / "config" / "parameters.toml")
    assert set(table) == set(EXECUTABLES["spacer_nodes"]), sorted(table)
    stand_in.check_parameters(
        "perception_node", stand_in.read_parameter_file(str(LAUNCH / "config/perception.yaml"), "perception_node"), table
    )
    check_launch_files(table)
    check_recorded_topics(table)
    check_refusals(table)
    check_node_crate(table)
    print("launch files: ok")


if __name__ == "__main__":
    sys.exit(main())
