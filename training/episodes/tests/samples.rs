//! What a sample teaches is what the robot will be asked and will read.

use std::path::Path;

use episodes::{ClipSample, Label, Part, SampleMaker, SampleSettings, Split};

fn maker() -> SampleMaker {
    maker_with(0.0)
}

fn maker_with(walk_share: f64) -> SampleMaker {
    made("models/zoo/spacer-nano", SampleSettings { walk_share, ..settings() })
}

fn settings() -> SampleSettings {
    SampleSettings { seed: 7, questions: 7, whole_completions: 7.0, ..SampleSettings::default() }
}

fn made(model: &str, settings: SampleSettings) -> SampleMaker {
    SampleMaker::new(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(model), settings).expect("ok")
}

/// Walks in the wording of the second version, which states paths and places; two of them, again and again.
fn two_walks() -> SampleMaker {
    made("training/recipes/spacer-nano-v1", SampleSettings { walk_share: 1.0, walks: 2, ..settings() })
}

/// Prompt and completions.
fn texts(maker: &SampleMaker, sample: &ClipSample) -> Vec<String> {
    let text = |ids: &[u32]| maker.processor().decode(ids).expect("ok");
    let segments = sample.segments.iter().map(|segment| text(&segment.tokens.ids));
    std::iter::once(text(&sample.prefix.ids)).chain(segments).collect()
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
                Some(Label::Coordinate(_) | Label::Heading(_)) => panic!("no value: {text}"),
                Some(Label::Token(id)) => assert_eq!(maker.processor().decode(&[id]).expect("ok"), answer, "{text}"),
            }
            let map = text.split("<map>").nth(1).expect("ok").split("</map>").next().expect("ok");
            assert!(imagined_map::parse(map).is_some(), "{text}");
        }
    }
}

#[test]
fn every_target_is_the_token_that_follows() {
    for maker in [maker(), two_walks()] {
        let sample = maker.sample(Split::Train, 1).expect("ok");
        for segment in &sample.segments {
            for (index, target) in segment.targets.iter().enumerate() {
                if let (Some(target), Some(next)) = (target, segment.tokens.ids.get(index + 1)) {
                    assert!(!matches!(target.label, Label::Token(id) if id != *next));
                }
            }
        }
    }
}

#[test]
fn a_model_that_can_spell_coordinates_is_told_its_path_and_says_where_things_are() {
    let maker = two_walks();
    let mut stated = 0;
    for index in 0..4 {
        let sample = maker.sample(Split::Train, index).expect("ok");
        let prompt = &texts(&maker, &sample)[0];
        let path = prompt.split("path: ").nth(1).and_then(|rest| rest.split(';').next()).expect("a path");
        assert!(path == "+0.0+0.0+0" || path.starts_with(['+', '-']), "{prompt}");
        assert_eq!(prompt.matches(';').count(), sample.grid_thw[0], "{prompt}");
        for segment in &sample.segments {
            for (index, target) in segment.targets.iter().enumerate() {
                let Some(Label::Coordinate(coordinate)) = target.map(|target| target.label) else { continue };
                let written = maker.processor().decode(&segment.tokens.ids[index + 1..=index + 1]).expect("ok");
                let written: f64 = written.parse().unwrap_or_else(|_| panic!("{written:?} is no number"));
                assert!((written - coordinate.metres).abs() <= 0.05 + 1e-9, "{written} for {coordinate:?}");
                stated += 1;
            }
        }
    }
    assert!(stated > 10, "{stated} coordinates");
}

#[test]
fn walks_come_again_with_new_questions_and_what_a_tower_made_of_them() {
    let plain = two_walks();
    let tower = two_walks().with_tower(Box::new(|pixels, [times, rows, columns]| {
        let patches = times * rows * columns;
        Ok(pixels.chunks(pixels.len() / patches * 4).map(|token| token.iter().sum()).collect())
    }));
    let [first, second, again] = [0, 1, 2].map(|index| tower.sample(Split::Train, index).expect("ok"));
    assert_eq!(first.image_embeds, again.image_embeds);
    assert_ne!(first.image_embeds, second.image_embeds);
    assert_ne!(texts(&tower, &first)[1..], texts(&tower, &again)[1..]);
    for (index, sample) in [&first, &second, &again].into_iter().enumerate() {
        let seen = plain.sample(Split::Train, index as u64).expect("ok");
        assert_eq!(texts(&plain, &seen), texts(&tower, sample));
        let sums: Vec<f32> = seen.pixel_values.chunks(4 * 1176).map(|token| token.iter().sum()).collect();
        assert_eq!(sample.image_embeds.as_deref(), Some(sums.as_slice()));
        assert!(sample.pixel_values.is_empty() && sample.patches.class_shares.is_empty());
        assert_eq!(sample.patches.log_depth.len(), seen.patches.log_depth.len());
        assert_eq!(sample.patches.names, seen.patches.names);
        let mut shares = vec![0.0; sums.len()];
        sample.patches.names.iter().for_each(|name| shares[name.place as usize] += name.share);
        assert!(shares.iter().all(|share| (share - 1.0f32).abs() < 1e-4), "{shares:?}");
    }
}

#[test]
fn what_drills_answer_follows_from_the_places_that_they_give() {
    let settings = SampleSettings { walk_share: 1.0, drills: 24, roll_calls: 1, ..settings() };
    let maker = made("training/recipes/spacer-nano-v1", settings);
    let (mut judged, mut right) = (0, 0);
    for index in 0..8 {
        let sample = maker.sample(Split::Train, index).expect("ok");
        let seen = maker.processor().decode(&sample.prefix.ids[..sample.before_frames]).expect("ok");
        assert!(seen.contains("path: ") && !seen.contains("<|vision_start|>"), "{seen}");
        for drill in sample.segments.iter().filter(|segment| segment.is_blind) {
            assert!(drill.targets.iter().flatten().all(|target| target.part == Part::Drill));
            let text = maker.processor().decode(&drill.tokens.ids).expect("ok");
            let statement = text.split("<think>I see").nth(1).expect("places");
            let (places, said) = statement.split_once(';').expect("places");
            if said.starts_with(" in this order") {
                continue;
            }
            let places: Vec<[f64; 2]> = places.split(" at ").skip(1).map(plan).collect();
            assert!(!places.is_empty(), "{text}");
            let (Some(said), [at, facing, other]) = (side(said), places.as_slice()) else { continue };
            judged += 1;
            right += usize::from(said == (turn(*at, *facing, *other) > 0.0));
        }
    }
    assert!(judged >= 20 && right == judged, "{right} of {judged}");
}

#[test]
fn orders_of_appearance_follow_from_the_frames_that_are_stated_seen_or_drilled() {
    let settings = SampleSettings { walk_share: 1.0, drills: 24, questions: 24, ..settings() };
    let maker = made("training/recipes/spacer-nano-v1", settings);
    let mut judged = [0, 0];
    // Most walks come upon four things one after the other.
    for index in 0..12 {
        let sample = maker.sample(Split::Train, index).expect("ok");
        for segment in &sample.segments {
            let text = maker.processor().decode(&segment.tokens.ids).expect("ok");
            let Some((stated, said)) = text.split_once("; in this order: ") else { continue };
            let stated = stated.split("<think>I see the ").nth(1).expect("frames");
            let framed = |words: &str| words.rsplit_once(" in ").map(|(class, n)| (n.parse().ok(), class.to_owned()));
            let mut stated: Vec<(Option<u32>, String)> = stated.split(", the ").filter_map(framed).collect();
            stated.sort();
            let order: Vec<String> = stated.into_iter().map(|(_, class)| class).collect();
            let said = said.split([';', '.']).next().expect("words");
            assert!(order.join(", ").starts_with(said) && said.matches(", ").count() >= 2, "{text}");
            judged[usize::from(segment.is_blind)] += 1;
        }
    }
    assert!(judged.iter().all(|judged| *judged >= 6), "{judged:?}");
}

/// Metres ahead and to the left, as places are written: two numbers with their signs.
fn plan(written: &str) -> [f64; 2] {
    let second = 1 + written[1..].find(['+', '-']).expect("two coordinates");
    let end = written.find(|c: char| !"+-.0123456789".contains(c)).unwrap_or(written.len());
    [written[..second].parse().expect("a number"), written[second..end].parse().expect("a number")]
}

/// Whether a statement says left, or right; `None` where it says neither.
fn side(said: &str) -> Option<bool> {
    let words = said.split_once(": ")?.1.split(['.', ';']).next()?;
    match (words.ends_with("left"), words.ends_with("right")) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// The cross product of the way to what is faced with that to another: positive to the left.
fn turn(at: [f64; 2], facing: [f64; 2], other: [f64; 2]) -> f64 {
    let [[ax, ay], [bx, by]] = [facing, other].map(|to| [to[0] - at[0], to[1] - at[1]]);
    ax * by - ay * bx
}

#[test]
fn every_walk_is_asked_something_now_and_then_about_what_is_absent() {
    let settings = SampleSettings { walk_share: 1.0, questions: 1, ..settings() };
    let maker = made("training/recipes/spacer-nano-v1", settings);
    let solutions = (0..24).map(|index| {
        let sample = maker.sample(Split::Train, index).expect("ok");
        assert_eq!(sample.segments.len(), 1);
        sample.segments[0].solution.clone()
    });
    let absent = solutions.filter(|solution| solution == "not seen").count();
    assert!((1..=15).contains(&absent), "{absent} of 24");
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
