//! Weights of one network as the beginning of another: more layers, another vocabulary.

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor, Var};
use candle_nn::VarMap;

use crate::checkpoint::{insert, named_vars};

/// Where a token's embedding comes from: the mean of these rows of the other network's table.
pub type EmbeddingRows = Vec<(usize, Vec<u32>)>;

const EMBEDDINGS: [&str; 2] = ["model.embed_tokens.weight", "lm_head.weight"];
/// The matrices of a layer that write to the residual stream: all zero, the layer changes nothing.
const RESIDUAL: [&str; 2] = ["self_attn.o_proj.weight", "mlp.down_proj.weight"];

/// Copies into `vars`, freshly made, every tensor of `from` with a variable's name and shape, and the embeddings of
/// `rows`. Decoder layers that `from` does not have begin as the identity, so that the network computes what the other
/// one did (net2net, arXiv 1511.05641). Returns the names of the variables that nothing was copied to.
///
/// # Errors
/// When a row is past the end of the other table.
pub fn carry_over(vars: &VarMap, from: &HashMap<String, Tensor>, rows: &EmbeddingRows) -> Result<Vec<String>> {
    let mut fresh = Vec::new();
    for (name, var) in named_vars(vars) {
        match from.get(&name) {
            Some(old) if EMBEDDINGS.contains(&name.as_str()) => {
                insert(vars, name, Var::from_tensor(&embedded(&var, old, rows)?)?);
            }
            Some(old) if old.dims() == var.dims() => insert(vars, name, Var::from_tensor(old)?),
            _ => {
                if RESIDUAL.iter().any(|matrix| name.ends_with(matrix)) {
                    insert(vars, name.clone(), Var::from_tensor(&var.zeros_like()?)?);
                }
                fresh.push(name);
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
    Tensor::from_vec(table.concat(), (tokens, width), &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use candle_core::DType;
    use candle_nn::VarBuilder;

    use super::*;

    fn vars(entries: &[(&str, &[usize])]) -> VarMap {
        let vars = VarMap::new();
        for (name, shape) in entries {
            let tensor = Tensor::ones(*shape, DType::F32, &Device::Cpu).expect("ones");
            insert(&vars, (*name).to_owned(), Var::from_tensor(&tensor).expect("a variable"));
        }
        vars
    }

    #[test]
    fn known_weights_come_along_and_new_layers_are_identities() {
        let (embed, old, new) =
            (EMBEDDINGS[0], "model.layers.0.mlp.down_proj.weight", "model.layers.1.mlp.down_proj.weight");
        let grown = vars(&[(embed, &[3, 2]), (old, &[2, 2]), (new, &[2, 2])]);
        let table = Tensor::new(&[[1f32, 2.0], [3.0, 6.0]], &Device::Cpu).unwrap();
        let matrix = Tensor::new(&[[7f32, 7.0], [7.0, 7.0]], &Device::Cpu).unwrap();
        let from = HashMap::from([(embed.to_owned(), table), (old.to_owned(), matrix)]);
        let fresh = carry_over(&grown, &from, &vec![(0, vec![1]), (1, vec![0, 1])]).unwrap();
        assert_eq!(fresh, [new]);
        let read = VarBuilder::from_varmap(&grown, DType::F32, &Device::Cpu);
        let rows: Vec<Vec<f32>> = read.get((3, 2), embed).unwrap().to_vec2().unwrap();
        assert_eq!(rows, [[3.0, 6.0], [2.0, 4.0], [1.0, 1.0]]);
        let sum = |name| read.get((2, 2), name).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        assert_eq!((sum(old), sum(new)), (28.0, 0.0));
    }
}
