//! Numbers as labels have them, read once so that rewards and metrics meet plain ones.

use grounding::parse_number;

/// Words behind a number that say nothing new: questions are asked in metres, centimetres for sizes, degrees, square metres.
const UNITS: [&str; 17] = [
    "m",
    "m.",
    "meter",
    "meters",
    "metre",
    "metres",
    "cm",
    "centimeter",
    "centimeters",
    "centimetre",
    "centimetres",
    "degree",
    "degrees",
    "°",
    "m2",
    "m²",
    "square",
];

/// The one number that a label is: `2.5`, `1,200`, `1.2e3`, `1/2`, `three`, `2.5 m`; `None` for anything else, such as
/// `nan`, a range, feet, or several numbers.
pub fn number(label: &str) -> Option<f64> {
    let label = label.trim();
    let mut words = label.split_whitespace();
    let first = words.next()?;
    let has_units = words.all(|word| UNITS.contains(&word.to_lowercase().as_str()));
    if has_units {
        return plain(first).or_else(|| with_unit(first)).or_else(|| in_words(first));
    }
    None
}

fn plain(text: &str) -> Option<f64> {
    let written = text.strip_suffix('.').unwrap_or(text);
    let is_written_out = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let parsed = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite() && is_written_out(text));
    if let Some((above, below)) = written.split_once('/') {
        let (above, below) = (parsed(above)?, parsed(below)?);
        return (below != 0.0).then(|| above / below);
    }
    parsed(written).or_else(|| parsed(&without_separators(written)?))
}

/// "1,200,000.5" without its commas.
fn without_separators(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let is_first = (1..=3).contains(&first.trim_start_matches('-').len());
    let are_groups = whole.contains(',') && groups.all(|group| group.len() == 3);
    (is_first && are_groups).then(|| format!("{}.{fraction}", whole.replace(',', "")))
}

fn with_unit(text: &str) -> Option<f64> {
    let number = text.trim_end_matches(|c: char| c.is_alphabetic() || c == '°' || c == '²');
    UNITS.contains(&text.get(number.len()..)?.to_lowercase().as_str()).then(|| plain(number))?
}

fn in_words(text: &str) -> Option<f64> {
    text.chars().all(|c| c.is_ascii_alphabetic()).then(|| parse_number(text))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_one_number_or_none() {
        for (label, expected) in [
            ("2.5", Some(2.5)),
            (" -3 ", Some(-3.0)),
            ("1,200", Some(1200.0)),
            ("1,200,000.5", Some(1_200_000.5)),
            ("1.2e3", Some(1200.0)),
            ("1/2", Some(0.5)),
            ("three", Some(3.0)),
            ("2.5 m", Some(2.5)),
            ("2.5m", Some(2.5)),
            ("14 square metres", Some(14.0)),
            ("90°", Some(90.0)),
            ("3.", Some(3.0)),
            ("0", Some(0.0)),
        ] {
            assert_eq!(number(label), expected, "{label}");
        }
        for none in
            ["nan", "inf", "-inf", "1/0", "2-3", "2 or 3", "5 feet", "1,20", "12,5", "x", "", "NaN m", "3 chairs 2"]
        {
            assert_eq!(number(none), None, "{none}");
        }
    }
}
