//! Writing a pack.

use std::io::{Cursor, Write};
use std::sync::Arc;

use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    GEOMETRY, INDEX, Index, ModelEntry, PACK_VERSION, PackError, PackedModel, box_of, check_mesh, content, texture_name,
};
use crate::mesh::Texture;

/// Writes a pack; equal models give equal bytes.
///
/// # Errors
/// If a mesh does not fit the format (65,535 vertices), or a picture does not encode.
pub fn encode(models: &[PackedModel]) -> Result<Vec<u8>, PackError> {
    let mut textures: Vec<Arc<Texture>> = Vec::new();
    let mut geometry = Vec::new();
    let mut entries = Vec::with_capacity(models.len());
    for model in models {
        entries.push(encode_model(model, &mut geometry, &mut textures)?);
    }
    let index = Index { version: PACK_VERSION, textures: textures.len(), models: entries };
    let mut members = vec![(INDEX.to_owned(), serde_json::to_vec(&index)?), (GEOMETRY.to_owned(), geometry)];
    for (number, texture) in textures.iter().enumerate() {
        members.push((texture_name(number), encode_texture(texture, number)?));
    }
    write_archive(&members)
}

fn write_archive(members: &[(String, Vec<u8>)]) -> Result<Vec<u8>, PackError> {
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(zip::DateTime::default());
    let failed = |name: &str, source| PackError::Member { member: name.to_owned(), source };
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(name.as_str(), options).map_err(|e| failed(name, e))?;
        archive.write_all(bytes).map_err(|source| PackError::Io { member: name.clone(), source })?;
    }
    Ok(archive.finish().map_err(|e| failed("(archive)", e))?.into_inner())
}

fn encode_texture(texture: &Texture, index: usize) -> Result<Vec<u8>, PackError> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 85)
        .encode(&texture.rgb, texture.width, texture.height, image::ExtendedColorType::Rgb8)
        .map_err(|source| PackError::Picture { index, source })?;
    Ok(bytes)
}

fn encode_model(
    model: &PackedModel,
    geometry: &mut Vec<u8>,
    pictures: &mut Vec<Arc<Texture>>,
) -> Result<ModelEntry, PackError> {
    let mesh = &model.mesh;
    check_mesh(&model.id, mesh)?;
    if mesh.positions.len() > usize::from(u16::MAX) || mesh.uvs.len() != mesh.positions.len() {
        let found = format!("{} and {}", mesh.positions.len(), mesh.uvs.len());
        return Err(content(&model.id, "as many coordinates as vertices, below 65536", found));
    }
    let (origin, span) = box_of(model.size_m);
    let fold = |pick: fn(f32, f32) -> f32, start: f32| {
        mesh.uvs.iter().fold([start; 2], |a, uv| [pick(a[0], uv[0]), pick(a[1], uv[1])])
    };
    let (uv_low, uv_high) = (fold(f32::min, f32::MAX), fold(f32::max, f32::MIN));
    let uv_span = [uv_high[0] - uv_low[0], uv_high[1] - uv_low[1]];
    let words = mesh.positions.iter().flat_map(|p| quantise(*p, origin, span));
    let words = words.chain(mesh.uvs.iter().flat_map(|uv| quantise(*uv, uv_low, uv_span)));
    let words = words.chain(
        mesh.triangles.iter().flat_map(|t| [t.indices[0] as u16, t.indices[1] as u16, t.indices[2] as u16, t.material]),
    );
    geometry.extend(words.flat_map(u16::to_le_bytes));
    Ok(ModelEntry {
        id: model.id.clone(),
        class: model.class.clone(),
        creator: model.creator.clone(),
        size_m: model.size_m,
        elevation_m: model.elevation_m,
        on_top: model.on_top,
        vertices: mesh.positions.len(),
        triangles: mesh.triangles.len(),
        uv_low,
        uv_high,
        materials: mesh.materials.clone(),
        textures: mesh.textures.iter().map(|texture| number_of(texture, pictures)).collect(),
    })
}

/// Where an equal picture stands among `pictures`, adding it if it is new.
fn number_of(texture: &Arc<Texture>, pictures: &mut Vec<Arc<Texture>>) -> usize {
    pictures.iter().position(|known| known == texture).unwrap_or_else(|| {
        pictures.push(texture.clone());
        pictures.len() - 1
    })
}

fn quantise<const N: usize>(value: [f32; N], origin: [f32; N], span: [f32; N]) -> [u16; N] {
    std::array::from_fn(|i| {
        let share = if span[i] > 0.0 { (value[i] - origin[i]) / span[i] } else { 0.0 };
        (share.clamp(0.0, 1.0) * f32::from(u16::MAX)).round() as u16
    })
}
