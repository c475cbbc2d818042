//! A bounded history of transforms between named frames, as tf2 keeps.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::{GeometryError, RigidTransform, interpolate};

/// Most frames that a buffer holds.
pub const MAX_FRAMES: usize = 1024;
/// Most stamped transforms held per frame; the oldest are dropped first (`keep_last`).
pub const MAX_HISTORY: usize = 4096;
/// Longest frame name, bytes.
pub const MAX_NAME_BYTES: usize = 256;
/// A stamp that is further behind the newest of its frame than this is no late message.
const LATEST_NANOS: i64 = 2_000_000_000;
/// So many stamps in a row that are that far behind are a clock that was set back.
const BEHIND_IN_A_ROW: u32 = 3;

#[derive(Clone, Debug)]
enum History {
    Fixed(RigidTransform),
    Moving(VecDeque<(i64, RigidTransform)>),
}

#[derive(Clone, Debug)]
struct Link {
    parent: String,
    history: History,
    /// Stamps in a row that were far behind the newest.
    behind: u32,
    /// Number of the newest insertion.
    inserted: u64,
}

/// The moment of a lookup.
#[derive(Clone, Copy, Debug)]
enum At {
    /// The newest stamp of each link.
    Newest,
    /// This stamp, nanoseconds.
    Exactly(i64),
    /// This stamp, or the newest of a link that is older by at most so much.
    Near { stamp_nanos: i64, oldest_nanos: i64 },
}

/// What became of a transform that was inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is held, or was too old to be.
    Kept,
    /// The frame's clock went back by so many nanoseconds, and its history begins anew.
    Restarted {
        /// Nanoseconds.
        back_nanos: i64,
    },
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
        let new = || Link { parent: parent.clone(), history: History::Moving(VecDeque::new()), behind: 0, inserted };
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

impl Link {
    fn extend(&mut self, entry: (i64, RigidTransform), keep_nanos: i64) -> Inserted {
        if let History::Fixed(_) = self.history {
            self.history = History::Moving(VecDeque::new());
        }
        let History::Moving(history) = &mut self.history else { return Inserted::Kept };
        let back_nanos = history.back().map_or(0, |newest| newest.0.saturating_sub(entry.0));
        self.behind = if back_nanos > LATEST_NANOS { self.behind + 1 } else { 0 };
        if self.behind < BEHIND_IN_A_ROW {
            insert_sorted(history, entry, keep_nanos);
            return Inserted::Kept;
        }
        self.behind = 0;
        *history = VecDeque::from([entry]);
        Inserted::Restarted { back_nanos }
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

fn sample(child: &str, history: &History, at: At) -> Result<RigidTransform, GeometryError> {
    let history = match history {
        History::Fixed(transform) => return Ok(*transform),
        History::Moving(history) => history,
    };
    let (Some(first), Some(last)) = (history.front(), history.back()) else {
        return Err(GeometryError::UnknownFrame { found: child.to_owned() });
    };
    let stamp = match at {
        At::Newest => return Ok(last.1),
        At::Near { stamp_nanos, oldest_nanos } if (0..=oldest_nanos).contains(&stamp_nanos.saturating_sub(last.0)) => {
            return Ok(last.1);
        }
        At::Exactly(stamp_nanos) | At::Near { stamp_nanos, .. } => stamp_nanos,
    };
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
