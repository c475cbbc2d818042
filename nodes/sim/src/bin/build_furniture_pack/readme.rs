//! The page beside the pack, so that its list cannot drift from its content.

use std::fmt::Write;

use sim::catalogue::{Catalogue, FurnitureSplit, pack::PackedModel};

const HEAD: &str = include_str!("readme_head.md");

/// The whole page.
pub fn text(models: &[PackedModel], catalogue: &Catalogue) -> String {
    let mut page = HEAD.to_owned();
    for class in catalogue.classes() {
        let train = catalogue.models_of(class, FurnitureSplit::Train).len();
        let novel = catalogue.models_of(class, FurnitureSplit::Novel).len();
        let _ = writeln!(page, "\n### {class}: {train} train, {novel} novel\n");
        page += "| model | width × depth × height, m | triangles | split | creator |\n|---|---|---|---|---|\n";
        for model in models.iter().filter(|model| model.class == class) {
            let split = match catalogue.model(&model.id).map(|known| known.split) {
                Some(FurnitureSplit::Novel) => "**novel**",
                _ => "train",
            };
            let [w, d, h] = model.size_m;
            let (id, faces, creator) = (&model.id, model.mesh.triangles.len(), &model.creator);
            let _ = writeln!(page, "| `{id}` | {w:.2} × {d:.2} × {h:.2} | {faces} | {split} | {creator} |");
        }
    }
    page
}
