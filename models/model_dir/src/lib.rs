//! The on-disk contract between training and the robot.
