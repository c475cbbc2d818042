//! Weights to begin with, from another model directory.

use std::path::Path;

use candle_core::{DType, Device, Var};
use policy::carry_over::EmbeddingRows;
use processor::Processor;

use crate::Result;

/// Copies what the model directory `from` has of the network of `processor` into `variables`: see
/// [`policy::carry_over()`].
/// A token that the other vocabulary lacks begins as the mean of the tokens that spell it there.
pub fn carry_over(variables: &[(String, Var)], from: &Path, processor: &Processor) -> Result<()> {
    let old = Processor::from_dir(from).map_err(episodes::Error::from)?;
    let tensors = policy::checkpoint::load_tensors(from, DType::F32, &Device::Cpu)?;
    let fresh = policy::carry_over(variables, &tensors, &embedding_rows(&old, processor)?)?;
    tracing::info!(from = %from.display(), fresh = fresh.len(), "weights carried over");
    Ok(())
}

fn embedding_rows(old: &Processor, new: &Processor) -> Result<EmbeddingRows> {
    let mut rows = EmbeddingRows::new();
    let (old, new) = (old.tokenizer(), new.tokenizer());
    for (token, id) in new.inner().get_vocab(true) {
        let of = match old.inner().token_to_id(&token) {
            Some(same) => vec![same],
            None => {
                let text = new.decode(&[id], false).map_err(episodes::Error::from)?;
                old.encode(&text).map_err(episodes::Error::from)?
            }
        };
        rows.push((id as usize, of));
    }
    Ok(rows)
}
