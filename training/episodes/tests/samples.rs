//! What a sample teaches is what the robot will be asked and will read.

use std::path::Path;

use episodes::{Label, Part, SampleMaker, SampleSettings, Split};

fn maker() -> SampleMaker {
    maker_with(0.0)
}

fn maker_with(walk_share: f64) -> SampleMaker {
    let nano = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo/spacer-nano");
    let settings =
        SampleSettings { seed: 7, questions: 7, whole_completions: 7.0, walk_share, ..SampleSettings::default() };
    SampleMaker::new(&nano, settings).expect("ok")
}

#[test]
fn completions_read_back_as_their_truth() {
    let maker = maker();
    for index in 0..6 {
        let sample = maker.sample(Split::Train, index).expect("ok");
        for segment in &sample.segments {
            let next: Vec<u32> = segment.tokens.ids[1..].to_vec();
            let first = segment.targets.iter().position(Option::is_some).expect("ok");
            let text = maker.processor().decode(&next[first..]).expect("ok");
            let number = segment.targets.iter().flatten().find(|t| t.part == Part::Value);
            let answer = text.split("<answer>").nth(1).expect("ok").split('<').next().expect("ok");
            match number.map(|t| t.label) {
                None => assert_eq!(answer, "not seen", "{text}"),
                Some(Label::Number(_, metres)) => {
                    let said: f64 = answer.parse().expect("ok");
                    assert!((said - metres).abs() <= 0.051, "{metres}: {text}");
                }
                Some(Label::Token(id)) => assert_eq!(maker.processor().decode(&[id]).expect("ok"), answer, "{text}"),
            }
            let map = text.split("<map>").nth(1).expect("ok").split("</map>").next().expect("ok");
            assert!(imagined_map::parse(map).is_some(), "{text}");
        }
    }
}

#[test]
fn every_target_is_the_token_that_follows() {
    let sample = maker().sample(Split::Train, 1).expect("ok");
    for segment in &sample.segments {
        for (index, target) in segment.targets.iter().enumerate() {
            if let (Some(target), Some(next)) = (target, segment.tokens.ids.get(index + 1)) {
                assert!(matches!(target.label, Label::Number(..)) || target.label == Label::Token(*next));
            }
        }
    }
}

#[test]
fn a_sample_is_a_function_of_its_index() {
    let maker = maker();
    let ids = |index| {
        maker.sample(Split::Train, index).expect("ok").segments.iter().map(|s| s.tokens.ids.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(3), ids(3));
    assert_ne!(ids(3), ids(4));
}

#[test]
fn walks_teach_the_answers_that_they_are_scored_by() {
    let maker = maker_with(1.0);
    let mut types = std::collections::BTreeSet::new();
    for index in 0..3 {
        let sample = maker.sample(Split::Train, index).expect("ok");
        assert_eq!(sample.patches.place_m.len(), 2 * sample.patches.log_depth.len());
        for segment in &sample.segments {
            let taught = segment.targets.iter().position(Option::is_some).expect("a target");
            let text = maker.processor().decode(&segment.tokens.ids[taught + 1..]).expect("ok");
            let answer = text.split("<answer>").nth(1).expect("ok").split('<').next().expect("ok");
            types.insert(format!("{:?}", segment.problem_type));
            match (segment.solution.parse::<f64>(), answer.parse::<f64>()) {
                (Ok(truth), Ok(said)) => assert!((said - truth).abs() <= 0.06 * truth + 2.5, "{truth}: {text}"),
                _ => assert_eq!(answer, segment.solution, "{text}"),
            }
        }
    }
    assert!(types.len() >= 2, "{types:?}");
}
