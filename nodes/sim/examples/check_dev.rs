//! dev
use sim::catalogue::Catalogue;
use sim::clip::Scene;
use sim::questions::stats::Collection;
use sim::questions::walk::examine;
use sim::raster::Renderer;
use sim::truth::agreement::*;
use sim::watch::WatchSettings;
use sim::world::RoomSplit;
fn main() {
    let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let settings = WatchSettings::default();
    let catalogue = Catalogue::bundled().unwrap();
    let mut renderer = Renderer::new();
    let t = std::time::Instant::now();
    let mut c = Collection::default();
    for seed in 0..n {
        let s = Scene::generate(seed, RoomSplit::Train, catalogue, 60.0);
        c.add(examine(&s, &settings, &mut RoomSplit::Train.rng(seed, "exam"), &mut renderer).unwrap().exams);
    }
    println!("examine {:.1} ms a scene", t.elapsed().as_secs_f64() * 1e3 / n as f64);
    let f = c.figures();
    println!("{} q, {:.1} a scene", f.questions, f.per_scene);
    for t in &f.topics {
        println!(
            "{:26} {:7.2} most {:.2} chance {:.2} const {:.2} text {:.2} letters {:?}\n      {:?}\n     {:?}",
            t.topic,
            t.per_scene,
            t.most_frequent,
            t.chance,
            t.best_constant,
            t.text_only,
            t.letters,
            {
                let mut a: Vec<_> = t.answers.iter().collect();
                a.sort_by_key(|a| std::cmp::Reverse(a.1));
                a.truncate(9);
                a
            },
            t.dropped
        );
    }
    if std::env::args().nth(2).is_some() {
        let t = std::time::Instant::now();
        let mut a = Agreement::default();
        for seed in 0..n {
            a.merge(check_scene(seed, RoomSplit::Train, catalogue, &settings, &mut renderer).unwrap());
        }
        println!("check {:.1} ms a scene", t.elapsed().as_secs_f64() * 1e3 / n as f64);
        println!("{a:#?}");
    }
}
