//! What stands before and behind a question: courtesy and how to answer change nothing, a second question does.

mod wording;

use msgs::QuestionKind::{EgoDistance, FreeForm, ObjectCounting, ObjectRelDirectionMedium, ObjectRelDistance};

use wording::check;

#[test]
fn a_second_question_behind_the_first_is_not_dropped() {
    check(&[
        ("How far is the door? Please tell me how many chairs there are.", FreeForm, ""),
        ("How far is the door? If it is closed, how far is the window?", FreeForm, ""),
        ("How far is the door? Thanks, and the window?", FreeForm, ""),
        ("How far is the door? Thanks. And the window", FreeForm, ""),
        ("How far is the door? Answer in metres. How many chairs are there?", FreeForm, ""),
        ("How far is the door? Give the distance of the window, too.", FreeForm, ""),
        ("How far is the door? If there are several, take the red one.", FreeForm, ""),
        ("How far is the door? Please turn left.", FreeForm, ""),
        ("How far is the door? Please windows as well.", FreeForm, ""),
        ("How far is the door? Thanks a lot, robot! If you don't know, say so.", EgoDistance, "door"),
        ("How far is the door? Please answer in metres. Thank you very much!", EgoDistance, "door"),
        ("How far is the door?? Please give a single number.", EgoDistance, "door"),
        ("How far is the door? If there are several doors, choose the nearest.", EgoDistance, "door"),
        ("How far is the door? Measure from the closest point of each object.", EgoDistance, "door"),
        (
            "If I am standing by the bed and facing the door, is the desk to my left, right, or back? An object is to my \
             back if I would have to turn at least 135 degrees in order to face it.",
            ObjectRelDirectionMedium,
            "bed, door, desk",
        ),
        (
            "What is closest to the sofa: the bed, the desk? If there are multiple instances of an object category, \
             measure to the closest.",
            ObjectRelDistance,
            "sofa, bed, desk",
        ),
        ("How far is the door? Options: A. 1.2 m B. 2.5 m C. the same", EgoDistance, "door"),
        ("How far is the door? Answer with the option's letter: A. 1.2 m B. 2.5 m", EgoDistance, "door"),
    ]);
}

#[test]
fn courtesy_changes_no_question() {
    check(&[
        ("Could you please tell me how far the door is?", EgoDistance, "door"),
        ("Can you please tell me how many chairs there are?", ObjectCounting, "chair"),
        ("Excuse me, how far is the door?", EgoDistance, "door"),
        ("I'd like to know how far the door is", EgoDistance, "door"),
        ("I would like to know how far the door is.", EgoDistance, "door"),
        ("Good morning, how far is the door?", EgoDistance, "door"),
        ("I wonder how far the door is", EgoDistance, "door"),
        ("Hello there robot, sorry, could you just tell me how far away the door is please?", EgoDistance, "door"),
        ("Could you estimate the distance to the door?", EgoDistance, "door"),
        ("Could you move to the door?", FreeForm, ""),
    ]);
}
