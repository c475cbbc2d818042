//! Writes a contact sheet of clips: frames, ids and depth, and prints the questions.
//!
//! `cargo run -p sim --example preview -- sheet.png 0 6 train`

use std::time::Instant;

use sim::catalogue::Catalogue;
use sim::clip::{Clip, ClipSettings};
use sim::raster::Renderer;
use sim::world::RoomSplit;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let text = |i: usize, default: &str| args.get(i).map_or(default.to_owned(), Clone::clone);
    let (first, count): (u64, u64) = (text(2, "0").parse()?, text(3, "6").parse()?);
    let split = match text(4, "train").as_str() {
        "heldout" => RoomSplit::Heldout,
        "novel" => RoomSplit::Novel,
        "calibration" => RoomSplit::Calibration,
        _ => RoomSplit::Train,
    };
    let settings =
        ClipSettings { width: text(5, "140").parse()?, height: text(6, "112").parse()?, ..ClipSettings::default() };
    let (w, h) = (settings.width as u32, settings.height as u32);
    let mut sheet = image::RgbImage::new(w * (settings.frames as u32 + 2), h * count as u32);
    let mut renderer = Renderer::new();
    let started = Instant::now();
    for row in 0..count {
        let clip = Clip::generate(first + row, split, Catalogue::bundled()?, &settings, &mut renderer);
        draw(&mut sheet, &clip, row as u32 * h);
        println!("row {row}: {:?}", clip.classes.get(4..));
        for object in &clip.seen {
            println!("   {:16} {:.2} m at {:?} {:?}", object.class, object.distance_m, object.cell, object.sighting);
        }
        for question in &clip.questions {
            println!("   ? {} {} {:?}", question.kind.name(), question.class, question.truth);
        }
    }
    println!("{:.2} ms a clip", started.elapsed().as_secs_f64() * 1e3 / count as f64);
    sheet.save(text(1, "preview.png"))?;
    Ok(())
}

fn draw(sheet: &mut image::RgbImage, clip: &Clip, top: u32) {
    let (w, h) = (clip.camera.width as u32, clip.camera.height as u32);
    let last = clip.frames.len() - 1;
    for y in 0..h {
        for x in 0..w {
            let at = (y * w + x) as usize;
            for (column, frame) in clip.frames.iter().enumerate() {
                let rgb = [frame[at * 3], frame[at * 3 + 1], frame[at * 3 + 2]];
                sheet.put_pixel(column as u32 * w + x, top + y, image::Rgb(rgb));
            }
            let id = u32::from(clip.ids[last][at]);
            let hue = [id * 83 % 256, id * 151 % 256, id * 211 % 256].map(|v| v as u8);
            sheet.put_pixel((last as u32 + 1) * w + x, top + y, image::Rgb(hue));
            let near = (255.0 / (0.5 + clip.depth[last][at])).min(255.0) as u8;
            sheet.put_pixel((last as u32 + 2) * w + x, top + y, image::Rgb([near; 3]));
        }
    }
}
