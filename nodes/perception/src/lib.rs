//! The robot's pipeline from frames and a question to a typed answer, free of ROS.
