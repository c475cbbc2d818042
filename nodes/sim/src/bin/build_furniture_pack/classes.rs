//! Which pieces of the source catalogue are used, and what a person calls them.
//!
//! Chosen by looking at every piece. Left out: outdoor things, vehicles, people and animals,
//! food and things under 15 cm, what hangs from a ceiling, what two people would name
//! differently (bidet, drafting table, crib), and classes of a single model. Left out too are
//! `winchesterArmchair` and `winchesterSofa`: the catalogue calls them CC0, but the licence file
//! beside each says CC-BY 3.0.

/// Class name, its pieces, and those of them that are small enough to stand on a table.
pub type Class = (&'static str, &'static [&'static str], &'static [&'static str]);

/// All classes.
pub const CLASSES: &[Class] = &[
    ("armchair", &["armchair2", "modernArmchair"], &[]),
    ("bag", &["briefcase", "handbag"], &["briefcase", "handbag"]),
    ("bed", &["bed1", "bed2", "bed3", "bedWithTexture"], &[]),
    ("bench", &["bench", "pianoBench"], &[]),
    ("box", &["ammoBox", "box", "crate"], &[]),
    (
        "cabinet",
        &[
            "bedsideTable2",
            "drawersCabinet",
            "glassDoorCabinet",
            "highCabinet",
            "lowerCabinet",
            "lowerCornerCabinet",
            "smallUpperCabinet",
            "televisionCabinet",
            "upperCabinet",
            "upperCornerCabinet",
        ],
        &[],
    ),
    (
        "chair",
        &[
            "antiqueChair",
            "armchair",
            "chair",
            "chair2",
            "chairWithCushion",
            "designChair",
            "oakChair",
            "osakaChair",
            "plasticChair",
            "sillaBlanca",
            "thonet",
        ],
        &[],
    ),
    ("desk", &["desk", "lbDesk"], &[]),
    ("fan", &["riggedFan", "tableFan"], &["riggedFan", "tableFan"]),
    ("lamp", &["JapaneseLantern", "desklamp", "wallLight"], &["JapaneseLantern", "desklamp"]),
    ("oven", &["doubleOven", "oven"], &[]),
    (
        "plant",
        &["augalas", "cactus", "decorativePlant", "flowerBox", "littlePlant", "orchids", "plant", "plantie"],
        &["cactus", "flowerBox", "littlePlant", "orchids"],
    ),
    ("radiator", &["radiator", "radiator1", "radiator2", "radiator3"], &[]),
    ("refrigerator", &["largeFridge", "refrigerator"], &[]),
    ("shelf", &["bookcase", "shelves", "verticalShelves"], &[]),
    ("sink", &["modernVanity", "sinkCabinet", "washbasin"], &[]),
    ("sofa", &["L_shaped_sofa", "couch", "couch2", "sofa", "sofa2"], &[]),
    ("speaker", &["speaker2", "speaker3"], &["speaker2", "speaker3"]),
    ("stool", &["foldingChair", "silla2", "stool", "stool2"], &[]),
    ("table", &["oakTable", "table", "tableWithTablecloth", "technicalTable1"], &[]),
    ("towel", &["towel2", "towel3"], &[]),
    ("wardrobe", &["cupboard", "wardrobeWithSlidingDoors"], &[]),
];

/// Plants of many loose leaves, which [`crate::leaves`] thins out.
pub const LEAFY: &[&str] = &["decorativePlant", "flowerBox", "littlePlant", "orchids", "plant", "plantie"];
