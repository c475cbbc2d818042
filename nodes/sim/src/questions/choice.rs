//! From true words to the options of a multiple-choice question.

use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::angle::SIDES;
use super::ask::{Answer, Ask};
use super::{ego, motion, route};

/// Options of a question whose benchmark form does not fix another number.
pub const OPTIONS: usize = 4;
/// Hours among the options of a clock question are at least this far apart.
const HOURS_APART: u32 = 2;

/// The options of a question in random order, the true words among them. Empty for a question whose answer is a number.
///
/// There are four, but for directions left or right (two) and left, right or back (three), which are the benchmark's.
pub fn options(ask: &Ask, truth: &str, rng: &mut ChaCha8Rng) -> Vec<String> {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let mut options: Vec<String> = match ask {
        Ask::Nearest { among, .. } => among.to_vec(),
        Ask::Direction { level, .. } => owned(level.words()),
        Ask::Route { .. } => turns(truth, rng),
        Ask::Order(four) => with_others(truth, orders(four), rng),
        Ask::EgoSide(_) | Ask::MovedWay(_) => owned(&SIDES),
        Ask::EgoClock(_) => hours(truth, rng),
        Ask::TurnedSide(_) => owned(&motion::TURNS),
        _ => return Vec::new(),
    };
    options.shuffle(rng);
    options
}

/// The letter of the true option, `A` for the first; `None` where the truth is no option.
pub fn letter(options: &[String], truth: &Answer) -> Option<char> {
    let Answer::Words(words) = truth else { return None };
    ('A'..='Z').zip(options).find(|(_, option)| *option == words).map(|(letter, _)| letter)
}

/// The truth and three others of `all`.
fn with_others(truth: &str, mut all: Vec<String>, rng: &mut ChaCha8Rng) -> Vec<String> {
    all.retain(|option| option != truth);
    all.shuffle(rng);
    all.truncate(OPTIONS - 1);
    all.push(truth.to_owned());
    all
}

/// Four pairs of turns. The three wrong ones are drawn in proportion to the product of their weights, so that whoever
/// knows how often each pair is right, and sees four, has no favourite among them (conditional Poisson sampling).
fn turns(truth: &str, rng: &mut ChaCha8Rng) -> Vec<String> {
    let pairs = (0..9).map(|at| [route::TURNS[at / 3], route::TURNS[at % 3]]);
    let wrong: Vec<[&str; 2]> = pairs.filter(|pair| pair.join(", ") != truth).collect();
    let last = wrong.len();
    let threes = (0..last).flat_map(|a| (a + 1..last).flat_map(move |b| (b + 1..last).map(move |c| [a, b, c])));
    let threes: Vec<[[&str; 2]; 3]> = threes.map(|three| three.map(|at| wrong[at])).collect();
    let weight = |three: &[[&str; 2]; 3]| three.iter().map(turns_weight).product::<f64>();
    let drawn = threes.choose_weighted(rng, weight).ok().into_iter().flatten();
    drawn.map(|pair| pair.join(", ")).chain([truth.to_owned()]).collect()
}

/// The weights with which four of nine pairs hold each as often as four times the share of the questions that it is
/// the answer of: 23 % left then back, and right then back, 15 % each of one side then the other, 9 % back twice, 4 %
/// each of the same side twice, 3 % each of back then a side.
fn turns_weight([first, second]: &[&str; 2]) -> f64 {
    let back = route::TURNS[2];
    match (*first == back, *second == back) {
        (false, true) => 53.5,
        (true, true) => 3.8,
        (true, false) => 1.0,
        (false, false) if first == second => 1.5,
        (false, false) => 8.3,
    }
}

/// Every order of four classes.
fn orders(four: &[String; 4]) -> Vec<String> {
    let indices = (0..256usize).map(|code| [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6]);
    let orders = indices.filter(|order| (0..4).all(|k| order.contains(&k)));
    orders.map(|order| order.map(|k| four[k].as_str()).join(", ")).collect()
}

/// Four hours that are not neighbours.
fn hours(truth: &str, rng: &mut ChaCha8Rng) -> Vec<String> {
    let around = |a: u32, b: u32| a.abs_diff(b).min(12 - a.abs_diff(b));
    let mut chosen: Vec<u32> = (1..=12).filter(|&hour| ego::clock_words(hour) == truth).collect();
    while chosen.len() < OPTIONS {
        let fits = |hour: &u32| chosen.iter().all(|&other| around(*hour, other) >= HOURS_APART);
        let free: Vec<u32> = (1..=12).filter(fits).collect();
        let Some(&next) = free.choose(rng) else { break };
        chosen.push(next);
    }
    chosen.into_iter().map(ego::clock_words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn the_truth_is_among_four_different_options() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let four = ["bed", "desk", "door", "sofa"].map(str::to_owned);
        let route = Ask::Route { start: "a".into(), face: "b".into(), via: "c".into(), goal: "d".into() };
        for _ in 0..200 {
            let asks = [
                (Ask::Order(four.clone()), "door, bed, sofa, desk"),
                (Ask::EgoClock("bed".into()), "12 o'clock"),
                (route.clone(), "turn back, turn left"),
            ];
            for (ask, truth) in asks {
                let mut options = options(&ask, truth, &mut rng);
                assert!(options.iter().any(|option| option == truth), "{options:?}");
                options.sort();
                options.dedup();
                assert_eq!(options.len(), OPTIONS, "{options:?}");
            }
        }
    }

    #[test]
    fn numbers_have_no_options() {
        assert!(options(&Ask::RoomArea, "", &mut ChaCha8Rng::seed_from_u64(0)).is_empty());
    }
}
