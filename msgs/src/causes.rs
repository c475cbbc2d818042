//! Errors as a user reads them.

use std::error::Error;

/// An error and what caused it, in one line. What an error already says of its cause is not said again.
///
/// ```
/// let cause = std::io::Error::other("the disk is full");
/// let error = std::io::Error::other(cause);
/// assert_eq!(msgs::with_causes(&error), "the disk is full");
/// ```
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |&cause| cause.source()) {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl std::fmt::Display for Layer {
        fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|layer| layer as _)
        }
    }

    #[test]
    fn each_cause_is_said_once() {
        let disk = || Some(Box::new(Layer("no space", None)));
        assert_eq!(with_causes(&Layer("x.toml: no space", disk())), "x.toml: no space");
        assert_eq!(with_causes(&Layer("x.toml", disk())), "x.toml: no space");
        let deep = Layer("run", Some(Box::new(Layer("x.toml: no space", disk()))));
        assert_eq!(with_causes(&deep), "run: x.toml: no space");
    }
}
