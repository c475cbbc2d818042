//! ROS time and nanoseconds.

use r2r::builtin_interfaces::msg::Time;

/// Nanoseconds of a ROS time.
pub fn nanos_from_time(time: &Time) -> i64 {
    i64::from(time.sec) * 1_000_000_000 + i64::from(time.nanosec)
}

/// A ROS time of nanoseconds; seconds beyond 32 bits are clamped.
pub fn time_from_nanos(nanos: i64) -> Time {
    let seconds = nanos.div_euclid(1_000_000_000);
    let sec = i32::try_from(seconds).unwrap_or(if seconds < 0 { i32::MIN } else { i32::MAX });
    Time { sec, nanosec: nanos.rem_euclid(1_000_000_000) as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for nanos in [0, 1, 999_999_999, 1_000_000_000, 1_763_700_000_123_456_789, -1] {
            assert_eq!(nanos_from_time(&time_from_nanos(nanos)), nanos);
        }
    }
}
