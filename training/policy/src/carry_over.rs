//! Weights of one network as the beginning of another: more layers, another vocabulary.

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor, Var};

/// Where a token's embedding comes from: the mean of these rows of the other network's table.
pub type EmbeddingRows = Vec<(usize, Vec<u32>)>;

const EMBEDDINGS: [&str; 2] = ["model.embed_tokens.weight", "lm_head.weight"];
/// The matrices of a layer that write to the residual stream: all zero, the layer changes nothing.
const RESIDUAL: [&str; 2] = ["self_attn.o_proj.weight", "mlp.down_proj.weight"];

/// Copies into `variables`, freshly made, every tensor of `from` with a variable's name and shape, and the embeddings of
/// `rows`. Decoder layers that `from` does not have begin as the identity, so that the network computes what the other
/// one did (net2net, arXiv 1511.05641). Returns the names of the variables that nothing was copied to.
///
/// # Errors
/// When a row is past the end of the other table.
pub fn carry_over(
    variables: &[(String, Var)],
    from: &HashMap<String, Tensor>,
    rows: &EmbeddingRows,
) -> Result<Vec<String>> {
    let mut fresh = Vec::new();
    for (name, var) in variables {
        match from.get(name) {
            Some(old) if EMBEDDINGS.contains(&name.as_str()) => {
                var.set(&embedded(var, old, rows)?)?;
            }
            Some(old) if old.dims() == var.dims() => var.set(&old.to_device(var.device())?)?,
            _ => {
                if RESIDUAL.iter().any(|matrix| name.ends_with(matrix)) {
                    var.set(&var.zeros_like()?)?;
                }
                fresh.push(name.clone());
            }
        }
    }
    Ok(fresh)
}

fn embedded(var: &Var, old: &Tensor, rows: &EmbeddingRows) -> Result<Tensor> {
    let (tokens, width) = var.dims2()?;
    let mut table: Vec<Vec<f32>> = var.to_vec2()?;
    for (token, of) in rows.iter().filter(|(token, of)| *token < tokens && !of.is_empty()) {
        let picked = old.index_select(&Tensor::new(of.as_slice(), &Device::Cpu)?, 0)?;
        table[*token] = picked.mean(0)?.to_vec1()?;
    }
    Tensor::from_vec(table.concat(), (tokens, width), var.device())
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::*;

    #[test]
    fn known_weights_come_along_and_new_layers_are_identities() {
        let names = [EMBEDDINGS[0], "model.layers.0.mlp.down_proj.weight", "model.layers.1.mlp.down_proj.weight"];
        let ones = |(name, shape): (&str, [usize; 2])| {
            (name.to_owned(), Var::ones(&shape, DType::F32, &Device::Cpu).expect("ones"))
        };
        let grown: Vec<(String, Var)> = names.into_iter().zip([[3, 2], [2, 2], [2, 2]]).map(ones).collect();
        let table = Tensor::new(&[[1f32, 2.0], [3.0, 6.0]], &Device::Cpu).unwrap();
        let matrix = Tensor::new(&[[7f32, 7.0], [7.0, 7.0]], &Device::Cpu).unwrap();
        let from = HashMap::from([(names[0].to_owned(), table), (names[1].to_owned(), matrix)]);
        let fresh = carry_over(&grown, &from, &vec![(0, vec![1]), (1, vec![0, 1])]).unwrap();
        assert_eq!(fresh, [names[2]]);
        let rows = |nth: usize| grown[nth].1.to_vec2::<f32>().unwrap();
        assert_eq!(rows(0), [[3.0, 6.0], [2.0, 4.0], [1.0, 1.0]]);
        assert_eq!((rows(1), rows(2)), (vec![vec![7.0; 2]; 2], vec![vec![0.0; 2]; 2]));
    }
}
