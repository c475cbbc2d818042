//! The report of an exam as one HTML page that needs nothing else: tables, plots, examples with frames and maps.

use std::collections::BTreeMap;
use std::io::Cursor;

use frame_ring::{Frame, Window};
use image::{ImageFormat, RgbImage};
use minijinja::{Environment, context};
use msgs::{GRID_SIZE, ImaginedMap};
use serde::Serialize;

use crate::exam::{Exam, Sheet};
use crate::judge::Answered;
use crate::judged::Judged;
use crate::report::Report;
use crate::statistics::{Estimate, estimate, mean, share};
use crate::{Error, Result};

/// Bins of the plot of probabilities.
const BINS: usize = 8;
/// Examples of each group: the best, the middle and the worst.
const EXAMPLES: usize = 3;
/// Most frames shown of an example, spread evenly.
const EXAMPLE_FRAMES: usize = 8;

/// What the page is about.
#[derive(Clone, Debug, Serialize)]
pub struct Heading {
    /// Name and version of the model.
    pub model: String,
    /// The command that made the page.
    pub command: String,
}

/// Means over all questions.
#[derive(Serialize)]
struct Overall {
    score: Estimate,
    blind: f64,
    constant: f64,
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
    /// Frames that are not shown.
    left_out: usize,
    imagined: Vec<Square>,
    truth: Option<Vec<Square>>,
}

/// An object on a drawn map; cells from the left and the top.
#[derive(Serialize)]
struct Square {
    category: String,
    x: u8,
    y: u8,
}

/// The page. `answers`, `judged` and the exam's questions belong together one by one.
///
/// # Errors
/// [`Error::Page`].
pub fn page(
    heading: &Heading,
    exam: &Exam,
    (answers, judged): (&[Answered], &[Judged]),
    report: &Report,
) -> Result<String> {
    let failed = |error: minijinja::Error| Error::Page(format!("{error:#}"));
    let mut environment = Environment::new();
    environment.add_template("page.html", include_str!("page.html")).map_err(failed)?;
    let examples = examples(&exam.sheets, answers, judged)?;
    let template = environment.get_template("page.html").map_err(failed)?;
    template
        .render(context! {
            heading, report, examples, grid => GRID_SIZE, overall => overall(judged), bins => bins(judged),
            rates => rates(report),
        })
        .map_err(failed)
}

fn overall(judged: &[Judged]) -> Overall {
    let of = |of: fn(&Judged) -> f64| -> Vec<f64> { judged.iter().map(of).collect() };
    Overall {
        score: estimate(&of(|answer| answer.score)),
        blind: mean(&of(|answer| answer.blind_score)),
        constant: mean(&of(|answer| answer.constant_score)),
    }
}

fn bins(judged: &[Judged]) -> Vec<Bin> {
    let mut bins = vec![(0.0, 0, 0); BINS];
    for answer in judged {
        let Some(stated) = answer.not_seen_probability else { continue };
        if let Some(bin) = bins.get_mut(((stated * BINS as f64) as usize).min(BINS - 1)) {
            *bin = (bin.0 + stated, bin.1 + usize::from(answer.is_absent), bin.2 + 1);
        }
    }
    let filled = bins.into_iter().filter(|(.., count)| *count > 0);
    filled.map(|(sum, absent, count)| Bin { stated: sum / count as f64, observed: share(absent, count) }).collect()
}

fn rates(report: &Report) -> Vec<Rate> {
    let abstention = &report.abstention;
    let all = [
        ("what the frames don't show", abstention.absent),
        ("what the frames show", abstention.present),
        ("black video", abstention.black),
        ("what the frames show, with black frames instead", abstention.black_present),
    ];
    all.into_iter().filter(|(_, share)| share.count > 0).map(|(name, share)| Rate { name, share }).collect()
}

/// For each group the answers at the upper, middle and lower end of its scores.
fn examples<'a>(sheets: &[Sheet], answers: &'a [Answered], judged: &'a [Judged]) -> Result<Vec<Example<'a>>> {
    let of_sheet = sheets.iter().flat_map(|sheet| sheet.items.iter().map(move |_| sheet));
    let mut by_group: BTreeMap<&str, Vec<(&Sheet, &Answered, &Judged)>> = BTreeMap::new();
    for ((sheet, answer), judged) in of_sheet.zip(answers).zip(judged) {
        by_group.entry(&judged.group).or_default().push((sheet, answer, judged));
    }
    let mut examples = Vec::new();
    for mut group in by_group.into_values() {
        group.sort_by(|a, b| b.2.score.total_cmp(&a.2.score));
        for &(sheet, answer, judged) in spread(&group, EXAMPLES) {
            examples.push(example(sheet, answer, judged)?);
        }
    }
    Ok(examples)
}

/// At most `most` of the items: the first, the last, and between them at even steps.
fn spread<T>(items: &[T], most: usize) -> impl Iterator<Item = &T> {
    let last = items.len().saturating_sub(1);
    let mut places: Vec<usize> = (0..most).map(|step| step * last / (most - 1).max(1)).collect();
    places.dedup();
    places.into_iter().filter_map(|place| items.get(place))
}

fn example<'a>(sheet: &Sheet, answer: &'a Answered, judged: &'a Judged) -> Result<Example<'a>> {
    let window = &sheet.window;
    let frames: Vec<String> =
        spread(&window.frames, EXAMPLE_FRAMES).map(|frame| data_address(frame, window)).collect::<Result<_>>()?;
    Ok(Example {
        judged,
        completion: &answer.completion,
        left_out: window.frames.len() - frames.len(),
        frames,
        imagined: answer.map.as_ref().map(squares).unwrap_or_default(),
        truth: sheet.map.as_ref().map(squares),
    })
}

fn squares(map: &ImaginedMap) -> Vec<Square> {
    let square =
        |object: &msgs::MapObject| Square { category: object.category.clone(), x: object.cell.x, y: object.cell.y };
    map.objects.iter().map(square).collect()
}

/// A frame of a window as a JPEG within an address.
fn data_address(frame: &Frame, Window { width, height, .. }: &Window) -> Result<String> {
    let failed = |found: String| Error::Page(format!("frame: expected {width}x{height} RGB, found {found}"));
    let picture = RgbImage::from_raw(*width, *height, frame.rgb.to_vec())
        .ok_or_else(|| failed(format!("{} bytes", frame.rgb.len())))?;
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Jpeg).map_err(|error| failed(error.to_string()))?;
    Ok(format!("data:image/jpeg;base64,{}", base64::encode(file.into_inner())))
}

#[cfg(test)]
mod tests {
    use model_dir::Calibration;

    use super::*;
    use crate::judged::tests::answer;
    use crate::report::report;

    fn judged(number: usize, not_seen_probability: f64) -> Judged {
        Judged { is_absent: true, not_seen_probability: Some(not_seen_probability), ..answer(number, "absent") }
    }

    #[test]
    fn probabilities_are_put_beside_what_was_true() {
        let bins = bins(&[judged(0, 0.99), judged(1, 0.97), judged(2, 1.0), judged(3, 0.1)]);
        let found: Vec<(f64, usize)> = bins.iter().map(|bin| (bin.observed.mean, bin.observed.count)).collect();
        assert_eq!(found, [(1.0, 1), (1.0, 3)]);
        assert!((bins[1].stated - 2.96 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn few_of_many_are_spread_from_first_to_last() {
        assert_eq!(spread(&[0, 1, 2, 3, 4, 5, 6], 3).collect::<Vec<_>>(), [&0, &3, &6]);
        assert_eq!(spread(&[0, 1], 3).collect::<Vec<_>>(), [&0, &1]);
        assert_eq!(spread(&[] as &[i32], 3).count(), 0);
    }

    #[test]
    fn words_of_a_model_are_no_markup() {
        let heading = Heading { model: "<script>".to_owned(), command: "evaluate".to_owned() };
        let judged = [Judged { score: 1.0, ..judged(0, 0.9) }, judged(1, 0.2)];
        let exam = Exam { name: "walks heldout".to_owned(), sheets: Vec::new() };
        let report = report(&judged, &Calibration::default());
        let page = page(&heading, &exam, (&[], &judged), &report).unwrap();
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
        assert!(page.contains("50.0 %") && page.contains("walks heldout") && page.contains("no question of"), "{page}");
        assert!(!page.contains("http://") && !page.contains("https://"), "nothing is fetched");
    }
}
