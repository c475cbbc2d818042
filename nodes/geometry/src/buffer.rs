//! A bounded history of transforms between named frames, as tf2 keeps.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::{GeometryError, RigidTransform, interpolate};

/// Most frames that a buffer holds.
pub const MAX_FRAMES: usize = 1024;
/// Most stamped transforms held per frame; the oldest are dropped first (`keep_last`).
pub const MAX_HISTORY: usize = 4096;
/// Longest frame name, bytes.
pub const MAX_NAME_BYTES: usize = 256;

#[derive(Clone, Debug)]
enum History {
    Fixed(RigidTransform),
    Moving(VecDeque<(i64, RigidTransform)>),
}

#[derive(Clone, Debug)]
struct Link {
    parent: String,
    history: History,
}

/// One transform, as `/tf` and `/tf_static` bring it.
#[derive(Clone, Debug, PartialEq)]
pub struct StampedTransform {
    /// Parent frame (`header.frame_id`).
    pub parent: String,
    /// Child frame (`child_frame_id`).
    pub child: String,
    /// When it held, nanoseconds; `None` = for ever (`/tf_static`).
    pub stamp_nanos: Option<i64>,
    /// Takes points of the child frame to the parent frame.
    pub parent_from_child: RigidTransform,
}

/// A tree of frames with a bounded history each.
#[derive(Clone, Debug)]
pub struct TransformBuffer {
    history_nanos: i64,
    links: HashMap<String, Link>,
}

impl TransformBuffer {
    /// A buffer that keeps `history_secs` of every moving frame (10 s in tf2).
    pub fn new(history_secs: f64) -> Self {
        Self { history_nanos: (history_secs.max(0.0) * 1e9) as i64, links: HashMap::new() }
    }

    /// Takes in a transform. One that is older than the history is left out; a frame with a new parent starts afresh.
    ///
    /// # Errors
    /// [`GeometryError`] for broken numbers, broken names, or more than [`MAX_FRAMES`] frames.
    pub fn insert(&mut self, transform: &StampedTransform) -> Result<(), GeometryError> {
        let StampedTransform { parent, child, stamp_nanos, parent_from_child } = transform;
        check(transform)?;
        if !self.links.contains_key(child) && self.links.len() >= MAX_FRAMES {
            return Err(GeometryError::TooManyFrames { expected: MAX_FRAMES, found: child.clone() });
        }
        let new = || Link { parent: parent.clone(), history: History::Moving(VecDeque::new()) };
        let link = self.links.entry(child.clone()).or_insert_with(new);
        if link.parent != *parent {
            *link = new();
        }
        let Some(stamp) = *stamp_nanos else {
            link.history = History::Fixed(*parent_from_child);
            return Ok(());
        };
        if let History::Fixed(_) = link.history {
            link.history = History::Moving(VecDeque::new());
        }
        if let History::Moving(history) = &mut link.history {
            insert_sorted(history, (stamp, *parent_from_child), self.history_nanos);
        }
        Ok(())
    }

    /// Forgets everything that moves; for stamps that jumped back. Fixed transforms stay.
    pub fn clear_moving(&mut self) {
        self.links.retain(|_, link| matches!(link.history, History::Fixed(_)));
    }

    /// `target_from_source` at a stamp, or at the newest stamp of each link where `stamp_nanos` is `None`.
    ///
    /// # Errors
    /// [`GeometryError`] where a frame is unknown, no chain joins the two, or the stamp lies outside the history.
    pub fn lookup(
        &self,
        target: &str,
        source: &str,
        stamp_nanos: Option<i64>,
    ) -> Result<RigidTransform, GeometryError> {
        let target_chain = self.chain(target)?;
        let source_chain = self.chain(source)?;
        let common = source_chain.iter().find(|frame| target_chain.contains(frame)).ok_or_else(|| {
            GeometryError::NotConnected { target: target.to_owned(), source_frame: source.to_owned() }
        })?;
        let common_from_source = self.descend(&source_chain, common, stamp_nanos)?;
        let common_from_target = self.descend(&target_chain, common, stamp_nanos)?;
        Ok(common_from_target.inverse() * common_from_source)
    }

    /// [`Self::lookup`] at a stamp, or at the newest stamps where the history is not that far yet or no longer.
    ///
    /// # Errors
    /// [`GeometryError`] where a frame is unknown or no chain joins the two.
    pub fn lookup_near(&self, target: &str, source: &str, stamp_nanos: i64) -> Result<RigidTransform, GeometryError> {
        self.lookup(target, source, Some(stamp_nanos)).or_else(|_| self.lookup(target, source, None))
    }

    /// The topmost frame above `frame`, if `frame` moves in it.
    pub fn world_of<'a>(&'a self, frame: &'a str) -> Option<&'a str> {
        let chain = self.chain(frame).ok()?;
        let moves = |name: &&str| matches!(self.links.get(*name), Some(Link { history: History::Moving(_), .. }));
        chain.iter().any(moves).then(|| chain.last().copied()).flatten()
    }

    /// The frame and its ancestors, nearest first.
    fn chain<'a>(&'a self, frame: &'a str) -> Result<Vec<&'a str>, GeometryError> {
        if !self.links.contains_key(frame) && !self.links.values().any(|link| link.parent == frame) {
            return Err(GeometryError::UnknownFrame { found: frame.chars().take(MAX_NAME_BYTES).collect() });
        }
        let (mut chain, mut seen) = (vec![frame], HashSet::from([frame]));
        let mut at = frame;
        while let Some(link) = self.links.get(at) {
            at = &link.parent;
            if !seen.insert(at) {
                return Err(GeometryError::Circle { found: frame.to_owned() });
            }
            chain.push(at);
        }
        Ok(chain)
    }

    /// `common_from_first` along a chain.
    fn descend(&self, chain: &[&str], common: &str, stamp: Option<i64>) -> Result<RigidTransform, GeometryError> {
        let mut common_from_first = RigidTransform::identity();
        for &child in chain.iter().take_while(|&&frame| frame != common) {
            if let Some(link) = self.links.get(child) {
                common_from_first = sample(child, &link.history, stamp)? * common_from_first;
            }
        }
        Ok(common_from_first)
    }
}

fn check(transform: &StampedTransform) -> Result<(), GeometryError> {
    let StampedTransform { parent, child, parent_from_child, .. } = transform;
    let short = |name: &str| name.chars().take(64).collect::<String>();
    let named = |name: &str| (1..=MAX_NAME_BYTES).contains(&name.len());
    if !named(parent) || !named(child) || parent == child {
        let (parent, child) = (short(parent), short(child));
        return Err(GeometryError::FrameNames { expected: MAX_NAME_BYTES, parent, child });
    }
    let finite = parent_from_child.translation.vector.iter().all(|value| value.is_finite());
    // A comparison with NaN is false.
    let unit = (parent_from_child.rotation.quaternion().norm() - 1.0).abs() < 1e-3;
    if !(finite && unit) {
        return Err(GeometryError::InvalidTransform { parent: parent.clone(), child: child.clone() });
    }
    Ok(())
}

fn insert_sorted(history: &mut VecDeque<(i64, RigidTransform)>, entry: (i64, RigidTransform), keep_nanos: i64) {
    let newest = history.back().map_or(entry.0, |last| last.0.max(entry.0));
    let index = history.partition_point(|held| held.0 < entry.0);
    match history.get_mut(index) {
        Some(held) if held.0 == entry.0 => *held = entry,
        _ => history.insert(index, entry),
    }
    while history.len() > MAX_HISTORY
        || history.front().is_some_and(|oldest| newest.saturating_sub(oldest.0) > keep_nanos)
    {
        history.pop_front();
    }
}

fn sample(child: &str, history: &History, stamp: Option<i64>) -> Result<RigidTransform, GeometryError> {
    let history = match history {
        History::Fixed(transform) => return Ok(*transform),
        History::Moving(history) => history,
    };
    let (Some(first), Some(last)) = (history.front(), history.back()) else {
        return Err(GeometryError::UnknownFrame { found: child.to_owned() });
    };
    let Some(stamp) = stamp else { return Ok(last.1) };
    if stamp < first.0 || stamp > last.0 {
        let (earliest_nanos, latest_nanos, found_nanos) = (first.0, last.0, stamp);
        return Err(GeometryError::Extrapolation {
            child: child.to_owned(),
            earliest_nanos,
            latest_nanos,
            found_nanos,
        });
    }
    let after = history.partition_point(|held| held.0 < stamp);
    let (t1, b) = history[after];
    if t1 == stamp || after == 0 {
        return Ok(b);
    }
    let (t0, a) = history[after - 1];
    let share = (stamp - t0) as f64 / (t1 - t0) as f64;
    Ok(interpolate(&a, &b, share))
}
