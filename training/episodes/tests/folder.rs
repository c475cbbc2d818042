//! The folder of episodes: what is written is read, what is broken is said.

mod made;

use episodes::Episode;
use episodes::episode::Question;
use episodes::folder::{EpisodeFolder, FolderWriter};

#[test]
fn an_episode_comes_back_as_it_was_and_open_questions_lie_apart() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("set");
    let mut episode = made::episode_of(&made::clip());
    let open = Question { id: "open".into(), text: "what is this?".into(), ..Question::default() };
    episode.questions.push(open.clone());
    let mut writer = FolderWriter::create(&folder).unwrap();
    writer.write(&episode).unwrap();
    writer.write(&Episode { id: "second".into(), map: None, questions: vec![], ..episode.clone() }).unwrap();
    assert!(writer.write(&episode).is_err(), "an id is written once");
    let odd = Episode { id: "../odd".into(), ..episode.clone() };
    assert!(writer.write(&odd).unwrap_err().to_string().contains("../odd"));
    writer.finish().unwrap();

    let set = EpisodeFolder::open(&folder).unwrap();
    let read: Vec<Episode> = set.episodes().unwrap().map(Result::unwrap).collect();
    assert_eq!(set.unlabelled().unwrap()["sim"], [open]);
    episode.questions.pop();
    assert!(!episode.questions.is_empty() && episode.map.is_some());
    assert_eq!(read.len(), 2);
    assert_eq!(read[0], episode);
    assert_eq!(read[1].frames, episode.frames);
}

#[test]
fn broken_sets_are_named_by_file_and_line() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("set");
    let mut writer = FolderWriter::create(&folder).unwrap();
    writer.write(&made::episode_of(&made::clip())).unwrap();
    writer.finish().unwrap();
    let lines = folder.join("episodes.jsonl");
    let good = std::fs::read_to_string(&lines).unwrap();
    let error = || {
        let set = EpisodeFolder::open(&folder).map_err(|error| error.to_string())?;
        let read = set.episodes().map_err(|error| error.to_string())?;
        read.map(|episode| episode.map_err(|error| error.to_string())).collect::<Result<Vec<_>, String>>()
    };
    for (text, expected) in [
        (format!("{good}no json\n"), "episodes.jsonl:2: field record: expected a JSON object"),
        (good.replace("\"frames\"", "\"pictures\""), "episodes.jsonl:1"),
        (good.replace("media/sim/000000.png", "media/../../etc/passwd"), "found \"media/../../etc/passwd\""),
        (good.replace("000001.png", "000009.png"), "000009.png"),
    ] {
        std::fs::write(&lines, text).unwrap();
        let found = error().unwrap_err();
        assert!(found.contains(expected), "{found}");
    }
    std::fs::write(folder.join("format.json"), r#"{"format": "spacer-episodes", "version": 9}"#).unwrap();
    let found = error().unwrap_err();
    assert!(found.contains("expected spacer-episodes version 1") && found.contains('9'), "{found}");
}
