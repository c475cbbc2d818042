//! dev
use sim::catalogue::Catalogue;
use sim::questions::stats::Collection;
use sim::questions::walk::examine;
use sim::raster::Renderer;
use sim::watch::WatchSettings;
use sim::world::RoomSplit;
fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let mut r = Renderer::new();
    let s = WatchSettings::default();
    let mut c = Collection::default();
    for seed in args[0]..args[1] {
        let scene = s.scene(seed, RoomSplit::Train, Catalogue::bundled().unwrap());
        c.add(examine(&scene, &s, &mut RoomSplit::Train.rng(seed, "exam"), &mut r).unwrap().exams);
    }
    let f = c.figures();
    println!("{} {} {}", f.scenes, f.questions, f.per_scene);
    for p in &f.presence {
        println!("{p:?}");
    }
    for t in f.topics {
        let total: usize = t.letters.values().sum();
        let n = t.questions.max(1) as f64;
        let mut a: Vec<_> = t.answers.iter().collect();
        a.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        println!(
            "{:28} {:5} {:5.2} freq {:.2} chance {:.2} const {:.2} text {:.2} letters {:?} top {:?}",
            t.topic,
            t.questions,
            t.per_scene,
            t.most_frequent,
            t.chance,
            t.best_constant,
            t.text_only,
            t.letters.values().map(|v| (*v as f64 / total as f64 * 100.0).round()).collect::<Vec<_>>(),
            a.iter()
                .take(if t.topic.contains("clock") || t.topic.contains("route") { 12 } else { 4 })
                .map(|(k, v)| format!("{k} {:.0}%", **v as f64 / n * 100.0))
                .collect::<Vec<_>>()
        );
        println!("     {:?}", t.dropped);
    }
}
