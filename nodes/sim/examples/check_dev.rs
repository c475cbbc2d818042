//! dev
use sim::catalogue::Catalogue;
use sim::raster::Renderer;
use sim::truth::agreement::{Agreement, check_scene};
use sim::watch::WatchSettings;
use sim::world::RoomSplit;
fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let mut sum = Agreement::default();
    let mut r = Renderer::new();
    for seed in args[0]..args[1] {
        sum.merge(
            check_scene(seed, RoomSplit::Train, Catalogue::bundled().unwrap(), &WatchSettings::default(), &mut r)
                .unwrap(),
        );
    }
    for (t, f) in &sum.topics {
        println!("{:?} {f:?}", t);
    }
    for e in &sum.examples {
        println!("{e}");
    }
    println!("{} {}", sum.questions, sum.disagreements);
}
