//! Colours of surfaces, linear light.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A wall's or a ceiling's colour, linear.
pub(crate) fn light_colour(rng: &mut ChaCha8Rng, base: f32) -> [f32; 3] {
    std::array::from_fn(|_| base * rng.random_range(0.85f32..1.15))
}

/// A wood's colour, linear.
pub(crate) fn wood_colour(rng: &mut ChaCha8Rng) -> [f32; 3] {
    let tone: f32 = rng.random_range(0.08..0.55);
    [tone, tone * rng.random_range(0.5..0.75), tone * rng.random_range(0.2..0.5)]
}

/// Any colour, linear.
pub(crate) fn any_colour(rng: &mut ChaCha8Rng) -> [f32; 3] {
    let tone: f32 = rng.random_range(0.1..0.7);
    std::array::from_fn(|_| tone * rng.random_range(0.6f32..1.3))
}
