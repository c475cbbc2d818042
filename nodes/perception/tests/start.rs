//! What is refused when a pipeline starts, and a model that isn't there.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use msgs::{SpatialAnswer, SpatialQuery, Status};
use perception::{ModelState, Perception, Settings, StillSettings};

#[test]
fn a_missing_model_is_named_and_the_pipeline_stays_up() {
    let (sender, answers) = sync_channel(4096);
    let sender = Mutex::new(sender);
    let sink = move |answer: SpatialAnswer| drop(sender.lock().expect("sink").send(answer));
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("no-such-model");
    let perception = Perception::start(Settings::new(&missing), Arc::new(sink)).expect("settings");
    for _ in 0..2 {
        perception.ask(SpatialQuery { text: "how far is the door?".into(), ..Default::default() });
        let answer = answers.recv_timeout(Duration::from_secs(10)).expect("an answer");
        assert_eq!(answer.status, Status::ModelError);
        assert!(answer.text.contains("no-such-model"), "{}", answer.text);
    }
    assert!(matches!(perception.diagnostics().model, ModelState::Failed { .. }));
    assert!(!missing.exists());
}

#[test]
fn settings_out_of_range_are_refused() {
    let sink = Arc::new(|_: SpatialAnswer| {});
    let good = Settings::new("/nowhere");
    for bad in [
        Settings { queue_capacity: 0, ..good.clone() },
        Settings { frame_rate_hz: f64::NAN, ..good.clone() },
        Settings { hop_frames: 3, ..good.clone() },
        Settings { hop_frames: 10, ..good.clone() },
        Settings { window_frames: 7, hop_frames: 2, ..good.clone() },
        Settings { still: Some(StillSettings { luma: -1.0, ..StillSettings::default() }), ..good.clone() },
    ] {
        assert!(Perception::start(bad, sink.clone()).is_err());
    }
}
