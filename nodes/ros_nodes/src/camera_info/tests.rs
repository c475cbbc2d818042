use std::path::PathBuf;

use super::*;

const YAML: &str = "image_width: 640
image_height: 480
camera_name: narrow
camera_matrix: {rows: 3, cols: 3, data: [500.5, 0, 320, 0, 501, 240, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.25, 0.1, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [480., 0., 321., 0., 0., 481., 241., 0., 0., 0., 1., 0.]}
";
const OPENCV: &str = "%YAML:1.0
---
calibration_time: \"Mon 30 Nov 2026\"
image_width: 640
image_height: 480
flags: 0
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 5.005e+02, 0., 320., 0., 501., 240., 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 5
   cols: 1
   dt: d
   data: [ -0.25, 0.1, 0., 0., 0. ]
avg_reprojection_error: 3.1e-01
";
const INI: &str = "# oST version 5.0 parameters

[image]

width
640

height
480

[narrow_stereo/left]

camera matrix
500.5 0.000000 320
0.000000 501 240
0 0 1

distortion
-0.25 0.1 0 0 0

rectification
1 0 0
0 1 0
0 0 1

projection
480 0 321 0
0 481 241 0
0 0 1 0
";
const K: [f64; 9] = [500.5, 0.0, 320.0, 0.0, 501.0, 240.0, 0.0, 0.0, 1.0];

fn read(text: &str) -> anyhow::Result<CameraInfo> {
    parse(text).and_then(message)
}

fn refusal(text: &str) -> String {
    format!("{:#}", read(text).expect_err("no calibration"))
}

#[test]
fn the_three_forms_say_the_same() {
    for (name, text) in [("YAML", YAML), ("OpenCV", OPENCV), ("ini", INI)] {
        let info = read(text).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!((info.width, info.height, info.distortion_model.as_str()), (640, 480, "plumb_bob"), "{name}");
        assert_eq!((&info.k[..], &info.d[..]), (&K[..], &[-0.25, 0.1, 0.0, 0.0, 0.0][..]), "{name}");
        assert_eq!(info.r, IDENTITY, "{name}");
        let fx = if name == "OpenCV" { 500.5 } else { 480.0 };
        assert_eq!((info.p.len(), info.p[0], info.p[10]), (12, fx, 1.0), "{name}");
    }
    assert_eq!(read(&YAML.replace('\n', "\r\n")).expect("line ends").k, K);
    assert_eq!(read(&format!("\u{feff}{INI}")).expect("a byte order mark").k, K);
}

#[test]
fn names_and_shapes_as_people_write_them() {
    for text in [
        "K: [500.5, 0, 320, 0, 501, 240, 0, 0, 1]\nD: [-0.25, 0.1, 0, 0]\nimage_size: [640, 480]",
        "cameraMatrix: [[500.5, 0, 320], [0, 501, 240], [0, 0, 1]]\ndistCoeffs: [[-0.25, 0.1, 0, 0, 0]]\n\
         image_width: 640\nimage_height: 480",
        "%YAML:1.0\n---\nCamera_Matrix: !!opencv-matrix\n   rows: 3\n   cols: 3\n   dt: d\n   \
         data: [ 500.5, 0., 320., 0., 501., 240., 0., 0., 1. ]\nDistortion_Coefficients: !!opencv-matrix\n   \
         rows: 5\n   cols: 1\n   dt: d\n   data: [ -0.25, 0.1, 0., 0., 0. ]\nimage_Width: 640\nimage_Height: 480",
        "intrinsics: [500.5, 501, 320, 240]\nresolution: [640, 480]\ndistortion_model: radtan\n\
         distortion_coeffs: [-0.25, 0.1, 0, 0]",
    ] {
        let info = read(text).unwrap_or_else(|error| panic!("{text}: {error:#}"));
        assert_eq!((info.width, info.height, &info.k[..]), (640, 480, &K[..]), "{text}");
        assert_eq!((info.distortion_model.as_str(), &info.d[..2], info.d.len()), ("plumb_bob", &[-0.25, 0.1][..], 5));
    }
    let unsized_file = read("K: [500.5, 0, 320, 0, 501, 240, 0, 0, 1]").expect("a calibration");
    assert_eq!((unsized_file.width, unsized_file.height, unsized_file.d.len()), (0, 0, 0));
}

#[test]
fn models_follow_from_the_coefficients() {
    let with = |d: &str| read(&format!("K: [500.5, 0, 320, 0, 501, 240, 0, 0, 1]\nimage_size: [640, 480]\n{d}"));
    let model = |d: &str| with(d).map(|info| (info.distortion_model, info.d.len())).expect("a calibration");
    assert_eq!(model("D: [0.1, 0.1, 0, 0, 0, 0.1, 0, 0]"), ("rational_polynomial".to_owned(), 8));
    assert_eq!(model("D: [0.1, 0.1, 0, 0]\nfisheye_model: 1"), ("equidistant".to_owned(), 4));
    assert_eq!(model("D: [0.1, 0.1, 0, 0]\ndistortion_model: fisheye"), ("equidistant".to_owned(), 4));
    let error = format!("{:#}", with("D: [0.1, 0.1, 0]").expect_err("three coefficients"));
    assert!(error.contains("expected one of [0, 4, 5] coefficients of plumb_bob, found 3"), "{error}");
}

#[test]
fn what_is_no_calibration_is_refused_by_name() {
    for (text, words) in [
        ("", "expected camera_calibration's YAML or .ini, or OpenCV's YAML"),
        ("[image]\nwidth\n640\n", "height: expected a number of pixels"),
        ("[image]\nwidth\n640\nheight\n480\n", "camera matrix: expected 9 numbers, found 0"),
        ("topic: /camera\nrate: 10", "found rate, topic"),
        ("<?xml version=\"1.0\"?>\n<opencv_storage>", "found OpenCV's XML"),
        ("K: [500, 0, 320, 0, 501, 240]", "expected 9 numbers"),
        ("K: [0, 0, 0, 0, 0, 0, 0, 0, 0]", "focal lengths above 0"),
        ("K: [.nan, 0, 320, 0, 501, 240, 0, 0, 1]", "focal lengths above 0"),
        ("K: [500, 0, .inf, 0, 501, 240, 0, 0, 1]", "without end"),
        ("K: [a, b, c]", "expected numbers"),
        ("{", "expected camera_calibration's YAML"),
    ] {
        let error = refusal(text);
        assert!(error.contains(words), "{text:?}: {error}");
    }
}

fn surroundings(folder: &std::path::Path) -> Surroundings {
    Surroundings {
        home: Some(folder.join("home")),
        ros_home: None,
        prefixes: vec![folder.join("nothing"), folder.join("install")],
    }
}

#[test]
fn locations_are_those_that_drivers_take() {
    let folder = tempfile::tempdir().expect("a writable temporary folder");
    let folder = folder.path();
    let (home, share) = (folder.join("home"), folder.join("install/share/my_robot"));
    for at in [home.join(".ros/camera_info"), share.join("config")] {
        std::fs::create_dir_all(at).expect("a writable temporary folder");
    }
    for file in [home.join("left.yaml"), home.join(".ros/camera_info/left.yaml"), share.join("config/left.yaml")] {
        std::fs::write(file, YAML).expect("a writable temporary folder");
    }
    let around = surroundings(folder);
    let plain = home.join("left.yaml").display().to_string();
    for location in [
        plain.as_str(),
        &format!("file://{plain}"),
        &format!("file://localhost{plain}"),
        "~/left.yaml",
        "file://~/left.yaml",
        "file://${ROS_HOME}/camera_info/left.yaml",
        "package://my_robot/config/left.yaml",
    ] {
        let info = read_camera_info(location, &around).unwrap_or_else(|error| panic!("{location}: {error:#}"));
        assert_eq!(info.k, K, "{location}");
    }
    for (location, words) in [
        ("package://other/left.yaml", "package other: not installed in AMENT_PREFIX_PATH"),
        ("package://my_robot/right.yaml", "share/my_robot/right.yaml"),
        ("package://my_robot", "expected package://PACKAGE/path"),
        ("flash:///dev/mtd0", "found flash://"),
        ("file://left.yaml", "a path from the root"),
        ("~/right.yaml", "home/right.yaml"),
        (folder.to_str().expect("UTF-8"), "expected a calibration file"),
    ] {
        let error = format!("{:#}", read_camera_info(location, &around).expect_err("nothing"));
        assert!(error.contains(words), "{location}: {error}");
    }
    let nobody = Surroundings::default();
    assert!(nobody.path_of("~/left.yaml").is_err());
    assert_eq!(nobody.path_of("left.yaml").expect("a path"), PathBuf::from("left.yaml"));
}
