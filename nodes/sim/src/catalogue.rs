//! The furniture that a room may hold: models by class, split into known and novel.
//!
//! The models come from the committed pack `assets/furniture.pack` (CC0, see
//! `assets/README.md`); [`Catalogue::bundled`] decodes it once a process. Everything here is a
//! pure function of the pack's bytes, so equal packs give equal rooms. For training,
//! [`Catalogue::with_extra`] adds the models of a second pack, which is not committed.
//!
//! **Split.** In a class of `n` models, `round(n / 5)`, but at least one, are
//! [`FurnitureSplit::Novel`] and never seen in training; a class of one or two models has none.
//! The models with the smallest hash of their id are taken, so the choice does not depend on
//! the pack's order. Models of an extra pack are all [`FurnitureSplit::Train`] and do not count.

pub mod pack;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
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
    /// From the extra pack rather than the bundled one.
    pub extra: bool,
}

impl Model {
    fn known(packed: pack::PackedModel, extra: bool) -> Self {
        Self {
            id: packed.id,
            class: packed.class,
            size_m: packed.size_m,
            elevation_m: packed.elevation_m,
            on_top: packed.on_top,
            mesh: Arc::new(packed.mesh),
            split: FurnitureSplit::Train,
            extra,
        }
    }
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
        let packed = pack::decode(bytes)?;
        let mut models = in_order(packed.into_iter().map(|packed| Model::known(packed, false)).collect());
        hold_out(&mut models);
        Ok(Catalogue { models })
    }

    /// The bundled models, split as ever, and those of the pack at `path`, all
    /// [`FurnitureSplit::Train`].
    ///
    /// # Errors
    /// If the file cannot be read or is no furniture pack of this version, with its path, and
    /// [`PackError::Duplicate`] if two models have one id.
    pub fn with_extra(path: &Path) -> Result<Catalogue, PackError> {
        let bytes = std::fs::read(path).map_err(|source| PackError::Read { path: path.to_owned(), source })?;
        let packed = pack::decode(&bytes)
            .map_err(|source| PackError::File { path: path.to_owned(), source: Box::new(source) })?;
        let mut models = Self::bundled()?.models.clone();
        models.extend(packed.into_iter().map(|packed| Model::known(packed, true)));
        let mut ids = BTreeSet::new();
        if let Some(twice) = models.iter().find(|model| !ids.insert(&model.id)) {
            return Err(PackError::Duplicate(twice.id.clone()));
        }
        Ok(Catalogue { models: in_order(models) })
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

fn in_order(mut models: Vec<Model>) -> Vec<Model> {
    models.sort_by(|a, b| (&a.class, &a.id).cmp(&(&b.class, &b.id)));
    models
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
