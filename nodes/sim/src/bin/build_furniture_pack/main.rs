//! Builds `assets/furniture.pack` and `assets/README.md` from Debian's `sweethome3d-furniture`.
//!
//! `apt-get install sweethome3d-furniture`, then
//! `cargo run -p sim --features pack-builder --bin build_furniture_pack`.
//! The same package gives the same bytes.

mod classes;
mod decimate;
mod leaves;
mod pictures;
mod readme;
mod shape;
mod source;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sim::catalogue::{Catalogue, pack};

const SOURCE: &str = "/usr/share/sweethome3d/furniture/BlendSwap-CC-0.sh3f";

fn main() -> Result<()> {
    let source = std::env::args_os().nth(1).map_or_else(|| PathBuf::from(SOURCE), PathBuf::from);
    let bytes = std::fs::read(&source)
        .with_context(|| format!("{} (apt-get install sweethome3d-furniture)", source.display()))?;
    let mut archive = source::Archive::open(&bytes)?;
    let pieces = archive.pieces()?;
    let mut models = Vec::new();
    for (class, members, on_top) in classes::CLASSES {
        for id in *members {
            let piece = pieces.get(*id).with_context(|| format!("the catalogue has no piece {id}"))?;
            let mesh = shape::mesh_of(piece, &mut archive, classes::LEAFY.contains(id))
                .with_context(|| format!("piece {id}"))?;
            models.push(pack::PackedModel {
                id: (*id).to_owned(),
                class: (*class).to_owned(),
                creator: piece.creator.clone(),
                size_m: piece.size_m,
                elevation_m: piece.elevation_m,
                on_top: on_top.contains(id),
                mesh,
            });
        }
    }
    models.sort_by(|a, b| (&a.class, &a.id).cmp(&(&b.class, &b.id)));
    let packed = pack::encode(&models)?;
    let catalogue = Catalogue::from_pack(&packed)?;
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    std::fs::write(assets.join("furniture.pack"), &packed)?;
    std::fs::write(assets.join("README.md"), readme::text(&models, &catalogue))?;
    eprintln!("{} models, {} classes, {} bytes", models.len(), catalogue.classes().len(), packed.len());
    Ok(())
}
