//! `object_rel_distance`: which of four classes is nearest to an object, by closest points; of a class with several
//! instances the nearest counts.

use super::ask::{Answer, Ask, Draft, Topic};
use super::stage::Stage;
use super::tally::Tally;

/// Least difference of any two of the four distances, metres, in rooms up to and over [`LARGE_M2`].
const DIFFERENCE_M: [f64; 2] = [0.15, 0.30];
/// Rooms over this ask for the larger difference, m².
const LARGE_M2: f64 = 40.0;
/// Least difference of the nearest and the second, as a share of the second.
const FIRST_TO_SECOND: f64 = 0.15;

/// Every unique object with every four classes around it that are told apart safely.
pub(super) fn drafts(stage: &Stage, tally: &mut Tally) -> Vec<Draft> {
    let topic = Topic::ObjectRelDistance;
    let difference = DIFFERENCE_M[usize::from(stage.plan.area_m2() > LARGE_M2)];
    let mut drafts = Vec::new();
    for to in stage.unique() {
        let mut around: Vec<(f64, &str)> = stage
            .askable()
            .filter(|(class, _)| *class != stage.class(to))
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
                let ask =
                    Ask::Nearest { to: stage.class(to).to_owned(), among: four.map(|(_, class)| class.to_owned()) };
                drafts.push(Draft::walk(ask, Answer::Words(first.1.to_owned())));
            }
        }
    }
    drafts
}

/// All rising quadruples of indices below `count`.
pub(super) fn fours(count: usize) -> impl Iterator<Item = [usize; 4]> {
    (0..count).flat_map(move |a| {
        (a + 1..count).flat_map(move |b| (b + 1..count).flat_map(move |c| (c + 1..count).map(move |d| [a, b, c, d])))
    })
}
