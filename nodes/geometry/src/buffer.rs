//! A bounded history of transforms between named frames, as tf2 keeps.

use std::collections::{HashMap, HashSet};

use crate::history::{At, History, Inserted, Link, sample};
use crate::{GeometryError, RigidTransform};

/// Most frames that a buffer holds.
pub const MAX_FRAMES: usize = 1024;
/// Longest frame name, bytes.
pub const MAX_NAME_BYTES: usize = 256;

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
    insertions: u64,
}

impl TransformBuffer {
    /// A buffer that keeps `history_secs` of every moving frame (10 s in tf2).
    pub fn new(history_secs: f64) -> Self {
        Self { history_nanos: (history_secs.max(0.0) * 1e9) as i64, links: HashMap::new(), insertions: 0 }
    }

    /// Takes in a transform. One that is older than the history is left out; a frame with a new parent starts afresh, and
    /// so does one whose stamps have gone back for good: three in a row that are more than two seconds behind. Where all
    /// [`MAX_FRAMES`] are taken, the moving frame that was not heard of for longest makes room.
    ///
    /// # Errors
    /// [`GeometryError`] for broken numbers, broken names, or more than [`MAX_FRAMES`] frames that do not move.
    pub fn insert(&mut self, transform: &StampedTransform) -> Result<Inserted, GeometryError> {
        let StampedTransform { parent, child, stamp_nanos, parent_from_child } = transform;
        check(transform)?;
        self.make_room(child)?;
        self.insertions += 1;
        let inserted = self.insertions;
        let new = || Link::new(parent.clone(), inserted);
        let link = self.links.entry(child.clone()).or_insert_with(new);
        if link.parent != *parent {
            *link = new();
        }
        link.inserted = inserted;
        let Some(stamp) = *stamp_nanos else {
            link.history = History::Fixed(*parent_from_child);
            return Ok(Inserted::Kept);
        };
        Ok(link.extend((stamp, *parent_from_child), self.history_nanos))
    }

    fn make_room(&mut self, child: &str) -> Result<(), GeometryError> {
        if self.links.contains_key(child) || self.links.len() < MAX_FRAMES {
            return Ok(());
        }
        let moving = self.links.iter().filter(|(_, link)| matches!(link.history, History::Moving(_)));
        let Some(silent) = moving.min_by_key(|(_, link)| link.inserted).map(|(name, _)| name.clone()) else {
            return Err(GeometryError::TooManyFrames { expected: MAX_FRAMES, found: child.to_owned() });
        };
        self.links.remove(&silent);
        Ok(())
    }

    /// Whether anything was heard of a frame.
    pub fn knows(&self, frame: &str) -> bool {
        self.links.contains_key(frame) || self.links.values().any(|link| link.parent == frame)
    }

    /// Whether a frame is held below another one.
    pub(crate) fn has_parent(&self, frame: &str) -> bool {
        self.links.contains_key(frame)
    }

    /// The names of all frames, parents included, in no order; some come twice.
    pub fn frames(&self) -> impl Iterator<Item = &str> {
        self.links.iter().flat_map(|(child, link)| [child.as_str(), link.parent.as_str()])
    }

    /// The frames above `frame` with whether each link moves, nearest first: the child of each link.
    ///
    /// # Errors
    /// [`GeometryError`] for an unknown frame and for a circle.
    pub fn links_above<'a>(&'a self, frame: &'a str) -> Result<Vec<(&'a str, bool)>, GeometryError> {
        let moves = |name: &str| self.links.get(name).map(|link| matches!(link.history, History::Moving(_)));
        Ok(self.chain(frame)?.into_iter().filter_map(|name| Some((name, moves(name)?))).collect())
    }

    /// The topmost frame above `frame`; itself where nothing is.
    ///
    /// # Errors
    /// [`GeometryError`] for an unknown frame and for a circle.
    pub fn root_of<'a>(&'a self, frame: &'a str) -> Result<&'a str, GeometryError> {
        Ok(self.chain(frame)?.last().copied().unwrap_or(frame))
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
        self.find(target, source, stamp_nanos.map_or(At::Newest, At::Exactly))
    }

    /// [`Self::lookup`] at a stamp; a link whose newest stamp is older by at most `oldest_nanos` is taken as it was then: a
    /// picture often comes before the transforms of its own moment.
    ///
    /// # Errors
    /// As [`Self::lookup`].
    pub fn lookup_near(
        &self,
        target: &str,
        source: &str,
        stamp_nanos: i64,
        oldest_nanos: i64,
    ) -> Result<RigidTransform, GeometryError> {
        self.find(target, source, At::Near { stamp_nanos, oldest_nanos })
    }

    fn find(&self, target: &str, source: &str, at: At) -> Result<RigidTransform, GeometryError> {
        let target_chain = self.chain(target)?;
        let source_chain = self.chain(source)?;
        let common = source_chain.iter().find(|frame| target_chain.contains(frame)).ok_or_else(|| {
            GeometryError::NotConnected { target: target.to_owned(), source_frame: source.to_owned() }
        })?;
        let common_from_source = self.descend(&source_chain, common, at)?;
        let common_from_target = self.descend(&target_chain, common, at)?;
        Ok(common_from_target.inverse() * common_from_source)
    }

    /// The topmost frame above `frame`, if `frame` moves in it.
    pub fn world_of<'a>(&'a self, frame: &'a str) -> Option<&'a str> {
        let chain = self.chain(frame).ok()?;
        let moves = |name: &&str| matches!(self.links.get(*name), Some(Link { history: History::Moving(_), .. }));
        chain.iter().any(moves).then(|| chain.last().copied()).flatten()
    }

    /// The frame and its ancestors, nearest first.
    fn chain<'a>(&'a self, frame: &'a str) -> Result<Vec<&'a str>, GeometryError> {
        if !self.knows(frame) {
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
    fn descend(&self, chain: &[&str], common: &str, at: At) -> Result<RigidTransform, GeometryError> {
        let mut common_from_first = RigidTransform::identity();
        for &child in chain.iter().take_while(|&&frame| frame != common) {
            if let Some(link) = self.links.get(child) {
                common_from_first = sample(child, &link.history, at)? * common_from_first;
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
