//! Export of a room to MuJoCo: an MJCF scene with one OBJ mesh a material, PNG textures, lamps and fixed cameras.
//!
//! MuJoCo's renderer is then an independent oracle for ours, and what its speed is compared with. MuJoCo culls back
//! faces unless told not to (`mjRND_CULL_FACE`); here both sides are visible.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::appearance::Finish;
use crate::body::Body;
use crate::raster::{NEAR_M, Shot};
use crate::world::World;

/// Farthest thing that MuJoCo draws, metres.
const FAR_M: f64 = 60.0;

/// Why a scene can't be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file or folder can't be written.
    #[error("{}: expected to write it, found: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A texture can't be written.
    #[error("{}: expected to write a PNG, found: {source}", path.display())]
    Picture {
        /// Which.
        path: PathBuf,
        /// What the encoder said.
        source: image::ImageError,
    },
    /// A lens with distortion, which MuJoCo has not.
    #[error("camera {0}: expected a pinhole, found lens distortion")]
    Lens(usize),
}

/// Writes `scene.xml` and what it needs into `folder`, with one fixed camera a shot, named by its number.
///
/// # Errors
/// When a file can't be written, or a shot's camera has distortion.
pub fn export(world: &World, shots: &[Shot], folder: &Path) -> Result<(), ExportError> {
    std::fs::create_dir_all(folder).map_err(|source| ExportError::Write { path: folder.to_owned(), source })?;
    let (mut assets, mut geoms) = (String::new(), String::new());
    for (number, body) in world.bodies().enumerate() {
        for (index, finish) in body.skin.finishes.iter().enumerate() {
            let name = format!("b{number}_{index}");
            let obj = obj_of(body, index);
            if obj.is_empty() {
                continue;
            }
            write(&folder.join(format!("{name}.obj")), &obj)?;
            let texture = write_texture(body, finish, folder, &name)?;
            add_assets(&mut assets, &name, finish, &texture);
            let _ = writeln!(
                geoms,
                r#"<geom name="{name}" type="mesh" mesh="{name}" material="{name}" contype="0" conaffinity="0"/>"#
            );
        }
    }
    let (width, height) = shots.first().map_or((1, 1), |shot| (shot.camera.width, shot.camera.height));
    let (cameras, lights) = (cameras(shots)?, lights(world));
    let scene = format!(
        r#"<mujoco>
<compiler angle="radian" balanceinertia="true"/>
<visual>
<global offwidth="{width}" offheight="{height}"/><quality shadowsize="1024" offsamples="0"/>
<map znear="{NEAR_M}" zfar="{FAR_M}"/><headlight active="0"/>
</visual>
<statistic extent="1" center="0 0 0"/>
<asset>
{assets}</asset>
<worldbody>
{lights}{cameras}{geoms}</worldbody>
</mujoco>
"#
    );
    write(&folder.join("scene.xml"), &scene)
}

fn write(path: &Path, text: &str) -> Result<(), ExportError> {
    std::fs::write(path, text).map_err(|source| ExportError::Write { path: path.to_owned(), source })
}

/// The triangles of one material in the world frame, empty if there are none.
fn obj_of(body: &Body, material: usize) -> String {
    let triangles: Vec<_> = body.triangles.iter().filter(|t| usize::from(t.material) == material).collect();
    let mut used: Vec<u32> = triangles.iter().flat_map(|t| t.indices).collect();
    used.sort_unstable();
    used.dedup();
    let mut text = String::new();
    for &index in &used {
        let [x, y, z] = body.positions[index as usize];
        let [u, v] = body.uvs.get(index as usize).copied().unwrap_or_default();
        let _ = writeln!(text, "v {x} {y} {z}\nvt {u} {}", 1.0 - v);
    }
    for triangle in triangles {
        let [a, b, c] = triangle.indices.map(|index| used.partition_point(|&other| other < index) + 1);
        let _ = writeln!(text, "f {a}/{a} {b}/{b} {c}/{c}");
    }
    text
}

/// The name of the texture's file, if the finish has one.
fn write_texture(body: &Body, finish: &Finish, folder: &Path, name: &str) -> Result<Option<String>, ExportError> {
    let Some(texture) = finish.texture.and_then(|index| body.skin.textures.get(usize::from(index))) else {
        return Ok(None);
    };
    let file = format!("{name}.png");
    let path = folder.join(&file);
    let picture = texture.picture();
    let saved = image::save_buffer(&path, &picture.rgb, picture.width, picture.height, image::ExtendedColorType::Rgb8);
    saved.map_err(|source| ExportError::Picture { path, source })?;
    Ok(Some(file))
}

fn add_assets(assets: &mut String, name: &str, finish: &Finish, texture: &Option<String>) {
    let [r, g, b] = finish.colour.map(|linear| linear.clamp(0.0, 1.0).powf(1.0 / 2.2));
    let emission = if finish.emits { 1.0 } else { 0.0 };
    let _ = writeln!(assets, r#"<mesh name="{name}" file="{name}.obj" inertia="shell"/>"#);
    let painted = match texture {
        Some(file) => {
            let _ = writeln!(assets, r#"<texture name="{name}" type="2d" file="{file}"/>"#);
            format!(r#" texture="{name}""#)
        }
        None => String::new(),
    };
    let _ = writeln!(assets, r#"<material name="{name}" rgba="{r} {g} {b} 1" emission="{emission}"{painted}/>"#);
}

fn cameras(shots: &[Shot]) -> Result<String, ExportError> {
    let mut text = String::new();
    for (number, Shot { camera, pose, .. }) in shots.iter().enumerate() {
        if !camera.distortion.is_none() {
            return Err(ExportError::Lens(number));
        }
        let [right, down, _] = pose.optical_axes();
        let up = down.map(|v| -v);
        let words = |v: [f64; 3]| format!("{} {} {}", v[0], v[1], v[2]);
        let fov = 2.0 * (camera.height as f64 / 2.0 / camera.focal_px()).atan().to_degrees();
        let (at, right, up) = (words(pose.position), words(right), words(up));
        let _ = writeln!(text, r#"<camera name="{number}" pos="{at}" xyaxes="{right} {up}" fovy="{fov}"/>"#);
    }
    Ok(text)
}

fn lights(world: &World) -> String {
    let mut text = String::new();
    for light in &world.lighting.lights {
        let ([x, y, z], strength) = (light.position, light.strength);
        let _ = writeln!(
            text,
            r#"<light pos="{x} {y} {z}" dir="0 0 -1" cutoff="90" diffuse="{strength} {strength} {strength}"/>"#
        );
    }
    text
}
