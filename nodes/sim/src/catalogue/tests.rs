use std::collections::BTreeSet;

use super::*;

fn bundled() -> &'static Catalogue {
    Catalogue::bundled().unwrap()
}

#[test]
fn every_mesh_fills_its_declared_box() {
    for model in bundled().models() {
        let (low, high) = model.mesh.bounds();
        for axis in 0..3 {
            let found = high[axis] - low[axis];
            assert!((found / model.size_m[axis] - 1.0).abs() < 0.02, "{}: axis {axis} is {found} m", model.id);
        }
        assert!(low[2].abs() < 1e-4, "{} starts at z = {}", model.id, low[2]);
        assert!((low[0] + high[0]).abs() < 2e-3 && (low[1] + high[1]).abs() < 2e-3, "{} is off centre", model.id);
    }
}

#[test]
fn meshes_are_small_and_whole() {
    for model in bundled().models() {
        let mesh = &model.mesh;
        assert!((50..=600).contains(&mesh.triangles.len()), "{}: {} triangles", model.id, mesh.triangles.len());
        assert_eq!(mesh.uvs.len(), mesh.positions.len(), "{}", model.id);
        for texture in &mesh.textures {
            assert_eq!(texture.rgb.len(), (texture.width * texture.height * 3) as usize, "{}", model.id);
        }
    }
}

#[test]
fn sizes_are_those_of_furniture() {
    for model in bundled().models() {
        let longest = model.size_m.into_iter().fold(0.0, f32::max);
        assert!((0.14..=2.6).contains(&longest), "{} is {longest} m long", model.id);
        assert!((0.0..=2.0).contains(&model.elevation_m), "{} hangs at {} m", model.id, model.elevation_m);
        assert!(!model.on_top || (longest <= 0.8 && model.elevation_m == 0.0), "{} is too large for a table", model.id);
    }
}

#[test]
fn split_follows_the_rule_in_each_class() {
    let catalogue = bundled();
    let mut novel_total = 0;
    for class in catalogue.classes() {
        let train = catalogue.models_of(class, FurnitureSplit::Train).len();
        let novel = catalogue.models_of(class, FurnitureSplit::Novel).len();
        assert!(train + novel >= 2, "{class} has one model only");
        assert_eq!(novel, novel_count(train + novel), "{class}");
        novel_total += novel;
    }
    let share = novel_total as f64 / catalogue.models().len() as f64;
    assert!((0.15..=0.25).contains(&share), "{share} of the models are novel");
}

#[test]
fn split_is_disjoint_by_shape_too() {
    let of = |split| bundled().models().iter().filter(move |model| model.split == split);
    for novel in of(FurnitureSplit::Novel) {
        assert!(of(FurnitureSplit::Train).all(|known| known.mesh != novel.mesh), "{} is known", novel.id);
    }
}

#[test]
fn ids_are_unique_and_order_is_fixed() {
    let catalogue = bundled();
    let ids: BTreeSet<&str> = catalogue.models().iter().map(|model| model.id.as_str()).collect();
    assert_eq!(ids.len(), catalogue.models().len());
    let again = Catalogue::from_pack(BUNDLED_PACK).unwrap();
    assert_eq!(catalogue.classes(), again.classes());
    assert!(catalogue.classes().is_sorted());
    assert!(catalogue.classes().len() >= 22);
    let splits = |c: &Catalogue| c.models().iter().map(|m| (m.id.clone(), m.split)).collect::<Vec<_>>();
    assert_eq!(splits(catalogue), splits(&again));
}

#[test]
fn novel_count_is_a_fifth_but_at_least_one_from_three_on() {
    assert_eq!([1, 2, 3, 5, 8, 11, 13].map(novel_count), [0, 0, 1, 1, 2, 2, 3]);
}

#[test]
fn a_repacked_pack_holds_the_same_shapes() {
    let models = pack::decode(BUNDLED_PACK).unwrap();
    let bytes = pack::encode(&models).unwrap();
    assert_eq!(bytes, pack::encode(&models).unwrap(), "equal models give equal bytes");
    for (before, after) in models.iter().zip(pack::decode(&bytes).unwrap()) {
        assert_eq!(before.mesh.triangles, after.mesh.triangles, "{}", after.id);
        for (a, b) in before.mesh.positions.iter().zip(&after.mesh.positions) {
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4), "{}", after.id);
        }
    }
}

#[test]
fn a_damaged_pack_is_an_error_that_says_where() {
    assert!(matches!(Catalogue::from_pack(b"no pack"), Err(PackError::Member { .. })));
    assert!(Catalogue::from_pack(&BUNDLED_PACK[..BUNDLED_PACK.len() / 2]).is_err());
    for at in (0..BUNDLED_PACK.len()).step_by(BUNDLED_PACK.len() / 40) {
        let mut bytes = BUNDLED_PACK.to_vec();
        bytes[at] ^= 0x5a;
        // Some bytes (dates in headers) matter to nobody; none may panic.
        let _ = Catalogue::from_pack(&bytes);
    }
    let mut models = pack::decode(BUNDLED_PACK).unwrap();
    models[0].mesh.triangles[0].indices[1] = u32::MAX;
    let error = pack::encode(&models).unwrap_err().to_string();
    assert!(error.contains("expected a vertex below") && error.contains("found 4294967295"), "{error}");
}

/// A file with the first bundled model of each class, renamed by `rename`, for one test.
fn extra_file(test: &str, rename: impl Fn(&str) -> String) -> std::path::PathBuf {
    let mut models = pack::decode(BUNDLED_PACK).unwrap();
    models.dedup_by(|a, b| a.class == b.class);
    models.iter_mut().for_each(|model| model.id = rename(&model.id));
    let path = std::env::temp_dir().join(format!("sim-{test}-{}.pack", std::process::id()));
    std::fs::write(&path, pack::encode(&models).unwrap()).unwrap();
    path
}

#[test]
fn an_extra_pack_adds_training_models_and_leaves_the_split_alone() {
    let path = extra_file("extra", |id| format!("extra/{id}"));
    let catalogue = Catalogue::with_extra(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    let split = |models: &[Model]| models.iter().map(|m| (m.id.clone(), m.split)).collect::<Vec<_>>();
    let (extra, known): (Vec<Model>, Vec<Model>) = catalogue.models().iter().cloned().partition(|model| model.extra);
    assert_eq!(split(&known), split(bundled().models()));
    assert_eq!(extra.len(), bundled().classes().len());
    assert!(extra.iter().all(|model| model.split == FurnitureSplit::Train && model.id.starts_with("extra/")));
    assert!(catalogue.models().is_sorted_by_key(|model| (model.class.clone(), model.id.clone())));
    assert_eq!(catalogue.classes(), bundled().classes());
}

#[test]
fn a_bad_extra_pack_is_an_error_that_names_the_file_or_the_id() {
    let missing = Catalogue::with_extra(Path::new("/nowhere/extra.pack")).unwrap_err();
    assert!(missing.to_string().contains("/nowhere/extra.pack"), "{missing}");
    let path = extra_file("twice", str::to_owned);
    let twice = Catalogue::with_extra(&path).unwrap_err();
    assert!(matches!(&twice, PackError::Duplicate(id) if bundled().model(id).is_some()), "{twice}");
    std::fs::write(&path, b"no pack").unwrap();
    let damaged = Catalogue::with_extra(&path).unwrap_err().to_string();
    std::fs::remove_file(&path).unwrap();
    assert!(damaged.contains(&path.display().to_string()), "{damaged}");
}
