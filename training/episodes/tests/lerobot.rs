//! What LeRobot's form can't hold is refused; what it holds, a stranger reads: `tests/python/test_episodes.py`.

mod made;

use episodes::Episode;
use episodes::episode::{Picture, PictureFormat};
use episodes::lerobot::LerobotWriter;

#[test]
fn pictures_of_two_sizes_and_sets_without_labels_are_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let episode = made::episode_of(&made::clip());
    let mut writer = LerobotWriter::create(&scratch.path().join("sizes"), 2).unwrap();
    writer.write(&episode).unwrap();
    let mut wide = Episode { id: "wide".into(), ..episode.clone() };
    for frame in &mut wide.frames {
        frame.picture = Picture::encode(40, 30, &[90; 40 * 30 * 3], PictureFormat::Png).unwrap();
    }
    let text = writer.write(&wide).unwrap_err().to_string();
    assert!(text.contains("expected pictures of 160x120 pixels, as before, found pictures of 40x30"), "{text}");

    let folder = scratch.path().join("open");
    let mut writer = LerobotWriter::create(&folder, 2).unwrap();
    writer.write(&Episode { questions: Vec::new(), ..episode }).unwrap();
    let text = writer.finish().unwrap_err().to_string();
    assert!(text.contains("expected labelled questions about frames, found none"), "{text}");
    let again = LerobotWriter::create(&folder, 2).err().unwrap().to_string();
    assert!(again.contains("expected no data set there yet"), "{again}");
}
