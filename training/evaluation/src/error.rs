//! What can go wrong in an evaluation.

/// The error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model can't be loaded, or a step of it failed.
    #[error(transparent)]
    Answer(#[from] perception::AnswerError),
    /// The furniture could not be read.
    #[error(transparent)]
    Furniture(#[from] sim::catalogue::PackError),
    /// The templates could not be read.
    #[error(transparent)]
    Episode(#[from] episodes::Error),
    /// The model directory could not be read or written.
    #[error(transparent)]
    ModelDir(#[from] model_dir::Error),
    /// The preprocessor's configuration could not be read.
    #[error(transparent)]
    Processor(#[from] processor::ProcessorError),
    /// The ring refused its settings.
    #[error(transparent)]
    Ring(#[from] frame_ring::SettingsError),
    /// The ring refused a rendered frame.
    #[error(transparent)]
    Frame(#[from] frame_ring::FrameError),
    /// The wording of simulated questions is damaged.
    #[error(transparent)]
    Wording(#[from] sim::questions::wording::WordingError),
    /// The robot would refuse a question.
    #[error("question {question:?}: {source}")]
    Query {
        /// In words.
        question: String,
        /// Why.
        source: perception::QueryError,
    },
    /// Nothing can be asked.
    #[error("{exam}: expected at least one question with a label, found none")]
    NoQuestions {
        /// Name of the exam.
        exam: String,
    },
    /// A logged question can't be put to a robot.
    #[error("episode {episode:?}, question {question:?}, {what}: expected {expected}, found {found}")]
    Logged {
        /// The episode's id.
        episode: String,
        /// The question's id.
        question: String,
        /// Which part of it.
        what: &'static str,
        /// What that was to be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A phrasing can't be read by the robot's own grounding.
    #[error("phrasing {phrasing:?}: expected {expected}, found {found}")]
    Phrasing {
        /// The question in words.
        phrasing: String,
        /// The kind and object it was made for.
        expected: String,
        /// What grounding read.
        found: String,
    },
    /// There are too few answers to calibrate from.
    #[error("calibrating {kind}: expected at least {expected} answers, found {found}")]
    TooFewAnswers {
        /// The kind of question.
        kind: &'static str,
        /// The least number.
        expected: usize,
        /// Answers with a number.
        found: usize,
    },
    /// A file can't be read or written.
    #[error("{}: expected {expected}, found {found}", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What it was to be.
        expected: &'static str,
        /// What is wrong.
        found: String,
    },
    /// Two models answered other questions.
    #[error("answers to one exam: expected {expected}, found {found}")]
    OtherExam {
        /// In the present model's answers.
        expected: String,
        /// In the candidate's.
        found: String,
    },
    /// A file of answers has one of them twice.
    #[error("{whose} answers: expected each question once, found question {number} twice ({question:?})")]
    Twice {
        /// The candidate's, or the present model's.
        whose: &'static str,
        /// Its place in the exam.
        number: usize,
        /// In words.
        question: String,
    },
    /// The page can't be put together.
    #[error("page: {0}")]
    Page(String),
}

impl Error {
    pub(crate) fn file(path: &std::path::Path, expected: &'static str, found: impl ToString) -> Self {
        Self::File { path: path.to_owned(), expected, found: found.to_string() }
    }
}

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
