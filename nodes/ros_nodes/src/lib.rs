//! ROS 2 shells around the perception pipeline, the camera and the simulator.
