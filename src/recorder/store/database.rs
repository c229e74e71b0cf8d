//! The database of records: one table, pages by key, eviction by count and bytes.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tracing::error;

use super::scan::{Bounds, Scan, millis};
use super::{Query, StoreError, Stored};
use crate::recorder::record::{Record, id_text};

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(in crate::recorder) struct Limits {
    pub(in crate::recorder) records: u64,
    pub(in crate::recorder) bytes: u64,
}

/// What a row occupies beside its JSON, about.
const ROW_BYTES: u64 = 512;

/// The layout of the table. A file of the layout before is changed to it, any other is left alone.
const LAYOUT: i64 = 2;

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
        at       INTEGER NOT NULL DEFAULT 0,
        record   TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS exchange_precious ON exchange (precious, key);
    CREATE INDEX IF NOT EXISTS exchange_route ON exchange (route, key);
    CREATE INDEX IF NOT EXISTS exchange_cause ON exchange (cause, key);
    CREATE INDEX IF NOT EXISTS exchange_url ON exchange (url, key);
    CREATE INDEX IF NOT EXISTS exchange_path ON exchange (path, key);
    CREATE INDEX IF NOT EXISTS exchange_status ON exchange (status, key);
    CREATE INDEX IF NOT EXISTS exchange_at ON exchange (at, key);
";

/// Layout 1 did not know when an exchange was, but in its record.
const FROM_LAYOUT_1: &str = "
    ALTER TABLE exchange ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
    UPDATE exchange SET at =
        coalesce(CAST(round((julianday(json_extract(record, '$.at')) - 2440587.5) * 86400000) AS INTEGER), 0);
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
    /// In milliseconds since the Unix epoch.
    at: i64,
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
            at: record.at.parse::<Timestamp>().map_or(0, Timestamp::as_millisecond),
        }
    }
}

/// Path and query of a URL.
pub(super) fn path_of(url: &str) -> &str {
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
        if !matches!(layout, 1 | LAYOUT) && (layout != 0 || tables != 0) {
            return Err(StoreError::Failed("the file holds something else than records of this version".to_owned()));
        }
        // NORMAL with a write-ahead log survives a crash of the process; only one of the machine may cost the last
        // records.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304;
             PRAGMA busy_timeout = 200;",
        )?;
        if layout == 1 {
            connection.execute_batch(&format!("BEGIN; {FROM_LAYOUT_1} PRAGMA user_version = {LAYOUT}; COMMIT;"))?;
        }
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
                "INSERT INTO exchange (id, route, cause, hazards, status, url, path, precious, bytes, at, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (id) DO NOTHING RETURNING key",
            )?;
            for entry in entries {
                let bytes = row_bytes(&entry.json);
                let Columns { route, cause, hazards, status, url, path, at } = &entry.columns;
                let (id, precious, json) = (&entry.id, entry.precious, &*entry.json);
                let values = params![id, route, cause, hazards, status, url, path, precious, bytes, at, json];
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
        let Columns { cause, hazards, .. } = Columns::of(record);
        let transaction = self.connection.transaction()?;
        let before: Option<u64> =
            transaction.query_row("SELECT bytes FROM exchange WHERE key = ?1", [key], |row| row.get(0)).optional()?;
        transaction.execute(
            "UPDATE exchange SET record = ?2, bytes = ?3, cause = ?4, hazards = ?5 WHERE key = ?1",
            params![key, &*json, row_bytes(&json), cause, hazards],
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

    /// Goes on with a search, for a few milliseconds.
    pub(super) fn search(&self, scan: &mut Scan) -> Result<(), StoreError> {
        scan.slice(&self.connection, |query| self.bounds(query))
    }

    /// Between which keys the records lie that a query may want.
    fn bounds(&self, query: &Query) -> Result<Bounds, StoreError> {
        let mut bounds = Bounds { above: 0, below: i64::MAX };
        if let Some(after) = query.after {
            bounds.above = self.place(&id_text(after))?;
        }
        if let Some(before) = query.before {
            let name = id_text(before);
            // Where the record is gone, the place lies between its neighbours.
            bounds.below = self.place(&name)? + i64::from(self.one(&name)?.is_none());
        }
        if query.since.is_some() || query.until.is_some() {
            // Keys go by the end of exchanges, times by their beginning: the one bounds the other, no more.
            let since = query.since.map_or(0, millis);
            let until = query.until.map_or(i64::MAX, millis);
            let mut select = self.connection.prepare_cached(
                "SELECT coalesce(min(key), 1), coalesce(max(key), 0) FROM exchange WHERE at >= ?1 AND at < ?2",
            )?;
            let (first, last): (i64, i64) = select.query_row([since, until], |row| Ok((row.get(0)?, row.get(1)?)))?;
            bounds = Bounds { above: bounds.above.max(first - 1), below: bounds.below.min(last + 1) };
        }
        Ok(bounds)
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
