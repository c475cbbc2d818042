//! What people ask, each as its own kind or as none: a question is never read as one that it only resembles,
//! for then its answer would be another question's.

mod wording;

use grounding::parse_question;
use msgs::QuestionKind::{
    self, CameraDirection, CameraDistance, CameraTurn, CameraTurnSide, EgoDirection, EgoDistance, FreeForm,
    ObjAppearanceOrder, ObjectAbsDistance, ObjectCounting, ObjectRelDirectionEasy, ObjectRelDirectionHard,
    ObjectRelDirectionMedium, ObjectRelDistance, ObjectSizeEstimation, RoomSizeEstimation, RoutePlanning,
};
use wording::check;

#[test]
fn every_kind_reads_its_own_example() {
    for kind in QuestionKind::ALL {
        assert_eq!(parse_question(kind.example()).expect("a question").kind, kind, "{}", kind.example());
        assert_eq!(QuestionKind::from_name(kind.name()), Some(kind));
    }
}

#[test]
fn vsi_bench_is_read_in_its_own_words() {
    check(&[
        ("How many chair(s) are in this room?", ObjectCounting, "chair"),
        ("Question:\nHow many trash can(s) are in this room?", ObjectCounting, "trash can"),
        (
            "Question: Measuring from the closest point of each object, what is the direct distance between the door and the jacket (in meters)?",
            ObjectAbsDistance,
            "door, jacket",
        ),
        (
            "What is the length of the longest dimension (length, width, or height) of the tissue box, measured in centimeters?",
            ObjectSizeEstimation,
            "tissue box",
        ),
        (
            "What is the size of this room (in square meters)? If multiple rooms are shown, estimate the size of the combined space.",
            RoomSizeEstimation,
            "",
        ),
        (
            "Question: Measuring from the closest point of each object, which of the following objects is the closest to the shoes?",
            ObjectRelDistance,
            "shoe",
        ),
        (
            "Measuring from the closest point of each object, which of these objects (table, sofa) is the closest to the shoes?",
            ObjectRelDistance,
            "shoe, table, sofa",
        ),
        (
            "If I am standing by the stool and facing the microwave, is the cabinet to the left or the right of the microwave?",
            ObjectRelDirectionEasy,
            "stool, microwave, cabinet",
        ),
        (
            "If I am standing by the stool and facing the tv, is the cabinet to my left, right, or back?\nAn object is to my back if I would have to turn at least 135 degrees in order to face it.",
            ObjectRelDirectionMedium,
            "stool, television, cabinet",
        ),
        (
            "If I am standing by the stool and facing the tv, is the cabinet to my front-left, front-right, back-left, or back-right?\nThe directions refer to the quadrants of a Cartesian plane (if I am standing at the origin and facing along the positive y-axis).",
            ObjectRelDirectionHard,
            "stool, television, cabinet",
        ),
        (
            "What will be the first-time appearance order of the following categories in the video: chair, door, table, tv?",
            ObjAppearanceOrder,
            "chair, door, table, television",
        ),
        (
            "You are a robot beginning at the door facing the bed. You want to navigate to the tv. You will perform the following actions (Note: for each [please fill in], choose either 'turn back,' 'turn left,' or 'turn right.'): 1. [please fill in] 2. Go forward until the tv. You have reached the final destination.",
            RoutePlanning,
            "door, bed, television",
        ),
    ]);
}

#[test]
fn distances_from_the_camera_and_between_things_are_told_apart() {
    check(&[
        ("How far is the door from the window?", ObjectAbsDistance, "door, window"),
        ("How far away is the door from the window?", ObjectAbsDistance, "door, window"),
        ("How far away from the window is the door?", ObjectAbsDistance, "window, door"),
        ("How far from the window is the door?", ObjectAbsDistance, "window, door"),
        ("How far is it from the door to the window?", ObjectAbsDistance, "door, window"),
        ("How far is the door to the window?", ObjectAbsDistance, "door, window"),
        ("how close is the chair to the door?", ObjectAbsDistance, "chair, door"),
        ("How many metres are there between the bed and the desk?", ObjectAbsDistance, "bed, desk"),
        (
            "How far apart are the bed and the desk, measured between their closest points?",
            ObjectAbsDistance,
            "bed, desk",
        ),
        ("what is the distance of the chair from the table?", ObjectAbsDistance, "chair, table"),
        ("What is the distance between the sofa and the table (in meters)?", ObjectAbsDistance, "sofa, table"),
        ("Distance from the bed to the door?", ObjectAbsDistance, "bed, door"),
        ("How far am I from the door?", EgoDistance, "door"),
        ("how far are you from the door?", EgoDistance, "door"),
        ("how close is the robot to the wall?", EgoDistance, "wall"),
        ("How far from the door are we?", EgoDistance, "door"),
        ("How far is it from here to the door?", EgoDistance, "door"),
        ("how far from me is the door?", EgoDistance, "door"),
        ("how far is the door from where I am?", EgoDistance, "door"),
        ("What is the distance between the door and me?", EgoDistance, "door"),
        ("distance between the robot and the door", EgoDistance, "door"),
        ("Could you tell me how far the door is?", EgoDistance, "door"),
        ("tell me how far away the door is", EgoDistance, "door"),
        ("How far is the door? Thanks!", EgoDistance, "door"),
        ("Hello robot! How’s it going? How far is the door?", FreeForm, ""),
        ("How far is the door? I mean the red one.", FreeForm, ""),
        ("How far is the door, the window?", FreeForm, ""),
        ("How far are the door and the window?", FreeForm, ""),
        ("How far is it?", FreeForm, ""),
        ("How far is everything?", FreeForm, ""),
        ("how far was the door 10 seconds ago?", FreeForm, ""),
        ("How far is the door from the floor?", FreeForm, ""),
        ("how far is the camera from the ground?", FreeForm, ""),
        ("how far is the chair to the left of the door?", FreeForm, ""),
        ("how far is the chair on the left?", FreeForm, ""),
        ("How far is the chair behind you?", FreeForm, ""),
        ("how far is the door open?", FreeForm, ""),
        ("how close is the door to being closed?", FreeForm, ""),
        ("how far is the door if I turn left?", FreeForm, ""),
        ("how far is too far?", FreeForm, ""),
        ("how far can you see?", FreeForm, ""),
        ("how far left is the door?", FreeForm, ""),
        ("How far apart are the chairs?", FreeForm, ""),
        ("Is the distance between the bed and the door large?", FreeForm, ""),
        ("is the distance to the door more than 2 m?", FreeForm, ""),
    ]);
}

#[test]
fn a_thing_told_by_another_is_no_pair() {
    check(&[
        ("how far is the person next to the window?", FreeForm, ""),
        ("how far is the hallway leading to the kitchen?", FreeForm, ""),
        ("how far is the chair closest to the door?", FreeForm, ""),
        ("how far is the person next to the window from me?", FreeForm, ""),
        ("how far is the lamp hanging from the shelf?", FreeForm, ""),
        ("What is the distance from the chair opposite to the sofa?", FreeForm, ""),
    ]);
}

#[test]
fn the_camera_that_sees_is_no_thing() {
    check(&[
        ("how far is the door from your camera?", EgoDistance, "door"),
        ("how far is the door from the robot's camera?", EgoDistance, "door"),
        ("how far away is the door from my camera in metres?", EgoDistance, "door"),
        ("distance between the camera and the door", EgoDistance, "door"),
        ("What is the distance between the door and your camera?", EgoDistance, "door"),
        ("What is the distance from the door to the camera?", EgoDistance, "door"),
        ("how far is it from the camera to the door?", EgoDistance, "door"),
        ("how far is it from the robot to the door?", EgoDistance, "door"),
        ("how far is it from you to the door?", EgoDistance, "door"),
        ("how far is it from here to the door?", EgoDistance, "door"),
        ("how far is it from the door to you?", EgoDistance, "door"),
        ("how far from your camera is the door?", EgoDistance, "door"),
        ("How far apart are you and the door?", EgoDistance, "door"),
        ("How many metres are there between the camera and the door?", EgoDistance, "door"),
        ("how far is the security camera from the door?", ObjectAbsDistance, "security camera, door"),
        ("how far is it from the camera to you?", FreeForm, ""),
        ("how far is your camera from the robot's camera?", FreeForm, ""),
        ("how far is it to the camera?", FreeForm, ""),
    ]);
}

#[test]
fn attributes_stay_with_the_thing() {
    check(&[
        ("how far is the second door?", EgoDistance, "second door"),
        ("how far is the nearest chair?", EgoDistance, "nearest chair"),
        ("how far is the red chair from me?", EgoDistance, "red chair"),
        ("how far is the left door?", EgoDistance, "left door"),
        ("how many red chairs are there?", ObjectCounting, "red chair"),
        ("how far is the red chair from the table?", ObjectAbsDistance, "red chair, table"),
        ("Where is the nearest door?", EgoDirection, "nearest door"),
        ("how far is the edge of the table?", EgoDistance, "edge of the table"),
        ("how many trash cans are there?", ObjectCounting, "trash can"),
    ]);
}

#[test]
fn counts_are_of_all_that_is_seen_or_none() {
    check(&[
        ("how many chairs can you see from here?", ObjectCounting, "chair"),
        ("How many table(s) are in this room?", ObjectCounting, "table"),
        ("How many chairs are visible right now?", ObjectCounting, "chair"),
        ("How many of the chairs do you see?", ObjectCounting, "chair"),
        ("how many chairs are near the table?", FreeForm, ""),
        ("how many chairs are in the kitchen?", FreeForm, ""),
        ("how many chairs are occupied?", FreeForm, ""),
        ("how many doors are open?", FreeForm, ""),
        ("how many legs does the chair have?", FreeForm, ""),
        ("how many chairs are there on the left?", FreeForm, ""),
        ("how many chairs are not red?", FreeForm, ""),
        ("how many times did I turn?", FreeForm, ""),
        ("how many steps is it to the door?", FreeForm, ""),
        ("how many metres wide is the door?", FreeForm, ""),
        ("how many metres long is the room?", FreeForm, ""),
        ("how many chairs and tables are there?", FreeForm, ""),
        ("how many objects are there?", FreeForm, ""),
        ("what is the number of the bus?", FreeForm, ""),
        ("count to ten", FreeForm, ""),
    ]);
}

#[test]
fn sides_of_the_camera_are_no_sides_of_things() {
    check(&[
        ("which way is the exit?", EgoDirection, "exit"),
        ("In which direction is the door?", EgoDirection, "door"),
        ("At which clock position is the door, with 12 straight ahead?", EgoDirection, "door"),
        ("Where is the door on the clock?", EgoDirection, "door"),
        ("Is the door on my left or on my right?", EgoDirection, "door"),
        ("is the door to the left of the table?", FreeForm, ""),
        ("is the door open?", FreeForm, ""),
        ("is the door on the left open?", FreeForm, ""),
        ("is there a chair?", FreeForm, ""),
        ("is there a chair behind me?", FreeForm, ""),
        ("are there chairs on my left?", FreeForm, ""),
        ("is a person behind me?", FreeForm, ""),
        ("is anything in front of me?", FreeForm, ""),
        ("what colour is the door?", FreeForm, ""),
        ("which side of the door is the handle on?", FreeForm, ""),
        ("what direction is the door facing?", FreeForm, ""),
        ("which way is clear?", FreeForm, ""),
        ("which way is north?", FreeForm, ""),
        ("which clock is the biggest?", FreeForm, ""),
        ("where is everyone?", FreeForm, ""),
        ("where are you?", FreeForm, ""),
        ("where is the chair relative to the table?", FreeForm, ""),
        ("where is the best place to sit?", FreeForm, ""),
        ("where is the door and how far is it?", FreeForm, ""),
        ("where should I go?", FreeForm, ""),
    ]);
}

#[test]
fn motions_are_past_and_one_s_own() {
    check(&[
        ("How far have you travelled?", CameraDistance, ""),
        ("How far is the camera from where it was 5 seconds ago?", CameraDistance, ""),
        ("By how many metres has the robot moved over the last 3.5 seconds?", CameraDistance, ""),
        ("Seen from how you stood 5 seconds ago, which way did you move?", CameraDirection, ""),
        ("How much has the camera turned?", CameraTurn, ""),
        ("Which way did I turn?", CameraTurnSide, ""),
        ("To which side did the robot turn in the last 3 seconds?", CameraTurnSide, ""),
        ("Which way did I turn in the last 5 seconds, and was it more than a right angle?", CameraTurnSide, ""),
        ("how far do I have to go to reach the door?", FreeForm, ""),
        ("how far did the chair move?", FreeForm, ""),
        ("how far did you move the chair?", FreeForm, ""),
        ("how far did it move?", FreeForm, ""),
        ("how far did I move to the left?", FreeForm, ""),
        ("which way did we come from?", FreeForm, ""),
        ("how far and which way did I move?", FreeForm, ""),
        ("turn left", FreeForm, ""),
        ("did I turn left?", FreeForm, ""),
        ("go to the door", FreeForm, ""),
    ]);
}

#[test]
fn sizes_and_relations_are_read_whole() {
    check(&[
        (
            "What is the size of this room (in square meters)? If multiple rooms are shown, add them.",
            RoomSizeEstimation,
            "",
        ),
        ("How big is the room, all rooms of a flat taken together?", RoomSizeEstimation, ""),
        ("what is the size of the door?", ObjectSizeEstimation, "door"),
        ("How large is the table, in centimetres?", ObjectSizeEstimation, "table"),
        ("how big is the table in the kitchen?", FreeForm, ""),
        ("how big is the door compared to the window?", FreeForm, ""),
        ("how big is the gap between the bed and the wall?", FreeForm, ""),
        ("how tall is the shelf?", FreeForm, ""),
        ("what is on the other side of the door?", FreeForm, ""),
        ("what area of the room is free?", FreeForm, ""),
        ("how many square metres of the room does the bed take?", FreeForm, ""),
        ("what is the area of the rug on the floor?", FreeForm, ""),
        ("can I fit through the door?", FreeForm, ""),
        ("which door is closest to the window?", FreeForm, ""),
        ("which chair is nearest to me?", FreeForm, ""),
        ("Of the bed, the desk, which stands closest to the sofa?", ObjectRelDistance, "sofa, bed, desk"),
        ("In which order did these first come into sight: the bed, the desk?", ObjAppearanceOrder, "bed, desk"),
        ("in what order should I visit the bed and the desk?", FreeForm, ""),
        (
            "I am at the bed, facing the door. Is the desk left or right of me?",
            ObjectRelDirectionEasy,
            "bed, door, desk",
        ),
        ("If I stand at the bed and look at the door, what is on my left?", FreeForm, ""),
        ("If I stand at the bed and look at the door, what colour is the desk on my left?", FreeForm, ""),
        ("Standing at the bed and facing the door, is the desk left of the sofa?", FreeForm, ""),
        ("Wie weit ist die Tür vom Fenster?", FreeForm, ""),
    ]);
}
