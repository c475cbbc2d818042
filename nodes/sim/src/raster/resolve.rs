//! From the grid of samples to the picture: every pixel is shaded once a face, and its samples are averaged.

use super::warp::Warp;
use super::{Grid, NO_FACE, Renderer, Rendering, reset};
use crate::body::{Body, Lighting, NOTHING_ID};
use crate::camera::Camera;
use crate::shade::Shading;
use crate::view::View;

impl Renderer {
    /// Shades what `camera` shows at `factor` samples a side of each pixel.
    pub(super) fn resolve(
        &mut self,
        bodies: &[&Body],
        view: &View,
        light: &Lighting,
        (camera, factor): (Camera, usize),
    ) {
        let out = &mut self.rendering;
        (out.width, out.height) = (camera.width, camera.height);
        let count = camera.width * camera.height;
        reset(&mut out.light, count, [0.0; 3]);
        reset(&mut out.depth, count, 0.0);
        reset(&mut out.ids, count, NOTHING_ID);
        let mut shading = Shading::new(bodies, &self.faces, (view, light), &mut self.surface_of_face);
        let mut pixel = Pixel::default();
        for y in 0..camera.height {
            if self.warp.is_none() && factor == 1 {
                resolve_row(&self.grid, out, y, &mut shading);
                continue;
            }
            for x in 0..camera.width {
                pixel.used = 0;
                match &self.warp {
                    None => pixel.gather(&self.grid, [x * factor, y * factor], factor),
                    Some(warp) => {
                        for sy in y * factor..(y + 1) * factor {
                            for sx in x * factor..(x + 1) * factor {
                                pixel.look(warp, &self.grid, sy * camera.width * factor + sx, &mut shading);
                            }
                        }
                    }
                }
                resolve_pixel(&pixel, out, y * camera.width + x, factor, &mut shading);
            }
        }
    }
}

/// A row of a picture whose pixels are samples of the grid: pixels of one face are shaded together.
fn resolve_row(grid: &Grid, out: &mut Rendering, y: usize, shading: &mut Shading) {
    let share = 1.0 / (out.width * out.height) as f32;
    let (start, end) = (y * out.width, (y + 1) * out.width);
    let mut from = start;
    while from < end {
        let face = grid.face_at[from];
        let to = from + grid.face_at[from..end].iter().take_while(|&&other| other == face).count();
        if face != NO_FACE {
            let id = shading.shade_run(face, [from - start, y], &mut out.light[from..to]);
            for (depth, inverse) in out.depth[from..to].iter_mut().zip(&grid.inverse_depth[from..to]) {
                *depth = 1.0 / inverse;
            }
            out.ids[from..to].fill(id);
            let visible = &mut out.visible[usize::from(id)];
            *visible = (from..to).fold(*visible, |sum, _| sum + share);
        }
        from = to;
    }
}

fn resolve_pixel(pixel: &Pixel, out: &mut Rendering, at: usize, factor: usize, shading: &mut Shading) {
    let share = 1.0 / (factor * factor) as f32;
    let count = (out.width * out.height) as f32;
    let mut votes = Votes::default();
    for part in pixel.parts() {
        let (id, colour) = shading.shade(part.face, part.centre());
        for (total, value) in out.light[at].iter_mut().zip(colour) {
            *total += value * part.count * share;
        }
        out.visible[usize::from(id)] += part.count * share / count;
        votes.add(id, part);
    }
    (out.ids[at], out.depth[at]) = votes.winner();
}

/// The samples of one pixel, gathered by face.
#[derive(Default)]
struct Pixel {
    parts: [Part; 4],
    used: usize,
}

#[derive(Default, Clone, Copy)]
struct Part {
    face: u32,
    count: f32,
    sum: [f32; 2],
    inverse_depth: f32,
}

impl Part {
    fn centre(&self) -> [f32; 2] {
        self.sum.map(|v| v / self.count)
    }
}

impl Pixel {
    /// Takes in the `factor` × `factor` samples of the grid from `first` on.
    fn gather(&mut self, grid: &Grid, first: [usize; 2], factor: usize) {
        for sy in first[1]..first[1] + factor {
            for sx in first[0]..first[0] + factor {
                let at = sy * grid.columns + sx;
                self.add(grid.face_at[at], [sx as f32 + 0.5, sy as f32 + 0.5], grid.inverse_depth[at]);
            }
        }
    }

    /// Takes in the sample of the grid that a sample of the picture sees through the lens. Its depth is that of the
    /// face at the very ray, within what can be half a sample away.
    fn look(&mut self, warp: &Warp, grid: &Grid, sample: usize, shading: &mut Shading) {
        let Some((at, cell)) = warp.look(sample) else { return };
        let (face, inverse) = (grid.face_at[cell], grid.inverse_depth[cell]);
        if face != NO_FACE {
            self.add(face, at, shading.inverse_depth(face, at).clamp(0.8 * inverse, 1.25 * inverse));
        }
    }

    fn add(&mut self, face: u32, at: [f32; 2], inverse_depth: f32) {
        if face == NO_FACE {
            return;
        }
        let found = self.parts[..self.used].iter().position(|part| part.face == face);
        let slot = found.unwrap_or_else(|| {
            self.parts[self.used] = Part { face, ..Part::default() };
            self.used += 1;
            self.used - 1
        });
        let part = &mut self.parts[slot];
        part.count += 1.0;
        part.sum = [part.sum[0] + at[0], part.sum[1] + at[1]];
        part.inverse_depth += inverse_depth;
    }

    fn parts(&self) -> &[Part] {
        &self.parts[..self.used]
    }
}

/// Which body owns a pixel: the one with the most samples, the earlier on a tie.
#[derive(Default)]
struct Votes {
    entries: [(u16, f32, f32); 4],
    used: usize,
}

impl Votes {
    fn add(&mut self, id: u16, part: &Part) {
        let found = self.entries[..self.used].iter().position(|entry| entry.0 == id);
        let slot = found.unwrap_or_else(|| {
            self.entries[self.used] = (id, 0.0, 0.0);
            self.used += 1;
            self.used - 1
        });
        self.entries[slot].1 += part.count;
        self.entries[slot].2 += part.inverse_depth;
    }

    /// Id and depth; the mean inverse depth of a plane's samples is exact at the pixel's centre.
    fn winner(&self) -> (u16, f32) {
        let best = self.entries[..self.used].iter().fold((NOTHING_ID, 0.0, 0.0), |a, &b| if b.1 > a.1 { b } else { a });
        if best.1 > 0.0 { (best.0, best.1 / best.2) } else { (NOTHING_ID, 0.0) }
    }
}
