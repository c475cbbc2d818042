//! The questions of a clip that committed weights were trained on and judged by stay as they are, and those of exams.

use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings};
use sim::questions::ask::Answer;
use sim::questions::exam::ExamQuestion;
use sim::questions::walk::examine;
use sim::questions::{Question, Truth};
use sim::raster::Renderer;
use sim::watch::WatchSettings;
use sim::world::RoomSplit;

/// One line a question, numbers in millimetres: what a few ulp of another machine do not change.
fn lines(split: RoomSplit, seed: u64) -> Vec<String> {
    let settings = ClipSettings::default();
    let clip = Clip::generate(seed, split, Catalogue::bundled().expect("pack"), &settings, &mut Renderer::new());
    clip.questions.iter().map(line).collect()
}

fn line(question: &Question) -> String {
    let truth = match question.truth {
        Truth::Number(value) => format!("{value:.3}"),
        Truth::NotSeen => "not seen".to_owned(),
    };
    format!("{} {}: {truth}", question.kind.name(), question.class)
}

fn digest(lines: &[String]) -> u64 {
    let bytes = lines.iter().flat_map(|line| line.bytes().chain([b'\n']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The exams of one walk of the whole specification.
fn exam_lines(split: RoomSplit, seed: u64) -> Vec<String> {
    let (settings, mut renderer) = (WatchSettings::default(), Renderer::new());
    let scene = settings.scene(seed, split, Catalogue::bundled().expect("pack"));
    let walk = examine(&scene, &settings, &mut split.rng(seed, "exam"), &mut renderer).expect("bundled templates");
    let line = |question: &ExamQuestion| {
        let answer = match &question.answer {
            Answer::Number(value) => format!("{value:.3}"),
            Answer::Words(words) => words.clone(),
            Answer::NotSeen => "not seen".to_owned(),
        };
        format!("{} {:?} {:?} {:?}: {answer}", question.text, question.options, question.frames, question.video)
    };
    walk.exams.iter().flat_map(|exam| &exam.questions).map(line).collect()
}

#[test]
fn exams_keep_their_questions() {
    let splits = [RoomSplit::Train, RoomSplit::Heldout, RoomSplit::Novel];
    let digests = splits.map(|split| digest(&exam_lines(split, 11)));
    assert_eq!(digests, [7_228_343_265_618_680_019, 4_213_996_667_403_828_029, 17_365_027_124_985_464_322]);
}

#[test]
fn questions_of_one_clip_word_for_word() {
    let expected = [
        "ego_distance armchair: 1.189",
        "object_counting armchair: 1.000",
        "object_counting door: 2.000",
        "ego_distance table: 1.658",
        "object_counting table: 1.000",
        "ego_distance box: not seen",
        "object_counting box: not seen",
        "ego_distance window: not seen",
        "object_counting window: not seen",
        "ego_distance plant: not seen",
        "object_counting plant: not seen",
        "ego_distance wardrobe: not seen",
        "object_counting wardrobe: not seen",
    ];
    assert_eq!(lines(RoomSplit::Heldout, 5), expected);
}

#[test]
fn questions_of_many_clips_by_their_digest() {
    let digests = [
        (RoomSplit::Train, 13_371_145_889_579_887_564),
        (RoomSplit::Heldout, 17_642_999_346_567_713_348),
        (RoomSplit::Novel, 16_186_850_577_862_062_541),
    ];
    for (split, expected) in digests {
        let all: Vec<String> = (0..40).flat_map(|seed| lines(split, seed)).collect();
        assert_eq!(digest(&all), expected, "{split:?}: {} questions", all.len());
    }
}
