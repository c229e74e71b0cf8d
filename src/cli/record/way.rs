//! The way of an exchange: the stations it passed, every condition and validator at each of them, the bytes that
//! changed between them marked.

use serde_json::Value;

use super::{list, member, status, text};
use crate::cli::layout::{length, padded, spaces};
use crate::cli::output::{Output, Tone};

const GAP: &str = "   ";
const ABSENT: &str = "(absent)";
/// Between the lines of a field that was there more than once.
const AGAIN: &str = " ⏎ ";

/// The picture: who stands on the way, who of them has to act, and what the fields were at each station.
pub(super) fn way(record: &Value, output: Output, columns: usize) -> String {
    let mut parts = vec![stations(record, output, columns)];
    for grid in [conditions(record), validators(record)] {
        parts.extend(Some(grid).filter(|grid| !grid.rows.is_empty()).map(|grid| grid.shown(output, columns)));
    }
    parts.join("\n\n")
}

/// Two values one above the other, with what differs marked; each behind its label.
pub(super) fn compared(before: (&str, Option<String>), after: (&str, Option<String>), output: Output) -> String {
    let stations = vec![before.0.to_owned(), after.0.to_owned()];
    let row = Row { field: String::new(), cells: vec![before.1, after.1], change: String::new() };
    Grid { title: String::new(), stations, rows: vec![row] }.stacked(output)
}

/// Whether a field of that name, in lower case, is a condition: one of HTTP's or one of a vendor's.
pub(super) fn is_condition(name: &str) -> bool {
    const BEGINNINGS: [&str; 5] = ["if-", "x-ms-lease-", "x-ms-blob-condition-", "x-amz-if-match-", "oc-if-"];
    const WHOLE: [&str; 3] = ["if", "overwrite", "lock-token"];
    WHOLE.contains(&name) || BEGINNINGS.iter().any(|begin| name.starts_with(begin)) || name.contains("-if-")
}

/// Whether a field of that name, in lower case, is a validator or a vendor's double of one.
fn is_validator(name: &str) -> bool {
    let words = ["etag", "last-modified", "schedule-tag", "x-goog-generation", "x-goog-metageneration"];
    words.contains(&name) || name.ends_with("-etag")
}

fn stations(record: &Value, output: Output, columns: usize) -> String {
    const OUTER: (&str, &str) = ("", "why412 (outer)");
    const INNER: (&str, &str) = ("", "why412 (inner)");
    const GATEWAY: (&str, &str) = ("gateway", "gateway");
    const ORIGIN: (&str, &str) = ("origin", "origin");
    let has_far_side = record.pointer("/far_side/exchange").is_some_and(|exchange| !exchange.is_null());
    let behind_the_client: &[(&str, &str)] = match (text(record, "/role").as_str(), has_far_side) {
        ("outer" | "inner", true) => &[OUTER, GATEWAY, INNER, ORIGIN],
        ("outer", false) => &[OUTER, GATEWAY, ORIGIN],
        ("inner", false) => &[GATEWAY, INNER, ORIGIN],
        // Alone it does not know on which side of it a gateway stands. (A foreign string: other versions may say more.)
        _ => &[("", "why412"), ("origin", "upstream")],
    };
    let client = format!("client {}", text(record, "/client"));
    let names: Vec<_> = std::iter::once(("client", client.as_str())).chain(behind_the_client.iter().copied()).collect();
    drawn(&names, &text(record, "/diagnosis/party"), output, columns)
}

/// The stations in a line, the one that has to act marked below.
fn drawn(names: &[(&str, &str)], to_act: &str, output: Output, columns: usize) -> String {
    let long = names.iter().map(|(_, name)| length(name) + 5).sum::<usize>() - 3;
    let (arrow, brief) = if long <= columns { (" ──► ", false) } else { (" → ", true) };
    let (mut line, mut below) = (String::from("  "), String::new());
    for (index, (party, name)) in names.iter().enumerate() {
        let short = name.trim_start_matches("why412 (").trim_end_matches(')');
        let name = if brief { short } else { name };
        let name_at = length(&line) + if index > 0 { length(arrow) } else { 0 };
        if index > 0 {
            line.push_str(arrow);
        }
        line.push_str(name);
        if !to_act.is_empty() && *party == to_act {
            below = format!("{}{} has to act", spaces(name_at), "^".repeat(length(name)));
        }
    }
    let toned = super::party_tone(to_act).map_or_else(|| below.clone(), |tone| output.toned(tone, &below));
    if below.is_empty() { line } else { format!("{line}\n{toned}") }
}

/// One field at every station.
struct Row {
    field: String,
    cells: Vec<Option<String>>,
    /// What became of it, in a word.
    change: String,
}

/// Fields at stations.
struct Grid {
    title: String,
    stations: Vec<String>,
    rows: Vec<Row>,
}

/// The lines of a message that are of interest.
type Lines = Vec<(String, String)>;

fn conditions(record: &Value) -> Grid {
    let came = lines(record, "/request/headers", is_condition);
    let went = lines(record, "/request/forwarded_headers", is_condition);
    let far = far_lines(record, "conditions").filter(|_| is_about_this(record));
    let is_unchanged = came == went;
    let own = if is_unchanged { vec![came] } else { vec![came, went] };
    let (stations, messages): (&[&str], Vec<Lines>) = match (text(record, "/role").as_str(), far, is_unchanged) {
        ("outer", Some(far), true) => (&["outer sent", "inner received"], [own, vec![far]].concat()),
        ("outer", Some(far), false) => (&["client sent", "outer sent on", "inner received"], [own, vec![far]].concat()),
        ("inner", Some(far), true) => (&["outer sent", "inner received"], [vec![far], own].concat()),
        ("inner", Some(far), false) => (&["outer sent", "inner received", "inner sent on"], [vec![far], own].concat()),
        (_, _, true) => (&["as it came, passed on unchanged"], own),
        (_, _, false) => (&["as it came", "as it was sent on"], own),
    };
    grid("Request", stations, &messages, record, "request")
}

fn validators(record: &Value) -> Grid {
    let own = lines(record, "/response/headers", is_validator);
    let far = far_lines(record, "validators").filter(|_| record.pointer("/far_side/status").is_some_and(Value::is_u64));
    let (stations, messages): (&[&str], Vec<Lines>) = match far {
        Some(far) if is_about_this(record) => (&["outer received", "origin answered"], vec![own, far]),
        // The report came with an answer of an earlier exchange, kept in a store.
        Some(far) => (&["outer received", "origin answered earlier"], vec![own, far]),
        None => (&["as it came, passed on unchanged"], vec![own]),
    };
    grid(&format!("Answer {}", status(record)), stations, &messages, record, "response")
}

fn grid(title: &str, stations: &[&str], messages: &[Lines], record: &Value, on: &str) -> Grid {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in messages.iter().flatten() {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
    }
    let row = |name: &&str| Row {
        field: (*name).to_owned(),
        cells: messages.iter().map(|lines| value(lines, name)).collect(),
        change: if messages.len() > 1 { change(record, on, name) } else { String::new() },
    };
    let stations = stations.iter().map(|name| (*name).to_owned()).collect();
    Grid { title: title.to_owned(), stations, rows: names.iter().map(row).collect() }
}

/// All lines of a field together.
fn value(lines: &Lines, name: &str) -> Option<String> {
    let of_name = lines.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let values: Vec<_> = of_name.map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(AGAIN))
}

/// What the record says became of a field between the two instances.
fn change(record: &Value, on: &str, name: &str) -> String {
    let is_it = |altered: &&Value| is_on_the_way(altered) && text(altered, "/on") == on && of_field(altered, name);
    list(record, "/alterations").iter().find(is_it).map(|altered| text(altered, "/change")).unwrap_or_default()
}

fn of_field(altered: &Value, name: &str) -> bool {
    text(altered, "/field").eq_ignore_ascii_case(name)
}

/// Whether an alteration was seen from both sides.
fn is_on_the_way(altered: &Value) -> bool {
    text(altered, "/known_by") == "pairing"
}

/// Whether the picture shows an alteration: it has both sides of it.
pub(super) fn shows(record: &Value, altered: &Value) -> bool {
    let grid = if text(altered, "/on") == "request" { conditions(record) } else { validators(record) };
    is_on_the_way(altered) && grid.rows.iter().any(|row| row.cells.len() > 1 && of_field(altered, &row.field))
}

fn lines(record: &Value, pointer: &str, is_wanted: fn(&str) -> bool) -> Lines {
    let lines = list(record, pointer).iter().map(|line| (text(line, "/0"), text(line, "/1")));
    lines.filter(|(name, _)| is_wanted(&name.to_ascii_lowercase())).collect()
}

/// What the other instance said, where it had room to say it.
fn far_lines(record: &Value, member_name: &str) -> Option<Lines> {
    let far = member(record, "far_side")?;
    let is = |name: &str| far.get(name).and_then(Value::as_bool).unwrap_or_default();
    let said = member(far, "exchange").is_some() && !is("reduced");
    said.then(|| {
        list(far, &format!("/{member_name}")).iter().map(|line| (text(line, "/0"), text(line, "/1"))).collect()
    })
}

/// Whether what the other instance said is about this exchange, and not about one whose answer was kept in a store.
fn is_about_this(record: &Value) -> bool {
    let marked = text(record, "/far_side/marked");
    marked.is_empty() || marked == text(record, "/id")
}

impl Grid {
    /// As columns where they fit, or else one station above the other.
    fn shown(&self, output: Output, columns: usize) -> String {
        let title = output.toned(Tone::Strong, &self.title);
        let widths = self.widths();
        let width = widths.iter().map(|width| width + GAP.len()).sum::<usize>() + 2 - GAP.len();
        if width <= columns {
            self.in_columns(&title, &widths, output)
        } else {
            format!("{title}\n{}", self.stacked(output))
        }
    }

    fn widths(&self) -> Vec<usize> {
        let fields = self.rows.iter().map(|row| length(&row.field)).chain([length(&self.title) - 2]).max();
        let of_station = |(index, station): (usize, &String)| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(index));
            cells.map(|cell| length(seen(cell.as_ref()))).chain([length(station)]).max().unwrap_or_default()
        };
        fields.into_iter().chain(self.stations.iter().enumerate().map(of_station)).collect()
    }

    fn in_columns(&self, title: &str, widths: &[usize], output: Output) -> String {
        let field_width = widths.first().copied().unwrap_or_default();
        let head: Vec<_> =
            self.stations.iter().zip(widths.iter().skip(1)).map(|(name, width)| padded(name, *width)).collect();
        let head = output.toned(Tone::Faint, head.join(GAP).trim_end());
        let gap = spaces((field_width + 2).saturating_sub(length(&self.title)));
        let mut lines = vec![format!("{title}{gap}{GAP}{head}")];
        for row in &self.rows {
            let marks = marks(&row.cells);
            let (mut values, mut below) = (format!("  {}", padded(&row.field, field_width)), spaces(field_width + 2));
            for ((cell, mark), width) in row.cells.iter().zip(&marks).zip(widths.iter().skip(1)) {
                let text = seen(cell.as_ref());
                let gap = spaces(width - length(text));
                values.push_str(&format!("{GAP}{}{gap}", marked(text, mark, output)));
                below.push_str(&format!("{GAP}{}", padded(&carets(mark), *width)));
            }
            lines.push(values.trim_end().to_owned());
            let below = format!("{}{GAP}{}", below, row.change);
            lines.extend(Some(below.trim_end().to_owned()).filter(|below| !below.is_empty()));
        }
        lines.join("\n")
    }

    fn stacked(&self, output: Output) -> String {
        let width = self.stations.iter().map(|name| length(name)).max().unwrap_or_default();
        let mut lines = Vec::new();
        for row in &self.rows {
            if !row.field.is_empty() {
                let change = if row.change.is_empty() { String::new() } else { format!(", {}", row.change) };
                lines.push(format!("  {}{change}", row.field));
            }
            let marks = marks(&row.cells);
            for ((name, cell), mark) in self.stations.iter().zip(&row.cells).zip(&marks) {
                let name = output.toned(Tone::Faint, &padded(name, width));
                lines.push(format!("    {name}{GAP}{}", marked(seen(cell.as_ref()), mark, output)));
                if mark.contains(&true) {
                    lines.push(format!("    {}{GAP}{}", spaces(width), carets(mark)));
                }
            }
        }
        lines.join("\n")
    }
}

fn seen(cell: Option<&String>) -> &str {
    cell.map_or(ABSENT, String::as_str)
}

/// Which characters of each value differ from its neighbours'.
fn marks(cells: &[Option<String>]) -> Vec<Vec<bool>> {
    let mut marks: Vec<_> = cells.iter().map(|cell| vec![false; length(seen(cell.as_ref()))]).collect();
    for (at, pair) in cells.windows(2).enumerate() {
        let [one, other] = pair else { continue };
        for (at, found) in (at..).zip(differing(one.as_deref(), other.as_deref())) {
            for (mark, found) in marks.get_mut(at).into_iter().flatten().zip(found) {
                *mark |= found;
            }
        }
    }
    marks
}

fn differing(one: Option<&str>, other: Option<&str>) -> [Vec<bool>; 2] {
    match (one, other) {
        (Some(one), Some(other)) => {
            // The strength and the opaque part of a tag change each by itself.
            let (weak_one, one) = weakness(one);
            let (weak_other, other) = weakness(other);
            let differs = weak_one.len() != weak_other.len();
            let [in_one, in_other] = apart_from_ends(one, other);
            [[vec![differs; weak_one.len()], in_one].concat(), [vec![differs; weak_other.len()], in_other].concat()]
        }
        // The mark stands where something is missing.
        (None, Some(_)) => [vec![true; length(ABSENT)], Vec::new()],
        (Some(_), None) => [Vec::new(), vec![true; length(ABSENT)]],
        (None, None) => [Vec::new(), Vec::new()],
    }
}

fn weakness(value: &str) -> (&str, &str) {
    if value.starts_with("W/") { value.split_at(2) } else { ("", value) }
}

/// Everything but what both begin with and what both end with.
fn apart_from_ends(one: &str, other: &str) -> [Vec<bool>; 2] {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let alike = |(a, b): &(&char, &char)| a == b;
    let begin = one.iter().zip(&other).take_while(alike).count();
    let end = one.iter().rev().zip(other.iter().rev()).take_while(alike).count();
    let end = end.min(one.len().min(other.len()) - begin);
    [one.len(), other.len()].map(|all| (0..all).map(|at| at >= begin && at + end < all).collect())
}

/// `text` with the marked characters toned.
fn marked(text: &str, marks: &[bool], output: Output) -> String {
    let characters: Vec<(char, bool)> = text.chars().zip(marks.iter().copied()).collect();
    let run = |run: &[(char, bool)]| {
        let text: String = run.iter().map(|(character, _)| *character).collect();
        if run.first().is_some_and(|(_, mark)| *mark) { output.toned(Tone::Mark, &text) } else { text }
    };
    characters.chunk_by(|one, other| one.1 == other.1).map(run).collect()
}

/// A line to stand below a value, with ^ below what is marked; empty where nothing is.
fn carets(marks: &[bool]) -> String {
    let below: String = marks.iter().map(|mark| if *mark { '^' } else { ' ' }).collect();
    below.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_marked_and_nothing_else() {
        for (one, other, in_one, in_other) in [
            ("\"v1\"", "W/\"v1\"", "", "^^"),
            ("W/\"v1\"", "\"v1\"", "^^", ""),
            ("\"v1\"", "\"v1-gzip\"", "", "   ^^^^^"),
            ("\"v1\"", "W/\"v1-gzip\"", "", "^^   ^^^^^"),
            ("\"v1\"", "\"v2\"", "  ^", "  ^"),
            ("\"v1\"", "v1", "^^^^", "^^"),
            ("\"aa\"", "\"a\"", "  ^", ""),
            ("\"same\"", "\"same\"", "", ""),
        ] {
            let found = differing(Some(one), Some(other)).map(|marks| carets(&marks));
            assert_eq!(found, [in_one, in_other], "{one} {other}");
        }
        assert_eq!(differing(None, Some("a")).map(|marks| carets(&marks)), ["^^^^^^^^", ""]);
    }

    #[test]
    fn marks_of_both_neighbours_are_put_together() {
        let cells = ["\"a\"", "W/\"a\"", "W/\"a-x\""].map(|value| Some(value.to_owned()));
        let shown: Vec<_> = marks(&cells).iter().map(|marks| carets(marks)).collect();
        assert_eq!(shown, ["", "^^", "    ^^"]);
    }

    #[test]
    fn colour_and_carets_do_not_depend_on_each_other() {
        let marks = [true, true, false];
        assert_eq!(marked("W/a", &marks, Output::terminal(80, true)), "\u{1b}[1;7mW/\u{1b}[0ma");
        assert_eq!(marked("W/a", &marks, Output::plain()), "W/a");
    }
}
