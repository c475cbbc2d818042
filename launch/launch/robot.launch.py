"""A camera, video file, image folder or stream, and the perception node that answers questions about it.

    ros2 launch spacer_bringup robot.launch.py source:=/dev/video0
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

# By launch argument: what recorder_node calls a topic of the robot, and what that topic carries.
RECORDED = {
    "odom_topic": ("odom", "odometry"),
    "depth_topic": ("depth/image_raw", "depth images"),
    "depth_info_topic": ("depth/camera_info", "calibrations of the depth images"),
    "scan_topic": ("scan", "laser scans"),
    "range_topic": ("range", "a range finder"),
}


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
        DeclareLaunchArgument("source", default_value="/dev/video0", description="device, video, image folder or URL"),
        DeclareLaunchArgument("rate_hz", default_value="0.0", description="images a second; 0 = the source's own"),
        DeclareLaunchArgument("loop", default_value="false", description="start again at the end of the source"),
        DeclareLaunchArgument("frame_id", default_value="camera_optical_frame", description="frame of the images"),
        DeclareLaunchArgument("camera_info_file", default_value="", description="calibration: path, file:// or package://; empty = none"),
        DeclareLaunchArgument(
            "respawn",
            default_value="true",
            description="start the camera again when it ends; false for a file or folder that is to be played once",
        ),
        DeclareLaunchArgument("record", default_value="false", description="record an episode"),
        DeclareLaunchArgument("episodes", default_value="episodes", description="folder of the recorded episodes"),
        *[
            DeclareLaunchArgument(argument, default_value=topic, description=f"topic of {what}, recorded if there is one")
            for argument, (topic, what) in RECORDED.items()
        ],
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
            }],
            remappings=[(topic, LaunchConfiguration(argument)) for argument, (topic, _) in RECORDED.items()],
        ),
        Node(
            package="spacer_nodes",
            executable="camera_node",
            name="camera_node",
            namespace=LaunchConfiguration("namespace"),
            output="screen",
            respawn=LaunchConfiguration("respawn"),
            respawn_delay=2.0,
            parameters=[{
                "source": ParameterValue(LaunchConfiguration("source"), value_type=str),
                "rate_hz": ParameterValue(LaunchConfiguration("rate_hz"), value_type=float),
                "loop": ParameterValue(LaunchConfiguration("loop"), value_type=bool),
                "frame_id": ParameterValue(LaunchConfiguration("frame_id"), value_type=str),
                "camera_info_file": ParameterValue(LaunchConfiguration("camera_info_file"), value_type=str),
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
                {"model_dir": ParameterValue(LaunchConfiguration("model_dir"), value_type=str)},
            ],
        ),
    ])
