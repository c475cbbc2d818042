//! Exams of each source, answered by `spacer-nano` on ONNX Runtime as a robot runs it. That network was
//! taught distances and counts; everything else it is not asked, and that is counted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use episodes::clips::clip_episode;
use episodes::episode::{Episode, Label, LabelSource, PictureFormat, ProblemType, Question};
use episodes::folder::{EpisodeFolder, FolderWriter};
use episodes::sampling::FrameSampling;
use episodes::spacer::{SpacerEpisodes, SpacerFiles, SpacerWriter};
use evaluation::exam::{ABSENT, Sheet, Truth};
use evaluation::judge::{Limits, Sight, judge};
use evaluation::judged::{Form, Judged, judged};
use evaluation::logged::LoggedSettings;
use evaluation::report::report;
use evaluation::walks::Topic;
use evaluation::{Exam, RoomSettings, clips, logged, walks};
use model_dir::{ModelDir, Prompts};
use msgs::QuestionKind;
use perception::{Settings, View, VlmAnswerer};
use processor::PreprocessorConfig;
use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings};
use sim::raster::Renderer;
use sim::world::RoomSplit;

/// Questions and truths of `spacer-train evaluate --rooms heldout --questions 6 --seed 5` since `spacer-nano` 0.2.0,
/// with its answers.
const CLIPS: [(&str, &str, &str); 6] = [
    ("How far is the speaker?", "not seen", "not seen"),
    ("how many bags are there?", "not seen", "not seen"),
    ("How far away is the chair from you?", "4.56", "3.00"),
    ("How far is the desk?", "4.15", "3.70"),
    ("how many tables are in the room?", "2.00", "2.00"),
    ("What is the number of speakers?", "2.00", "2.00"),
];
const LOGGED: LoggedSettings = LoggedSettings { frames: 2, rate_hz: 2.0, questions: None };

fn nano() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/zoo/spacer-nano")
}

fn preprocessor() -> PreprocessorConfig {
    PreprocessorConfig::from_dir(&nano()).expect("the committed model")
}

fn answered(exam: &Exam) -> Vec<Judged> {
    let mut answerer = VlmAnswerer::load(&Settings::new(nano())).expect("the committed model");
    let mut round =
        |sight| judge(&mut answerer, &exam.sheets, (sight, Limits::default()), &mut || {}).expect("answers");
    let (answers, on_black) = (round(Sight::Frames), round(Sight::Black));
    judged(exam, &answers, &on_black)
}

#[test]
fn clips_are_the_exam_that_spacer_nano_was_judged_by() {
    let settings = RoomSettings { split: RoomSplit::Heldout, questions: 6, seed: 5 };
    let directory = ModelDir::open(&nano()).unwrap();
    let exam = clips::draw(&settings, directory.prompts(), &preprocessor()).unwrap();
    let judged = answered(&exam);
    let found: Vec<(&str, &str, &str)> =
        judged.iter().map(|one| (one.question.as_str(), one.truth.as_str(), one.answer.as_str())).collect();
    assert_eq!(found, CLIPS);
    let report = report(&judged, directory.calibration());
    let names: Vec<&str> = report.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["object_counting", "ego_distance", ABSENT]);
    let distances = &report.groups[1];
    assert!((distances.score.mean - 0.6).abs() < 1e-9 && distances.blind.mean == 0.0, "{distances:?}");
    assert!((distances.numeric.unwrap().median_relative_error - 0.2257).abs() < 1e-3, "{distances:?}");
    assert_eq!((report.abstention.absent.mean, report.coverage.mean), (1.0, 0.75));
    let black = report.abstention.black_present;
    assert_eq!((black.mean, black.count), (0.75, 4));
    // Each of two kinds and both together, at the one coverage that this calibration holds.
    assert_eq!(report.curve.iter().map(|point| point.stated).collect::<Vec<_>>(), [0.9; 3]);
    assert!(report.vsi.score.is_none() && report.vsi.missing.contains(&"route_planning"));
}

#[test]
fn walks_ask_about_every_topic_and_what_was_not_taught_is_counted() {
    let settings = RoomSettings { split: RoomSplit::Novel, questions: Topic::ALL.len(), seed: 1 };
    let exam = walks::draw(&settings, &Topic::ALL, &preprocessor()).unwrap();
    assert!(exam.sheets.iter().all(|sheet| sheet.window.frames.len() == walks::FRAMES));
    for sheet in &exam.sheets {
        let Sheet { window, frame_rate_hz, facts, .. } = sheet;
        let view = View { window, embeds: &[], frame_rate_hz: *frame_rate_hz, facts: *facts };
        let path = grounding::prompt::path(&view.cameras().expect("odometry"));
        let steps: BTreeSet<&str> = path.split_terminator(';').collect();
        assert_eq!(path.matches(';').count(), walks::FRAMES / 2, "{path}");
        assert!(path.ends_with(";+0.0+0.0+0;") && (sheet.scene.ends_with("frozen") == (steps.len() == 1)), "{path}");
    }
    let judged = answered(&exam);
    let report = report(&judged, ModelDir::open(&nano()).unwrap().calibration());
    let asked: Vec<(&str, usize)> =
        report.groups.iter().map(|group| (group.name.as_str(), group.score.count)).collect();
    assert_eq!(asked, Topic::ALL.map(|topic| (topic.name(), 1)));
    assert!(report.vsi.score.is_some(), "{:?}", report.vsi);
    assert_eq!(report.abstention.black.count, 1);
    for one in &judged {
        match one.form {
            Form::NotSeen => assert_eq!(one.score, f64::from(u8::from(one.is_absent)), "{one:?}"),
            Form::Option => assert_eq!(one.score, f64::from(u8::from(one.answer == one.truth)), "{one:?}"),
            Form::Number => assert!((0.0..=1.0).contains(&one.score) && !one.is_absent | (one.score == 0.0), "{one:?}"),
            Form::Text | Form::Unreadable | Form::Unsupported => assert_eq!(one.score, 0.0, "{one:?}"),
        }
        // Whatever has options, and every other kind that has none.
        let is_taught = [QuestionKind::EgoDistance, QuestionKind::ObjectCounting].contains(&one.kind);
        assert_eq!(one.form == Form::Unsupported, !is_taught, "{one:?}");
        assert!(is_taught || one.answer.contains("how far is the door?") && one.blind_form == one.form, "{one:?}");
    }
    let unsupported = judged.iter().filter(|one| one.form == Form::Unsupported).count();
    assert!(unsupported >= 10 && report.unsupported == unsupported, "{report:?}");
    let by_group: usize = report.groups.iter().map(|group| group.unsupported).sum();
    assert_eq!(by_group, unsupported);
    for sheet in &exam.sheets {
        let frames = &sheet.window.frames;
        let is_black = frames.iter().all(|frame| frame.rgb.iter().all(|byte| *byte == 0));
        assert_eq!(is_black, sheet.scene.ends_with("black"), "{}", sheet.scene);
        let is_frozen = frames.iter().all(|frame| frame.rgb == frames[0].rgb);
        assert_eq!(is_frozen, is_black || sheet.scene.ends_with("frozen"), "{}", sheet.scene);
        assert_eq!(sheet.map.is_some(), sheet.scene.split(' ').count() == 2, "{}", sheet.scene);
    }
}

/// A clip of the model's input size.
fn clip() -> Clip {
    let (height, width) = preprocessor().video_size(480, 640).expect("a size");
    let settings = ClipSettings { frames: 5, width, height, ..ClipSettings::default() };
    let catalogue = Catalogue::bundled().expect("furniture");
    Clip::generate(7, RoomSplit::Train, catalogue, &settings, &mut Renderer::new())
}

/// The episode of a clip, with a multiple choice and a question that nobody knows the answer of.
fn episode(clip: &Clip) -> Episode {
    let prompts = Prompts::read(&nano().join("prompts.toml")).expect("the committed prompts");
    let mut episode = clip_episode("sim", clip, &prompts, 0, PictureFormat::Png).expect("questions");
    let span = episode.questions[0].span;
    episode.questions.push(Question {
        id: "choice".to_owned(),
        text: "Is the door left or right of the camera?".to_owned(),
        options: vec!["A. left".to_owned(), "B. right".to_owned()],
        problem_type: ProblemType::MultipleChoice,
        label: Some(Label::new("B", LabelSource::Feedback)),
        span,
        ..Question::default()
    });
    episode.questions.push(Question { id: "open".to_owned(), text: "what is this?".to_owned(), ..Question::default() });
    episode
}

#[test]
fn logged_episodes_are_asked_what_is_labelled_of_their_newest_frames() {
    let scratch = tempfile::tempdir().unwrap();
    let mut writer = FolderWriter::create(&scratch.path().join("set")).unwrap();
    let clip = clip();
    let episode = episode(&clip);
    writer.write(&episode).unwrap();
    writer.finish().unwrap();
    let set = EpisodeFolder::open(&scratch.path().join("set")).unwrap();
    let (exam, left_out) = logged::draw("episodes set", set.episodes().unwrap(), &LOGGED, &preprocessor()).unwrap();
    assert!(left_out.is_empty(), "{left_out:?}");
    let [sheet] = exam.sheets.as_slice() else { panic!("{} sheets of one stretch", exam.sheets.len()) };
    assert_eq!((sheet.items.len(), sheet.window.frames.len()), (episode.questions.len() - 1, 2));
    assert_eq!((sheet.frame_rate_hz, sheet.facts), (2.0, episode.camera));
    let shown: Vec<&Vec<u8>> = sheet.window.frames.iter().map(|frame| &frame.rgb).collect();
    assert!(shown == [&clip.frames[3], &clip.frames[4]], "the newest frames, to the pixel");
    let choice = sheet.items.last().unwrap();
    assert_eq!(
        (choice.options.as_slice(), &choice.truth),
        (["left", "right"].map(str::to_owned).as_slice(), &Truth::Option('B'))
    );
    assert_eq!(choice.group, "ego_direction");
    let judged = answered(&exam);
    assert!(judged.iter().any(|one| one.is_absent && one.score == 1.0), "{judged:#?}");
    assert!(judged.iter().any(|one| one.map_score.is_some_and(|score| score > 0.0)));
    let few = LoggedSettings { questions: Some(3), ..LOGGED };
    let (short, _) = logged::draw("episodes set", set.episodes().unwrap(), &few, &preprocessor()).unwrap();
    assert_eq!(short.sheets.iter().map(|sheet| sheet.items.len()).sum::<usize>(), 3);
}

#[test]
fn spacer_files_are_asked_of_their_videos() {
    let scratch = tempfile::tempdir().unwrap();
    let mut writer = SpacerWriter::create(scratch.path(), 2.0).unwrap();
    let episode = episode(&clip());
    writer.write(&episode).unwrap();
    writer.finish().unwrap();
    let files = SpacerFiles::beside(&scratch.path().join("questions.jsonl"));
    let sampling = FrameSampling { rate_hz: 2.0, most: 2, ..FrameSampling::default() };
    let read = SpacerEpisodes::open(&files, sampling).unwrap();
    let (exam, left_out) = logged::draw("episodes questions.jsonl", read, &LOGGED, &preprocessor()).unwrap();
    assert!(left_out.is_empty(), "{left_out:?}");
    let judged = answered(&exam);
    assert_eq!(judged.len(), episode.questions.len() - 1);
    // The files name no kinds; the robot reads them off the words.
    for group in ["ego_distance", "object_counting", "ego_direction", ABSENT] {
        assert!(judged.iter().any(|one| one.group == group), "{group}: {judged:#?}");
    }
    assert!(judged.iter().all(|one| one.scene.starts_with("videos_sim") && (0.0..=1.0).contains(&one.score)));
}

#[test]
fn one_bad_question_ends_no_exam_and_is_named() {
    let mut episode = episode(&clip());
    let questions = episode.questions.len() - 1;
    let label = |question: &mut episodes::episode::Question, text: &str| {
        question.label.iter_mut().for_each(|label| label.text = text.to_owned());
    };
    label(&mut episode.questions[0], "many metres");
    let (exam, left_out) = logged::draw("set", std::iter::once(Ok(episode)), &LOGGED, &preprocessor()).unwrap();
    assert_eq!(exam.sheets.iter().map(|sheet| sheet.items.len()).sum::<usize>(), questions - 1);
    let [reason] = left_out.as_slice() else { panic!("{left_out:?}") };
    assert!(reason.contains("\"q0\"") && reason.contains("many metres"), "{reason}");
}

#[test]
fn a_logged_question_without_frames_is_named_and_nothing_to_ask_is_no_exam() {
    let nothing = logged::draw("set", std::iter::empty(), &LOGGED, &preprocessor()).unwrap_err().to_string();
    assert!(nothing.contains("at least one question"), "{nothing}");
    let mut episode = episode(&clip());
    episode.frames.clear();
    let error = logged::draw("set", std::iter::once(Ok(episode)), &LOGGED, &preprocessor()).unwrap_err().to_string();
    assert!(error.contains("\"sim\"") && error.contains("\"q0\"") && error.contains("frames"), "{error}");
}
