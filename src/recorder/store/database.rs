//! The database of records: one table, pages by key, eviction by count and bytes.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value};
use tracing::error;

use super::{Page, Query, StoreError, Stored};
use crate::recorder::record::{Record, id_text};

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(in crate::recorder) struct Limits {
    pub(in crate::recorder) records: u64,
    pub(in crate::recorder) bytes: u64,
}

/// What a row occupies beside its JSON, about.
const ROW_BYTES: u64 = 512;

/// A page ends early where its records are large, so that no answer takes memory without bound.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// The layout of the table. A file of another layout is left alone.
const LAYOUT: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS exchange (
        key      INTEGER PRIMARY KEY AUTOINCREMENT,
        id       TEXT NOT NULL UNIQUE,
        route    TEXT NOT NULL,
        cause    TEXT,
        hazards  TEXT NOT NULL,
        status   INTEGER,
        url      TEXT NOT NULL,
        path     TEXT NOT NULL,
        precious INTEGER NOT NULL,
        bytes    INTEGER NOT NULL,
        record   TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS exchange_precious ON exchange (precious, key);
    CREATE INDEX IF NOT EXISTS exchange_route ON exchange (route, key);
    CREATE INDEX IF NOT EXISTS exchange_cause ON exchange (cause, key);
    CREATE INDEX IF NOT EXISTS exchange_url ON exchange (url, key);
";

/// A record and the columns by which it is found.
#[derive(Debug)]
pub(super) struct Entry {
    id: String,
    columns: Columns,
    precious: bool,
    json: Arc<str>,
}

#[derive(Debug)]
struct Columns {
    route: String,
    cause: Option<String>,
    hazards: String,
    status: Option<u16>,
    url: String,
    path: String,
}

impl Entry {
    pub(super) fn of(record: &Record, precious: bool) -> Result<Self, serde_json::Error> {
        let json = Arc::from(serde_json::to_string(record)?);
        Ok(Self { id: record.id.clone(), columns: Columns::of(record), precious, json })
    }
}

impl Columns {
    fn of(record: &Record) -> Self {
        // With a space on both sides of each, so that one is found as a whole.
        let hazards = record.hazards.iter().map(|found| format!("{} ", found.hazard)).collect::<String>();
        Self {
            route: record.route.clone(),
            cause: record.diagnosis.as_ref().map(|diagnosis| diagnosis.cause.clone()),
            hazards: format!(" {hazards}"),
            status: record.response.as_ref().map(|response| response.status),
            path: path_of(&record.request.url).to_owned(),
            url: record.request.url.clone(),
        }
    }
}

/// Path and query of a URL.
fn path_of(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let rest = url.get(after_scheme..).unwrap_or_default();
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}

pub(super) struct Database {
    connection: Connection,
    limits: Limits,
    records: u64,
    bytes: u64,
}

impl Database {
    /// Opens the file, or memory where there is none or it cannot be used: better records for this run than none.
    pub(super) fn open(file: Option<&Path>, limits: Limits) -> Self {
        if let Some(path) = file {
            match connect(path).and_then(|connection| Self::prepare(connection, limits)) {
                Ok(database) => return database,
                Err(fault) => {
                    let file = path.display();
                    error!(%fault, %file, "the capture file cannot be used; records are kept in memory");
                }
            }
        }
        Self::in_memory(limits)
    }

    #[expect(clippy::expect_used, reason = "an empty database in memory needs nothing that could be missing")]
    fn in_memory(limits: Limits) -> Self {
        let connection = Connection::open_in_memory().expect("an empty database in memory opens");
        Self::prepare(connection, limits).expect("the schema fits an empty database")
    }

    fn prepare(connection: Connection, limits: Limits) -> Result<Self, StoreError> {
        let layout: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if layout != LAYOUT && (layout != 0 || tables != 0) {
            return Err(StoreError::Failed("the file holds something else than records of this version".to_owned()));
        }
        // NORMAL with a write-ahead log survives a crash of the process; only one of the machine may cost the last
        // records.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304;
             PRAGMA busy_timeout = 200;",
        )?;
        connection.execute_batch(SCHEMA)?;
        connection.pragma_update(None, "user_version", LAYOUT)?;
        let mut database = Self { connection, limits, records: 0, bytes: 0 };
        database.measure()?;
        Ok(database)
    }

    /// How many records there are, and what they occupy.
    pub(super) const fn size(&self) -> (u64, u64) {
        (self.records, self.bytes)
    }

    /// Adds records in one transaction, in order.
    pub(super) fn insert(&mut self, entries: &[Entry]) -> Result<Vec<Stored>, StoreError> {
        let transaction = self.connection.transaction()?;
        let mut inserted = Vec::with_capacity(entries.len());
        let mut added = 0;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO exchange (id, route, cause, hazards, status, url, path, precious, bytes, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO NOTHING RETURNING key",
            )?;
            for entry in entries {
                let bytes = row_bytes(&entry.json);
                let Columns { route, cause, hazards, status, url, path } = &entry.columns;
                let values =
                    params![entry.id, route, cause, hazards, status, url, path, entry.precious, bytes, &*entry.json];
                let key: Option<i64> = insert.query_row(values, |row| row.get(0)).optional()?;
                if let Some(key) = key {
                    added += bytes;
                    inserted.push(Stored { key, id: entry.id.clone(), json: Arc::clone(&entry.json) });
                }
            }
        }
        transaction.commit()?;
        self.records += inserted.len() as u64;
        self.bytes += added;
        Ok(inserted)
    }

    /// Puts a changed record in the place of the old one.
    pub(super) fn update(&mut self, key: i64, record: &Record) -> Result<Stored, StoreError> {
        let json: Arc<str> =
            Arc::from(serde_json::to_string(record).map_err(|fault| StoreError::Failed(fault.to_string()))?);
        let cause = record.diagnosis.as_ref().map(|diagnosis| diagnosis.cause.as_str());
        let transaction = self.connection.transaction()?;
        let before: Option<u64> =
            transaction.query_row("SELECT bytes FROM exchange WHERE key = ?1", [key], |row| row.get(0)).optional()?;
        transaction.execute(
            "UPDATE exchange SET record = ?2, bytes = ?3, cause = ?4 WHERE key = ?1",
            params![key, &*json, row_bytes(&json), cause],
        )?;
        transaction.commit()?;
        if let Some(before) = before {
            self.bytes = (self.bytes + row_bytes(&json)).saturating_sub(before);
        }
        Ok(Stored { key, id: record.id.clone(), json })
    }

    pub(super) fn one(&self, id: &str) -> Result<Option<Stored>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT key, id, record FROM exchange WHERE id = ?1")?;
        Ok(select.query_row([id], stored).optional()?)
    }

    pub(super) fn list(&self, query: &Query) -> Result<Page, StoreError> {
        let mut conditions = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        let mut add = |condition: &str, value: Value| {
            values.push(value);
            conditions.push(condition.replace('?', &format!("?{}", values.len())));
        };
        if let Some(after) = query.after {
            add("key > ?", Value::Integer(self.place(&id_text(after))?));
        }
        if let Some(before) = query.before {
            let name = id_text(before);
            // Where the record is gone, the place lies between its neighbours.
            let place = self.place(&name)? + i64::from(self.one(&name)?.is_none());
            add("key < ?", Value::Integer(place));
        }
        for (condition, value) in [("route = ?", &query.route), ("cause = ?", &query.cause)] {
            if let Some(value) = value {
                add(condition, Value::Text(value.clone()));
            }
        }
        if let Some(hazard) = &query.hazard {
            add("instr(hazards, ?) > 0", Value::Text(format!(" {hazard} ")));
        }
        if let Some(status) = query.status {
            add("status = ?", Value::Integer(i64::from(status)));
        }
        if let Some(resource) = &query.resource {
            let column = if resource.starts_with('/') { "path = ?" } else { "url = ?" };
            add(column, Value::Text(resource.clone()));
        }
        let filter = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
        let order = if query.after.is_some() { "ASC" } else { "DESC" };
        let limit = query.limit + 1;
        let text = format!("SELECT key, id, record FROM exchange {filter} ORDER BY key {order} LIMIT {limit}");
        let mut select = self.connection.prepare_cached(&text)?;
        let mut page = Page::default();
        let mut bytes = 0;
        for record in select.query_map(params_from_iter(values), stored)? {
            let record = record?;
            bytes += record.json.len();
            if page.records.len() == query.limit || (bytes > PAGE_BYTES_MAX && !page.records.is_empty()) {
                page.more = true;
                break;
            }
            page.records.push(record);
        }
        Ok(page)
    }

    /// The key of a record; where it is gone, the key below which those lie that are older by their names.
    fn place(&self, id: &str) -> Result<i64, StoreError> {
        if let Some(stored) = self.one(id)? {
            return Ok(stored.key);
        }
        let next: Option<i64> =
            self.connection.query_row("SELECT min(key) FROM exchange WHERE id > ?1", [id], |row| row.get(0))?;
        match next {
            Some(next) => Ok(next - 1),
            None => {
                Ok(self.connection.query_row("SELECT coalesce(max(key), 0) FROM exchange", [], |row| row.get(0))?)
            }
        }
    }

    /// Deletes until the limits hold: the oldest first, but none that is precious while there are others.
    pub(super) fn evict(&mut self) -> Result<u64, StoreError> {
        let mut evicted = 0;
        while self.records > self.limits.records || self.bytes > self.limits.bytes {
            let excess = self.records.saturating_sub(self.limits.records).max(1);
            let mut deleted = self.delete(false, excess)?;
            if deleted == 0 {
                deleted = self.delete(true, excess)?;
            }
            if deleted == 0 {
                self.measure()?;
                break;
            }
            evicted += deleted;
        }
        Ok(evicted)
    }

    fn delete(&mut self, precious: bool, most: u64) -> Result<u64, StoreError> {
        let freed = {
            let mut delete = self.connection.prepare_cached(
                "DELETE FROM exchange WHERE key IN
                 (SELECT key FROM exchange WHERE precious = ?1 ORDER BY key LIMIT ?2) RETURNING bytes",
            )?;
            let freed = delete.query_map(params![precious, most], |row| row.get::<_, u64>(0))?;
            freed.collect::<Result<Vec<_>, rusqlite::Error>>()?
        };
        self.records = self.records.saturating_sub(freed.len() as u64);
        self.bytes = self.bytes.saturating_sub(freed.iter().sum());
        Ok(freed.len() as u64)
    }

    fn measure(&mut self) -> Result<(), StoreError> {
        (self.records, self.bytes) =
            self.connection.query_row("SELECT count(*), coalesce(sum(bytes), 0) FROM exchange", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        Ok(())
    }
}

/// Opens the file. A new one is for its owner alone: what is recorded is nobody else's business, even without its
/// secrets.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match created {
        Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => Err(StoreError::Failed(fault.to_string())),
        Ok(_) | Err(_) => Ok(Connection::open(path)?),
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

fn row_bytes(json: &str) -> u64 {
    json.len() as u64 + ROW_BYTES
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let json: String = row.get(2)?;
    Ok(Stored { key: row.get(0)?, id: row.get(1)?, json: Arc::from(json) })
}
