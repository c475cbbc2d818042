//! Porter's stemmer (Porter 1980, "An algorithm for suffix stripping") with the departures of NLTK's, which `rouge_score`
//! stems with: a list of irregular words, `ies` and `ied` of four letters, `y` behind a consonant, `alli`, `bli`, `fulli`
//! and `logi`, and short words.

/// Words that are stemmed by this list, and no rule.
const IRREGULAR: [(&str, &str); 16] = [
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

/// Double suffixes become single ones (step 2): behind a stem of positive measure.
const STEP_2: [(&str, &str); 21] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
];

/// As step 2, of `-ic-`, `-full`, `-ness` and others.
const STEP_3: [(&str, &str); 7] =
    [("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];

/// What is left of suffixes goes, behind a stem of a measure over 1.
const STEP_4: [&str; 19] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
];

/// The stem of a word of lower-case ASCII letters and digits.
pub(super) fn stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == word) {
        return (*stem).to_owned();
    }
    if word.len() <= 2 {
        return word.to_owned();
    }
    let mut stem = past_or_participle(plural(word.to_owned()));
    if let Some(before) = stem.strip_suffix('y').filter(|before| before.len() > 1 && ends_in_consonant(before)) {
        stem = format!("{before}i");
    }
    let stem = step_4(replaced(double_suffix(stem), &STEP_3));
    without_last_l(without_last_e(stem))
}

/// For each letter, whether it is a consonant: `y` is one at the start and behind a vowel.
fn consonants(word: &str) -> Vec<bool> {
    let mut flags: Vec<bool> = Vec::with_capacity(word.len());
    for letter in word.bytes() {
        flags.push(match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => !flags.last().copied().unwrap_or(false),
            _ => true,
        });
    }
    flags
}

/// How often a consonant follows a vowel: `m` of the paper.
fn measure(stem: &str) -> usize {
    consonants(stem).windows(2).filter(|pair| **pair == [false, true]).count()
}

fn ends_in_consonant(word: &str) -> bool {
    consonants(word).last().copied().unwrap_or(false)
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).contains(&false)
}

/// Whether a word ends in one consonant twice: `*d` of the paper.
fn ends_double(word: &str) -> bool {
    let letters = word.as_bytes();
    letters.len() >= 2 && letters.last() == letters.get(letters.len() - 2) && ends_in_consonant(word)
}

/// Whether a word ends consonant, vowel, consonant, the last none of `w`, `x`, `y`; or is a vowel and a consonant: `*o`.
fn ends_short(word: &str) -> bool {
    match consonants(word).as_slice() {
        [.., true, false, true] => !word.ends_with(['w', 'x', 'y']),
        [false, true] => true,
        _ => false,
    }
}

/// Step 1a.
fn plural(word: String) -> String {
    if word.ends_with("sses") || word.ends_with("ies") {
        let keeps = if word.ends_with("ies") && word.len() == 4 { 1 } else { 2 };
        return word[..word.len() - keeps].to_owned();
    }
    match word.strip_suffix('s') {
        Some(singular) if !singular.ends_with('s') => singular.to_owned(),
        _ => word,
    }
}

/// Step 1b.
fn past_or_participle(word: String) -> String {
    if let Some(before) = word.strip_suffix("ied") {
        return format!("{before}{}", if word.len() == 4 { "ie" } else { "i" });
    }
    if let Some(before) = word.strip_suffix("eed") {
        return if measure(before) > 0 { format!("{before}ee") } else { word };
    }
    let Some(stem) = word.strip_suffix("ed").or_else(|| word.strip_suffix("ing")).filter(|stem| has_vowel(stem)) else {
        return word;
    };
    let needs_e = ["at", "bl", "iz"].iter().any(|end| stem.ends_with(end));
    if !needs_e && ends_double(stem) {
        let stays = stem.ends_with(['l', 's', 'z']);
        return stem[..stem.len() - usize::from(!stays)].to_owned();
    }
    if needs_e || (measure(stem) == 1 && ends_short(stem)) { format!("{stem}e") } else { stem.to_owned() }
}

/// Step 2. `-alli` goes first, and what is left is looked at again.
fn double_suffix(word: String) -> String {
    let mut word = word;
    while let Some(before) = word.strip_suffix("alli").filter(|before| measure(before) > 0) {
        word = format!("{before}al");
    }
    match word.strip_suffix("ogi") {
        // The `l` counts for the stem, so that `geology` is stemmed as `archaeology` is.
        Some(before) if before.ends_with('l') && measure(before) > 0 => format!("{before}og"),
        _ => replaced(word, &STEP_2),
    }
}

/// Replaces the first suffix of the list that a word has, if the stem before it has a positive measure.
fn replaced(word: String, suffixes: &[(&str, &str)]) -> String {
    let found = suffixes.iter().find_map(|(suffix, other)| Some((word.strip_suffix(suffix)?, other)));
    match found.filter(|(before, _)| measure(before) > 0) {
        Some((before, other)) => format!("{before}{other}"),
        None => word,
    }
}

fn step_4(word: String) -> String {
    let found = STEP_4.iter().find_map(|suffix| Some((word.strip_suffix(suffix)?, *suffix)));
    let may_go = |(stem, suffix): &(&str, &str)| measure(stem) > 1 && (*suffix != "ion" || stem.ends_with(['s', 't']));
    found.filter(may_go).map(|(stem, _)| stem.to_owned()).unwrap_or(word)
}

/// Step 5a.
fn without_last_e(word: String) -> String {
    let may_go = |stem: &&str| measure(stem) > 1 || (measure(stem) == 1 && !ends_short(stem));
    word.strip_suffix('e').filter(may_go).map(str::to_owned).unwrap_or(word)
}

/// Step 5b.
fn without_last_l(word: String) -> String {
    match word.strip_suffix('l') {
        Some(stem) if stem.ends_with('l') && measure(stem) > 1 => stem.to_owned(),
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn stems_are_those_of_nltk() {
        // `nltk.stem.porter.PorterStemmer().stem(word)`, NLTK 3.10.
        let pairs = "
            caresses:caress ponies:poni ties:tie dies:die cats:cat caress:caress feed:feed agreed:agre
            plastered:plaster bled:bled motoring:motor sing:sing conflated:conflat troubled:troubl
            sized:size hopping:hop tanned:tan falling:fall hissing:hiss fizzed:fizz failing:fail filing:file
            died:die spied:spi happy:happi sky:sky enjoy:enjoy spies:spi flies:fli relational:relat
            conditional:condit rational:ration valency:valenc hesitancy:hesit digitizer:digit
            conformably:conform radically:radic differently:differ vilely:vile analogously:analog
            vietnamization:vietnam predication:predic operator:oper feudalism:feudal decisiveness:decis
            hopefulness:hope callousness:callous formality:formal sensitivity:sensit sensibility:sensibl
            fully:fulli carefully:care geology:geolog archaeology:archaeolog triplicate:triplic
            formative:form formalize:formal electricity:electr electrical:electr hopeful:hope goodness:good
            revival:reviv allowance:allow inference:infer airliner:airlin gyroscopic:gyroscop
            adjustable:adjust defensible:defens irritant:irrit replacement:replac adjustment:adjust
            dependent:depend adoption:adopt communism:commun activate:activ homologous:homolog
            effective:effect bowdlerize:bowdler probate:probat rate:rate cease:ceas controlling:control
            rolls:roll oscillators:oscil skies:sky dying:die lying:lie tying:tie news:news innings:inning
            outings:outing cannings:canning howe:howe proceed:proceed exceed:exceed succeed:succeed
            proceeds:proce used:use using:use 2nd:2nd 1990s:1990 yyyy:yyyi chairs:chair tables:tabl
        ";
        for (word, expected) in pairs.split_whitespace().filter_map(|pair| pair.split_once(':')) {
            assert_eq!(stem(word), expected, "{word}");
        }
    }
}
