//! From frames and questions to tokens and targets.

use std::sync::Arc;

use msgs::{ImaginedMap, ProblemType, Unit};

use crate::evidence::Coordinate;

/// Tokens with their mrope positions (temporal, height, width), all of one length.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Positions on the three axes.
    pub positions: [Vec<i64>; 3],
}

/// What a token is to be followed by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Label {
    /// Exactly this token.
    Token(u32),
    /// A token that spells a number near this one, in this unit (see [`crate::number_grid`]).
    Number(Unit, f64),
    /// A token that spells a coordinate near this one.
    Coordinate(Coordinate),
    /// A token that spells a heading near this one, degrees.
    Heading(f64),
}

/// The part of a completion that a target belongs to; the loss weighs each differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words that are the same in many completions.
    Words,
    /// The word that says whether the object is in sight.
    Presence,
    /// A coordinate of what the answer rests on.
    Place,
    /// A heading, a turn or a distance between places that the answer is worked out by.
    Working,
    /// What answers in the statement: the number, or the words of a choice.
    Value,
    /// The imagined map.
    Map,
    /// What stands in `<answer>`.
    Answer,
    /// What a drill is about: the working, the value, and the letter of a choice.
    Drill,
}

/// One target of one token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// What follows.
    pub label: Label,
    /// Where it stands.
    pub part: Part,
}

/// A question and its completion, behind the shared prefix.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    /// The tokens.
    pub tokens: Tokens,
    /// One entry per token: what it is to be followed by, `None` within the question.
    pub targets: Vec<Option<Target>>,
    /// How answers to the question are scored.
    pub problem_type: ProblemType,
    /// The true answer, exactly.
    pub solution: String,
    /// The unit of the answer; none where there are options.
    pub unit: Unit,
    /// What is to be chosen from, `A` first; empty for an open question.
    pub options: Vec<String>,
    /// Whether it sees nothing of the frames: a drill, whose completion gives what its answer follows from.
    pub is_blind: bool,
}

/// Dense truths on the patches of each pair of frames, in `pixel_values` row order; of the newer frame if not said.
///
/// They train the vision tower and the lower decoder layers, and are dropped at export.
#[derive(Clone, Debug, Default)]
pub struct PatchTargets {
    /// Share of the pixels of each class (see [`crate::SampleMaker::patch_classes`]), [patches, classes]: a small thing
    /// that has the majority of no patch counts too.
    pub class_shares: Vec<f32>,
    /// The same in the older frame.
    pub older_class_shares: Vec<f32>,
    /// ln of the mean depth in metres per patch; NaN where nothing was hit.
    pub log_depth: Vec<f32>,
    /// ln of the majority object's distance from the camera's ground point in metres; NaN for walls and floor.
    pub log_distance: Vec<f32>,
    /// Where on the floor plan the patch's majority object or surface is: metres to the right and ahead of the camera at
    /// the newest frame, [patches, 2]; NaN where nothing was hit, or the prompt does not state the camera's path. A
    /// network that states it has applied the path to what it sees.
    pub place_m: Vec<f32>,
    /// What each vision token shows, by name: shares of the tokens of the names, which add up to 1 for a vision token; none
    /// where nothing is known.
    pub names: Vec<Name>,
}

/// A share of a token of a name of what a vision token shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Name {
    /// The vision token's place in the clip.
    pub place: u32,
    /// The token.
    pub token: u32,
    /// Its share.
    pub share: f32,
}

impl PatchTargets {
    /// Of frames that nothing dense is known about: no class has a share, and every number is NaN.
    pub fn unknown([times, rows, columns]: [usize; 3], classes: usize) -> Self {
        let patches = times * rows * columns;
        Self {
            class_shares: vec![0.0; patches * classes],
            older_class_shares: vec![0.0; patches * classes],
            log_depth: vec![f32::NAN; patches],
            log_distance: vec![f32::NAN; patches],
            place_m: vec![f32::NAN; 2 * patches],
            names: Vec::new(),
        }
    }
}

/// One clip with several questions that share its frames.
#[derive(Clone, Debug, Default)]
pub struct ClipSample {
    /// Patch rows, [patches, 1176]; empty where there are embeds.
    pub pixel_values: Vec<f32>,
    /// What a vision tower that is not trained makes of the patches, [patches / 4, hidden].
    pub image_embeds: Option<Arc<[f32]>>,
    /// Patches in time, height and width.
    pub grid_thw: [usize; 3],
    /// Seconds from one grid step in time to the next.
    pub second_per_grid: Option<f32>,
    /// System prompt and frames, up to the end of the vision tokens.
    pub prefix: Tokens,
    /// Tokens of the prefix before the frames: what a blind question sees.
    pub before_frames: usize,
    /// The questions.
    pub segments: Vec<Segment>,
    /// The true map at the newest frame, where known.
    pub map: Option<ImaginedMap>,
    /// The categories that count in that map; of a map with a scale those of the furniture where empty.
    pub categories: Vec<String>,
    /// The dense truths.
    pub patches: PatchTargets,
}
