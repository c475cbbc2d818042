//! Lists the catalogue.
fn main() {
    for m in sim::catalogue::Catalogue::bundled().expect("pack").models() {
        println!("{} {} {:?} e{} top{} {:?} tris {} tex {}", m.class, m.id, m.size_m, m.elevation_m, m.on_top, m.split, m.mesh.triangles.len(), m.mesh.textures.len());
    }
}
