"""What the robot of a bag saw, and the perception node that answers questions about it.

    ros2 launch spacer_bringup replay.launch.py bag:=episodes/episode_1763700000
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
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
        DeclareLaunchArgument("bag", description="rosbag2 folder or .mcap file"),
        DeclareLaunchArgument("image_topic", default_value="", description="images of the bag; empty = the only ones"),
        DeclareLaunchArgument("rate", default_value="1.0", description="pace; 1 = as recorded"),
        DeclareLaunchArgument("questions", default_value="false", description="ask the questions of the bag again"),
        # Fast DDS's default segment loses most images.
        SetEnvironmentVariable("FASTRTPS_DEFAULT_PROFILES_FILE", PathJoinSubstitution([config, "fastdds.xml"])),
        # Not started again when it ends: the end of the bag is its own.
        Node(
            package="spacer_nodes",
            executable="replay_node",
            name="replay_node",
            namespace=LaunchConfiguration("namespace"),
            output="screen",
            parameters=[{
                "bag": ParameterValue(LaunchConfiguration("bag"), value_type=str),
                "image_topic": ParameterValue(LaunchConfiguration("image_topic"), value_type=str),
                "rate": ParameterValue(LaunchConfiguration("rate"), value_type=float),
                "questions": ParameterValue(LaunchConfiguration("questions"), value_type=bool),
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
