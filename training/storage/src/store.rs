//! The client: whole objects under one prefix, by names relative to it. Requests are signed by
//! [rusty-s3](https://docs.rs/rusty-s3) and sent by [ureq](https://docs.rs/ureq), again where the store was only busy or
//! the line was cut. A signature is part of an address, so addresses are in no error.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::time::Duration;

use backon::ExponentialBuilder;
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body, SendBody};

use crate::folder::Object;
use crate::retry::{Refusal, ask, pauses};
use crate::{Error, Result};

/// How long a signed request may take to arrive.
const VALID: Duration = Duration::from_secs(3600);
/// Longest wait for a connection, and for the first byte of an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes a second of a line that is slow, but not dead.
const SLOWEST: u64 = 50_000;
const DEFAULT_REGION: &str = "us-east-1";
/// Characters of a store's own words that an error repeats.
const SHOWN_CHARS: usize = 300;
/// Longest answer that is held in memory, bytes: a page of the list has a thousand names.
const LONGEST_TEXT: u64 = 64 << 20;
/// Most objects of a folder.
const MOST_OBJECTS: usize = 10_000_000;

/// A prefix of a bucket.
pub(crate) struct Store {
    url: String,
    bucket: Bucket,
    credentials: Option<Credentials>,
    prefix: String,
    agent: Agent,
    pauses: ExponentialBuilder,
}

/// The first of the environment's variables that says anything.
fn variable(names: &[&str]) -> Option<String> {
    names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty())
}

impl Store {
    pub(crate) fn open(url: &str) -> Result<Self> {
        let region = variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]).unwrap_or_else(|| DEFAULT_REGION.to_owned());
        let endpoint = variable(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
        Self::at(url, endpoint, region, Credentials::from_env())
    }

    fn at(url: &str, endpoint: Option<String>, region: String, credentials: Option<Credentials>) -> Result<Self> {
        let refuse = |found: String| Error::Url { url: url.to_owned(), found };
        let rest = url.strip_prefix("s3://").ok_or_else(|| refuse("another scheme".to_owned()))?;
        let (bucket, folder) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = folder.trim_matches('/').to_owned();
        if bucket.is_empty() || prefix.is_empty() {
            return Err(refuse("no bucket or no folder".to_owned()));
        }
        // Other stores than Amazon's seldom have a host for each bucket.
        let (endpoint, style) = match endpoint {
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
        Ok(Self { url: url.to_owned(), bucket, credentials, prefix, agent, pauses: pauses() })
    }

    /// Asks for `name`, again where that may help.
    fn ask<T>(&self, name: &str, request: impl FnMut() -> std::result::Result<T, Refusal>) -> Result<T> {
        ask(&self.shown(name), self.pauses, request)
            .map_err(|refusal| Error::Store { url: self.shown(name), reason: refusal.reason })
    }

    fn shown(&self, name: &str) -> String {
        let folder = self.url.trim_end_matches('/');
        if name.is_empty() { folder.to_owned() } else { format!("{folder}/{name}") }
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    fn asked_for(&self, address: &str, bytes: u64) -> Answer {
        let request = self.agent.get(address).config().timeout_recv_body(Some(time_for(bytes))).build();
        answer(request.call()?)
    }

    /// All objects.
    pub(crate) fn list(&self) -> Result<Vec<Object>> {
        let prefix = format!("{}/", self.prefix);
        let (mut objects, mut next, mut seen) = (Vec::new(), None, HashSet::new());
        loop {
            let mut action = self.bucket.list_objects_v2(self.credentials.as_ref());
            action.with_prefix(prefix.as_str());
            if let Some(token) = next.take() {
                action.with_continuation_token(token);
            }
            let page = self.ask("", || {
                let body = self.asked_for(action.sign(VALID).as_str(), LONGEST_TEXT)?;
                let text = body.map(text).transpose()?.unwrap_or_default();
                ListObjectsV2::parse_response(&String::from_utf8_lossy(&text)).map_err(Refusal::lasting)
            })?;
            for content in page.contents {
                let Some(name) = content.key.strip_prefix(&prefix).filter(|name| !name.is_empty()) else { continue };
                let modified = content.last_modified.unwrap_or_default();
                let modified: jiff::Timestamp = modified.parse().map_err(|error| self.no_list(&error))?;
                let size = content.size.unwrap_or_default();
                objects.push(Object { name: name.to_owned(), size, modified: modified.into() });
            }
            let Some(token) = page.next_continuation_token else { return Ok(objects) };
            if objects.len() > MOST_OBJECTS || !seen.insert(token.clone()) {
                return Err(self.no_list(&format!("{} names and no end", objects.len())));
            }
            next = Some(token);
        }
    }

    fn no_list(&self, found: &dyn std::fmt::Display) -> Error {
        Error::Store { url: self.shown(""), reason: format!("expected a list of objects, found {found}") }
    }

    /// An object's bytes, of which there are few; `None` where there is no such object.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let key = self.key(name);
        let action = self.bucket.get_object(self.credentials.as_ref(), &key);
        self.ask(name, || self.asked_for(action.sign(VALID).as_str(), LONGEST_TEXT)?.map(text).transpose())
    }

    /// Writes an object of `size` bytes into a new file at `path`.
    pub(crate) fn fetch(&self, name: &str, size: u64, path: &Path) -> Result<File> {
        let key = self.key(name);
        let action = self.bucket.get_object(self.credentials.as_ref(), &key);
        let fetched = self.ask(name, || {
            let missing = || Refusal::lasting("the object is gone");
            let body = self.asked_for(action.sign(VALID).as_str(), size)?.ok_or_else(missing)?;
            let mut body = body.into_with_config().limit(size.saturating_add(1)).reader();
            // What this machine's disk says is no matter of the store.
            let mut file = match File::create(path) {
                Ok(file) => file,
                Err(error) => return Ok(Err(error)),
            };
            let (mut room, mut found) = (vec![0; 1 << 16], 0);
            loop {
                let read = body.read(&mut room)?;
                if read == 0 {
                    break;
                }
                found += read as u64;
                if let Err(error) = file.write_all(room.get(..read).unwrap_or_default()) {
                    return Ok(Err(error));
                }
            }
            match found == size {
                true => Ok(Ok(file)),
                false => Err(Refusal { reason: format!("expected {size} bytes, found {found}"), may_pass: true }),
            }
        });
        fetched?.map_err(|source| Error::Io { path: path.to_owned(), source })
    }

    /// Writes an object of few bytes; it appears whole or not at all.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.put_body(name, bytes.len() as u64, || Ok(SendBody::from_owned_reader(Cursor::new(bytes.to_vec()))))
    }

    /// Writes the first `size` bytes of a file as an object; it appears whole or not at all.
    pub(crate) fn put_file(&self, name: &str, size: u64, path: &Path) -> Result<()> {
        self.put_body(name, size, || Ok(SendBody::from_owned_reader(File::open(path)?.take(size))))
    }

    fn put_body(&self, name: &str, size: u64, body: impl Fn() -> std::io::Result<SendBody<'static>>) -> Result<()> {
        let key = self.key(name);
        let action = self.bucket.put_object(self.credentials.as_ref(), &key);
        self.ask(name, || {
            let body = body().map_err(Refusal::lasting)?;
            // Stores take no body whose length is not told.
            let request = self.agent.put(action.sign(VALID).as_str()).header("content-length", size.to_string());
            let request = request.config().timeout_send_body(Some(time_for(size))).build();
            let missing = || Refusal::by(StatusCode::NOT_FOUND, "");
            answer(request.send(body)?)?.map(drop).ok_or_else(missing)
        })
    }

    /// Removes an object; one that is not there is no error.
    pub(crate) fn delete(&self, name: &str) -> Result<()> {
        let key = self.key(name);
        let action = self.bucket.delete_object(self.credentials.as_ref(), &key);
        self.ask(name, || answer(self.agent.delete(action.sign(VALID).as_str()).call()?).map(drop))
    }
}

/// The body of a success; `None` where there is no such object.
type Answer = std::result::Result<Option<Body>, Refusal>;

/// An error says what the store says.
fn answer(response: Response<Body>) -> Answer {
    let status = response.status();
    if status.is_success() {
        return Ok(Some(response.into_body()));
    }
    let words = String::from_utf8_lossy(&text(response.into_body()).unwrap_or_default()).into_owned();
    // A missing bucket is not a missing object.
    if status == StatusCode::NOT_FOUND && !words.contains("NoSuchBucket") {
        return Ok(None);
    }
    Err(Refusal::by(status, &words.chars().take(SHOWN_CHARS).collect::<String>()))
}

fn text(body: Body) -> std::result::Result<Vec<u8>, Refusal> {
    Ok(body.into_with_config().limit(LONGEST_TEXT).read_to_vec()?)
}

/// How long so many bytes may take.
fn time_for(bytes: u64) -> Duration {
    PATIENCE + Duration::from_secs(bytes / SLOWEST)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;

    const KEY: &str = "A-KEY-OF-THE-TEST";

    /// A store that gives these answers (status, body), one for each request, and then refuses to be connected to.
    fn store(answers: Vec<(u16, &'static str)>) -> (Store, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let serve = move || answers.into_iter().map(|answer| serve(&listener, answer)).collect();
        let requests = std::thread::Builder::new().name("store".to_owned()).spawn(serve).unwrap();
        let credentials = Some(Credentials::new(KEY, "a secret of the test"));
        let mut store = Store::at("s3://bucket/run", Some(endpoint), "here".to_owned(), credentials).unwrap();
        store.pauses = pauses().with_min_delay(Duration::from_millis(1)).with_max_delay(Duration::from_millis(4));
        (store, requests)
    }

    /// Reads one request and returns its first line. Of a body that begins with `cut` half is sent; to 0 nothing is said.
    fn serve(listener: &TcpListener, (status, body): (u16, &str)) -> String {
        let (mut line, _) = listener.accept().unwrap();
        let (mut request, mut room) = (Vec::new(), [0; 1024]);
        let length = loop {
            let read = line.read(&mut room).unwrap();
            request.extend_from_slice(&room[..read]);
            let text = String::from_utf8_lossy(&request).to_lowercase();
            if let Some((head, sent)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length.map_or(0, |length| length.parse().unwrap());
                if sent.len() >= length || read == 0 {
                    break body.len();
                }
            }
        };
        if status > 0 {
            let sent = if body.starts_with("cut") { &body[..length / 2] } else { body };
            let head = format!("HTTP/1.1 {status} said\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{sent}");
            line.write_all(head.as_bytes()).unwrap();
        }
        String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned()
    }

    fn page(names: &[&str], token: &str) -> String {
        let object = |name: &&str| {
            format!(
                "<Contents><Key>run/{name}</Key><Size>3</Size><ETag>1</ETag><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
            )
        };
        let next = match token {
            "" => String::new(),
            token => format!("<NextContinuationToken>{token}</NextContinuationToken>"),
        };
        let objects: String = names.iter().map(object).collect();
        format!(
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{objects}{next}</ListBucketResult>"
        )
    }

    #[test]
    fn a_store_that_is_busy_or_cut_off_is_asked_again() {
        let (store, requests) = store(vec![(503, "SlowDown"), (0, ""), (200, "cut off"), (500, ""), (200, "abc")]);
        assert_eq!(store.get("x").unwrap().unwrap(), b"abc");
        assert_eq!(requests.join().unwrap().len(), 5);
    }

    #[test]
    fn a_file_is_fetched_whole_or_not_at_all() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("x");
        let (whole, requests) = store(vec![(200, "cut short"), (200, "ab"), (200, "abcdef"), (429, ""), (200, "abc")]);
        whole.fetch("x", 3, &path).unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), requests.join().unwrap().len()), (b"abc".to_vec(), 5));
        let (gone, _) = store(vec![(404, "NoSuchKey")]);
        assert!(gone.fetch("x", 3, &path).unwrap_err().to_string().contains("s3://bucket/run/x: the object is gone"));
        let (here, _) = store(vec![(200, "abc")]);
        let nowhere = scratch.path().join("no/folder");
        assert!(matches!(here.fetch("x", 3, &nowhere), Err(Error::Io { path, .. }) if path == nowhere));
    }

    #[test]
    fn a_file_is_put_again_from_its_beginning() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("x");
        std::fs::write(&path, "a line and what came behind it").unwrap();
        let (store, requests) = store(vec![(503, ""), (200, "")]);
        store.put_file("x", 6, &path).unwrap();
        assert!(requests.join().unwrap().iter().all(|request| request.starts_with("PUT /bucket/run/x?")));
        assert!(matches!(store.put_file("x", 6, &scratch.path().join("y")), Err(Error::Store { .. })));
    }

    #[test]
    fn what_stays_is_said_at_once_and_no_error_has_a_signature() {
        let (refused, requests) = store(vec![(403, "AccessDenied")]);
        let began = Instant::now();
        let error = refused.get("x").unwrap_err().to_string();
        assert_eq!(error, "s3://bucket/run/x: 403 Forbidden AccessDenied");
        assert_eq!(requests.join().unwrap().len(), 1);
        // Nobody listens any more.
        for error in [refused.list().unwrap_err(), refused.put("x", b"abc").unwrap_err()] {
            assert!(!error.to_string().contains(KEY) && !error.to_string().contains("X-Amz"), "{error}");
        }
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_list_that_never_ends_is_refused() {
        let pages = [page(&["a"], "one"), page(&["b"], "two"), page(&["c"], "one")].map(|page| &*page.leak());
        let (endless, _) = store(pages.map(|page| (200, page)).to_vec());
        let error = endless.list().unwrap_err().to_string();
        assert!(error.contains("3 names and no end"), "{error}");
        let whole = [page(&["a"], "one"), page(&["b"], "")].map(|page| (200, &*page.leak()));
        let (whole, _) = store(whole.to_vec());
        let names: Vec<String> = whole.list().unwrap().into_iter().map(|object| object.name).collect();
        assert_eq!(names, ["a", "b"]);
        let (none, _) = store(vec![(200, "<html>")]);
        assert!(none.list().is_err());
    }
}
