//! Builds `assets/furniture.pack` and `assets/README.md` from Debian's `sweethome3d-furniture`.
//!
//! `apt-get install sweethome3d-furniture`, then
//! `cargo run -p sim --features pack-builder --bin build_furniture_pack`.
//! The same package gives the same bytes. With `-- --extra OUT.pack` it builds a larger pack for
//! training instead, which is not committed, and `OUT.md` beside it.

mod classes;
mod classes_extra;
mod decimate;
mod extra;
mod leaves;
mod pictures;
mod readme;
mod shape;
mod source;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sim::catalogue::{Catalogue, pack};

/// Where the package puts its files.
const FOLDER: &str = "/usr/share/sweethome3d/furniture";
const SOURCE: &str = "BlendSwap-CC-0.sh3f";

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(flag) if flag == "--extra" => {
            let out = arguments.next().context("--extra needs the path of the pack to write")?;
            extra::build(Path::new(&out))
        }
        source => build_committed(&source.map_or_else(|| Path::new(FOLDER).join(SOURCE), PathBuf::from)),
    }
}

fn read_source(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} (apt-get install sweethome3d-furniture)", path.display()))
}

fn build_committed(source: &Path) -> Result<()> {
    let bytes = read_source(source)?;
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
