//! temporary
use sim::{catalogue::Catalogue, clip::*, raster::*, world::RoomSplit};
fn main() {
    let cat = Catalogue::bundled().unwrap();
    let mut r = Renderer::new();
    let (w, h) = (320u32, 240u32);
    let set = ClipSettings { width: 320, height: 240, frames: 4, rate_hz: 0.25, ..ClipSettings::full() };
    let mut sheet = image::RgbImage::new(w * 4, h * 6);
    let t = std::time::Instant::now();
    for row in 0..6u32 {
        let split = [RoomSplit::Train, RoomSplit::Novel][row as usize % 2];
        let c = Clip::generate(300 + u64::from(row), split, cat, &set, &mut r);
        for col in 0..4u32 {
            for y in 0..h {
                for x in 0..w {
                    let at = ((y * w + x) * 3) as usize;
                    let f = &c.frames[col as usize];
                    sheet.put_pixel(col * w + x, row * h + y, image::Rgb([f[at], f[at + 1], f[at + 2]]));
                }
            }
        }
    }
    println!("{:.1} ms a clip", t.elapsed().as_secs_f64() * 1e3 / 6.0);
    sheet.save("/tmp/look.png").unwrap();
}
