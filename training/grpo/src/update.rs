//! From experience to gradients.

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use optimiser::{Gradients, accumulate, named_gradients};
use policy::VisionTape;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::experience::{Experience, Group};
use crate::importance::{ImportanceFigures, importance};
use crate::log_probs::Backward;
use crate::objective::{Evaluated, GroupLogProbs, ObjectiveSettings, objective};
use crate::policies::Policies;

/// How gradients are found.
#[derive(Clone, Copy, Debug)]
pub struct UpdateSettings {
    /// The objective.
    pub objective: ObjectiveSettings,
    /// What each group's loss is divided by: the groups of the whole step.
    pub groups: usize,
    /// C of truncated importance sampling, for groups that a server sampled.
    pub importance_cap: f64,
    /// Whether blocks and layers are run again in the backward pass.
    pub gradient_checkpointing: bool,
}

/// What one scene gives to a step.
#[derive(Default)]
pub struct Contribution {
    /// Gradients of its share of the loss.
    pub gradients: Gradients,
    /// Its figures.
    pub terms: Terms,
    /// Log-probabilities of each group's tokens.
    pub log_probs: Vec<Vec<f32>>,
}

/// The figures of one or more scenes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Their share of the loss.
    pub loss: f64,
    /// Sum over tokens of the divergence from the reference policy.
    pub kl: f64,
    /// Tokens whose ratio was clipped.
    pub clipped: usize,
    /// Completion tokens.
    pub tokens: usize,
    /// Of the importance weights of tokens that a server sampled.
    pub importance: ImportanceFigures,
}

impl Terms {
    /// Adds those of further scenes.
    pub fn add(&mut self, other: Self) {
        self.loss += other.loss;
        self.kl += other.kl;
        self.clipped += other.clipped;
        self.tokens += other.tokens;
        self.importance.add(other.importance);
    }
}

/// The gradients of one scene's groups, which share one vision pass in both directions.
///
/// # Errors
/// When shapes disagree.
pub fn contribution(policies: &Policies, experience: &Experience, settings: &UpdateSettings) -> Result<Contribution> {
    let model = &policies.trained;
    let sight = see(policies, experience, settings.gradient_checkpointing)?;
    let leaf = sight.as_ref().map(|sight| Var::from_tensor(&sight.embeds)).transpose()?;
    let mut contribution = Contribution::default();
    let mut at_vision: Option<Tensor> = None;
    for group in &experience.groups {
        let (mut evaluated, mut log_probs, mut figures) = (Evaluated::default(), Vec::new(), None);
        let mut slope = |found: Vec<f32>| {
            log_probs = found;
            (evaluated, figures) = evaluate(group, &log_probs, settings);
            let share = 1.0 / settings.groups.max(1) as f32;
            Ok(evaluated.gradient.iter().map(|slope| slope * share).collect())
        };
        let mut collect = |store: &GradStore| -> Result<()> {
            accumulate(&mut contribution.gradients, named_gradients(store, &policies.variables))?;
            if let Some(found) = leaf.as_ref().and_then(|leaf| store.get(leaf.as_tensor())) {
                at_vision = Some(match at_vision.take() {
                    Some(sum) => (sum + found)?,
                    None => found.clone(),
                });
            }
            Ok(())
        };
        let embeds = leaf.as_ref().map(|leaf| leaf.as_tensor());
        let backward = Backward { slope: &mut slope, collect: &mut collect };
        group.packed.backward(model, embeds, settings.gradient_checkpointing, backward)?;
        let loss = evaluated.loss / settings.groups.max(1) as f64;
        let Evaluated { kl, clipped, .. } = evaluated;
        let importance = figures.unwrap_or_default();
        contribution.terms.add(Terms { loss, kl, clipped, tokens: log_probs.len(), importance });
        contribution.log_probs.push(log_probs);
    }
    if let (Some(sight), Some(gradient)) = (sight, at_vision) {
        let mut collect =
            |store: &GradStore| accumulate(&mut contribution.gradients, named_gradients(store, &policies.variables));
        match sight.tape {
            Some(tape) => model
                .vision_tower()
                .backward_checkpointed(tape, &gradient, |store| collect(store).map_err(candle_core::Error::wrap))?,
            None if sight.embeds.track_op() => collect(&(sight.embeds * gradient)?.sum_all()?.backward()?)?,
            None => {}
        }
    }
    Ok(contribution)
}

/// A scene's frames, encoded.
struct Sight {
    /// Rows for the placeholders; gradients pass through them unless there is a tape.
    embeds: Tensor,
    /// What the backward pass starts from where blocks are run again.
    tape: Option<VisionTape>,
}

/// Encodes the frames, once for all questions about them.
fn see(policies: &Policies, experience: &Experience, recompute: bool) -> Result<Option<Sight>> {
    let Some((values, grid)) = &experience.pixels else { return Ok(None) };
    if !recompute {
        return Ok(Some(Sight { embeds: policies.trained.vision(values, &[*grid])?.image_embeds, tape: None }));
    }
    if !policies.trains_vision() {
        return Ok(Some(Sight { embeds: policies.behaviour.vision(values, &[*grid])?.image_embeds, tape: None }));
    }
    let (embeds, tape) = policies.trained.vision_tower().forward_checkpointed(values, &[*grid])?;
    Ok(Some(Sight { embeds, tape: Some(tape) }))
}

fn evaluate(group: &Group, log_probs: &[f32], settings: &UpdateSettings) -> (Evaluated, Option<ImportanceFigures>) {
    // Before the first update on a batch the trained policy is the one that should have sampled.
    let then = group.rollout.as_deref().unwrap_or(log_probs);
    let importance = group.served.as_deref().map(|served| importance(then, served, settings.importance_cap));
    let log_probs = GroupLogProbs {
        policy: log_probs,
        rollout: group.rollout.as_deref(),
        reference: group.reference.as_deref(),
        weights: importance.as_ref().map(|importance| importance.weights.as_slice()),
        lengths: &group.packed.lengths,
    };
    let figures = importance.as_ref().map(|importance| importance.figures);
    (objective(log_probs, &group.advantages, &settings.objective), figures)
}
