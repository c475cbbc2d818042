//! Folders of an S3-compatible object store, as local ones: training data is fetched, runs are kept there.
//!
//! `s3://bucket/some/prefix` names a folder. Keys, region and endpoint come from the environment as for other tools
//! (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`); without keys requests are not signed,
//! which public buckets allow. A store that is busy or does not answer is asked again for a minute.

mod error;
mod folder;
mod retry;
mod store;

pub use error::{Error, Result};
pub use folder::RemoteFolder;

/// Whether a path is the URL of an object store.
pub fn is_url(path: &std::path::Path) -> bool {
    path.to_str().is_some_and(|text| text.starts_with("s3://"))
}
