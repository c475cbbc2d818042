//! Reading one file of rosbag2's SQLite storage (`.db3`), plain or compressed as a whole.
//!
//! A database is opened for reading only and as one that nobody changes, so SQLite writes nothing beside it. What its
//! recorder had not yet moved into it, `journal.rs` looks after.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};

use crate::channel::{TopicInfo, ros_name};
use crate::contents::Contents;
use crate::error::{Error, Result};
use crate::qos::Qos;
use crate::stream::{MAX_RECORD_BYTES, Recorded};
use crate::unpack;

/// Goes through the table itself: its index may be what is damaged.
const PLACES: &str = "SELECT id, topic_id, timestamp FROM messages NOT INDEXED";

/// Tables of rosbag2.
const TABLES: [&str; 2] = ["topics", "messages"];

/// Where a message lies, in the order in which messages are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    log_time_nanos: i64,
    id: i64,
}

/// The messages of a database in the order of their times. In memory are the place of each message, and one message.
pub(crate) struct SqliteMessages {
    connection: Connection,
    topics: BTreeMap<i64, Arc<TopicInfo>>,
    places: std::vec::IntoIter<Place>,
    /// Why not every message has a place.
    damage: Option<String>,
    contents: Contents,
}

impl SqliteMessages {
    /// Opens a database and looks where its messages are. `copy`: where it lies together with its log.
    ///
    /// # Errors
    /// When it can't be opened, or has not the tables of rosbag2.
    pub fn open(path: &Path, copy: Option<&Path>, is_compressed: bool) -> Result<Self> {
        let (connection, damage) = if is_compressed {
            // Its name goes once it is open; nobody needs it.
            let unpacked = unpack::file(path)?;
            (connect(unpacked.file.path()).map_err(Error::sqlite(path))?, unpacked.damage)
        } else {
            (connect(copy.unwrap_or(path)).map_err(Error::sqlite(path))?, None)
        };
        // A table that is not there is no damage: this is another database.
        let other = |reason: String| {
            let found = format!("a database of SQLite without the tables of rosbag2 ({reason})");
            Error::NotABag { path: path.to_owned(), found }
        };
        for table in TABLES {
            let kind = kind_of(&connection, table).map_err(Error::sqlite(path))?;
            if kind.as_deref() != Some("table") {
                return Err(other(match kind {
                    Some(kind) => format!("{table} is a {kind}"),
                    None => format!("no such table: {table}"),
                }));
            }
        }
        let topics = connection.prepare(PLACES).and_then(|_| read_topics(&connection)).map_err(|source| {
            let reason = source.to_string();
            if reason.contains("no such") { other(reason) } else { Error::Sqlite { path: path.to_owned(), source } }
        })?;
        let mut found = Self {
            connection,
            topics: topics.into_iter().map(|(id, topic)| (id, Arc::new(topic))).collect(),
            places: Vec::new().into_iter(),
            damage,
            contents: Contents::default(),
        };
        found.look();
        Ok(found)
    }

    /// What is in it.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Finds the messages, up to damage.
    fn look(&mut self) {
        let mut places = Vec::new();
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        let looked = read_places(&self.connection, |topic, place| {
            if let Some(topic) = self.topics.get_key_value(&topic) {
                *counts.entry(*topic.0).or_default() += 1;
                places.push(place);
            }
        });
        self.damage = self.damage.take().or(looked.err().map(|error| error.to_string()));
        for (id, topic) in &self.topics {
            let message_count = counts.get(id).copied().unwrap_or(0);
            self.contents.count(&TopicInfo { message_count, ..TopicInfo::clone(topic) });
        }
        places.sort_unstable();
        let ends = [places.first(), places.last()].into_iter().flatten();
        ends.for_each(|place| self.contents.widen(u64::try_from(place.log_time_nanos).unwrap_or(0)));
        self.places = places.into_iter();
    }

    fn fetch(&self, place: Place) -> rusqlite::Result<Option<Recorded>> {
        let mut statement = self.connection.prepare_cached("SELECT topic_id, data FROM messages WHERE id = ?1")?;
        let (topic, data): (i64, Vec<u8>) = statement.query_row([place.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let log_time_nanos = u64::try_from(place.log_time_nanos).unwrap_or(0);
        Ok(self.topics.get(&topic).map(|topic| Recorded { topic: topic.clone(), log_time_nanos, data }))
    }
}

impl Iterator for SqliteMessages {
    type Item = std::result::Result<Recorded, String>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(place) = self.places.next() {
            match self.fetch(place) {
                Ok(Some(message)) => return Some(Ok(message)),
                Ok(None) => {}
                Err(error) => return Some(Err(format!("message {}: {error}", place.id))),
            }
        }
        self.damage.take().map(Err)
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri(path), flags)?;
    // A database that was cut off is read as far as it goes; without this SQLite refuses all of it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_RECORD_BYTES as i32)?;
    Ok(connection)
}

/// A path as SQLite wants it beside options: every byte that could mean something else is written as a number.
fn uri(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let bytes = path.as_os_str().as_bytes().iter();
    let path: String =
        bytes.map(|&byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect();
    format!("file:{path}?mode=ro&immutable=1")
}

/// What a name stands for in SQLite's words: a view may give rows without end, a virtual table is another program's.
fn kind_of(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let kind = "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ?1 COLLATE NOCASE";
    connection.query_row(kind, [name], |row| row.get(0)).optional()
}

fn read_topics(connection: &Connection) -> rusqlite::Result<Vec<(i64, TopicInfo)>> {
    let mut statement = connection.prepare("SELECT * FROM topics")?;
    let topic = |row: &Row<'_>| {
        // The first versions have no such column.
        let profiles: Option<String> = row.get("offered_qos_profiles").ok();
        let info = TopicInfo {
            name: row.get("name")?,
            type_name: ros_name(&row.get::<_, String>("type")?),
            serialization: row.get("serialization_format")?,
            message_count: 0,
            qos: profiles.and_then(|text| Qos::from_yaml(&text)),
        };
        Ok((row.get("id")?, info))
    };
    statement.query_map([], topic)?.collect()
}

fn read_places(connection: &Connection, mut found: impl FnMut(i64, Place)) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(PLACES)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found(row.get(1)?, Place { log_time_nanos: row.get(2)?, id: row.get(0)? });
    }
    Ok(())
}
