//! Two implementations of every answer agree: the analytic one, and one that knows pictures and poses only.

use sim::catalogue::Catalogue;
use sim::raster::Renderer;
use sim::truth::agreement::{Agreement, check_scene};
use sim::watch::WatchSettings;
use sim::world::RoomSplit;

fn agreement(split: RoomSplit, seeds: impl IntoIterator<Item = u64>) -> Agreement {
    let (catalogue, settings, mut renderer) =
        (Catalogue::bundled().expect("pack"), WatchSettings::default(), Renderer::new());
    let mut sum = Agreement::default();
    for seed in seeds {
        sum.merge(check_scene(seed, split, catalogue, &settings, &mut renderer).expect("bundled templates"));
    }
    sum
}

#[test]
fn no_answer_is_disputed() {
    for split in [RoomSplit::Train, RoomSplit::Novel] {
        let Agreement { questions, disagreements, topics, examples, .. } = agreement(split, 100_000..100_008);
        assert_eq!(disagreements, 0, "{examples:#?}");
        assert!(questions > 500 && topics.len() == 21, "{split:?}: {questions} questions in {} topics", topics.len());
    }
}

#[test]
fn routes_that_hang_on_a_few_centimetres_are_not_asked() {
    let Agreement { disagreements, examples, .. } = agreement(RoomSplit::Train, [85, 154, 198, 233, 305]);
    assert_eq!(disagreements, 0, "{examples:#?}");
}
