//! What publishers of a topic offer, and the subscriptions that hear all of them.
//!
//! A best-effort volatile subscription hears every publisher, but loses what a reliable one would have sent
//! again, and what a publisher keeps for late joiners. So a topic is listened to reliably where every
//! publisher is reliable, and for what is kept where a publisher keeps.

use r2r::qos::{DurabilityPolicy, ReliabilityPolicy};
use r2r::{Node, QosProfile};

/// What must agree between a publisher and a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fit {
    /// Reliable, else best effort.
    pub reliable: bool,
    /// What is kept for late joiners too, else volatile.
    pub transient_local: bool,
}

impl Fit {
    /// Hears every publisher.
    pub const ANY: Self = Self { reliable: false, transient_local: false };
    /// Hears what reliable publishers keep.
    pub const KEPT: Self = Self { reliable: true, transient_local: true };

    /// As a profile that holds so many messages.
    pub fn profile(self, depth: usize) -> QosProfile {
        let profile = QosProfile::default().keep_last(depth);
        let profile = if self.reliable { profile.reliable() } else { profile.best_effort() };
        if self.transient_local { profile.transient_local() } else { profile.volatile() }
    }

    /// Whether a subscription like this hears a publisher that offers `offered`.
    pub fn hears(self, offered: Self) -> bool {
        (offered.reliable || !self.reliable) && (offered.transient_local || !self.transient_local)
    }
}

impl std::fmt::Display for Fit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.reliable { "reliable" } else { "best effort" })?;
        formatter.write_str(if self.transient_local { ", transient local" } else { ", volatile" })
    }
}

/// A publisher of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its node's full name.
    pub node: String,
    /// For instance `sensor_msgs/msg/Image`.
    pub type_name: String,
    /// How it publishes.
    pub fit: Fit,
    /// Messages that it keeps; 0 = unknown.
    pub depth: usize,
}

/// The publishers of a topic, by its name in the graph.
///
/// # Errors
/// When the graph can't be asked.
pub fn offers(node: &Node, topic: &str) -> r2r::Result<Vec<Offer>> {
    let publishers = node.get_publishers_info_by_topic(topic, false)?;
    let offer = publishers.into_iter().map(|publisher| Offer {
        node: format!("{}/{}", publisher.node_namespace.trim_end_matches('/'), publisher.node_name),
        type_name: publisher.topic_type,
        fit: Fit {
            reliable: publisher.qos_profile.reliability == ReliabilityPolicy::Reliable,
            transient_local: publisher.qos_profile.durability == DurabilityPolicy::TransientLocal,
        },
        depth: publisher.qos_profile.depth,
    });
    Ok(offer.collect())
}

/// What all of `offers` have in common; `None` without any.
pub fn common(offers: &[Offer]) -> Option<Fit> {
    let all = |has: fn(&Fit) -> bool| offers.iter().all(|offer| has(&offer.fit));
    let common = Fit { reliable: all(|fit| fit.reliable), transient_local: all(|fit| fit.transient_local) };
    (!offers.is_empty()).then_some(common)
}

/// The subscriptions that hear everything of `offers`: one where that is possible, a second one for what only
/// some of them keep.
pub fn fits(offers: &[Offer]) -> Vec<Fit> {
    let Some(common) = common(offers) else { return Vec::new() };
    let keepers: Vec<Offer> = offers.iter().filter(|offer| offer.fit.transient_local).cloned().collect();
    let mut fits = vec![common];
    fits.extend(self::common(&keepers).filter(|kept| *kept != common));
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(reliable: bool, transient_local: bool) -> Offer {
        let fit = Fit { reliable, transient_local };
        Offer { node: "/driver".to_owned(), type_name: "nav_msgs/msg/Odometry".to_owned(), fit, depth: 1 }
    }

    #[test]
    fn every_publisher_is_heard_and_none_worse_than_needed() {
        let fit = |reliable, transient_local| Fit { reliable, transient_local };
        for (offered, expected) in [
            (vec![], vec![]),
            (vec![offer(true, false)], vec![fit(true, false)]),
            (vec![offer(false, false)], vec![Fit::ANY]),
            (vec![offer(true, true)], vec![Fit::KEPT]),
            (vec![offer(false, true)], vec![fit(false, true)]),
            (vec![offer(true, false), offer(false, false)], vec![Fit::ANY]),
            (vec![offer(true, true), offer(true, true)], vec![Fit::KEPT]),
            (vec![offer(true, true), offer(true, false)], vec![fit(true, false), Fit::KEPT]),
            (vec![offer(true, true), offer(false, false)], vec![Fit::ANY, Fit::KEPT]),
            (vec![offer(true, true), offer(false, true)], vec![fit(false, true)]),
        ] {
            let found = fits(&offered);
            assert_eq!(found, expected, "{offered:?}");
            for publisher in &offered {
                assert!(found.iter().any(|fit| fit.hears(publisher.fit)), "{offered:?}");
            }
        }
    }

    #[test]
    fn a_subscription_hears_who_offers_at_least_what_it_asks_for() {
        for offered in [Fit::ANY, Fit::KEPT, Fit { reliable: true, transient_local: false }] {
            assert!(Fit::ANY.hears(offered), "{offered}");
            assert_eq!(Fit::KEPT.hears(offered), offered == Fit::KEPT, "{offered}");
        }
    }
}
