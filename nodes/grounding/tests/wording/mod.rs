//! Texts, each with what it is to be read as.

use grounding::parse_question;
use msgs::QuestionKind;

/// Words, their kind, and the things named in the order of the kind.
pub type Wording = (&'static str, QuestionKind, &'static str);

/// Every text is read as its kind.
pub fn check(wordings: &[Wording]) {
    let mut wrong = Vec::new();
    for (text, kind, objects) in wordings {
        let read = parse_question(text).expect(text);
        let named: Vec<&str> = read.object.iter().chain(&read.others).map(String::as_str).collect();
        if (read.kind, named.join(", ").as_str()) != (*kind, *objects) {
            wrong.push(format!("{text:?}: expected {kind:?} of {objects:?}, found {:?} of {named:?}", read.kind));
        }
        assert_eq!(read.kind, read.asked, "{text}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
