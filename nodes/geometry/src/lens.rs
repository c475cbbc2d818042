//! How a lens bends rays: the distortion models that camera drivers name.
//!
//! Points are in the camera's plane at depth 1: x right, y down. Source of the formulas: OpenCV's documentation of
//! `calib3d` and `fisheye`, which REP-104's names refer to.

/// A lens between the scene and a pinhole.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Lens {
    /// Bends nothing.
    #[default]
    Pinhole,
    /// `plumb_bob` and `rational_polynomial`: k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4, zero where not given.
    Polynomial([f64; 12]),
    /// `equidistant`, a fisheye: k1 k2 k3 k4.
    Equidistant([f64; 4]),
    /// A model that is not known here, by its name; its pictures stay bent.
    Unknown(String),
}

/// Longest name of a model that is repeated.
const MAX_NAME_CHARS: usize = 40;

/// Names of the fisheye whose radius grows with the angle.
const FISHEYES: [&str; 6] =
    ["equidistant", "fisheye", "opencv_fisheye", "kannala_brandt", "kannala_brandt4", "kannala_brandt_4"];
/// Names of the polynomial, of however many numbers. Some drivers name the camera beside its lens `pinhole`.
const POLYNOMIALS: [&str; 9] = [
    "plumb_bob",
    "brown_conrady",
    "radtan",
    "radial_tangential",
    "pinhole",
    "pinhole_radtan",
    "opencv",
    "rational",
    "rational_polynomial",
];
/// Most numbers of a polynomial that nobody named.
const MOST_UNNAMED: usize = 5;

impl Lens {
    /// Reads `distortion_model` and `d` of `sensor_msgs/CameraInfo`.
    ///
    /// Zeros at the end of `d` say nothing, and names may be in any case. A fisheye of zeros, or of no numbers, is still a
    /// fisheye: its pictures are bent by the model itself, whatever is added to it. (A driver without calibration has
    /// `K` of zeros, which is refused ahead of this.) Any other model of zeros is a pinhole.
    pub fn new(model: &str, d: &[f64]) -> Self {
        let unknown = || Self::Unknown(model.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect());
        if d.iter().any(|value| !value.is_finite()) {
            return unknown();
        }
        let name = model.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        let told = d.iter().rposition(|value| *value != 0.0).map_or(0, |last| last + 1);
        let d = &d[..told];
        if FISHEYES.contains(&name.as_str()) {
            return if told <= 4 { Self::Equidistant(padded(d)) } else { unknown() };
        }
        // What calibration tools wrote before models had names was short. Numbers 13 and 14 tilt the sensor.
        let most = if POLYNOMIALS.contains(&name.as_str()) { 12 } else { MOST_UNNAMED * usize::from(name.is_empty()) };
        match told {
            0 => Self::Pinhole,
            _ if told <= most => Self::Polynomial(padded(d)),
            _ => unknown(),
        }
    }

    /// The model's name, as `camera_info` writes it; `none` for a pinhole.
    pub fn name(&self) -> &str {
        match self {
            Self::Pinhole => "none",
            Self::Polynomial(d) if d[5..].iter().all(|value| *value == 0.0) => "plumb_bob",
            Self::Polynomial(_) => "rational_polynomial",
            Self::Equidistant(_) => "equidistant",
            Self::Unknown(name) => name,
        }
    }

    /// Where the lens puts what a pinhole would put at `[x, y]`.
    pub fn distort(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        match self {
            Self::Pinhole | Self::Unknown(_) => [x, y],
            Self::Polynomial(d) => polynomial(d, x, y),
            Self::Equidistant(k) => equidistant(k, x, y),
        }
    }
}

/// The numbers, then zeros.
fn padded<const N: usize>(numbers: &[f64]) -> [f64; N] {
    std::array::from_fn(|index| numbers.get(index).copied().unwrap_or(0.0))
}

fn polynomial(&[k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4]: &[f64; 12], x: f64, y: f64) -> [f64; 2] {
    let r2 = x * x + y * y;
    let radial = (1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1.0 + r2 * (k4 + r2 * (k5 + r2 * k6)));
    let (xy, prism) = (2.0 * x * y, r2 * r2);
    [
        x * radial + p1 * xy + p2 * (r2 + 2.0 * x * x) + s1 * r2 + s2 * prism,
        y * radial + p2 * xy + p1 * (r2 + 2.0 * y * y) + s3 * r2 + s4 * prism,
    ]
}

fn equidistant(&[k1, k2, k3, k4]: &[f64; 4], x: f64, y: f64) -> [f64; 2] {
    let r = x.hypot(y);
    if r < 1e-12 {
        return [x, y];
    }
    let angle = r.atan();
    let a2 = angle * angle;
    let scale = angle * (1.0 + a2 * (k1 + a2 * (k2 + a2 * (k3 + a2 * k4)))) / r;
    [x * scale, y * scale]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: [f64; 2], expected: [f64; 2]) {
        let apart = (found[0] - expected[0]).abs().max((found[1] - expected[1]).abs());
        assert!(apart < 1e-6, "{found:?} is not {expected:?}");
    }

    /// Expected values: `cv2.projectPoints` and `cv2.fisheye.distortPoints` of opencv-python 5.0.
    #[test]
    fn lenses_bend_as_opencv_has_it() {
        let points = [[0.3, -0.2], [0.9, 0.55]];
        let plumb_bob = [-0.28, 0.07, 0.0011, -0.0004, 0.01];
        let rational = [0.5, -0.1, 0.001, -0.002, 0.03, 0.45, -0.02, 0.01, 0.004, -0.001, 0.002, 0.003];
        type Case<'a> = (&'a str, &'a [f64], [[f64; 2]; 2]);
        let cases: [Case<'_>; 4] = [
            ("plumb_bob", &plumb_bob, [[0.289185491, -0.192681994], [0.710010377, 0.435390925]]),
            ("rational_polynomial", &rational[..8], [[0.300731939, -0.200531293], [0.885949078, 0.543885548]]),
            ("rational_polynomial", &rational, [[0.301235039, -0.200220593], [0.889161422, 0.549823517]]),
            ("equidistant", &[0.1, -0.02, 0.003, 0.0007], [[0.291295299, -0.194196866], [0.733249350, 0.448096825]]),
        ];
        for (model, d, expected) in cases {
            let lens = Lens::new(model, d);
            for (point, expected) in points.into_iter().zip(expected) {
                close(lens.distort(point), expected);
            }
        }
    }

    #[test]
    fn models_are_told_by_name_and_length() {
        assert_eq!(Lens::new("plumb_bob", &[0.0; 5]), Lens::Pinhole);
        assert_eq!(Lens::new("", &[]), Lens::Pinhole);
        assert_eq!(Lens::new("plumb_bob", &[0.1, 0.0, 0.0, 0.0, 0.0]).name(), "plumb_bob");
        assert_eq!(Lens::new("", &[0.1, 0.0, 0.0, 0.0]).name(), "plumb_bob");
        assert_eq!(
            Lens::new("rational_polynomial", &[0.1, 0.0, 0.0, 0.0, 0.0, 0.3, 0.0, 0.0]).name(),
            "rational_polynomial"
        );
        assert_eq!(Lens::new("equidistant", &[0.1, 0.0, 0.0, 0.0]).name(), "equidistant");
        let unknown = [
            ("double_sphere", &[0.1, 0.2][..]),
            ("plumb_bob", &[f64::NAN; 5]),
            ("equidistant", &[0.0, f64::NAN, 0.0, 0.0]),
            ("equidistant", &[0.1; 5]),
            ("rational_polynomial", &[0.1; 14]),
            ("", &[0.1; 8]),
        ];
        for (model, d) in unknown {
            assert_eq!(Lens::new(model, d), Lens::Unknown(model.to_owned()));
        }
        assert_eq!(Lens::new("double_sphere", &[0.1, 0.2]).distort([0.3, 0.4]), [0.3, 0.4]);
    }

    #[test]
    fn an_ideal_fisheye_is_no_pinhole() {
        for (model, d) in [("equidistant", &[0.0; 4][..]), ("Fisheye", &[0.0; 5]), ("kannala_brandt", &[])] {
            let lens = Lens::new(model, d);
            assert_eq!(lens, Lens::Equidistant([0.0; 4]), "{model}");
            // 45 degrees off the axis are pi/4 from the middle.
            close(lens.distort([1.0, 0.0]), [std::f64::consts::FRAC_PI_4, 0.0]);
        }
        assert_eq!(Lens::new("rational_polynomial", &[0.0; 14]), Lens::Pinhole);
    }

    #[test]
    fn zeros_at_the_end_and_letter_case_say_nothing() {
        let bent = [0.1, -0.2, 0.003];
        let plumb_bob = Lens::new("plumb_bob", &[0.1, -0.2, 0.003, 0.0, 0.0]);
        let long: Vec<f64> = bent.iter().copied().chain([0.0; 11]).collect();
        for (model, d) in [
            ("plumb_bob", &bent[..]),
            ("plumb_bob", &long),
            ("Plumb Bob", &bent),
            ("RadTan", &bent),
            ("pinhole", &bent),
            ("BROWN_CONRADY", &bent),
            ("RATIONAL_POLYNOMIAL", &long),
            ("", &bent),
        ] {
            assert_eq!(Lens::new(model, d), plumb_bob, "{model} {}", d.len());
        }
        let five = Lens::new("equidistant", &[0.1, -0.02, 0.003, 0.0007, 0.0]);
        assert_eq!(five, Lens::Equidistant([0.1, -0.02, 0.003, 0.0007]));
    }
}
