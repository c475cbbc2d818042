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

/// Steps of the inversion, which closes in by a factor each.
const STEPS: usize = 60;
/// Where the inversion stops: far under a pixel.
const CLOSE: f64 = 1e-10;

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
        let mut ray = landed;
        for _ in 0..STEPS {
            let (radial, tangential) = self.parts(ray);
            let next: [f64; 2] = std::array::from_fn(|i| (landed[i] - tangential[i]) / radial);
            let step = (next[0] - ray[0]).hypot(next[1] - ray[1]);
            ray = next;
            if step < CLOSE {
                return self.keeps_order(ray).then_some(ray);
            }
        }
        None
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
