//! Lens distortion after Brown and Conrady, as OpenCV and ROS (`plumb_bob`) write it.

/// Coefficients over the undistorted point (x/z, y/z). All zero is a pinhole.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Distortion {
    /// Radial, second power of the radius.
    pub k1: f64,
    /// Radial, fourth power.
    pub k2: f64,
    /// Tangential.
    pub p1: f64,
    /// Tangential.
    pub p2: f64,
    /// Radial, sixth power.
    pub k3: f64,
}

/// Newton steps of the inversion.
const STEPS: usize = 20;
/// Where the inversion stops, squared: far under a pixel.
const CLOSE2: f64 = 1e-20;

impl Distortion {
    /// As ROS orders them: k1, k2, p1, p2, k3.
    pub fn coefficients(&self) -> [f64; 5] {
        [self.k1, self.k2, self.p1, self.p2, self.k3]
    }

    /// Whether the lens bends nothing.
    pub fn is_none(&self) -> bool {
        self.coefficients() == [0.0; 5]
    }

    /// Where the ray (x/z, y/z) lands, in the same units.
    pub fn distort(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (radial, [tx, ty]) = self.parts([x, y]);
        [x * radial + tx, y * radial + ty]
    }

    /// The ray that lands here; `None` where the lens folds over and there is none, or more than one.
    pub fn undistort(&self, landed: [f64; 2]) -> Option<[f64; 2]> {
        self.undistort_near(landed, landed)
    }

    /// The same by Newton's method from a ray that lands nearby.
    pub(crate) fn undistort_near(&self, landed: [f64; 2], start: [f64; 2]) -> Option<[f64; 2]> {
        let mut ray = start;
        for _ in 0..STEPS {
            let at = self.distort(ray);
            let off = [landed[0] - at[0], landed[1] - at[1]];
            let [xx, xy, yy] = self.derivatives(ray);
            let determinant = xx * yy - xy * xy;
            let step = [(yy * off[0] - xy * off[1]) / determinant, (xx * off[1] - xy * off[0]) / determinant];
            ray = [ray[0] + step[0], ray[1] + step[1]];
            if step[0] * step[0] + step[1] * step[1] < CLOSE2 {
                return self.keeps_order(ray).then_some(ray);
            }
        }
        None
    }

    /// How far a ray lands for small changes of it: dx/dx, dx/dy which is dy/dx, dy/dy.
    fn derivatives(&self, [x, y]: [f64; 2]) -> [f64; 3] {
        let r2 = x * x + y * y;
        let (radial, _) = self.parts([x, y]);
        let slope = 2.0 * (self.k1 + r2 * (2.0 * self.k2 + 3.0 * r2 * self.k3));
        [
            radial + x * x * slope + 2.0 * self.p1 * y + 6.0 * self.p2 * x,
            x * y * slope + 2.0 * self.p1 * x + 2.0 * self.p2 * y,
            radial + y * y * slope + 6.0 * self.p1 * y + 2.0 * self.p2 * x,
        ]
    }

    /// The radial factor and the tangential shift.
    fn parts(&self, [x, y]: [f64; 2]) -> (f64, [f64; 2]) {
        let r2 = x * x + y * y;
        let radial = 1.0 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3));
        let tx = 2.0 * self.p1 * x * y + self.p2 * (r2 + 2.0 * x * x);
        let ty = self.p1 * (r2 + 2.0 * y * y) + 2.0 * self.p2 * x * y;
        (radial, [tx, ty])
    }

    /// Whether rays farther out land farther out, here.
    fn keeps_order(&self, [x, y]: [f64; 2]) -> bool {
        let r2 = x * x + y * y;
        1.0 + r2 * (3.0 * self.k1 + r2 * (5.0 * self.k2 + r2 * 7.0 * self.k3)) > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARREL: Distortion = Distortion { k1: -0.12, k2: 0.015, p1: 0.001, p2: -0.002, k3: -0.001 };

    #[test]
    fn rays_come_back() {
        for ray in [[0.0, 0.0], [0.3, -0.2], [-0.9, 0.7]] {
            let back = BARREL.undistort(BARREL.distort(ray)).unwrap();
            assert!((back[0] - ray[0]).abs() < 1e-8 && (back[1] - ray[1]).abs() < 1e-8, "{ray:?} {back:?}");
        }
        assert_eq!(Distortion::default().undistort([0.4, 0.1]), Some([0.4, 0.1]));
    }

    /// The numbers are worked by hand from the formula in OpenCV's documentation of `calib3d`.
    #[test]
    fn a_point_lands_where_the_formula_puts_it() {
        let [x, y] = BARREL.distort([0.3, -0.2]);
        assert!((x - 0.2946553909).abs() < 1e-9 && (y + 0.1964802606).abs() < 1e-9, "{x} {y}");
    }

    #[test]
    fn beyond_the_fold_there_is_no_ray() {
        let strong = Distortion { k1: -0.5, ..Distortion::default() };
        assert_eq!(strong.undistort([0.9, 0.0]), None);
    }
}
