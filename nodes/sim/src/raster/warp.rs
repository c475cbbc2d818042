//! The way through a lens: where each sample of a distorted picture lies on the grid of a pinhole.

use std::ops::Range;

use crate::camera::Camera;

/// Widest grid, as a multiple of the picture's sides; rays beyond are lost.
const WIDEST: f64 = 3.0;

/// The table of one camera at one resolution.
#[derive(Debug)]
pub(super) struct Warp {
    samples: Camera,
    size: [usize; 2],
    /// One a sample of the picture: coordinates on the grid, `None` where no ray gets through.
    at: Vec<Option<[f32; 2]>>,
    /// One a sample of the grid: how many samples of the picture look at it.
    looked_at: Vec<u8>,
}

impl Warp {
    /// The table for a picture of `samples.width` × `samples.height` samples.
    pub fn new(samples: &Camera) -> Self {
        let [w, h] = [samples.width, samples.height].map(|side| side as f64);
        let focal = samples.focal_px();
        let (mut rays, mut reach) = (Vec::with_capacity(samples.width * samples.height), [w / 2.0, h / 2.0]);
        for y in 0..samples.height {
            for x in 0..samples.width {
                let landed = [(x as f64 + 0.5 - w / 2.0) / focal, (y as f64 + 0.5 - h / 2.0) / focal];
                let ray = samples.distortion.undistort(landed).map(|ray| ray.map(|v| v * focal));
                let ray = ray.filter(|v| v[0].abs() < WIDEST * w / 2.0 && v[1].abs() < WIDEST * h / 2.0);
                if let Some(v) = ray {
                    reach = [reach[0].max(v[0].abs()), reach[1].max(v[1].abs())];
                }
                rays.push(ray);
            }
        }
        let size = reach.map(|half| 2 * (half.ceil() as usize + 1));
        let middle = size.map(|side| side as f64 / 2.0);
        let on_grid = |v: [f64; 2]| [(v[0] + middle[0]) as f32, (v[1] + middle[1]) as f32];
        let at = rays.into_iter().map(|ray| ray.map(on_grid)).collect();
        let mut warp = Self { samples: *samples, size, at, looked_at: vec![0; size[0] * size[1]] };
        for index in 0..warp.at.len() {
            if let Some(cell) = warp.at[index].map(|p| warp.cell(p)) {
                warp.looked_at[cell] = warp.looked_at[cell].saturating_add(1);
            }
        }
        warp
    }

    /// Whether this is the table of a picture like `samples`.
    pub fn fits(&self, samples: &Camera) -> bool {
        self.samples == *samples
    }

    /// Columns and rows of the grid.
    pub fn grid_size(&self) -> [usize; 2] {
        self.size
    }

    /// Where a sample of the picture looks: coordinates on the grid, and the index of the grid's sample there.
    pub fn look(&self, sample: usize) -> Option<([f32; 2], usize)> {
        let at = (*self.at.get(sample)?)?;
        Some((at, self.cell(at)))
    }

    fn cell(&self, [x, y]: [f32; 2]) -> usize {
        (y as usize).min(self.size[1] - 1) * self.size[0] + (x as usize).min(self.size[0] - 1)
    }

    /// How many samples of the picture look at samples of the grid's `range` that `id` hasn't touched yet.
    pub fn fresh(&self, range: Range<usize>, touched: &[u16], id: u16) -> u32 {
        let looks = self.looked_at[range].iter().zip(touched);
        looks.map(|(&looks, &by)| if by == id { 0 } else { u32::from(looks) }).sum()
    }
}
