//! Arithmetic of gradients.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};

use crate::Result;

/// Gradients by variable name.
pub type Gradients = BTreeMap<String, Tensor>;

/// Those of `variables` that a backward pass reached, by name.
pub fn named_gradients<'a>(store: &GradStore, variables: impl IntoIterator<Item = &'a (String, Var)>) -> Gradients {
    let named = |(name, variable): &(String, Var)| Some((name.clone(), store.get(variable)?.clone()));
    variables.into_iter().filter_map(named).collect()
}

/// Adds `other` into `sum`.
pub fn accumulate(sum: &mut Gradients, other: Gradients) -> Result<()> {
    for (name, gradient) in other {
        match sum.get_mut(&name) {
            Some(total) => *total = (&*total + gradient)?,
            None => {
                sum.insert(name, gradient);
            }
        }
    }
    Ok(())
}

/// Scales all gradients so that their joint L2 norm is at most `limit`; returns the norm before.
pub fn clip_global_norm(gradients: &mut Gradients, limit: f64) -> Result<f64> {
    let mut squares = 0.0;
    for gradient in gradients.values() {
        squares += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
    }
    let norm = squares.sqrt();
    if norm > limit {
        for gradient in gradients.values_mut() {
            *gradient = (&*gradient * (limit / norm))?;
        }
    }
    Ok(norm)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn clipping_keeps_direction_and_reports_the_old_norm() {
        let gradient = Tensor::new(&[3.0f32, 4.0], &Device::Cpu).unwrap();
        let mut gradients = Gradients::from([("w".to_owned(), gradient)]);
        assert!((clip_global_norm(&mut gradients, 1.0).unwrap() - 5.0).abs() < 1e-6);
        let clipped = gradients["w"].to_vec1::<f32>().unwrap();
        assert!((clipped[0] - 0.6).abs() < 1e-6 && (clipped[1] - 0.8).abs() < 1e-6);
    }
}
