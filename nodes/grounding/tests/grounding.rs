//! Promises of grounding: which questions are understood, and that no completion breaks it.

use grounding::{MAX_QUESTION_BYTES, Outcome, QuestionError, parse_completion, parse_question, parse_question_bytes};
use msgs::QuestionKind::{
    self, CameraDirection, CameraDistance, CameraTurn, CameraTurnSide, EgoDirection, EgoDistance, FreeForm,
    ObjAppearanceOrder, ObjectAbsDistance, ObjectCounting, ObjectRelDirectionEasy, ObjectRelDirectionHard,
    ObjectRelDirectionMedium, ObjectRelDistance, ObjectSizeEstimation, RoomSizeEstimation, RoutePlanning,
};
use proptest::prelude::*;

#[test]
fn understands_distances_and_counts() {
    for (text, kind, object) in [
        ("How far is the door?", EgoDistance, Some("door")),
        ("how far away is the door", EgoDistance, Some("door")),
        ("How far is the coffee table from me?", EgoDistance, Some("coffee table")),
        ("how far away from you is the fridge?", EgoDistance, Some("refrigerator")),
        ("Robot, how far is it to the window?", EgoDistance, Some("window")),
        ("How far is the TV away from the robot right now?", EgoDistance, Some("television")),
        ("What is the distance to the couch?", EgoDistance, Some("sofa")),
        ("what's the distance from here to the bed in metres?", EgoDistance, Some("bed")),
        ("Distance to the bed", EgoDistance, Some("bed")),
        ("How many metres away is the lamp?", EgoDistance, Some("lamp")),
        ("How far are the shelves?", EgoDistance, Some("shelf")),
        ("How many chairs are there?", ObjectCounting, Some("chair")),
        ("how many couches do you see?", ObjectCounting, Some("sofa")),
        ("How many coffee tables are in the room?", ObjectCounting, Some("coffee table")),
        ("how many shelves can you see", ObjectCounting, Some("shelf")),
        ("Count the chairs.", ObjectCounting, Some("chair")),
        ("What is the number of chests of drawers?", ObjectCounting, Some("chest of drawers")),
        ("How many kinds of chairs are there?", FreeForm, None),
        ("How many chairs are next to the table?", FreeForm, None),
        ("how far", FreeForm, None),
        ("How many are there?", FreeForm, None),
        ("What do you see?", FreeForm, None),
        ("Wie weit ist die Tür?", FreeForm, None),
    ] {
        let parsed = parse_question(text).expect(text);
        assert_eq!((parsed.kind, parsed.object.as_deref()), (kind, object), "{text}");
    }
}

#[test]
fn understands_what_people_ask_about_rooms_and_themselves() {
    for (text, kind, objects) in [
        ("How far is the chair from the table?", ObjectAbsDistance, "chair, table"),
        ("What is the distance between the bed and the door?", ObjectAbsDistance, "bed, door"),
        (
            "what's the distance from the fridge to the coffee table in metres?",
            ObjectAbsDistance,
            "refrigerator, coffee table",
        ),
        ("How far apart are the couch and the TV?", ObjectAbsDistance, "sofa, television"),
        ("How big is the room?", RoomSizeEstimation, ""),
        ("Robot, what is the area of this room?", RoomSizeEstimation, ""),
        ("How big is the table?", ObjectSizeEstimation, "table"),
        (
            "How long is the longest side of the chest of drawers, in centimetres?",
            ObjectSizeEstimation,
            "chest of drawers",
        ),
        ("What is closest to the sofa: the bed, the desk or the door?", ObjectRelDistance, "sofa, bed, desk, door"),
        ("Which is nearest to the window?", ObjectRelDistance, "window"),
        (
            "If I stand by the bed facing the door, is the desk left or right?",
            ObjectRelDirectionEasy,
            "bed, door, desk",
        ),
        (
            "Standing at the bed and facing the door, is the desk left, right or behind me?",
            ObjectRelDirectionMedium,
            "bed, door, desk",
        ),
        ("Standing at the bed and looking at the door, where is the desk?", ObjectRelDirectionHard, "bed, door, desk"),
        (
            "Starting at the bed and facing the door, which turns lead to the desk and from there to the sofa?",
            RoutePlanning,
            "bed, door, desk, sofa",
        ),
        ("In what order did you first see the bed, the desk and the door?", ObjAppearanceOrder, "bed, desk, door"),
        ("Where is the door?", EgoDirection, "door"),
        ("where's the fridge", EgoDirection, "refrigerator"),
        ("Is the sofa left of me?", EgoDirection, "sofa"),
        ("Is the coffee table behind me or in front of me?", EgoDirection, "coffee table"),
        ("On which side of you is the door?", EgoDirection, "door"),
        ("At what o'clock is the door?", EgoDirection, "door"),
        ("Is the sofa left of the table?", FreeForm, ""),
        ("Is the door open?", FreeForm, ""),
        ("How far did I move?", CameraDistance, ""),
        ("How far have you travelled in the last 10 seconds?", CameraDistance, ""),
        ("How far are you from where you were 5 seconds ago?", CameraDistance, ""),
        ("How many metres did I move?", CameraDistance, ""),
        ("Which way did I move?", CameraDirection, ""),
        ("How much did I turn?", CameraTurn, ""),
        ("How many degrees did I turn in the last 3 seconds?", CameraTurn, ""),
        ("Which way and how much did the camera turn?", CameraTurnSide, ""),
        ("Where do I go?", FreeForm, ""),
    ] {
        let parsed = parse_question(text).expect(text);
        let named: Vec<&str> = parsed.object.iter().chain(&parsed.others).map(String::as_str).collect();
        assert_eq!((parsed.kind, named.join(", ").as_str()), (kind, objects), "{text}");
    }
}

#[test]
fn numbers_and_sides_are_typed_by_their_kind() {
    let read = |text: &str, kind| parse_completion(text, kind).outcome;
    assert_eq!(read("<answer>21.5 m2</answer>", RoomSizeEstimation), Outcome::Number(21.5));
    assert_eq!(read("<answer>far</answer>", ObjectAbsDistance), Outcome::Unreadable);
    assert_eq!(read("<answer>left</answer>", EgoDirection), Outcome::Text);
    assert_eq!(read("<answer>not seen</answer>", EgoDirection), Outcome::NotSeen);
}

#[test]
fn refuses_what_is_no_question() {
    assert_eq!(parse_question(""), Err(QuestionError::Empty));
    assert_eq!(parse_question(" \t\u{0}\u{7} ?!"), Err(QuestionError::Empty));
    let long = "x".repeat(100_000);
    let too_long = QuestionError::TooLong { expected: MAX_QUESTION_BYTES, found: 100_000 };
    assert_eq!(parse_question(&long), Err(too_long.clone()));
    assert_eq!(parse_question_bytes(long.as_bytes()), Err(too_long));
    assert_eq!(parse_question_bytes(b"how \xff far"), Err(QuestionError::NotUtf8 { found: 4 }));
    let parsed = parse_question("how\u{0}far is\n the door?\u{1b}").expect("a question");
    assert_eq!(parsed.text, "how far is the door?");
}

#[test]
fn reads_completions_of_the_nano_model() {
    let text = "<think>I see the door 2.4 m away.<map>{\"door\":[[5,5]],\"cell_size_m\":0.6,\"robot\":[[5,9]]}</map>\
                </think><answer>2.4</answer>";
    let parsed = parse_completion(text, EgoDistance);
    assert_eq!(parsed.thinking, "I see the door 2.4 m away.");
    assert!(parsed.map_text.expect("a map").starts_with("{\"door\""));
    assert_eq!((parsed.answer_text.as_str(), parsed.outcome), ("2.4", Outcome::Number(2.4)));
    let absent = "<think>I do not see a door.<map>{}</map></think><answer>not seen</answer>";
    assert_eq!(parse_completion(absent, EgoDistance).outcome, Outcome::NotSeen);
    assert_eq!(parse_completion(absent, ObjectCounting).outcome, Outcome::NotSeen);
}

#[test]
fn reads_what_other_models_write() {
    let read = |text: &str, kind: QuestionKind| parse_completion(text, kind).outcome;
    assert_eq!(read("<think>hm</think> <answer> three </answer>", ObjectCounting), Outcome::Number(3.0));
    assert_eq!(read("<think>5 things</think>\nabout 2.5 m", EgoDistance), Outcome::Number(2.5));
    assert_eq!(read("<answer>4", ObjectCounting), Outcome::Number(4.0));
    assert_eq!(read("<think>I think <answer>4</answer>", ObjectCounting), Outcome::Number(4.0));
    assert_eq!(read("<think>1<map>{\"chair\": [[2, 3]]<answer>7</answer>", ObjectCounting), Outcome::Number(7.0));
    assert_eq!(read("2.4", EgoDistance), Outcome::Number(2.4));
    assert_eq!(read("<answer>-3</answer>", EgoDistance), Outcome::Unreadable);
    assert_eq!(read("<answer></answer>", EgoDistance), Outcome::Unreadable);
    assert_eq!(read("<answer>far</answer>", EgoDistance), Outcome::Unreadable);
    assert_eq!(read("<answer>B. the sofa</answer>", FreeForm), Outcome::Option('B'));
    assert_eq!(read("<answer>A sofa and a chair</answer>", FreeForm), Outcome::Text);
    assert_eq!(read("", FreeForm), Outcome::Unreadable);
}

proptest! {
    #[test]
    fn no_text_whatever_panics(
        parts in proptest::collection::vec(
            prop_oneof!["<think>", "</think>", "<map>", "</map>", "<answer>", "</answer>", "how (far|many)", ".{0,20}", "[0-9.-]{1,6}"],
            0..12,
        ),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let joined = parts.join(" ");
        for text in [joined.as_str(), &parts.concat(), &String::from_utf8_lossy(&bytes)] {
            for kind in QuestionKind::ALL {
                if let Outcome::Number(value) = parse_completion(text, kind).outcome {
                    prop_assert!(value.is_finite() && value >= 0.0);
                }
            }
            let _ = parse_question(text);
        }
        let _ = parse_question_bytes(&bytes);
    }
}
