//! The furniture that a room may hold: models by class, split into known and novel.
//!
//! The models come from the committed pack `assets/furniture.pack` (CC0, see
//! `assets/README.md`); [`Catalogue::bundled`] decodes it once a process. Everything here is a
//! pure function of the pack's bytes, so equal packs give equal rooms.
//!
//! **Split.** In a class of `n` models, `round(n / 5)`, but at least one, are
//! [`FurnitureSplit::Novel`] and never seen in training; a class of one or two models has none.
//! The models with the smallest hash of their id are taken, so the choice does not depend on
//! the pack's order.

pub mod pack;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::mesh::Mesh;
pub use pack::PackError;

/// The pack as committed beside the crate.
static BUNDLED_PACK: &[u8] = include_bytes!("../assets/furniture.pack");

/// Which rooms a model may stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FurnitureSplit {
    /// Known furniture: training, and rooms held out only by seed.
    Train,
    /// Furniture never trained on.
    Novel,
}

/// One piece of furniture.
#[derive(Debug, Clone)]
pub struct Model {
    /// Stable name of the model, unique in the catalogue.
    pub id: String,
    /// What a person would call it: `"chair"`, `"washing machine"`.
    pub class: String,
    /// Width (x), depth (y) and height (z) in metres; the mesh fills exactly this box.
    pub size_m: [f32; 3],
    /// Height of the mesh's bottom over the floor, metres: 0 stands, more hangs on a wall.
    pub elevation_m: f32,
    /// Small enough to stand on tables.
    pub on_top: bool,
    /// The shape, in the object frame of [`crate::mesh`].
    pub mesh: Arc<Mesh>,
    /// Whether training may see it.
    pub split: FurnitureSplit,
}

/// All models, ordered by class and then by id.
#[derive(Debug, Clone)]
pub struct Catalogue {
    models: Vec<Model>,
}

impl Catalogue {
    /// The catalogue that is compiled into this crate, decoded on first use.
    ///
    /// # Errors
    /// If the pack committed with the sources is damaged.
    pub fn bundled() -> Result<&'static Catalogue, PackError> {
        static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
        if let Some(catalogue) = CATALOGUE.get() {
            return Ok(catalogue);
        }
        let decoded = Catalogue::from_pack(BUNDLED_PACK)?;
        Ok(CATALOGUE.get_or_init(|| decoded))
    }

    /// Decodes a pack and splits each class.
    ///
    /// # Errors
    /// If the bytes are not a furniture pack of this version; see [`PackError`].
    pub fn from_pack(bytes: &[u8]) -> Result<Catalogue, PackError> {
        let mut models: Vec<Model> = pack::decode(bytes)?
            .into_iter()
            .map(|packed| Model {
                id: packed.id,
                class: packed.class,
                size_m: packed.size_m,
                elevation_m: packed.elevation_m,
                on_top: packed.on_top,
                mesh: Arc::new(packed.mesh),
                split: FurnitureSplit::Train,
            })
            .collect();
        models.sort_by(|a, b| (&a.class, &a.id).cmp(&(&b.class, &b.id)));
        hold_out(&mut models);
        Ok(Catalogue { models })
    }

    /// Every model, ordered by class and then by id.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The model named `id`.
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id)
    }

    /// The models of one class in one split, ordered by id.
    pub fn models_of(&self, class: &str, split: FurnitureSplit) -> Vec<&Model> {
        let wanted = |model: &&Model| model.class == class && model.split == split;
        self.models.iter().filter(wanted).collect()
    }

    /// Class names in alphabetical order, each once.
    pub fn classes(&self) -> Vec<&str> {
        let mut classes: Vec<&str> = self.models.iter().map(|m| m.class.as_str()).collect();
        classes.dedup();
        classes
    }
}

/// How many of `count` models of one class are held out of training.
pub fn novel_count(count: usize) -> usize {
    if count < 3 { 0 } else { ((count as f64 / 5.0).round() as usize).max(1) }
}

/// Marks the novel models of each class by the rule of the module.
fn hold_out(models: &mut [Model]) {
    let mut by_class: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, model) in models.iter().enumerate() {
        by_class.entry(&model.class).or_default().push(index);
    }
    let novel: Vec<usize> = by_class
        .into_values()
        .flat_map(|mut members| {
            members.sort_by_key(|&index| id_hash(&models[index].id));
            members.truncate(novel_count(members.len()));
            members
        })
        .collect();
    for index in novel {
        models[index].split = FurnitureSplit::Novel;
    }
}

/// 64-bit FNV-1a, mixed once more because ids differ mostly in their last bytes.
fn id_hash(id: &str) -> u64 {
    let hash = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests;
