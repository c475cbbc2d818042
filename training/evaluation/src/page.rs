//! The report of an exam as one HTML page that needs nothing else: tables, plots, examples with frames and maps.

use std::collections::BTreeMap;
use std::io::Cursor;

use frame_ring::Frame;
use grounding::parse_completion;
use image::{ImageFormat, RgbImage};
use minijinja::{Environment, context};
use msgs::{GRID_SIZE, ImaginedMap};
use serde::Serialize;

use crate::exam::Sheet;
use crate::judge::Answered;
use crate::judged::Judged;
use crate::statistics::{Estimate, estimate, share};
use crate::{Error, Result};

/// Bins of the plot of probabilities.
const BINS: usize = 8;
/// Examples of each group: the best, the middle and the worst.
const EXAMPLES: usize = 3;

/// What the page is about.
#[derive(Clone, Debug, Serialize)]
pub struct Heading {
    /// Name and version of the model.
    pub model: String,
    /// The command that made the page.
    pub command: String,
}

/// A bar of the plot of scores.
#[derive(Serialize)]
struct GroupRow {
    name: String,
    score: Estimate,
    constant: f64,
    blind: f64,
}

/// A point of the plot of probabilities: questions to which the model gave about this probability of "not seen".
#[derive(Serialize)]
struct Bin {
    stated: f64,
    observed: Estimate,
}

/// A named share.
#[derive(Serialize)]
struct Rate {
    name: &'static str,
    share: Estimate,
}

#[derive(Serialize)]
struct Example<'a> {
    judged: &'a Judged,
    completion: &'a str,
    /// `data:` addresses.
    frames: Vec<String>,
    imagined: Vec<Square>,
    truth: Vec<Square>,
}

/// An object on a drawn map; cells from the left and the top.
#[derive(Serialize)]
struct Square {
    category: String,
    x: u8,
    y: u8,
}

/// The page. `answers` and `judged` belong together one by one; `sheets` holds the exam's frames and maps.
///
/// # Errors
/// [`Error::Page`].
pub fn page(heading: &Heading, sheets: &[Sheet], answers: &[Answered], judged: &[Judged]) -> Result<String> {
    let failed = |error: minijinja::Error| Error::Page(format!("{error:#}"));
    let mut environment = Environment::new();
    environment.add_template("page.html", include_str!("page.html")).map_err(failed)?;
    let examples = examples(sheets, answers, judged)?;
    let template = environment.get_template("page.html").map_err(failed)?;
    let all: Vec<f64> = judged.iter().map(|answer| answer.score).collect();
    let maps: Vec<f64> = judged.iter().filter_map(|answer| answer.map_score).collect();
    template
        .render(context! {
            heading, examples, grid => GRID_SIZE, groups => groups(judged), bins => bins(judged), rates => rates(judged),
            overall => estimate(&all), maps => estimate(&maps),
        })
        .map_err(failed)
}

fn groups(judged: &[Judged]) -> Vec<GroupRow> {
    let mut by_name: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
    judged.iter().for_each(|answer| by_name.entry(&answer.group).or_default().push(answer));
    let mean = |answers: &[&Judged], of: fn(&Judged) -> f64| {
        estimate(&answers.iter().map(|answer| of(answer)).collect::<Vec<_>>())
    };
    let row = |(name, answers): (&str, Vec<&Judged>)| GroupRow {
        name: name.to_owned(),
        score: mean(&answers, |answer| answer.score),
        constant: mean(&answers, |answer| answer.constant_score).mean,
        blind: mean(&answers, |answer| answer.blind_score).mean,
    };
    by_name.into_iter().map(row).collect()
}

fn bins(judged: &[Judged]) -> Vec<Bin> {
    let mut bins = vec![(0.0, 0, 0); BINS];
    for answer in judged {
        let Some(stated) = answer.not_seen_probability else { continue };
        let bin = &mut bins[((stated * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + stated, bin.1 + usize::from(answer.is_absent), bin.2 + 1);
    }
    let filled = bins.into_iter().filter(|(.., count)| *count > 0);
    filled.map(|(sum, absent, count)| Bin { stated: sum / count as f64, observed: share(absent, count) }).collect()
}

fn rates(judged: &[Judged]) -> Vec<Rate> {
    let of = |name, asked: &dyn Fn(&Judged) -> bool, hit: &dyn Fn(&Judged) -> bool| {
        let asked: Vec<&Judged> = judged.iter().filter(|answer| asked(answer)).collect();
        Rate { name, share: share(asked.iter().filter(|answer| hit(answer)).count(), asked.len()) }
    };
    let abstained = |answer: &Judged| answer.answer == "not seen";
    vec![
        of("absent objects called “not seen”", &|answer| answer.is_absent, &abstained),
        of("present objects called “not seen”", &|answer| !answer.is_absent, &abstained),
        of("intervals that hold the truth", &|answer| answer.interval_holds.is_some(), &|answer| {
            answer.interval_holds == Some(true)
        }),
    ]
}

/// For each group the answers at the lower, middle and upper end of its scores.
fn examples<'a>(sheets: &[Sheet], answers: &'a [Answered], judged: &'a [Judged]) -> Result<Vec<Example<'a>>> {
    let of_sheet = sheets.iter().flat_map(|sheet| sheet.items.iter().map(move |_| sheet));
    let mut by_group: BTreeMap<&str, Vec<(&Sheet, &Answered, &Judged)>> = BTreeMap::new();
    for ((sheet, answer), judged) in of_sheet.zip(answers).zip(judged) {
        by_group.entry(&judged.group).or_default().push((sheet, answer, judged));
    }
    let mut examples = Vec::new();
    for mut group in by_group.into_values() {
        group.sort_by(|a, b| b.2.score.total_cmp(&a.2.score));
        let last = group.len() - 1;
        let mut places: Vec<usize> = (0..EXAMPLES).map(|i| i * last / (EXAMPLES - 1)).collect();
        places.dedup();
        for (sheet, answer, judged) in places.into_iter().map(|place| group[place]) {
            examples.push(example(sheet, answer, judged)?);
        }
    }
    Ok(examples)
}

fn example<'a>(sheet: &Sheet, answer: &'a Answered, judged: &'a Judged) -> Result<Example<'a>> {
    let drawn = parse_completion(&answer.completion, answer.item.question.kind).map_text;
    let imagined = drawn.and_then(|text| imagined_map::parse(&text)).unwrap_or_default();
    let (width, height) = (sheet.window.width, sheet.window.height);
    let frames = sheet.window.frames.iter().map(|frame| data_address(frame, width, height)).collect::<Result<_>>()?;
    Ok(Example {
        judged,
        completion: &answer.completion,
        frames,
        imagined: squares(&imagined),
        truth: squares(&sheet.map),
    })
}

fn squares(map: &ImaginedMap) -> Vec<Square> {
    let square =
        |object: &msgs::MapObject| Square { category: object.category.clone(), x: object.cell.x, y: object.cell.y };
    map.objects.iter().map(square).collect()
}

/// A frame as a JPEG within an address.
fn data_address(frame: &Frame, width: u32, height: u32) -> Result<String> {
    let failed = |found: String| Error::Page(format!("frame: expected {width}x{height} RGB, found {found}"));
    let picture = RgbImage::from_raw(width, height, frame.rgb.to_vec())
        .ok_or_else(|| failed(format!("{} bytes", frame.rgb.len())))?;
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Jpeg).map_err(|error| failed(error.to_string()))?;
    Ok(format!("data:image/jpeg;base64,{}", base64::encode(file.into_inner())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(number: usize, not_seen_probability: f64) -> Judged {
        Judged {
            number,
            group: "absent".to_owned(),
            question: "how far is the <sofa>?".to_owned(),
            truth: "not seen".to_owned(),
            answer: if not_seen_probability > 0.5 { "not seen" } else { "2.00" }.to_owned(),
            score: f64::from(not_seen_probability > 0.5),
            constant_score: 1.0,
            blind_score: 1.0,
            map_score: None,
            not_seen_probability: Some(not_seen_probability),
            is_absent: true,
            interval_holds: None,
        }
    }

    #[test]
    fn probabilities_are_put_beside_what_was_true() {
        let bins = bins(&[judged(0, 0.99), judged(1, 0.97), judged(2, 1.0), judged(3, 0.1)]);
        let found: Vec<(f64, usize)> = bins.iter().map(|bin| (bin.observed.mean, bin.observed.count)).collect();
        assert_eq!(found, [(1.0, 1), (1.0, 3)]);
        assert!((bins[1].stated - 2.96 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn words_of_a_model_are_no_markup() {
        let heading = Heading { model: "<script>".to_owned(), command: "evaluate".to_owned() };
        let page = page(&heading, &[], &[], &[judged(0, 0.9), judged(1, 0.2)]).unwrap();
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
        assert!(page.contains("50.0 %") && page.contains("n = 2"), "{page}");
        assert!(!page.contains("http://") && !page.contains("https://"), "nothing is fetched");
    }
}
