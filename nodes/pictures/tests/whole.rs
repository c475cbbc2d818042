//! Pictures that are whole come out as they were, whatever their encoder left out or added.

mod scene;

use image::{ExtendedColorType, ImageFormat};
use pictures::{Layout, Mosaic, Orientation, Picture, decode, decode_message};
use scene::{
    HEIGHT, WIDTH, all, difference, encoded, exif, made, mean_difference, rgb, with_chunk, with_segment, without,
};

fn whole(bytes: &[u8]) -> Picture {
    decode(bytes).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_kind_shows_the_scene() {
    for (name, file) in all() {
        let found = difference(&whole(&file));
        assert!(found < 3.0, "{name}: {found}");
    }
}

#[test]
fn mjpeg_leaves_out_the_tables_that_everybody_knows() {
    let jpeg = encoded(ImageFormat::Jpeg);
    let mjpeg = without(&jpeg, 0xC4);
    assert!(mjpeg.len() < jpeg.len() - 400);
    assert_eq!(whole(&mjpeg).data, whole(&jpeg).data);
    assert!(whole(&jpeg).is_portable && !whole(&mjpeg).is_portable);
    // Other tables were meant by a file that had its own.
    let own = made().into_iter().find(|(name, _)| name == "sequential_420").expect("made").1;
    assert!(decode(&without(&own, 0xC4)).is_err());
}

#[test]
fn what_follows_the_end_does_no_harm() {
    for (name, file) in all() {
        let picture = whole(&file);
        for behind in [vec![0; 700], vec![0xFF; 9], file.clone(), b"another picture".to_vec()] {
            assert_eq!(whole(&[file.clone(), behind].concat()), picture, "{name}");
        }
    }
}

#[test]
fn a_jpeg_whose_blocks_are_all_there_needs_no_end_marker() {
    for (name, file) in made() {
        let picture = whole(&file);
        let open = &file[..file.len() - 2];
        assert_eq!(whole(open).data, picture.data, "{name}");
        assert!(!whole(open).is_portable);
        assert_eq!(whole(&[open, &[0; 300]].concat()).data, picture.data, "{name}: padded");
        assert_eq!(whole(&[open, &[0, 0, 0xFF, 0xFF, 0xD9]].concat()), picture, "{name}: stray bytes");
    }
}

#[test]
fn thumbnails_and_comments_are_left_out() {
    let jpeg = encoded(ImageFormat::Jpeg);
    let picture = whole(&jpeg);
    let thumbnail = [b"Exif\0\0".as_slice(), &exif(1), &made()[0].1].concat();
    assert_eq!(whole(&with_segment(&jpeg, 0xE1, &thumbnail)), picture);
    assert_eq!(whole(&with_segment(&jpeg, 0xFE, b"\xFF\xD9 by hand")), picture);
}

#[test]
fn pictures_are_turned_as_exif_says() {
    let (jpeg, png) = (encoded(ImageFormat::Jpeg), encoded(ImageFormat::Png));
    for (format, stored) in [("jpeg", &jpeg), ("png", &png)] {
        let flat = whole(stored);
        for number in 0..=9 {
            let tiff = exif(number);
            let told = match format {
                "jpeg" => with_segment(stored, 0xE1, &[b"Exif\0\0".as_slice(), &tiff].concat()),
                _ => with_chunk(stored, b"eXIf", &tiff),
            };
            let picture = whole(&told);
            let orientation = Orientation::from_exif(number);
            assert!(picture.orientation.is_upright(), "{format} {number}: nothing is left to be done");
            let sent = decode_message(format, &told).expect("a picture");
            assert_eq!((sent.orientation, &sent.data), (orientation, &flat.data), "{format} {number}: as stored");
            let swapped = (5..=8).contains(&number);
            let expected = if swapped { (HEIGHT, WIDTH) } else { (WIDTH, HEIGHT) };
            assert_eq!((picture.width, picture.height), expected, "{format} {number}");
            for (x, y) in [(0, 0), (5, 40), (40, 7), (picture.width - 1, picture.height - 1)] {
                let centre = [f64::from(x) + 0.5, f64::from(y) + 0.5];
                let [from_x, from_y] = orientation.stored_from_upright(centre, (WIDTH, HEIGHT)).map(|at| at as usize);
                let at = 3 * (y * picture.width + x) as usize;
                let from = 3 * (from_y * WIDTH as usize + from_x);
                assert_eq!(picture.data[at..at + 3], flat.data[from..from + 3], "{format} {number} ({x}, {y})");
            }
        }
    }
}

fn png(pixels: &[u8], (width, height): (u32, u32), colours: ExtendedColorType) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    image::write_buffer_with_format(&mut file, pixels, width, height, colours, ImageFormat::Png).expect("in memory");
    file.into_inner()
}

#[test]
fn transparency_lies_over_white_and_16_bits_become_8() {
    let rgba = png(&[200, 100, 0, 255, 200, 100, 0, 0, 200, 100, 0, 128], (3, 1), ExtendedColorType::Rgba8);
    assert_eq!(whole(&rgba).data, [200, 100, 0, 255, 255, 255, 227, 177, 127]);
    let grey = whole(&png(&[10, 255, 10, 0], (2, 1), ExtendedColorType::La8));
    assert_eq!((grey.layout, grey.data), (Layout::Luma8, vec![10, 255]));
    let deep: Vec<u8> = rgb().into_iter().flat_map(|level| u16::from_be_bytes([level, 77]).to_ne_bytes()).collect();
    let deep = whole(&png(&deep, (WIDTH, HEIGHT), ExtendedColorType::Rgb16));
    assert!(mean_difference(&deep.data, &rgb()) < 1.0);
}

#[test]
fn grey_of_16_bits_is_depth_unless_somebody_calls_it_a_picture() {
    let depth: Vec<u8> = (0..12u16).flat_map(|mm| (mm * 5000).to_ne_bytes()).collect();
    let file = png(&depth, (4, 3), ExtendedColorType::L16);
    for refused in [decode(&file), decode_message("png", &file), decode_message("16UC1; png compressed ", &file)] {
        let why = refused.unwrap_err().to_string();
        assert!(why.contains("depth"), "{why}");
    }
    let thermal = decode_message("mono16; png compressed mono16", &file).expect("a picture");
    assert_eq!((thermal.layout, thermal.data[3]), (Layout::Luma8, 58));
}

#[test]
fn numbers_of_a_sensor_of_few_bits_fill_the_byte() {
    let grey = |numbers: [u16; 2]| png(&numbers.map(u16::to_ne_bytes).concat(), (2, 1), ExtendedColorType::L16);
    for largest in [1023, 4095, 16383, 65535] {
        let picture = decode_message("mono16; png compressed", &grey([largest / 2, largest])).expect("a picture");
        assert_eq!(picture.data, [127, 255], "{largest}");
    }
    let rgb16 = [4095u16, 2048, 16].map(u16::to_ne_bytes).concat();
    assert_eq!(whole(&png(&rgb16, (1, 1), ExtendedColorType::Rgb16)).data, [255, 128, 1]);
    // Opacity has all its bits however dark the colours are.
    let seen = [1023u16, 65535].map(u16::to_ne_bytes).concat();
    assert_eq!(whole(&png(&seen, (1, 1), ExtendedColorType::La16)).data, [255]);
}

#[test]
fn a_mosaic_of_colours_is_handed_on_as_one() {
    let file = png(&[1, 2, 3, 4], (2, 2), ExtendedColorType::L8);
    for (format, mosaic) in [
        ("bayer_rggb8; png compressed ", Mosaic::Rggb),
        ("bayer_grbg8; jpeg compressed", Mosaic::Grbg),
        ("bayer_bggr8; png compressed", Mosaic::Bggr),
        ("bayer_gbrg8", Mosaic::Gbrg),
    ] {
        let picture = decode_message(format, &file).expect("a picture");
        assert_eq!((picture.layout, &*picture.data), (Layout::Bayer8(mosaic), &[1, 2, 3, 4][..]), "{format}");
        assert!(format.starts_with(picture.layout.encoding()) && !picture.is_portable, "{format}");
    }
    let deep = png(&[100u16, 200, 300, 1023].map(u16::to_ne_bytes).concat(), (2, 2), ExtendedColorType::L16);
    let deep = decode_message("bayer_rggb16; png compressed", &deep).expect("a picture");
    assert_eq!((deep.layout.encoding(), deep.data), ("bayer_rggb8", vec![25, 50, 75, 255]));
    let joined = decode_message("bayer_rggb8; png compressed mono8", &file).expect("a picture");
    assert_eq!(joined.layout, Layout::Luma8);
    let coloured = decode_message("bayer_rggb8; jpeg compressed bgr8", &encoded(ImageFormat::Jpeg)).expect("a picture");
    assert_eq!(coloured.layout, Layout::Rgb8);
}
