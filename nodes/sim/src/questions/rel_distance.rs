//! `object_rel_distance`: which of four classes is nearest to an object, by closest points; of a class with several
//! instances the nearest counts.

use std::collections::BTreeMap;

use super::ask::{Answer, Ask, Draft, Topic};
use super::stage::Stage;
use super::tally::Tally;

/// Least difference of any two of the four distances, metres, in rooms up to and over [`LARGE_M2`].
const DIFFERENCE_M: [f64; 2] = [0.15, 0.30];
/// Rooms over this ask for the larger difference, m².
const LARGE_M2: f64 = 40.0;
/// Least difference of the nearest and the second, as a share of the second.
const FIRST_TO_SECOND: f64 = 0.15;

/// Every unique object with every four classes that are told apart safely, if another object has another of the same four
/// nearest: else the four alone would tell the answer.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally) -> Vec<Draft> {
    let topic = Topic::ObjectRelDistance;
    let difference = DIFFERENCE_M[usize::from(stage.plan.area_m2() > LARGE_M2)];
    let mut by_four: BTreeMap<[String; 4], Vec<(&str, &str)>> = BTreeMap::new();
    for to in stage.unique() {
        let others = stage.askable().filter(|(class, _)| *class != stage.class(to));
        let mut around: Vec<(f64, &str)> = others
            .map(|(class, instances)| {
                let distances = instances.iter().map(|&object| stage.distance(to, object));
                (distances.fold(f64::INFINITY, f64::min), class)
            })
            .collect();
        around.sort_by(|a, b| a.0.total_cmp(&b.0));
        for four in fours(around.len()) {
            let four = four.map(|index| around[index]);
            let [first, second, ..] = four;
            let told_apart = four.windows(2).all(|pair| pair[1].0 - pair[0].0 > difference);
            if tally.passes(topic, "two distances are too alike", told_apart)
                && tally.passes(topic, "first within 15 % of second", second.0 - first.0 >= FIRST_TO_SECOND * second.0)
            {
                let mut among = four.map(|(_, class)| class.to_owned());
                among.sort();
                by_four.entry(among).or_default().push((stage.class(to), first.1));
            }
        }
    }
    let mut drafts = Vec::new();
    for (among, asked) in by_four {
        let [(_, nearest), ..] = asked[..] else { continue };
        if asked.iter().all(|(_, other)| *other == nearest) {
            tally.drop(topic, "the four have one nearest from everywhere", asked.len());
            continue;
        }
        drafts.extend(asked.into_iter().map(|(to, nearest)| {
            Draft::walk(Ask::Nearest { to: to.to_owned(), among: among.clone() }, Answer::Words(nearest.to_owned()))
        }));
    }
    drafts
}

/// All rising quadruples of indices below `count`.
pub(super) fn fours(count: usize) -> impl Iterator<Item = [usize; 4]> {
    (0..count).flat_map(move |a| {
        (a + 1..count).flat_map(move |b| (b + 1..count).flat_map(move |c| (c + 1..count).map(move |d| [a, b, c, d])))
    })
}
