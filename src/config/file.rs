//! The file as written: TOML whose every value knows its line. Reading never stops at a fault; all are gathered.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Place, Wrong};
use super::values;

/// A file being read, and what was found wrong with it so far.
pub(super) struct Document<'a> {
    file: Option<&'a Path>,
    text: &'a str,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
    files: RefCell<Vec<PathBuf>>,
}

impl<'a> Document<'a> {
    /// No file at all is like an empty one.
    pub(super) fn new(file: Option<&'a Path>, text: &'a str) -> Self {
        let files = RefCell::new(file.map(Path::to_owned).into_iter().collect());
        Self { file, text, faults: RefCell::default(), warnings: RefCell::default(), files }
    }

    /// Takes down that `path` is part of the configuration.
    pub(super) fn uses(&self, path: &Path) {
        self.files.borrow_mut().push(path.to_owned());
    }

    /// The file and those it names, as far as they have been read.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.files.borrow().clone()
    }

    /// The syntax, as far as it can be made out.
    pub(super) fn parse(&self) -> Spanned<DeTable<'a>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let line = error.span().map_or(1, |span| self.line(&span));
            let place = Place { file: self.file.map(Path::to_owned), line: Some(line), key: "syntax".to_owned() };
            self.fault(&place, Wrong::new(error.message().trim(), "write TOML instead (https://toml.io)"));
        }
        table
    }

    /// Takes down what is wrong.
    pub(super) fn fault(&self, place: &Place, wrong: Wrong) {
        self.faults.borrow_mut().push(place.fault(wrong));
    }

    /// Takes down what should be looked at.
    pub(super) fn warn(&self, place: &Place, wrong: Wrong) {
        self.warnings.borrow_mut().push(place.fault(wrong));
    }

    /// Faults and warnings, in the order of their lines.
    pub(super) fn into_findings(self) -> (Vec<Fault>, Vec<Fault>) {
        let sorted = |mut findings: Vec<Fault>| {
            findings.sort_by_key(|fault| fault.line);
            findings
        };
        (sorted(self.faults.into_inner()), sorted(self.warnings.into_inner()))
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
    }

    fn place(&self, span: &Range<usize>, key: String) -> Place {
        Place { file: self.file.map(Path::to_owned), line: Some(self.line(span)), key }
    }
}

/// A table of the file. Keys are asked for by name; [`Section::end`] refuses those that nobody asked for.
pub(super) struct Section<'a> {
    document: &'a Document<'a>,
    place: Place,
    table: Option<&'a DeTable<'a>>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(super) fn root(document: &'a Document<'a>, table: &'a Spanned<DeTable<'a>>) -> Self {
        let place = Place { file: document.file.map(Path::to_owned), line: None, key: String::new() };
        Self { document, place, table: Some(table.get_ref()), known: RefCell::default() }
    }

    /// The document this is a part of.
    pub(super) const fn document(&self) -> &'a Document<'a> {
        self.document
    }

    /// Where this table begins.
    pub(super) const fn place(&self) -> &Place {
        &self.place
    }

    /// Where `key` would stand if it is missing.
    pub(super) fn place_of(&self, key: &str) -> Place {
        let spanned = self.table.and_then(|table| table.get_key_value(key));
        match spanned {
            Some((_, value)) => self.document.place(&value.span(), self.path(key)),
            None => Place { key: self.path(key), ..self.place.clone() },
        }
    }

    /// A table inside; empty if it is not there.
    pub(super) fn section(&self, key: &'static str) -> Self {
        let found = self.value(key);
        let place = found.as_ref().map_or_else(|| self.place_of(key), |(place, _)| place.clone());
        let table = found.and_then(|(place, value)| self.as_table(&place, value));
        Self { document: self.document, place, table, known: RefCell::default() }
    }

    /// Whether anything is written here.
    pub(super) const fn is_written(&self) -> bool {
        self.table.is_some()
    }

    /// Whether `key` is written, be it right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Whether `key` is a table.
    pub(super) fn has_table(&self, key: &str) -> bool {
        self.table.and_then(|table| table.get(key)).is_some_and(|value| value.get_ref().is_table())
    }

    /// Whether `key` is a list with nothing in it.
    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        let value = self.table.and_then(|table| table.get(key));
        value.and_then(|value| value.get_ref().as_array()).is_some_and(|array| array.is_empty())
    }

    /// The tables of a table of tables, such as `[upstream.NAME]`, with their names.
    pub(super) fn named_sections(&self, key: &'static str) -> Vec<(String, Self)> {
        let Some((place, value)) = self.value(key) else { return Vec::new() };
        let Some(table) = self.as_table(&place, value) else { return Vec::new() };
        let inner = |name: &str, value: &'a Spanned<DeValue<'a>>| {
            let place = self.document.place(&value.span(), format!("{key}.{name}"));
            let table = self.as_table(&place, value.get_ref());
            (name.to_owned(), Self { document: self.document, place, table, known: RefCell::default() })
        };
        table.iter().map(|(name, value)| inner(name.get_ref(), value)).collect()
    }

    /// The tables of an array of tables, such as `[[route]]`.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Self> {
        let Some((place, value)) = self.value(key) else { return Vec::new() };
        let Some(array) = value.as_array() else {
            self.fault_type(&place, value, &format!("a list of tables, begun with [[{key}]],"));
            return Vec::new();
        };
        let inner = |(index, value): (usize, &'a Spanned<DeValue<'a>>)| {
            let place = self.document.place(&value.span(), format!("{key}[{index}]"));
            let table = self.as_table(&place, value.get_ref());
            Self { document: self.document, place, table, known: RefCell::default() }
        };
        array.iter().enumerate().map(inner).collect()
    }

    /// A string that `parse` understands.
    pub(super) fn text<T>(&self, key: &'static str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<T> {
        let (place, value) = self.value(key)?;
        let Some(text) = value.as_str() else {
            self.fault_type(&place, value, "a string in quotes");
            return None;
        };
        self.parsed(&place, parse(text))
    }

    /// A list of strings that `parse` understands. A single string is a list of one.
    pub(super) fn texts<T>(&self, key: &'static str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<Vec<T>> {
        let (place, value) = self.value(key)?;
        if let Some(text) = value.as_str() {
            return self.parsed(&place, parse(text)).map(|one| vec![one]);
        }
        let Some(array) = value.as_array() else {
            self.fault_type(&place, value, "a list of strings, such as [\"…\"],");
            return None;
        };
        let mut parsed = Vec::new();
        for element in array.iter() {
            let place = self.document.place(&element.span(), self.path(key));
            match element.get_ref().as_str() {
                Some(text) => parsed.extend(self.parsed(&place, parse(text))),
                None => self.fault_type(&place, element.get_ref(), "a string in quotes"),
            }
        }
        Some(parsed)
    }

    /// A path, with the place that names it. Relative ones start from the directory of the configuration file.
    pub(super) fn path_of(&self, key: &'static str) -> Option<(Place, PathBuf)> {
        let written = self.text(key, |text| {
            let remedy = "name a file, or remove the key";
            if text.is_empty() { Err(Wrong::new("it is empty", remedy)) } else { Ok(PathBuf::from(text)) }
        })?;
        let place = self.place_of(key);
        let path = place.directory().join(written);
        Some((place, path))
    }

    /// One of `choices`.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.text(key, |text| {
            let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
            let names: Vec<_> = choices.iter().map(|(name, _)| format!("{name:?}")).collect();
            found.ok_or_else(|| {
                Wrong::new(
                    format!("{text:?} is not one of its values"),
                    format!("write {} instead", names.join(" or ")),
                )
            })
        })
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, key: &'static str) -> Option<bool> {
        let (place, value) = self.value(key)?;
        if value.as_bool().is_none() {
            self.fault_type(&place, value, "true or false");
        }
        value.as_bool()
    }

    /// A whole number within `range`.
    pub(super) fn number<T: TryFrom<u64>>(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<T> {
        let (place, value) = self.value(key)?;
        let Some(integer) = value.as_integer() else {
            self.fault_type(&place, value, "a whole number");
            return None;
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let fits = number.filter(|number| range.contains(number)).and_then(|number| T::try_from(number).ok());
        self.parsed(
            &place,
            fits.ok_or_else(|| {
                Wrong::new(
                    format!("{} is out of range", integer.as_str()),
                    format!("write a number from {} to {} instead", range.start(), range.end()),
                )
            }),
        )
    }

    /// A share from 0.0 to 1.0.
    pub(super) fn share(&self, key: &'static str) -> Option<f64> {
        let (place, value) = self.value(key)?;
        let float = value.as_float().map(|float| float.as_str().to_owned());
        let written = float.or_else(|| value.as_integer().map(|integer| integer.as_str().to_owned()));
        let share = written.as_deref().and_then(|text| text.parse::<f64>().ok()).filter(|s| (0.0..=1.0).contains(s));
        if share.is_none() {
            let says = written.map_or_else(|| format!("is {}", value.type_str()), |text| format!("{text} is no share"));
            self.document.fault(&place, Wrong::new(says, "write a number from 0.0 to 1.0 instead"));
        }
        share
    }

    /// A number of bytes within `range`, as a number or with its unit.
    pub(super) fn bytes<T: TryFrom<u64>>(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<T> {
        let (place, value) = self.value(key)?;
        if value.is_integer() {
            return self.number(key, range);
        }
        let Some(text) = value.as_str() else {
            self.fault_type(&place, value, "a number of bytes, such as \"64KiB\",");
            return None;
        };
        let bytes = self.parsed(&place, values::bytes(text))?;
        let fits = Some(bytes).filter(|bytes| range.contains(bytes)).and_then(|bytes| T::try_from(bytes).ok());
        self.parsed(
            &place,
            fits.ok_or_else(|| {
                let (least, most) = (values::show_bytes(*range.start()), values::show_bytes(*range.end()));
                Wrong::new(format!("{text:?} is out of range"), format!("write from {least} to {most} instead"))
            }),
        )
    }

    /// A duration within `range`.
    pub(super) fn duration(
        &self,
        key: &'static str,
        range: RangeInclusive<std::time::Duration>,
    ) -> Option<std::time::Duration> {
        self.text(key, |text| {
            let duration = values::duration(text)?;
            if range.contains(&duration) {
                return Ok(duration);
            }
            let (least, most) = (values::show_duration(*range.start()), values::show_duration(*range.end()));
            Err(Wrong::new(
                format!("{text:?} is out of range"),
                format!("write a duration from {least:?} to {most:?} instead"),
            ))
        })
    }

    /// Refuses the keys that nobody asked for.
    pub(super) fn end(&self) {
        let known = self.known.borrow();
        let Some(table) = self.table else { return };
        for (key, _) in table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref();
            let nearest = known.iter().min_by_key(|candidate| distance(candidate, name));
            let remedy = match nearest.filter(|candidate| distance(candidate, name) <= 2) {
                Some(candidate) => format!("write {candidate:?} instead"),
                None => format!("remove it, or write one of {} instead", known.join(", ")),
            };
            self.document.fault(&self.document.place(&key.span(), self.path(name)), Wrong::new("unknown key", remedy));
        }
    }

    fn value(&self, key: &'static str) -> Option<(Place, &'a DeValue<'a>)> {
        if !self.known.borrow().contains(&key) {
            self.known.borrow_mut().push(key);
        }
        let value = self.table?.get(key)?;
        Some((self.document.place(&value.span(), self.path(key)), value.get_ref()))
    }

    fn path(&self, key: &str) -> String {
        if self.place.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place.key) }
    }

    fn parsed<T>(&self, place: &Place, result: Result<T, Wrong>) -> Option<T> {
        result.map_err(|wrong| self.document.fault(place, wrong)).ok()
    }

    fn as_table(&self, place: &Place, value: &'a DeValue<'a>) -> Option<&'a DeTable<'a>> {
        if value.as_table().is_none() {
            self.fault_type(place, value, "a table");
        }
        value.as_table()
    }

    fn fault_type(&self, place: &Place, value: &DeValue<'_>, wanted: &str) {
        let article = if value.type_str().starts_with(['a', 'i']) { "an" } else { "a" };
        let says = format!("it is {article} {}", value.type_str());
        self.document.fault(place, Wrong::new(says, format!("write {wanted} instead")));
    }
}

/// How many letters must be changed, added or left out to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&row, j) + usize::from(from != *to);
            next.push(changed.min(at(&row, j + 1) + 1).min(at(&next, j) + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
