//! The extra pack: what else in the package is fit for training. It is not committed; `OUT.md`
//! beside it names the creators, as CC-BY asks. (The package's fifth file, `Reallusion.sh3f`, holds
//! nothing but people.)

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use sim::catalogue::pack::{self, PackedModel};

use crate::classes_extra as table;
use crate::source::{Archive, Piece};
use crate::{FOLDER, read_source, shape};

/// A source file: the prefix of its ids, its name and its licence.
struct Source {
    prefix: &'static str,
    file: &'static str,
    licence: &'static str,
}

const SOURCES: [Source; 4] = [
    Source { prefix: "cc0", file: "BlendSwap-CC-0.sh3f", licence: "CC0 1.0" },
    Source { prefix: "ccby", file: "BlendSwap-CC-BY.sh3f", licence: "CC-BY 3.0" },
    Source { prefix: "kator", file: "KatorLegaz.sh3f", licence: "CC-BY 3.0 US" },
    Source { prefix: "scopia", file: "Scopia.sh3f", licence: "CC-BY 3.0" },
];

/// CC0 by the catalogue, but CC-BY 3.0 by the licence file beside it.
const CONTRADICTED: &str = "cc0/winchesterSofa";

const HEAD: &str = include_str!("extra_head.md");

/// Writes the pack to `out` and its attribution beside it.
pub fn build(out: &Path) -> Result<()> {
    let listed = |id: &&str| table::CLASSES.iter().any(|(_, members)| members.contains(id));
    let mut marked = table::ON_TOP.iter().chain(table::LEAFY).chain(table::ELEVATION_M.iter().map(|(id, _)| id));
    ensure!(marked.all(listed), "a piece is marked, but has no class");
    let mut models = Vec::new();
    for source in &SOURCES {
        add_source(source, &mut models).with_context(|| source.file)?;
    }
    let wanted: usize = table::CLASSES.iter().map(|(_, members)| members.len()).sum();
    ensure!(models.len() == wanted, "{wanted} pieces are listed, but {} have a known source", models.len());
    models.sort_by(|a, b| (&a.class, &a.id).cmp(&(&b.class, &b.id)));
    let packed = pack::encode(&models)?;
    std::fs::write(out, &packed).with_context(|| out.display().to_string())?;
    let page = out.with_extension("md");
    std::fs::write(&page, attribution(&models)).with_context(|| page.display().to_string())?;
    eprintln!("{} models, {} classes, {} bytes", models.len(), table::CLASSES.len(), packed.len());
    Ok(())
}

fn add_source(source: &Source, models: &mut Vec<PackedModel>) -> Result<()> {
    let bytes = read_source(&Path::new(FOLDER).join(source.file))?;
    let mut archive = Archive::open(&bytes)?;
    let pieces = archive.pieces()?;
    for (class, members) in table::CLASSES {
        for id in *members {
            if let Some(("", name)) = id.strip_prefix(source.prefix).and_then(|rest| rest.split_once('/')) {
                let model = model(id, class, piece_of(&pieces, name)?, &mut archive);
                models.push(model.with_context(|| format!("piece {id}"))?);
            }
        }
    }
    Ok(())
}

fn piece_of<'a>(pieces: &'a BTreeMap<String, Piece>, name: &str) -> Result<&'a Piece> {
    pieces.get(name).with_context(|| format!("the catalogue has no piece {name}"))
}

fn model(id: &str, class: &str, piece: &Piece, archive: &mut Archive<'_>) -> Result<PackedModel> {
    let hung = table::ELEVATION_M.iter().find(|(known, _)| *known == id).map(|(_, elevation_m)| *elevation_m);
    Ok(PackedModel {
        id: id.to_owned(),
        class: class.to_owned(),
        creator: piece.creator.clone(),
        size_m: piece.size_m,
        elevation_m: hung.unwrap_or(piece.elevation_m),
        on_top: table::ON_TOP.contains(&id),
        mesh: shape::mesh_of(piece, archive, table::LEAFY.contains(&id))?,
    })
}

fn attribution(models: &[PackedModel]) -> String {
    let mut page = HEAD.to_owned();
    for model in models {
        let Some(source) = SOURCES.iter().find(|source| model.id.split('/').next() == Some(source.prefix)) else {
            continue;
        };
        let licence = if model.id == CONTRADICTED { "CC-BY 3.0" } else { source.licence };
        let (id, class, creator, file) = (&model.id, &model.class, &model.creator, source.file);
        let [w, d, h] = model.size_m;
        let faces = model.mesh.triangles.len();
        let _ = writeln!(
            page,
            "| `{id}` | {class} | {w:.2} × {d:.2} × {h:.2} | {faces} | {creator} | {file} | {licence} |"
        );
    }
    page
}
