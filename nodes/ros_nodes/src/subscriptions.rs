//! Subscriptions that follow what the publishers of their topic offer.
//!
//! At first a topic is listened to so that nobody is missed: best effort and volatile, which every publisher
//! fits. What the publishers offer is compared several times a second, and the topic subscribed to anew where
//! something else hears them better ([`crate::offers`]). A publisher of another type can't be heard at all:
//! it is warned about by name, once, and shown in `/diagnostics`.
//!
//! r2r takes a subscription away when the next message comes for one whose stream was dropped. One that no
//! publisher fits any more stays, so that a topic changes at most 8 times within ten minutes; meanwhile it is
//! listened to so that nobody is missed.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures::executor::LocalSpawner;
use futures::future::AbortHandle;
use futures::stream::Abortable;
use futures::task::LocalSpawnExt;
use futures::{Stream, StreamExt, future};
use r2r::{Node, QosProfile};

use crate::offers::{Fit, Offer, common, fits, offers};

/// Times that a topic is subscribed to anew within [`MEMORY`].
const CHANGES: usize = 8;
/// How long a change counts.
const MEMORY: Duration = Duration::from_secs(600);
/// How long a publisher is there before it is told of; until then the graph may not know its node.
const SETTLING: Duration = Duration::from_secs(1);
/// Publishers that can't be heard and are remembered, of one topic.
const STRANGERS: usize = 16;

/// What to listen to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    name: String,
    type_name: String,
    depth: usize,
    start: Vec<Fit>,
    /// Whether only what is published from now on is wanted.
    only_new: bool,
    overlap: Duration,
}

impl Topic {
    /// The topic `name`, relative to the node's namespace or absolute, of messages such as
    /// `sensor_msgs/msg/Image`, of which `depth` are held while the node is busy.
    pub fn new(name: &str, type_name: &str, depth: usize) -> Self {
        let (name, type_name) = (name.to_owned(), type_name.to_owned());
        Self { name, type_name, depth, start: vec![Fit::ANY], only_new: false, overlap: Duration::ZERO }
    }

    /// As the node calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For instance `sensor_msgs/msg/Image`.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// Also what publishers kept before they are known.
    pub fn latched(mut self) -> Self {
        self.start = vec![Fit::KEPT, Fit::ANY];
        self
    }

    /// Reliably, until a publisher that is not so is known: for topics whose publishers are reliable as a rule.
    pub fn reliable(mut self) -> Self {
        self.start = vec![Fit { reliable: true, transient_local: false }];
        self
    }

    /// Never what was published before, whatever publishers keep: a question of yesterday is not asked again.
    pub fn only_new(mut self) -> Self {
        self.only_new = true;
        self
    }

    /// When subscribed to anew, the old subscription is heard for so long beside the new one, so that nothing
    /// is missed; messages then come twice.
    pub fn overlapping(mut self, overlap: Duration) -> Self {
        self.overlap = overlap;
        self
    }
}

/// Which of a topic's subscriptions a message came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Not used again.
    pub number: u32,
    /// Since when it is there.
    pub since: Instant,
    /// Whether it also brings what was published before.
    pub transient_local: bool,
}

/// How a topic is heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicState {
    /// As the node calls it.
    pub name: String,
    /// As the graph calls it.
    pub full_name: String,
    /// What its publishers offer in common; `None` without one.
    pub offered: Option<Fit>,
    /// Messages that they keep; 0 = unknown.
    pub depth: usize,
    /// Publishers that are heard.
    pub publishers: usize,
    /// Its subscriptions.
    pub heard: Vec<Fit>,
    /// Publishers that can't be heard, each with the reason.
    pub unheard: Vec<String>,
}

type Subscribe = Box<dyn FnMut(&mut Node, &LocalSpawner, Fit, Slot) -> anyhow::Result<AbortHandle>>;

/// A topic that is listened to.
pub(crate) struct Listener {
    topic: Topic,
    subscribe: Subscribe,
    active: Vec<(Fit, AbortHandle)>,
    /// Subscriptions that are heard until then.
    retiring: Vec<(Instant, AbortHandle)>,
    slots: u32,
    /// When it was subscribed to anew.
    changes: Vec<Instant>,
    unheard: Vec<Unheard>,
    state: TopicState,
}

/// A publisher that can't be heard.
#[derive(Clone, Debug)]
struct Unheard {
    reason: String,
    since: Instant,
    told: bool,
}

impl Listener {
    /// Listens to `topic`, `full_name` in the graph: `open` subscribes, and `handle` gets what comes.
    ///
    /// # Errors
    /// When ROS refuses the topic.
    pub fn new<S: Stream + Unpin + 'static>(
        (topic, full_name): (Topic, String),
        (node, spawner): (&mut Node, &LocalSpawner),
        mut open: impl FnMut(&mut Node, &str, QosProfile) -> r2r::Result<S> + 'static,
        handle: impl FnMut(Slot, S::Item) + 'static,
    ) -> anyhow::Result<Self> {
        let (handle, name, depth) = (Rc::new(RefCell::new(handle)), topic.name.clone(), topic.depth);
        let subscribe = move |node: &mut Node, spawner: &LocalSpawner, fit: Fit, slot: Slot| {
            let messages = open(node, &name, fit.profile(depth))?;
            let (stop, stopped) = AbortHandle::new_pair();
            let handle = handle.clone();
            spawner.spawn_local(Abortable::new(messages, stopped).for_each(move |message| {
                (handle.borrow_mut())(slot, message);
                future::ready(())
            }))?;
            Ok(stop)
        };
        let state = TopicState { name: topic.name.clone(), full_name, ..TopicState::default() };
        let mut listener = Self {
            subscribe: Box::new(subscribe),
            active: Vec::new(),
            retiring: Vec::new(),
            slots: 0,
            changes: Vec::new(),
            unheard: Vec::new(),
            state,
            topic,
        };
        for fit in listener.topic.start.clone() {
            listener.add(node, spawner, fit)?;
        }
        Ok(listener)
    }

    /// How the topic is heard.
    pub fn state(&self) -> &TopicState {
        &self.state
    }

    /// Compares with what publishers offer now, and subscribes anew where that is better.
    pub fn follow(&mut self, node: &mut Node, spawner: &LocalSpawner, now: Instant) {
        self.retiring.retain(|(until, stop)| {
            if *until <= now {
                stop.abort();
            }
            *until > now
        });
        match offers(node, &self.state.full_name) {
            Ok(offers) => self.fit((node, spawner), &offers, now),
            Err(error) => tracing::warn!(topic = self.topic.name, "publishers unknown: {error}"),
        }
    }

    fn fit(&mut self, (node, spawner): (&mut Node, &LocalSpawner), offers: &[Offer], now: Instant) {
        let (ours, others): (Vec<Offer>, Vec<Offer>) =
            offers.iter().cloned().partition(|offer| offer.type_name == self.topic.type_name);
        self.note_unheard(&others, now);
        self.state.publishers = ours.len();
        let Some(offered) = common(&ours) else { return };
        self.state.offered = Some(offered);
        self.state.depth = ours.iter().map(|offer| offer.depth).max().unwrap_or_default();
        let wanted = self.wanted(&ours, now);
        let is_wanted = |fit: &Fit| wanted.contains(fit);
        if self.active.len() == wanted.len() && self.active.iter().all(|(fit, _)| is_wanted(fit)) {
            return;
        }
        self.changes.push(now);
        if let Err(error) = self.change(node, spawner, &wanted) {
            tracing::warn!(topic = self.topic.name, "not subscribed to anew: {error}");
        }
        let shown: Vec<String> = self.state.heard.iter().map(ToString::to_string).collect();
        tracing::info!(topic = self.state.full_name, publishers = ours.len(), "listens {}", shown.join(" and "));
    }

    /// The subscriptions that hear all of `ours`.
    fn wanted(&mut self, ours: &[Offer], now: Instant) -> Vec<Fit> {
        self.changes.retain(|change| now.saturating_duration_since(*change) < MEMORY);
        let is_restless = self.changes.len() >= CHANGES;
        // Whoever comes and goes is heard without a change: best effort hears everybody, the kept what is kept.
        let mut wanted = match is_restless {
            false => fits(ours),
            true if ours.iter().all(|offer| offer.fit.reliable) => vec![Fit { reliable: true, transient_local: false }],
            true => vec![Fit::ANY],
        };
        if is_restless && self.topic.start.contains(&Fit::KEPT) {
            wanted.push(Fit::KEPT);
        }
        if self.topic.only_new {
            wanted.iter_mut().for_each(|fit| fit.transient_local = false);
            wanted.dedup();
        }
        wanted
    }

    /// Subscriptions as `wanted`; on an error those before stay too.
    fn change(&mut self, node: &mut Node, spawner: &LocalSpawner, wanted: &[Fit]) -> anyhow::Result<()> {
        for fit in wanted {
            if self.active.iter().all(|(active, _)| active != fit) {
                self.add(node, spawner, *fit)?;
            }
        }
        let until = Instant::now() + self.topic.overlap;
        for (_, stop) in self.active.extract_if(.., |(fit, _)| !wanted.contains(fit)) {
            if self.topic.overlap.is_zero() {
                stop.abort();
            } else {
                self.retiring.push((until, stop));
            }
        }
        self.state.heard = self.active.iter().map(|(fit, _)| *fit).collect();
        Ok(())
    }

    fn add(&mut self, node: &mut Node, spawner: &LocalSpawner, fit: Fit) -> anyhow::Result<()> {
        self.slots += 1;
        let (number, since, transient_local) = (self.slots, Instant::now(), fit.transient_local);
        let stop = (self.subscribe)(node, spawner, fit, Slot { number, since, transient_local })?;
        self.active.push((fit, stop));
        self.state.heard.push(fit);
        Ok(())
    }

    fn note_unheard(&mut self, others: &[Offer], now: Instant) {
        let expected = &self.topic.type_name;
        let mut found = Vec::new();
        for Offer { node, type_name, .. } in others.iter().take(STRANGERS) {
            let reason = format!("{node} publishes {type_name}, expected {expected}");
            let known = self.unheard.iter().find(|known| known.reason == reason);
            let mut stranger = known.cloned().unwrap_or(Unheard { reason, since: now, told: false });
            if !stranger.told && now.saturating_duration_since(stranger.since) >= SETTLING {
                tracing::warn!("{}: {}; it is not heard", self.state.full_name, stranger.reason);
                stranger.told = true;
            }
            found.push(stranger);
        }
        self.state.unheard = found.iter().filter(|known| known.told).map(|known| known.reason.clone()).collect();
        self.unheard = found;
    }
}
