//! From frames and exercises to tokens: what the robot's prompt would be, and what is to be written behind it.

use std::ops::Range;
use std::path::Path;

use geometry::{CameraFacts, PlanPose};
use grounding::prompt::{coordinate, coordinates, heading, headings};
use model_dir::Prompts;
use msgs::{ImaginedMap, Unit};
use processor::{Content, Message, Processor, RgbView, VisionInput};
use sim::questions::ask::Answer;

use crate::completion::{ABSENT_WORD, Completion, PRESENCE_PREFIX, completion};
use crate::evidence::{Figure, Place, roll_calls};
use crate::exercise::Exercise;
use crate::maker::read_prompts;
use crate::number_grid::{GRID_UNITS, number_grid};
use crate::sample::{ClipSample, Label, Part, Segment, Target, Tokens};
use crate::{Error, Result};

const END_OF_TURN: &str = "<|im_end|>";
/// The name of what is no object.
const NO_OBJECT: &str = "<|vision_pad|>";

/// What is known about some frames.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a> {
    /// Their grid and rate; patch rows are not read.
    pub vision: &'a VisionInput,
    /// What the prompt states about the camera.
    pub facts: CameraFacts,
    /// Where it was at each pair of frames, oldest first, where the prompt states it.
    pub cameras: Option<&'a [PlanPose]>,
    /// The true map at the newest frame.
    pub map: Option<&'a ImaginedMap>,
    /// Where things are, nearest first, as far as it is to be stated.
    pub places: &'a [Place],
}

/// How much of a completion is taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// The statement; without a known map the answer too.
    Answer,
}

/// The tokens that spell the numbers of a unit, with their values, ascending.
pub type NumberTokens = Vec<(u32, f64)>;

/// A model directory's processor and wording, put to teaching.
pub struct Teacher {
    processor: Processor,
    prompts: Prompts,
    numbers: Vec<(Unit, NumberTokens)>,
    coordinates: NumberTokens,
    headings: NumberTokens,
    absent_word: u32,
}

impl Teacher {
    /// Reads processor and prompts of the model directory `dir`. A unit whose numbers the tokenizer does not spell with
    /// one token each is taught token by token.
    ///
    /// # Errors
    /// When a file is missing or unreadable.
    pub fn new(dir: &Path) -> Result<Self> {
        let processor = Processor::from_dir(dir)?;
        let prompts = read_prompts(&dir.join("prompts.toml"))?;
        let spelt = |unit: Unit| -> Option<(Unit, NumberTokens)> {
            let grid = number_grid(unit).into_iter();
            let tokens = grid.map(|(value, text)| Some((single_token(&processor, &text).ok()?, value)));
            Some((unit, tokens.collect::<Option<_>>()?))
        };
        let numbers = GRID_UNITS.into_iter().filter_map(spelt).collect();
        let absent_word = single_token(&processor, ABSENT_WORD)?;
        let spelt = |text: String, value: f64| Some((single_token(&processor, &text).ok()?, value));
        let coordinates: Option<NumberTokens> = coordinates().map(|metres| spelt(coordinate(metres), metres)).collect();
        let headings: Option<NumberTokens> = headings().map(|degrees| spelt(heading(degrees), degrees)).collect();
        let (coordinates, headings) = coordinates.zip(headings).unwrap_or_default();
        Ok(Self { processor, prompts, numbers, coordinates, headings, absent_word })
    }

    /// The processor of the model directory.
    pub fn processor(&self) -> &Processor {
        &self.processor
    }

    /// The wording of the model directory.
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// The tokens that spell numbers, by unit.
    pub fn number_tokens(&self) -> &[(Unit, NumberTokens)] {
        &self.numbers
    }

    /// The tokens that spell coordinates, ascending; empty where the tokenizer does not spell each of them, and of headings,
    /// with one token. Such a model is not taught to say where things are.
    pub fn coordinate_tokens(&self) -> &NumberTokens {
        &self.coordinates
    }

    /// The tokens that spell headings, ascending; empty where coordinates are.
    pub fn heading_tokens(&self) -> &NumberTokens {
        &self.headings
    }

    /// The tokens that spell each class within a sentence. The first class is whatever is no object: a token that stands in no
    /// sentence is its name.
    ///
    /// # Errors
    /// When the tokenizer refuses a name.
    pub fn class_names(&self, classes: &[String]) -> Result<Vec<Vec<u32>>> {
        let tokenizer = self.processor.tokenizer();
        let mut names = Vec::with_capacity(classes.len());
        for (index, class) in classes.iter().enumerate() {
            let nothing = tokenizer.token_id(NO_OBJECT).filter(|_| index == 0);
            names.push(match nothing {
                Some(id) => vec![id],
                None => tokenizer.encode(&format!(" {class}"))?,
            });
        }
        Ok(names)
    }

    /// The token that begins "do not see".
    pub fn absent_word(&self) -> u32 {
        self.absent_word
    }

    /// Patch rows of frames, RGB, oldest first, of `width` × `height` pixels, `rate_hz` a second.
    ///
    /// # Errors
    /// When the processor refuses a frame.
    pub fn look(&self, frames: &[Vec<u8>], (width, height): (usize, usize), rate_hz: f64) -> Result<VisionInput> {
        let views: Vec<RgbView> = frames.iter().map(|data| RgbView { width, height, data }).collect();
        Ok(self.processor.video(&views, rate_hz)?)
    }

    /// The lesson's sample, without anything seen.
    ///
    /// # Errors
    /// When the processor refuses a prompt, or tokens don't line up with text.
    pub fn sample(&self, lesson: &Lesson, exercises: &[(Exercise, Extent)]) -> Result<ClipSample> {
        let &VisionInput { grid_thw, second_per_grid, .. } = lesson.vision;
        let map = lesson.map.cloned();
        let mut sample = ClipSample { map, grid_thw, second_per_grid, ..ClipSample::default() };
        for (exercise, extent) in exercises {
            let (prefix, segment) = self.taught(lesson, exercise, *extent)?;
            sample.prefix = prefix;
            sample.segments.push(segment);
        }
        let vision_start = self.processor.config().tokens.vision_start;
        sample.before_frames = sample.prefix.ids.iter().position(|id| *id == vision_start).unwrap_or_default();
        Ok(sample)
    }

    /// A question that sees no frames, only the places that its statement gives: of these it is to make the answer.
    ///
    /// # Errors
    /// As [`Self::sample`].
    pub fn drill(&self, lesson: &Lesson, exercise: &Exercise) -> Result<Segment> {
        let (_, segment) = self.taught(lesson, exercise, Extent::Answer)?;
        let drilled = |part: Part| matches!(part, Part::Working | Part::Value | Part::Answer).then_some(Part::Drill);
        Ok(Segment { is_blind: true, ..only(segment, drilled) })
    }

    /// Where everything is that is the only one of its class, and when everything came into sight, in the order of the
    /// lesson's places.
    ///
    /// # Errors
    /// As [`Self::sample`].
    pub fn roll_calls(&self, lesson: &Lesson) -> Result<Vec<Segment>> {
        if self.coordinates.is_empty() {
            return Ok(Vec::new());
        }
        let called = |exercise: Exercise| {
            let (_, segment) = self.taught(lesson, &exercise, Extent::Answer)?;
            Ok(only(segment, |part| (part == Part::Place).then_some(part)))
        };
        roll_calls(lesson.places).into_iter().map(called).collect()
    }

    /// The prefix that all questions of the lesson share, and this one.
    fn taught(&self, lesson: &Lesson, exercise: &Exercise, extent: Extent) -> Result<(Tokens, Segment)> {
        let &VisionInput { grid_thw, second_per_grid, .. } = lesson.vision;
        let grid_only = VisionInput { pixel_values: Vec::new(), grid_thw, second_per_grid };
        let system = grounding::prompt::system(&self.prompts.system, &lesson.facts, lesson.cameras);
        let asked = exercise.asked();
        let user = self.prompts.user_text(asked.kind.name(), &asked.text);
        let messages = [
            Message::new("system", vec![Content::Text(system)]),
            Message::new("user", vec![Content::Video, Content::Text(user)]),
        ];
        let prompt = self.processor.render(&messages, true)?;
        let places = if self.coordinates.is_empty() { &[] } else { lesson.places };
        let completion = completion(exercise, lesson.map.unwrap_or(&ImaginedMap::default()), places);
        // Nobody is taught to leave the map out where it is merely not known.
        let extent = if lesson.map.is_some() { extent } else { Extent::Answer };
        let written = Written::new(completion, extent, lesson.map.is_none());
        self.segment(&prompt, &grid_only, (exercise, &written))
    }

    fn segment(
        &self,
        prompt: &str,
        grid_only: &VisionInput,
        (exercise, written): (&Exercise, &Written),
    ) -> Result<(Tokens, Segment)> {
        let prompt_length = self.processor.prepare_text(prompt, vec![], vec![grid_only.clone()])?.input_ids.len();
        let text = format!("{prompt}{}{END_OF_TURN}", written.text);
        let inputs = self.processor.prepare_text(&text, vec![], vec![grid_only.clone()])?;
        let mut targets = self.targets(exercise, written)?;
        let found = inputs.input_ids.len() - prompt_length;
        if targets.len() + 1 != found {
            let expected = format!("{} completion tokens and {END_OF_TURN} behind the prompt", targets.len());
            return Err(Error::Tokens { expected, found: format!("{found} tokens") });
        }
        let end = Label::Token(inputs.input_ids[prompt_length + targets.len()]);
        targets.push((written.extent == Extent::Whole).then_some(Target { label: end, part: Part::Words }));
        targets.truncate(targets.iter().rposition(Option::is_some).map_or(0, |last| last + 1));
        let vision_end = self.processor.config().tokens.vision_end;
        let prefix = inputs.input_ids.iter().rposition(|id| Some(*id) == vision_end).map_or(0, |i| i + 1);
        let last = (prompt_length + targets.len()).saturating_sub(1);
        let slice = |range: Range<usize>| Tokens {
            ids: inputs.input_ids[range.clone()].to_vec(),
            positions: std::array::from_fn(|axis| inputs.position_ids[axis][range.clone()].to_vec()),
        };
        let mut row = vec![None; prompt_length - 1 - prefix];
        row.extend(targets);
        let asked = exercise.asked();
        let segment = Segment {
            tokens: slice(prefix..last),
            targets: row,
            problem_type: exercise.problem_type(),
            solution: exercise.solution(),
            unit: asked.kind.unit(),
            options: asked.options,
            is_blind: false,
        };
        Ok((slice(0..prefix), segment))
    }

    /// For each token of what is written: the target that it is, if it is one.
    fn targets(&self, exercise: &Exercise, written: &Written) -> Result<Vec<Option<Target>>> {
        let tokenizer = self.processor.tokenizer().inner();
        let encoding = tokenizer.encode(written.text.as_str(), false).map_err(|e| Error::Tokenizer(e.to_string()))?;
        let unit = exercise.question.kind.unit();
        let on_grid = self.numbers.iter().any(|(of, _)| *of == unit);
        let target = |(id, &(start, end)): (&u32, &(usize, usize))| {
            if let Some((_, figure)) = written.figures.iter().find(|(bytes, _)| *bytes == (start..end)) {
                return Some(match *figure {
                    Figure::Coordinate(coordinate) => {
                        Target { label: Label::Coordinate(coordinate), part: Part::Place }
                    }
                    Figure::Heading(degrees) => Target { label: Label::Heading(degrees), part: Part::Working },
                    Figure::Distance(metres) => {
                        Target { label: Label::Number(Unit::Metre, metres), part: Part::Working }
                    }
                    Figure::Frame(_) => Target { label: Label::Token(*id), part: Part::Place },
                });
            }
            let part = written.part(&(start..end))?;
            let spells_value = (start..end) == written.value;
            let label = match (&exercise.truth, part) {
                (Answer::Number(value), Part::Value) if on_grid && spells_value => Label::Number(unit, *value),
                _ => Label::Token(*id),
            };
            Some(Target { label, part })
        };
        Ok(encoding.get_ids().iter().zip(encoding.get_offsets()).map(target).collect())
    }
}

/// `segment` with the targets whose parts `of` keeps, as what it makes of them, up to the last.
fn only(mut segment: Segment, of: impl Fn(Part) -> Option<Part>) -> Segment {
    let kept = |Target { label, part }: Target| of(part).map(|part| Target { label, part });
    segment.targets.iter_mut().for_each(|target| *target = target.and_then(&kept));
    let length = segment.targets.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    segment.targets.truncate(length);
    segment.tokens.ids.truncate(length);
    segment.tokens.positions.iter_mut().for_each(|axis| axis.truncate(length));
    segment
}

/// A completion as far as it is taught.
struct Written {
    text: String,
    extent: Extent,
    figures: Vec<(Range<usize>, Figure)>,
    value: Range<usize>,
    letter: Range<usize>,
    statement_end: usize,
    map_end: usize,
    answer: Range<usize>,
}

impl Written {
    fn new(completion: Completion, extent: Extent, skips_map: bool) -> Self {
        let Completion { statement, figures, value, letter, map, answer } = completion;
        let map = if skips_map { String::new() } else { map };
        let (statement_end, map_end) = (statement.len(), statement.len() + map.len());
        let inside =
            answer.find("<answer>").map_or(0, |at| at + "<answer>".len())..answer.find("</answer>").unwrap_or(0);
        let answer_range = map_end + inside.start..map_end + inside.end;
        let text = statement + &map + &answer;
        Self { text, extent, figures, value, letter, statement_end, map_end, answer: answer_range }
    }

    /// Where a token stands; `None` where it isn't taught.
    fn part(&self, token: &Range<usize>) -> Option<Part> {
        let touches = |range: &Range<usize>| !range.is_empty() && token.start < range.end && range.start < token.end;
        let skips_map = self.map_end == self.statement_end;
        // Where words end is part of the answer: who can't stop a list goes on for ever.
        let behind = self.text.get(self.value.end..).unwrap_or_default();
        let ends_value = !self.value.is_empty() && token.start == self.value.end && behind.starts_with(['.', ';']);
        match token.start {
            _ if touches(&self.letter) => Some(Part::Answer),
            _ if touches(&self.value) || ends_value => Some(Part::Value),
            start if start == PRESENCE_PREFIX.len() => Some(Part::Presence),
            _ if touches(&self.answer) => (self.extent == Extent::Whole || skips_map).then_some(Part::Answer),
            // Where the map is left out, what follows the statement is not what the model is to write there.
            start if start < self.statement_end => {
                (!skips_map || token.end <= self.statement_end).then_some(Part::Words)
            }
            _ if self.extent == Extent::Answer => None,
            start if start < self.map_end => Some(Part::Map),
            _ => Some(Part::Words),
        }
    }
}

fn single_token(processor: &Processor, text: &str) -> Result<u32> {
    match processor.tokenizer().encode(text)?.as_slice() {
        [id] => Ok(*id),
        other => Err(Error::Tokens { expected: format!("one token for {text:?}"), found: format!("{}", other.len()) }),
    }
}
