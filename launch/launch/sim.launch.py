"""A simulated room and the perception node that answers questions about it.

    ros2 launch spacer_bringup sim.launch.py seed:=7
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    config = PathJoinSubstitution([FindPackageShare("spacer_bringup"), "config"])
    nano = PathJoinSubstitution([FindPackageShare("spacer_nodes"), "models", "spacer-nano"])
    return LaunchDescription([
        DeclareLaunchArgument("namespace", default_value="/spacer", description="namespace of all nodes"),
        DeclareLaunchArgument("model_dir", default_value=nano, description="model directory"),
        DeclareLaunchArgument(
            "params_file",
            default_value=PathJoinSubstitution([config, "perception.yaml"]),
            description="parameters of perception_node",
        ),
        DeclareLaunchArgument("seed", default_value="1", description="chooses the room, its objects and the path"),
        DeclareLaunchArgument("width", default_value="640", description="image width, pixels"),
        DeclareLaunchArgument("height", default_value="480", description="image height, pixels"),
        DeclareLaunchArgument("rate_hz", default_value="10.0", description="images a second"),
        DeclareLaunchArgument("rooms", default_value="heldout", description="train, heldout or novel"),
        DeclareLaunchArgument("world", default_value="clip", description="clip (plain rooms) or full"),
        DeclareLaunchArgument("record", default_value="false", description="record an episode"),
        DeclareLaunchArgument("episodes", default_value="episodes", description="folder of the recorded episodes"),
        # Fast DDS's default segment loses most images.
        SetEnvironmentVariable("FASTRTPS_DEFAULT_PROFILES_FILE", PathJoinSubstitution([config, "fastdds.xml"])),
        Node(
            package="spacer_nodes",
            executable="recorder_node",
            name="recorder_node",
            namespace=LaunchConfiguration("namespace"),
            output="screen",
            respawn=True,
            respawn_delay=2.0,
            condition=IfCondition(LaunchConfiguration("record")),
            parameters=[{
                "folder": ParameterValue(LaunchConfiguration("episodes"), value_type=str),
                "use_sim_time": True,
            }],
        ),
        Node(
            package="spacer_nodes",
            executable="sim_node",
            name="sim_node",
            namespace=LaunchConfiguration("namespace"),
            output="screen",
            respawn=True,
            respawn_delay=2.0,
            parameters=[{
                "seed": ParameterValue(LaunchConfiguration("seed"), value_type=int),
                "width": ParameterValue(LaunchConfiguration("width"), value_type=int),
                "height": ParameterValue(LaunchConfiguration("height"), value_type=int),
                "rate_hz": ParameterValue(LaunchConfiguration("rate_hz"), value_type=float),
                "rooms": ParameterValue(LaunchConfiguration("rooms"), value_type=str),
                "world": ParameterValue(LaunchConfiguration("world"), value_type=str),
            }],
        ),
        Node(
            package="spacer_nodes",
            executable="perception_node",
            name="perception_node",
            namespace=LaunchConfiguration("namespace"),
            output="screen",
            respawn=True,
            respawn_delay=2.0,
            parameters=[
                LaunchConfiguration("params_file"),
                {
                    "model_dir": ParameterValue(LaunchConfiguration("model_dir"), value_type=str),
                    "use_sim_time": True,
                },
            ],
        ),
    ])
