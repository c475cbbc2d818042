//! Singular, plural and other names of object classes.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    irregular: HashMap<String, String>,
    synonyms: HashMap<String, String>,
}

static WORDS: LazyLock<Words> =
    LazyLock::new(|| toml::from_str(include_str!("words.toml")).expect("words.toml is checked by a test"));

/// The class that a phrase names: lower case, singular, synonyms replaced (`Couches` is `sofa`).
pub fn class_name(phrase: &str) -> String {
    let singular = singular(&phrase.to_lowercase());
    WORDS.synonyms.get(&singular).cloned().unwrap_or(singular)
}

/// The one of `classes` that a phrase narrows down or holds beside other words: `chair` of `red chair`.
/// `None` where the phrase is itself one of them, or holds none.
pub fn held_class<'c>(phrase: &str, classes: &'c [String]) -> Option<&'c str> {
    let class_of = |words: &[&str]| {
        let name = class_name(&words.join(" "));
        classes.iter().find(|class| **class == name).map(String::as_str)
    };
    let words: Vec<&str> = phrase.split_whitespace().collect();
    if class_of(&words).is_some() {
        return None;
    }
    // The head of a phrase stands at its end; of two names the longer one is meant.
    let ends = (1..=words.len()).rev();
    ends.flat_map(|end| (0..end).map(move |start| (start, end))).find_map(|(start, end)| class_of(&words[start..end]))
}

/// The singular of a lower-case phrase; a singular is left as it is.
pub fn singular(phrase: &str) -> String {
    inflect(phrase, |word| match WORDS.irregular.get(word) {
        Some(singular) => singular.clone(),
        None => regular_singular(word),
    })
}

/// The plural of a lower-case, singular phrase.
pub fn plural(phrase: &str) -> String {
    inflect(phrase, |word| {
        // Several plurals may have one singular; the first by name keeps the choice fixed.
        let irregular = WORDS.irregular.iter().filter(|(_, singular)| *singular == word).map(|(plural, _)| plural);
        irregular.min().cloned().unwrap_or_else(|| regular_plural(word))
    })
}

/// Changes the head of a phrase: its last word, or the word before ` of ` (`chest of drawers`).
fn inflect(phrase: &str, change: impl Fn(&str) -> String) -> String {
    let (head, tail) = phrase.find(" of ").map_or((phrase, ""), |at| phrase.split_at(at));
    let (before, noun) = head.rfind(' ').map_or(("", head), |at| head.split_at(at + 1));
    format!("{before}{}{tail}", change(noun))
}

fn regular_singular(word: &str) -> String {
    if ["ss", "us", "is"].iter().any(|end| word.ends_with(end)) || word.len() < 4 && word != "tvs" {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 2) {
        return format!("{stem}y");
    }
    if ["ches", "shes", "xes", "sses", "zzes"].iter().any(|end| word.ends_with(end)) {
        return word[..word.len() - 2].to_owned();
    }
    word.strip_suffix('s').unwrap_or(word).to_owned()
}

fn regular_plural(word: &str) -> String {
    let vowel_before_y = || word.chars().rev().nth(1).is_some_and(|c| "aeiou".contains(c));
    if let Some(stem) = word.strip_suffix('y').filter(|_| !vowel_before_y()) {
        return format!("{stem}ies");
    }
    let hissing = ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end));
    format!("{word}{}", if hissing { "es" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_go_there_and_back() {
        for (one, many) in [
            ("chair", "chairs"),
            ("couch", "couches"),
            ("shelf", "shelves"),
            ("box", "boxes"),
            ("vase", "vases"),
            ("glass", "glasses"),
            ("mattress", "mattresses"),
            ("toy", "toys"),
            ("battery", "batteries"),
            ("chest of drawers", "chests of drawers"),
            ("coffee table", "coffee tables"),
            ("person", "people"),
            ("tv", "tvs"),
            ("piano", "pianos"),
        ] {
            assert_eq!((plural(one).as_str(), singular(many).as_str()), (many, one));
            assert_eq!(singular(one), one, "a singular stays");
        }
    }

    #[test]
    fn a_narrower_name_holds_the_class() {
        let classes = ["chair", "lamp", "sofa", "table", "trash can"].map(str::to_owned);
        for (phrase, held) in [
            ("chair", None),
            ("couch", None),
            ("fire hydrant", None),
            ("wheelchair", None),
            ("red chair", Some("chair")),
            ("second couch", Some("sofa")),
            ("coffee table", Some("table")),
            ("table lamp", Some("lamp")),
            ("chair nearest", Some("chair")),
            ("edge of the table", Some("table")),
            ("big trash can", Some("trash can")),
            ("chairs fit", Some("chair")),
        ] {
            assert_eq!(held_class(phrase, &classes), held, "{phrase}");
        }
        assert_eq!(held_class("red chair", &[]), None);
    }

    #[test]
    fn synonyms_name_one_class() {
        for (phrase, class) in
            [("Couches", "sofa"), ("fridge", "refrigerator"), ("TVs", "television"), ("Arm Chairs", "armchair")]
        {
            assert_eq!(class_name(phrase), class);
        }
    }
}
