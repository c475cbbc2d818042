//! `spacer sim preview`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use sim::camera::Pose;
use sim::catalogue::Catalogue;
use sim::clip::Scene;
use sim::plan::FloorPlan;
use sim::questions::ask::{Answer, Video};
use sim::questions::exam::ExamQuestion;
use sim::questions::stage::Stage;
use sim::questions::walk::{ExaminedWalk, examine, world_after};
use sim::raster::{Renderer, Shot};
use sim::truth::cognitive::{MappedObject, Square, cognitive_map};
use sim::watch::WatchSettings;
use sim::world::RoomSplit;

use super::Split;
use super::canvas::{CHARACTER_PX, Canvas, Colour, LINE_PX};

/// Size of the whole picture.
const WIDTH: u32 = 1320;
/// Frames in a row, and the size of each.
const FRAMES: usize = 6;
const FRAME: [usize; 2] = [216, 162];
/// Side of the plan, of the map, and the space around things.
const PLAN_PX: i32 = 420;
const GAP: i32 = 4;
/// Longest text of a question, characters.
const QUESTION_LENGTH: usize = 105;
/// Depth that is drawn black, metres.
const FARTHEST_M: f32 = 8.0;
const BLACK: Colour = [0; 3];
const GREY: Colour = [190; 3];
const RED: Colour = [200, 30, 30];

/// Example: `spacer sim preview --seed 7 --out room.png`
#[derive(clap::Args)]
pub struct Arguments {
    /// The scene.
    #[arg(long)]
    seed: u64,
    /// Which rooms.
    #[arg(long, value_enum, default_value_t = Split::Train)]
    split: Split,
    /// Where the PNG goes.
    #[arg(long)]
    out: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let split = RoomSplit::from(arguments.split);
    let mut settings = WatchSettings::default();
    settings.variety.shadows = true;
    let scene = settings.scene(arguments.seed, split, Catalogue::bundled()?);
    let mut renderer = Renderer::new();
    let walk = examine(&scene, &settings, &mut split.rng(arguments.seed, "exam"), &mut renderer)?;
    let questions: Vec<&ExamQuestion> = walk.exams.iter().flat_map(|exam| &exam.questions).collect();
    let plan_top = 3 * (FRAME[1] as i32 + GAP) + 2 * LINE_PX;
    let list_top = plan_top + PLAN_PX + 3 * LINE_PX;
    let rows = questions.len().div_ceil(2) as i32;
    let mut canvas = Canvas::new(WIDTH, (list_top + rows * 2 * LINE_PX + 2 * LINE_PX) as u32);
    let title = format!(
        "seed {}, {:.1} m2, {} questions",
        arguments.seed,
        FloorPlan::of(&scene.world).area_m2(),
        questions.len()
    );
    canvas.text([GAP, 0], &title, BLACK);
    draw_frames(&mut canvas, &scene, &settings.poses(&scene), &mut renderer);
    let frames = 0..walk.watch.frames.len();
    let world = world_after(&scene, &walk.watch, &frames);
    if let Some(stage) = Stage::new(&world, &walk.watch, frames) {
        draw_plan(&mut canvas, &stage, [GAP, plan_top]);
        draw_map(&mut canvas, &stage, [3 * GAP + PLAN_PX, plan_top]);
        draw_tally(&mut canvas, &walk, [5 * GAP + 2 * PLAN_PX, plan_top]);
    }
    draw_questions(&mut canvas, &questions, list_top);
    canvas.into_picture().save(&arguments.out).with_context(|| format!("writing {}", arguments.out.display()))?;
    println!("{}: {} questions", arguments.out.display(), questions.len());
    Ok(())
}

/// Colours of some frames, and below them ids and depth.
fn draw_frames(canvas: &mut Canvas, scene: &Scene, poses: &[Pose], renderer: &mut Renderer) {
    let camera = scene.camera.resized(FRAME[0], FRAME[1]);
    let mut sensor = scene.sensor.clone();
    let mut rng = RoomSplit::Train.rng(0, "preview");
    for (column, pose) in poses.iter().step_by(poses.len().div_ceil(FRAMES).max(1)).take(FRAMES).enumerate() {
        let shot = Shot { camera, pose: *pose, supersample: 2 };
        let world = scene.world.at(pose.stamp_secs);
        let view = renderer.render(world.bodies(), &world.lighting, &shot);
        let mut rgb = Vec::new();
        sensor.develop(view, &mut rng, &mut rgb);
        let ids: Vec<u8> = view.ids.iter().flat_map(|&id| id_colour(id)).collect();
        let depth: Vec<u8> = view.depth.iter().flat_map(|&metres| [depth_grey(metres); 3]).collect();
        let x = GAP + column as i32 * (FRAME[0] as i32 + GAP);
        for (row, picture) in [rgb, ids, depth].iter().enumerate() {
            canvas.blit([x, LINE_PX + row as i32 * (FRAME[1] as i32 + GAP)], FRAME[0], picture);
        }
        canvas.text([x + 3, LINE_PX + 3], &format!("{:.0} s", pose.stamp_secs), [255, 255, 0]);
    }
}

/// White at the camera, black from [`FARTHEST_M`] on.
fn depth_grey(metres: f32) -> u8 {
    (255.0 * (1.0 - (metres / FARTHEST_M).sqrt()).max(0.0)) as u8
}

/// A colour that tells neighbouring ids apart.
fn id_colour(id: u16) -> Colour {
    let part = |k: u32| (60 + (u32::from(id) * k) % 190) as u8;
    if id < sim::body::FIRST_OBJECT_ID { [40 + 25 * id as u8; 3] } else { [part(97), part(151), part(59)] }
}

/// From plan metres to the pixels of a panel, north up.
fn onto(square: &Square, corner: [i32; 2], p: [f64; 2]) -> [i32; 2] {
    let scale = f64::from(PLAN_PX) / (10.0 * square.cell_m);
    let [x, y] = [(p[0] - square.origin[0]) * scale, f64::from(PLAN_PX) - (p[1] - square.origin[1]) * scale];
    [corner[0] + x as i32, corner[1] + y as i32]
}

fn draw_walls(canvas: &mut Canvas, plan: &FloorPlan, square: &Square, corner: [i32; 2]) {
    let corners: Vec<[i32; 2]> = plan.corners().iter().map(|&p| onto(square, corner, p)).collect();
    canvas.outline(&corners, BLACK, 3);
}

/// Walls, boxes (red where never seen), the path from green to blue.
fn draw_plan(canvas: &mut Canvas, stage: &Stage, corner: [i32; 2]) {
    let square = Square::of(stage);
    draw_walls(canvas, &stage.plan, &square, corner);
    for (index, object) in stage.objects.iter().enumerate() {
        let colour = if stage.is_seen(index) { id_colour(object.id) } else { RED };
        canvas.outline(&object.plan.corners().map(|p| onto(&square, corner, p)), colour, 2);
        canvas.text(onto(&square, corner, object.plan.centre), &object.class, BLACK);
    }
    let count = stage.frames.len().max(2) - 1;
    for (at, frame) in stage.frames.iter().enumerate() {
        let [x, y, _] = frame.pose.position;
        let late = (255 * at / count) as u8;
        let here = onto(&square, corner, [x, y]);
        let ahead = onto(&square, corner, [x + 0.25 * frame.pose.yaw.cos(), y + 0.25 * frame.pose.yaw.sin()]);
        canvas.line(here, ahead, GREY, 1);
        canvas.dot(here, 1, [0, 255 - late, late]);
    }
}

/// The cognitive map.
fn draw_map(canvas: &mut Canvas, stage: &Stage, corner: [i32; 2]) {
    let square = Square::of(stage);
    let cell = PLAN_PX / 10;
    for line in 0..=10 {
        let at = line * cell;
        canvas.line([corner[0] + at, corner[1]], [corner[0] + at, corner[1] + PLAN_PX], GREY, 1);
        canvas.line([corner[0], corner[1] + at], [corner[0] + PLAN_PX, corner[1] + at], GREY, 1);
    }
    draw_walls(canvas, &stage.plan, &square, corner);
    let mut taken = [[0; 10]; 10];
    for MappedObject { class, accepted } in cognitive_map(stage) {
        let Some(first) = accepted.first() else { continue };
        let lines = &mut taken[usize::from(first.y) % 10][usize::from(first.x) % 10];
        let at = [corner[0] + i32::from(first.x) * cell, corner[1] + PLAN_PX - (i32::from(first.y) + 1) * cell];
        let mark = if accepted.len() > 1 { "*" } else { "" };
        let name: String = class.chars().take((cell / CHARACTER_PX) as usize).collect();
        canvas.text([at[0] + 2, at[1] + 2 + *lines * LINE_PX], &format!("{name}{mark}"), BLACK);
        *lines += 1;
    }
    canvas.text([corner[0], corner[1] + PLAN_PX + 2], "cognitive map; * accepts a neighbouring cell too", BLACK);
}

/// How many questions of each topic.
fn draw_tally(canvas: &mut Canvas, walk: &ExaminedWalk, corner: [i32; 2]) {
    for (row, topic) in sim::questions::ask::Topic::ALL.into_iter().enumerate() {
        let counts: Vec<String> = walk.exams.iter().map(|exam| exam.tally.of(topic).kept.to_string()).collect();
        let at = [corner[0], corner[1] + row as i32 * LINE_PX];
        canvas.text(at, &format!("{:28} {}", topic.name(), counts.join(" + ")), BLACK);
    }
}

/// Two columns, each question over its answer.
fn draw_questions(canvas: &mut Canvas, questions: &[&ExamQuestion], top: i32) {
    let rows = questions.len().div_ceil(2).max(1);
    for (index, question) in questions.iter().enumerate() {
        let x = GAP + (index / rows) as i32 * (WIDTH as i32 / 2);
        let y = top + (index % rows) as i32 * 2 * LINE_PX;
        let text: String = question.text.chars().take(QUESTION_LENGTH).collect();
        canvas.text([x, y], &text, BLACK);
        let answer: String = answer_line(question).chars().take(QUESTION_LENGTH).collect();
        canvas.text([x + 2 * CHARACTER_PX, y + LINE_PX - 1], &answer, [0, 90, 160]);
    }
}

fn answer_line(question: &ExamQuestion) -> String {
    let truth = match &question.answer {
        Answer::Number(value) => format!("{value:.2} {}", question.kind.unit().symbol()),
        Answer::NotSeen => "not seen".to_owned(),
        Answer::Words(_) => {
            let lettered = ('A'..='Z').zip(&question.options).map(|(letter, option)| {
                let mark = if question.letter() == Some(letter) { "*" } else { "" };
                format!("{mark}{letter}. {option}")
            });
            lettered.collect::<Vec<_>>().join("  ")
        }
    };
    let video = match question.video {
        Video::Walk => String::new(),
        Video::Without(id) => format!("  [without object {id}]"),
        Video::Black => "  [black video]".to_owned(),
        Video::Frozen(frame) => format!("  [frozen at frame {frame}]"),
    };
    format!("{truth}  [frames {}-{}]{video}", question.frames.start, question.frames.end)
}
