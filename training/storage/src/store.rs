//! The client: whole objects under one prefix, by names relative to it. Requests are signed by
//! [rusty-s3](https://docs.rs/rusty-s3) and sent by [ureq](https://docs.rs/ureq).

use std::time::Duration;

use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use ureq::Agent;
use ureq::http::{Response, StatusCode};

use crate::folder::Object;
use crate::{Error, Result};

/// How long a signed request may take to arrive.
const VALID: Duration = Duration::from_secs(3600);
/// Longest wait for a connection, and for the first byte of an answer.
const PATIENCE: Duration = Duration::from_secs(60);
const DEFAULT_REGION: &str = "us-east-1";
/// Characters of a store's own words that an error repeats.
const SHOWN_CHARS: usize = 300;

/// A prefix of a bucket.
pub(crate) struct Store {
    url: String,
    bucket: Bucket,
    credentials: Option<Credentials>,
    prefix: String,
    agent: Agent,
}

/// The first of the environment's variables that says anything.
fn variable(names: &[&str]) -> Option<String> {
    names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty())
}

impl Store {
    pub(crate) fn open(url: &str) -> Result<Self> {
        let refuse = |found: String| Error::Url { url: url.to_owned(), found };
        let rest = url.strip_prefix("s3://").ok_or_else(|| refuse("another scheme".to_owned()))?;
        let (bucket, folder) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = folder.trim_matches('/').to_owned();
        if bucket.is_empty() || prefix.is_empty() {
            return Err(refuse("no bucket or no folder".to_owned()));
        }
        let region = variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]).unwrap_or_else(|| DEFAULT_REGION.to_owned());
        // Other stores than Amazon's seldom have a host for each bucket.
        let (endpoint, style) = match variable(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]) {
            Some(endpoint) => (endpoint, UrlStyle::Path),
            None => (format!("https://s3.{region}.amazonaws.com"), UrlStyle::VirtualHost),
        };
        let endpoint = endpoint.parse().map_err(|error| refuse(format!("the endpoint {endpoint:?}: {error}")))?;
        let bucket = Bucket::new(endpoint, style, bucket.to_owned(), region);
        let bucket = bucket.map_err(|error| refuse(error.to_string()))?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE));
        let agent = config.build().new_agent();
        Ok(Self { url: url.to_owned(), bucket, credentials: Credentials::from_env(), prefix, agent })
    }

    fn failed(&self, reason: impl ToString) -> Error {
        Error::Store { url: self.url.clone(), reason: reason.to_string() }
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    fn bytes(&self, response: Response<ureq::Body>) -> Result<Vec<u8>> {
        response.into_body().into_with_config().limit(u64::MAX).read_to_vec().map_err(|error| self.failed(error))
    }

    /// The body of a success; `None` where there is no such object. An error says what the store says.
    fn body(&self, sent: std::result::Result<Response<ureq::Body>, ureq::Error>) -> Result<Option<Vec<u8>>> {
        let response = sent.map_err(|error| self.failed(error))?;
        let status = response.status();
        let bytes = self.bytes(response)?;
        let text = || String::from_utf8_lossy(&bytes).chars().take(SHOWN_CHARS).collect::<String>();
        match status {
            status if status.is_success() => Ok(Some(bytes)),
            // A missing bucket is not a missing object.
            StatusCode::NOT_FOUND if !text().contains("NoSuchBucket") => Ok(None),
            status => Err(self.failed(format!("{status} {}", text()))),
        }
    }

    /// All objects.
    pub(crate) fn list(&self) -> Result<Vec<Object>> {
        let prefix = format!("{}/", self.prefix);
        let (mut objects, mut next) = (Vec::new(), None);
        loop {
            let mut action = self.bucket.list_objects_v2(self.credentials.as_ref());
            action.with_prefix(prefix.as_str());
            if let Some(token) = next.take() {
                action.with_continuation_token(token);
            }
            let bytes = self.body(self.agent.get(action.sign(VALID).as_str()).call())?.unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            let page = ListObjectsV2::parse_response(&text).map_err(|error| self.failed(error))?;
            for content in page.contents {
                let Some(name) = content.key.strip_prefix(&prefix).filter(|name| !name.is_empty()) else { continue };
                let modified = content.last_modified.unwrap_or_default();
                let modified: jiff::Timestamp = modified.parse().map_err(|error| self.failed(error))?;
                let size = content.size.unwrap_or_default();
                objects.push(Object { name: name.to_owned(), size, modified: modified.into() });
            }
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(objects);
            }
        }
    }

    /// An object's bytes; `None` where there is none.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let key = self.key(name);
        let action = self.bucket.get_object(self.credentials.as_ref(), &key);
        self.body(self.agent.get(action.sign(VALID).as_str()).call())
    }

    /// Writes an object; it appears whole or not at all.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let key = self.key(name);
        let action = self.bucket.put_object(self.credentials.as_ref(), &key);
        let put = self.body(self.agent.put(action.sign(VALID).as_str()).send(bytes))?;
        put.map(drop).ok_or_else(|| self.failed("404"))
    }

    /// Removes an object; one that is not there is no error.
    pub(crate) fn delete(&self, name: &str) -> Result<()> {
        let key = self.key(name);
        let action = self.bucket.delete_object(self.credentials.as_ref(), &key);
        self.body(self.agent.delete(action.sign(VALID).as_str()).call()).map(drop)
    }
}
