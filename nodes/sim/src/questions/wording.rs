//! The words of a question, from the templates in `wording.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use model_dir::fill;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use thiserror::Error;

use super::ask::{Ask, Topic};

static BUNDLED: &str = include_str!("wording.toml");

/// What is wrong with a file of templates.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum WordingError {
    /// No TOML, an unknown topic or an unknown key.
    #[error("wording: expected topics with phrasings, found: {0}")]
    Parse(String),
    /// A topic without phrasings.
    #[error("wording: expected at least one phrasing of {0}, found none")]
    Missing(&'static str),
    /// A phrasing names too few or unknown placeholders.
    #[error("wording of {topic}: expected the placeholders {expected:?}, found {found:?} in {phrasing:?}")]
    Placeholders {
        /// The topic.
        topic: &'static str,
        /// All of these.
        expected: Vec<&'static str>,
        /// These are there.
        found: Vec<String>,
        /// Where.
        phrasing: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Phrasings {
    phrasings: Vec<String>,
}

/// Checked templates: several phrasings a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Wording {
    topics: BTreeMap<Topic, Vec<String>>,
}

impl Wording {
    /// The templates that are compiled into this crate.
    ///
    /// # Errors
    /// If the file committed with the sources is damaged.
    pub fn bundled() -> Result<&'static Self, WordingError> {
        static WORDING: OnceLock<Wording> = OnceLock::new();
        if let Some(wording) = WORDING.get() {
            return Ok(wording);
        }
        let read = Self::parse(BUNDLED)?;
        Ok(WORDING.get_or_init(|| read))
    }

    /// Reads and checks templates.
    ///
    /// # Errors
    /// See [`WordingError`]; every topic that has words of its own must be there, and nothing else.
    pub fn parse(text: &str) -> Result<Self, WordingError> {
        let read: BTreeMap<Topic, Phrasings> =
            toml::from_str(text).map_err(|error| WordingError::Parse(error.to_string()))?;
        let topics: BTreeMap<Topic, Vec<String>> = read.into_iter().map(|(topic, p)| (topic, p.phrasings)).collect();
        for topic in Topic::ALL {
            let phrasings = topics.get(&topic).map(Vec::as_slice).unwrap_or_default();
            match (topic.is_absence(), phrasings.is_empty()) {
                (true, false) => {
                    return Err(WordingError::Parse(format!("{}, which is worded as what it asks", topic.name())));
                }
                (false, true) => return Err(WordingError::Missing(topic.name())),
                _ => {}
            }
            phrasings.iter().try_for_each(|phrasing| check(topic, phrasing))?;
        }
        Ok(Self { topics })
    }

    /// The phrasings of a topic; those of absence have none of their own.
    pub fn phrasings(&self, topic: Topic) -> &[String] {
        self.topics.get(&topic).map(Vec::as_slice).unwrap_or_default()
    }

    /// Puts a question in one of its phrasings.
    pub fn word(&self, ask: &Ask, rng: &mut ChaCha8Rng) -> String {
        self.phrasings(ask.topic()).choose(rng).map(|phrasing| put(phrasing, ask)).unwrap_or_default()
    }
}

/// Fills one phrasing.
pub fn put(phrasing: &str, ask: &Ask) -> String {
    let values = values(ask);
    let pairs: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fill(phrasing, &pairs)
}

fn values(ask: &Ask) -> Vec<(&'static str, String)> {
    let object = |class: &str| ("object", class.to_owned());
    match ask {
        Ask::Count(class) => vec![("objects", grounding::plural(class))],
        Ask::Between([a, b]) => vec![object(a), ("other", b.clone())],
        Ask::Size(class) | Ask::EgoDistance(class) | Ask::EgoSide(class) | Ask::EgoClock(class) => vec![object(class)],
        Ask::RoomArea => vec![],
        Ask::Nearest { to, among } => vec![object(to), ("list", list(among))],
        Ask::Direction { stand, face, target, .. } => {
            vec![("stand", stand.clone()), ("face", face.clone()), object(target)]
        }
        Ask::Route { start, face, via, goal } => {
            vec![("start", start.clone()), ("face", face.clone()), ("via", via.clone()), ("goal", goal.clone())]
        }
        Ask::Order(four) => vec![("list", list(four))],
        Ask::Moved(secs) | Ask::MovedWay(secs) | Ask::Turned(secs) | Ask::TurnedSide(secs) => {
            vec![("seconds", secs.to_string())]
        }
    }
}

/// `the bed, the desk, the door, the sofa`.
fn list(classes: &[String; 4]) -> String {
    classes.each_ref().map(|class| format!("the {class}")).join(", ")
}

/// The placeholders of a topic.
fn placeholders(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::ObjectCounting => &["objects"],
        Topic::ObjectAbsDistance => &["object", "other"],
        Topic::ObjectSizeEstimation | Topic::EgoDistance | Topic::EgoDirectionSide | Topic::EgoDirectionClock => {
            &["object"]
        }
        Topic::ObjectRelDistance => &["list", "object"],
        Topic::ObjectRelDirectionEasy | Topic::ObjectRelDirectionMedium | Topic::ObjectRelDirectionHard => {
            &["face", "object", "stand"]
        }
        Topic::RoutePlanning => &["face", "goal", "start", "via"],
        Topic::ObjAppearanceOrder => &["list"],
        Topic::CameraDistance | Topic::CameraDirection | Topic::CameraTurn | Topic::CameraTurnSide => &["seconds"],
        Topic::RoomSizeEstimation
        | Topic::AbsentClass
        | Topic::RemovedObject
        | Topic::BlackVideo
        | Topic::FrozenVideo => &[],
    }
}

fn check(topic: Topic, phrasing: &str) -> Result<(), WordingError> {
    let named = phrasing.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or(rest).to_owned());
    let found: BTreeSet<String> = named.collect();
    let expected = placeholders(topic);
    if found.iter().map(String::as_str).eq(expected.iter().copied()) {
        return Ok(());
    }
    let (topic, found) = (topic.name(), found.into_iter().collect());
    Err(WordingError::Placeholders { topic, expected: expected.to_vec(), found, phrasing: phrasing.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_checked() {
        let damaged = |from: &str, to: &str| Wording::parse(&BUNDLED.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(
            damaged("many {objects}", "many {things}")
                .contains("expected the placeholders [\"objects\"], found [\"things\"]")
        );
        assert!(damaged("[route_planning]", "[route_plannin]").contains("route_plannin"));
        assert!(damaged("phrasings", "phrasing").contains("unknown field"));
        let absence = format!("{BUNDLED}\n[absent_class]\nphrasings = [\"Is it there?\"]\n");
        assert!(Wording::parse(&absence).unwrap_err().to_string().contains("absent_class"));
        assert_eq!(Wording::parse(""), Err(WordingError::Missing("object_counting")));
    }

    #[test]
    fn every_topic_is_put_in_several_ways() {
        let wording = Wording::bundled().unwrap();
        for topic in Topic::ALL.into_iter().filter(|topic| !topic.is_absence()) {
            assert!(wording.phrasings(topic).len() >= 3, "{}", topic.name());
        }
        let ask = Ask::Between(["shelf".into(), "bed".into()]);
        assert_eq!(put("{object} to {other}", &ask), "shelf to bed");
    }
}
