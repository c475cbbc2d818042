//! Seconds of one step of reinforcement learning, for `scripts/bench_training.py`: `grpo_steps RECIPE PICTURE WIDTH HEIGHT
//! QUESTION…` asks each question in turn about one picture (RGB, 8 bits) and makes a step of the recipe, rollouts and
//! rewards included, for each line on standard input.

use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use episodes::{Split, Tokens};
use grpo::scene::{Problem, Prompt, Scene, SceneSource};
use grpo::{Recipe, Trainer};
use parallel::World;
use processor::{Content, Message, Processor, RgbView};
use scoring::ProblemType;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The same scenes for ever.
struct Repeated {
    processor: Processor,
    scenes: Vec<Scene>,
}

impl SceneSource for Repeated {
    fn scene(&self, _: Split, index: u64) -> grpo::Result<Scene> {
        Ok(self.scenes[index as usize % self.scenes.len()].clone())
    }

    fn processor(&self) -> &Processor {
        &self.processor
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [recipe, picture, width, height, questions @ ..] = arguments.as_slice() else {
        return Err("usage: grpo_steps RECIPE PICTURE WIDTH HEIGHT QUESTION…".into());
    };
    let recipe = Recipe::read(Path::new(recipe))?;
    let processor = Processor::from_dir(&recipe.model)?;
    let pixels = std::fs::read(picture)?;
    let image = || processor.image(&RgbView::new(width.parse().unwrap_or(0), height.parse().unwrap_or(0), &pixels)?);
    let scene = |question: &String| -> Result<Scene> {
        let content = vec![Content::Image, Content::Text(question.clone())];
        let inputs = processor.prepare(&[Message::new("user", content)], vec![image()?], Vec::new())?;
        let tokens = Tokens { ids: inputs.input_ids, positions: inputs.position_ids };
        let problem = Problem {
            problem_type: ProblemType::FreeForm,
            solution: "about two metres".into(),
            map: None,
            interval_coverage: None,
            format: None,
        };
        let image = image()?;
        Ok(Scene {
            pixel_values: image.pixel_values,
            grid_thw: image.grid_thw,
            second_per_grid: None,
            prompts: vec![Prompt { tokens, problem }],
        })
    };
    let scenes = questions.iter().map(scene).collect::<Result<Vec<_>>>()?;
    println!("{}", scenes.iter().flat_map(|scene| &scene.prompts).map(|prompt| prompt.tokens.ids.len()).sum::<usize>());
    let checkpoints = Path::new("no checkpoints");
    let mut trainer = Trainer::new(recipe, Box::new(Repeated { processor, scenes }), checkpoints, World::single())?;
    for line in std::io::stdin().lock().lines() {
        line?;
        let began = Instant::now();
        let report = trainer.step()?;
        println!("{} {}", began.elapsed().as_secs_f64(), report.completion_tokens);
    }
    Ok(())
}
