//! A search through the records, done in slices: the store's thread works on one for a few milliseconds, then does what
//! else waits, records to be written before all, and goes on when it is asked for the next slice.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params};

use super::database::path_of;
use super::{Page, Query, StoreError, Stored};
use crate::analysis::time::Time;
use crate::clock::Stopwatch;
use crate::recorder::record::Record;
use crate::recorder::search::Needle;

/// How long one slice may keep the store's thread from its other work.
const SLICE: Duration = Duration::from_millis(8);

/// How much of the thread's time one search may take; then it answers with what it has found, and where to go on.
const WORK_MAX: Duration = Duration::from_millis(250);

/// A page ends early where its records are large, so that no answer takes memory without bound.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// A search on its way.
#[derive(Debug)]
pub(in crate::recorder) struct Scan {
    query: Query,
    needle: Option<Needle>,
    /// Found once, when the search begins.
    bounds: Option<Bounds>,
    found: Vec<Stored>,
    bytes: usize,
    /// The record that was looked at last.
    seen: Option<String>,
    worked: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Searching,
    /// There is at least one more than wanted.
    More,
    /// Everything was looked at.
    Exhausted,
}

/// The keys between which the rest is to be searched, both excluded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) above: i64,
    pub(super) below: i64,
}

impl Scan {
    pub(super) fn new(query: Query) -> Self {
        let needle = query.text.as_deref().and_then(Needle::new);
        Self {
            query,
            needle,
            bounds: None,
            found: Vec::new(),
            bytes: 0,
            seen: None,
            worked: Duration::ZERO,
            state: State::Searching,
        }
    }

    /// Whether another slice is wanted.
    pub(super) fn goes_on(&self) -> bool {
        self.state == State::Searching && self.worked < WORK_MAX
    }

    /// What was found.
    pub(super) fn page(self) -> Page {
        let next = match self.state {
            State::Exhausted => None,
            State::More => self.found.last().map(|stored| stored.id.clone()),
            State::Searching => self.seen,
        };
        Page { records: self.found, next }
    }

    /// Searches on for as long as a slice may last. `bounds` finds where to begin.
    pub(super) fn slice(
        &mut self,
        connection: &Connection,
        bounds: impl FnOnce(&Query) -> Result<Bounds, StoreError>,
    ) -> Result<(), StoreError> {
        let stopwatch = Stopwatch::start();
        let bounds = match self.bounds {
            Some(bounds) => bounds,
            None => *self.bounds.insert(bounds(&self.query)?),
        };
        let (text, by) = statement(&self.query);
        let mut select = connection.prepare_cached(&text)?;
        let mut rows = match by {
            Some(value) => select.query(params![bounds.above, bounds.below, value])?,
            None => select.query(params![bounds.above, bounds.below])?,
        };
        self.state = State::Exhausted;
        while let Some(row) = rows.next()? {
            if !self.look_at(connection, row)? {
                break;
            }
            if stopwatch.elapsed() > SLICE {
                self.state = State::Searching;
                break;
            }
        }
        self.worked += stopwatch.elapsed();
        Ok(())
    }

    /// Takes the record if it is wanted; false where it would be one too many.
    fn look_at(&mut self, connection: &Connection, row: &Row<'_>) -> Result<bool, StoreError> {
        let key: i64 = row.get(0)?;
        if self.row_fits(row)?
            && let Some(stored) = self.record_if_fits(connection, key, row)?
        {
            let bytes = self.bytes + stored.json.len();
            if self.found.len() == self.query.limit || (bytes > PAGE_BYTES_MAX && !self.found.is_empty()) {
                self.state = State::More;
                return Ok(false);
            }
            self.bytes = bytes;
            self.found.push(stored);
        }
        self.seen = Some(row.get(1)?);
        if let Some(bounds) = &mut self.bounds {
            let bound = if self.query.after.is_some() { &mut bounds.above } else { &mut bounds.below };
            *bound = key;
        }
        Ok(true)
    }

    /// By the columns alone, which lie in front of the record.
    fn row_fits(&self, row: &Row<'_>) -> Result<bool, StoreError> {
        let query = &self.query;
        let is = |column: usize, wanted: &Option<String>| -> Result<bool, StoreError> {
            let Some(wanted) = wanted else { return Ok(true) };
            Ok(row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)? == Some(wanted.as_str()))
        };
        if !is(2, &query.route)? || !is(3, &query.cause)? || !self.status_fits(row)? {
            return Ok(false);
        }
        if let Some(hazard) = &query.hazard {
            let hazards: String = row.get(4)?;
            if !hazards.split(' ').any(|known| known == hazard) {
                return Ok(false);
            }
        }
        if let Some(resource) = &query.resource {
            let url: String = row.get(6)?;
            let known = if resource.starts_with('/') { path_of(&url) } else { &url };
            if known != resource {
                return Ok(false);
            }
        }
        let at: i64 = row.get(7)?;
        let since = query.since.is_none_or(|since| at >= millis(since));
        Ok(since && query.until.is_none_or(|until| at < millis(until)))
    }

    fn status_fits(&self, row: &Row<'_>) -> Result<bool, StoreError> {
        let Some(wanted) = self.query.status else { return Ok(true) };
        let status: Option<u16> = row.get(5)?;
        Ok(status == Some(wanted))
    }

    fn record_if_fits(&self, connection: &Connection, key: i64, row: &Row<'_>) -> Result<Option<Stored>, StoreError> {
        let mut select = connection.prepare_cached("SELECT record FROM exchange WHERE key = ?1")?;
        let json: String = select.query_row([key], |row| row.get(0))?;
        if let Some(needle) = &self.needle
            && (!needle.may_be_in(&json)
                || !serde_json::from_str(&json).is_ok_and(|record: Record| needle.is_in(&record)))
        {
            return Ok(None);
        }
        Ok(Some(Stored { key, id: row.get(1)?, json: Arc::from(json) }))
    }
}

/// The statement that walks the records in the order asked for, by the index that is likely to leave out most; what is
/// asked for beyond that is compared row by row.
pub(super) fn statement(query: &Query) -> (String, Option<Value>) {
    let text = |value: &String| Value::Text(value.clone());
    let by = if let Some(resource) = &query.resource {
        Some((if resource.starts_with('/') { "path" } else { "url" }, text(resource)))
    } else if let Some(cause) = &query.cause {
        Some(("cause", text(cause)))
    } else if let Some(status) = query.status.filter(|_| query.route.is_none()) {
        Some(("status", Value::Integer(i64::from(status))))
    } else {
        query.route.as_ref().map(|route| ("route", text(route)))
    };
    let filter = by.as_ref().map_or_else(String::new, |(column, _)| format!("{column} = ?3 AND "));
    let order = if query.after.is_some() { "ASC" } else { "DESC" };
    let statement = format!(
        "SELECT key, id, route, cause, hazards, status, url, at FROM exchange \
         WHERE {filter}key > ?1 AND key < ?2 ORDER BY key {order}"
    );
    (statement, by.map(|(_, value)| value))
}

/// A time as the column has it: as exact as records show it.
pub(super) const fn millis(time: Time) -> i64 {
    (time.unix_micros() / 1000) as i64
}
