//! A picture to draw on: blocks of pixels, lines, and text in the fixed fonts of `embedded-graphics`.

use std::convert::Infallible;

use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::iso_8859_1::FONT_6X10;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Line, PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Baseline, Text};
use image::{Rgb, RgbImage};

/// Columns of one character.
pub const CHARACTER_PX: i32 = 6;
/// Rows of one line of text.
pub const LINE_PX: i32 = 11;

/// A colour, red, green, blue.
pub type Colour = [u8; 3];

/// A white picture.
pub struct Canvas {
    picture: RgbImage,
}

impl Canvas {
    /// An empty one.
    pub fn new(width: u32, height: u32) -> Self {
        Self { picture: RgbImage::from_pixel(width, height, Rgb([255; 3])) }
    }

    /// The picture.
    pub fn into_picture(self) -> RgbImage {
        self.picture
    }

    /// Copies pixels, three bytes each, rows from the top; what falls outside is lost.
    pub fn blit(&mut self, at: [i32; 2], width: usize, rgb: &[u8]) {
        for (index, pixel) in rgb.chunks_exact(3).enumerate() {
            let (x, y) = (at[0] + (index % width.max(1)) as i32, at[1] + (index / width.max(1)) as i32);
            self.set(x, y, [pixel[0], pixel[1], pixel[2]]);
        }
    }

    /// A line.
    pub fn line(&mut self, from: [i32; 2], to: [i32; 2], colour: Colour, width: u32) {
        let line = Line::new(Point::new(from[0], from[1]), Point::new(to[0], to[1]));
        let Ok(()) = line.into_styled(PrimitiveStyle::with_stroke(rgb(colour), width)).draw(self);
    }

    /// A closed outline.
    pub fn outline(&mut self, corners: &[[i32; 2]], colour: Colour, width: u32) {
        for (from, to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
            self.line(*from, *to, colour, width);
        }
    }

    /// A filled square around a point.
    pub fn dot(&mut self, at: [i32; 2], reach: i32, colour: Colour) {
        let side = (2 * reach + 1).max(1) as u32;
        let square = Rectangle::new(Point::new(at[0] - reach, at[1] - reach), Size::new(side, side));
        let Ok(()) = square.into_styled(PrimitiveStyle::with_fill(rgb(colour))).draw(self);
    }

    /// A line of text from its top left corner.
    pub fn text(&mut self, at: [i32; 2], text: &str, colour: Colour) {
        let style = MonoTextStyle::new(&FONT_6X10, rgb(colour));
        let Ok(_) = Text::with_baseline(text, Point::new(at[0], at[1]), style, Baseline::Top).draw(self);
    }

    fn set(&mut self, x: i32, y: i32, colour: Colour) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        if let Some(pixel) = self.picture.get_pixel_mut_checked(x, y) {
            *pixel = Rgb(colour);
        }
    }
}

fn rgb([red, green, blue]: Colour) -> Rgb888 {
    Rgb888::new(red, green, blue)
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.picture.width(), self.picture.height())
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            self.set(at.x, at.y, [colour.r(), colour.g(), colour.b()]);
        }
        Ok(())
    }
}
