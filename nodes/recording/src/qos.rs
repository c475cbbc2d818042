//! How a topic was offered, as rosbag2 writes it down: a list of profiles in YAML, policies by number.

use serde::{Deserialize, Serialize};
use serde_yaml_ng::Value;

/// Numbers of `rmw/types.h`.
const KEEP_LAST: u8 = 1;
const RELIABLE: u8 = 1;
const BEST_EFFORT: u8 = 2;
const TRANSIENT_LOCAL: u8 = 1;
const VOLATILE: u8 = 2;
const AUTOMATIC: u8 = 1;

/// What must agree between publisher and subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Qos {
    /// Reliable, else best effort.
    pub reliable: bool,
    /// Kept for late joiners, else volatile.
    pub transient_local: bool,
    /// Messages that are kept.
    pub depth: u32,
}

impl Default for Qos {
    /// Reliable, volatile, the last ten.
    fn default() -> Self {
        Self { reliable: true, transient_local: false, depth: 10 }
    }
}

#[derive(Serialize)]
struct Duration {
    sec: u64,
    nsec: u64,
}

/// `RMW_DURATION_INFINITE`.
const INFINITE: Duration = Duration { sec: 9_223_372_036, nsec: 854_775_807 };

#[derive(Serialize)]
struct Written {
    history: u8,
    depth: u32,
    reliability: u8,
    durability: u8,
    deadline: Duration,
    lifespan: Duration,
    liveliness: u8,
    liveliness_lease_duration: Duration,
    avoid_ros_namespace_conventions: bool,
}

/// Policies are numbers up to version 8 of rosbag2's metadata, names from 9 on.
#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    depth: u32,
    reliability: Value,
    durability: Value,
}

impl Qos {
    /// The text of `offered_qos_profiles`.
    pub(crate) fn to_yaml(self) -> Result<String, serde_yaml_ng::Error> {
        serde_yaml_ng::to_string(&[Written {
            history: KEEP_LAST,
            depth: self.depth,
            reliability: if self.reliable { RELIABLE } else { BEST_EFFORT },
            durability: if self.transient_local { TRANSIENT_LOCAL } else { VOLATILE },
            deadline: INFINITE,
            lifespan: INFINITE,
            liveliness: AUTOMATIC,
            liveliness_lease_duration: INFINITE,
            avoid_ros_namespace_conventions: false,
        }])
    }

    /// What the publishers of a topic had in common; `None` where the text is empty or of another form.
    pub(crate) fn from_yaml(text: &str) -> Option<Self> {
        let profiles: Vec<Read> = serde_yaml_ng::from_str(text).ok()?;
        let is = |value: &Value, number: u8, name: &str| {
            value.as_u64() == Some(number.into()) || value.as_str() == Some(name)
        };
        let depth = profiles.iter().map(|profile| profile.depth).max()?;
        Some(Self {
            reliable: profiles.iter().all(|profile| is(&profile.reliability, RELIABLE, "reliable")),
            transient_local: profiles.iter().all(|profile| is(&profile.durability, TRANSIENT_LOCAL, "transient_local")),
            depth,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_survives_both_spellings() {
        let latched = Qos { reliable: true, transient_local: true, depth: 1 };
        let text = latched.to_yaml().unwrap();
        assert!(text.starts_with("- history: 1\n  depth: 1\n  reliability: 1\n  durability: 1\n"), "{text}");
        assert_eq!(Qos::from_yaml(&text), Some(latched));
        let names = "- {history: keep_last, depth: 5, reliability: best_effort, durability: volatile}";
        assert_eq!(Qos::from_yaml(names), Some(Qos { reliable: false, transient_local: false, depth: 5 }));
        for none in ["", "[]", "no list", "- 3"] {
            assert_eq!(Qos::from_yaml(none), None, "{none}");
        }
    }
}
