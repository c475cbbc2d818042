//! temporary
use sim::{catalogue::Catalogue, variety::Variety, world::*};
fn main() {
    let cat = Catalogue::bundled().unwrap();
    let v = Variety { shadows: false, moving_share: 0.5, ..Variety::full() };
    let t = std::time::Instant::now();
    let mut n = 0;
    for s in 0..50 {
        n += World::generate_with(s, RoomSplit::Train, cat, &v).objects.len();
    }
    println!("{:.2} ms, {} objects", t.elapsed().as_secs_f64() * 20.0, n as f64 / 50.0);
    let s = 46.0;
    let side = 420u32;
    let mut img = image::RgbImage::from_pixel(side * 3, side * 2, image::Rgb([60, 60, 60]));
    let mut k = 0;
    let mut seed = 0;
    while k < 6 {
        seed += 1;
        let w = World::generate_with(seed, RoomSplit::Train, cat, &v);
        if k < 4 && w.room.partition.is_none() {
            continue;
        }
        let space = sim::free_space::FreeSpace::all_of(&w);
        for y in 0..side {
            for x in 0..side {
                let p = [f64::from(x) / s, f64::from(side - 1 - y) / s];
                let mut c = if w.room.contains(p, 0.0) { [230, 230, 230] } else { [60, 60, 60] };
                if space.is_free(p) {
                    c = [190, 230, 190];
                }
                for o in &w.objects {
                    if o.plan.distance(p) == 0.0 {
                        c = match o.class.as_str() {
                            "door" => [200, 60, 60],
                            "window" => [80, 160, 255],
                            _ => [(o.id as u32 * 37 % 120 + 60) as u8, (o.id as u32 * 71 % 120 + 60) as u8, 120],
                        };
                        if o.plan.to_local(p)[1] < -o.plan.half[1] * 0.7 {
                            c = [0, 0, 0];
                        }
                    }
                }
                img.put_pixel(k % 3 * side + x, k / 3 * side + y, image::Rgb(c));
            }
        }
        k += 1;
    }
    img.save("/tmp/rooms.png").unwrap();
}
