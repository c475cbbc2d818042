//! `sensor_msgs/Image` without element-wise copies.
#![allow(unsafe_code)]

use r2r::NativeMsg;
use r2r::sensor_msgs::msg::Image;

use crate::time::nanos_from_time;
use r2r::WrappedTypesupport;

/// What an image message says about itself, and its bytes where DDS put them.
pub struct ImageView<'a> {
    /// When light hit the sensor, nanoseconds.
    pub stamp_nanos: i64,
    /// The optical frame.
    pub frame_id: String,
    /// For instance `rgb8`.
    pub encoding: String,
    /// The first byte of a number of two bytes is the greater one.
    pub is_bigendian: bool,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Bytes of a row.
    pub step: u32,
    /// The rows.
    pub data: &'a [u8],
}

/// Looks into a native message. Nothing in it is trusted: whoever reads the rows checks the lengths.
pub fn view(message: &NativeMsg<Image>) -> ImageView<'_> {
    let data = if message.data.data.is_null() || message.data.size == 0 {
        &[][..]
    } else {
        // SAFETY: a `rosidl` byte sequence that a middleware filled owns `size` initialised bytes at `data` for as long
        // as the message lives, and the view borrows the message.
        unsafe { std::slice::from_raw_parts(message.data.data, message.data.size) }
    };
    let stamp = r2r::builtin_interfaces::msg::Time::from_native(&message.header.stamp);
    ImageView {
        stamp_nanos: nanos_from_time(&stamp),
        frame_id: message.header.frame_id.to_str().to_owned(),
        encoding: message.encoding.to_str().to_owned(),
        is_bigendian: message.is_bigendian != 0,
        width: message.width,
        height: message.height,
        step: message.step,
        data,
    }
}
