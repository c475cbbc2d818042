//! Simulated clips as episodes.

use geometry::RigidTransform;
use model_dir::Prompts;
use msgs::{QuestionKind, Unit};
use nalgebra::{Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};
use recording::CellMap;
use sim::camera::Pose as CameraPose;
use sim::clip::Clip;
use sim::questions::{Question as ClipQuestion, Truth};

use crate::completion::NOT_SEEN;
use crate::episode::{
    Episode, Frame, Label, LabelSource, Picture, PictureFormat, Pose, ProblemType, Question, Span, number_text,
};
use crate::maker::camera_facts;
use crate::{Error, Result};

/// `data_source` of what the simulator made.
pub const SIMULATION: &str = "simulation";

/// The episode of a clip, its first frame at `start_nanos`, its questions in the first wording of their kind.
///
/// # Errors
/// When there is no wording for a kind.
pub fn clip_episode(
    id: &str,
    clip: &Clip,
    prompts: &Prompts,
    start_nanos: i64,
    format: PictureFormat,
) -> Result<Episode> {
    let began_secs = clip.poses.first().map_or(0.0, |pose| pose.stamp_secs);
    let (width, height) = (clip.camera.width as u32, clip.camera.height as u32);
    let mut frames = Vec::with_capacity(clip.frames.len());
    for ((rgb, pose), believed) in clip.frames.iter().zip(&clip.poses).zip(&clip.odometry) {
        let stamp_nanos = start_nanos + ((pose.stamp_secs - began_secs) * 1e9).round() as i64;
        let picture = Picture::encode(width, height, rgb, format)?;
        let camera = Some(Pose::from(&optical(believed)));
        frames.push(Frame { stamp_nanos, pose: Some(Pose::from(&base(pose))), camera, picture });
    }
    let span = match (frames.first(), frames.last()) {
        (Some(first), Some(last)) => Some(Span { from_nanos: first.stamp_nanos, until_nanos: last.stamp_nanos }),
        _ => None,
    };
    let questions = clip.questions.iter().enumerate();
    let questions = questions.map(|(number, question)| Ok(Question { span, ..asked(number, question, prompts)? }));
    Ok(Episode {
        id: id.to_owned(),
        data_source: SIMULATION.to_owned(),
        camera: camera_facts(&clip.camera, clip.poses.last()),
        frames,
        questions: questions.collect::<Result<_>>()?,
        map: Some(CellMap::from(&clip.map).into()),
    })
}

/// The robot's base: on the ground under the camera, looking where it looks.
fn base(camera: &CameraPose) -> RigidTransform {
    let [x, y, _] = camera.position;
    let turn = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), camera.yaw);
    RigidTransform::from_parts(Translation3::new(x, y, 0.0), turn)
}

/// The camera's optical frame in the world: x right, y down, z forward.
pub fn optical(camera: &CameraPose) -> RigidTransform {
    let axes = Matrix3::from_columns(&camera.optical_axes().map(Vector3::from));
    let turn = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(axes));
    RigidTransform::from_parts(Translation3::from(camera.position), turn)
}

fn asked(number: usize, question: &ClipQuestion, prompts: &Prompts) -> Result<Question> {
    let kind = question.kind.name();
    let phrasing = prompts.kinds.get(kind).and_then(|kind| kind.phrasings.first());
    let phrasing = phrasing.ok_or(Error::NoPhrasing { expected: kind })?;
    Ok(Question {
        id: format!("q{number}"),
        text: grounding::prompt::phrase(phrasing, &question.class),
        problem_type: problem_type(question.kind),
        kind: kind.to_owned(),
        label: Some(Label::new(truth_text(question.truth), LabelSource::Simulation)),
        ..Question::default()
    })
}

/// How an answer of this kind is scored.
pub(crate) fn problem_type(kind: QuestionKind) -> ProblemType {
    if kind.unit() == Unit::None { ProblemType::FreeForm } else { ProblemType::Numerical }
}

fn truth_text(truth: Truth) -> String {
    match truth {
        Truth::Number(value) => number_text(value),
        Truth::NotSeen => NOT_SEEN.to_owned(),
    }
}
