//! Scenes of simulated rooms, made from seeds as those of supervised training are.

use std::collections::BTreeSet;
use std::path::Path;

use episodes::{ClipSample, SampleMaker, SampleSettings, Segment, Split, Tokens};
use perception::answer_format;
use processor::Processor;

use crate::scene::{Problem, Prompt, Scene, SceneSource, TrueMap};
use crate::{Error, Result};

/// Simulated rooms as a source of scenes.
pub struct Simulation {
    maker: SampleMaker,
    categories: BTreeSet<String>,
    epoch_scenes: Option<u64>,
}

impl Simulation {
    /// Scenes as the samples of supervised training are made; with `epoch_scenes`, so many for training before they come
    /// again.
    ///
    /// # Errors
    /// When a file of the model directory `dir` is missing or unreadable.
    pub fn new(dir: &Path, settings: SampleSettings, epoch_scenes: Option<u64>) -> Result<Self> {
        let maker = SampleMaker::new(dir, settings)?;
        let categories = maker.patch_classes().iter().skip(1).cloned().collect();
        Ok(Self { maker, categories, epoch_scenes })
    }

    fn prompt(&self, sample: &ClipSample, segment: &Segment, index: u64) -> Result<Prompt> {
        let refuse = |expected: &str, found: String| Error::Prompt { scene: index, expected: expected.into(), found };
        let first = segment.targets.iter().position(Option::is_some);
        let first = first.ok_or_else(|| refuse("a question with a true completion", "none".into()))?;
        let part = |axis: usize| {
            let question = segment.tokens.positions[axis].iter().take(first + 1);
            sample.prefix.positions[axis].iter().chain(question).copied().collect()
        };
        let question = segment.tokens.ids.iter().take(first + 1);
        let tokens = Tokens {
            ids: sample.prefix.ids.iter().chain(question).copied().collect(),
            positions: std::array::from_fn(part),
        };
        // A map without a scale is of a data set, whose record lists what counts, be it nothing.
        let is_ours = sample.map.as_ref().is_none_or(|map| map.cell_size_m.is_some());
        let categories = match sample.categories.as_slice() {
            [] if is_ours => self.categories.clone(),
            listed => listed.iter().cloned().collect(),
        };
        let problem = Problem {
            problem_type: segment.problem_type,
            solution: segment.solution.clone(),
            map: sample.map.clone().map(|map| TrueMap { map, categories }),
            interval_coverage: None,
            format: Some(answer_format(segment.unit, &segment.options, self.maker.states_answers())),
        };
        Ok(Prompt { tokens, problem })
    }
}

impl SceneSource for Simulation {
    fn scene(&self, split: Split, index: u64) -> Result<Scene> {
        let period = self.epoch_scenes.filter(|_| split == Split::Train);
        let sample = self.maker.sample(split, period.map_or(index, |period| index % period.max(1)))?;
        let prompts = sample.segments.iter().map(|segment| self.prompt(&sample, segment, index));
        let prompts = prompts.collect::<Result<_>>()?;
        let ClipSample { pixel_values, grid_thw, second_per_grid, .. } = sample;
        Ok(Scene { prompts, pixel_values, grid_thw, second_per_grid })
    }

    fn processor(&self) -> &Processor {
        self.maker.processor()
    }
}
