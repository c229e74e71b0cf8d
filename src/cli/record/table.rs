//! Records as a table that answers at a glance. Where a terminal is too narrow for one line per record, each gets two.

use super::fold::Folded;
use super::line::toned;
use super::{confidence_tone, party_tone, status_tone};
use crate::cli::layout::{length, padded, shortened, spaces, wrapped};
use crate::cli::output::{Output, Tone};

const GAP: &str = "  ";
/// Columns that a path keeps in a table that has to fit.
const PATH_COLUMNS_MIN: usize = 16;
/// Columns that a finding keeps in it.
const FINDING_COLUMNS_MIN: usize = 26;
/// The beginning of an id that says when it was given.
const ID_COLUMNS_MIN: usize = 10;
/// Which of the columns is which.
const PATH: usize = 3;
const FINDING: usize = 4;
const ID: usize = 8;

struct Cell {
    text: String,
    tone: Option<Tone>,
}

/// The table, with a head. `day` is today, whose times stand without a date.
pub(in crate::cli) fn table(all: &[Folded], output: Output, day: &str) -> String {
    let Some(columns) = output.table_columns() else {
        let rows: Vec<_> = all.iter().map(|folded| row(folded, folded.shown.at.clone(), &folded.shown.url)).collect();
        let names = ["TIME", "STATUS", "METHOD", "URL", "CAUSE OR HAZARD", "CONFIDENCE", "TO ACT", "TIMES", "ID"];
        return lines(&names, rows, output);
    };
    let one_server = all.windows(2).all(|pair| matches!(pair, [a, b] if a.shown.server() == b.shown.server()));
    let path = |folded: &Folded| {
        let url = &folded.shown;
        let whole = url.url.split_once("://").map_or(url.url.as_str(), |(_, rest)| rest);
        if one_server { url.path().to_owned() } else { whole.to_owned() }
    };
    let names = ["TIME UTC", "", "METHOD", "PATH", "CAUSE OR HAZARD", "SURE", "TO ACT", "", "ID"];
    let ids: Vec<&str> = all.iter().map(|folded| folded.shown.id.as_str()).collect();
    let id_columns = distinct(&ids);
    // What is left out first can be had elsewhere: `show` knows an exchange by the beginning of its id, and details.
    for (for_id, for_finding) in [(usize::MAX, usize::MAX), (id_columns, usize::MAX), (id_columns, FINDING_COLUMNS_MIN)]
    {
        let mut rows: Vec<_> = all.iter().map(|folded| row(folded, folded.shown.time(day), &path(folded))).collect();
        for cell in rows.iter_mut().filter_map(|row| row.get_mut(FINDING)) {
            cell.text = shortened(&cell.text, for_finding);
        }
        for cell in rows.iter_mut().filter_map(|row| row.get_mut(ID)) {
            cell.text = cell.text.chars().take(for_id).collect();
        }
        if fit_paths(&names, &mut rows, columns) {
            return lines(&names, rows, output);
        }
    }
    all.iter().map(|folded| pair(folded, &path(folded), output, day, columns)).collect::<Vec<_>>().join("\n")
}

/// Shortens paths until a line fits; false where too little would be left of them.
fn fit_paths(names: &[&str], rows: &mut [Vec<Cell>], columns: usize) -> bool {
    let widths = widths(names, rows);
    let width = widths.iter().filter(|width| **width > 0).map(|width| width + GAP.len()).sum::<usize>() - GAP.len();
    let of_path = widths.get(PATH).copied().unwrap_or_default();
    let for_path = (columns + of_path).saturating_sub(width);
    if for_path < of_path.min(PATH_COLUMNS_MIN) {
        return false;
    }
    for cell in rows.iter_mut().filter_map(|row| row.get_mut(PATH)) {
        cell.text = shortened(&cell.text, for_path);
    }
    true
}

/// How much of these ids tells them apart, and a little more: others are recorded meanwhile.
fn distinct(ids: &[&str]) -> usize {
    let tells_apart = |length: &usize| {
        let mut begins: Vec<_> = ids.iter().filter_map(|id| id.get(..*length)).collect();
        begins.sort_unstable();
        begins.windows(2).all(|pair| matches!(pair, [a, b] if a != b))
    };
    (ID_COLUMNS_MIN..).take(16).find(tells_apart).unwrap_or(usize::MAX - 2) + 2
}

fn row(folded: &Folded, time: String, url: &str) -> Vec<Cell> {
    let of = &folded.shown;
    let cell = |text: String, tone| Cell { text, tone };
    vec![
        cell(time, Some(Tone::Faint)),
        cell(of.status.clone(), status_tone(&of.status)),
        cell(of.method.clone(), None),
        cell(url.to_owned(), None),
        cell(of.findings(), Some(Tone::Strong)),
        cell(dashed(&of.confidence), confidence_tone(&of.confidence)),
        cell(dashed(&of.party), party_tone(&of.party)),
        cell(times(folded), None),
        cell(of.id.clone(), Some(Tone::Faint)),
    ]
}

/// Two lines for one record.
fn pair(folded: &Folded, path: &str, output: Output, day: &str, columns: usize) -> String {
    let of = &folded.shown;
    let (time, times) = (of.time(day), times(folded));
    let before = length(&time) + length(&of.status) + length(&of.method) + 3;
    let path = shortened(path, columns.saturating_sub(before + length(&times) + 1));
    let first = format!(
        "{} {} {} {path} {times}",
        output.toned(Tone::Faint, &time),
        toned(output, status_tone(&of.status), &of.status),
        of.method
    );
    let indent = spaces(length(&time) + 1);
    let mut said = vec![of.findings()];
    said.extend([&of.confidence, &of.party].into_iter().filter(|text| !text.is_empty()).cloned());
    let second = wrapped(&format!("{} {}", said.join(", "), of.id), &indent, &indent, columns);
    format!("{}\n{second}", first.trim_end())
}

fn times(folded: &Folded) -> String {
    let counted = folded.times + folded.shown.repeated;
    if counted > 1 { format!("×{counted}") } else { String::new() }
}

fn dashed(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

/// The widths of the columns; 0 for one in which nothing stands.
fn widths(names: &[&str], rows: &[Vec<Cell>]) -> Vec<usize> {
    let of_column = |(index, name): (usize, &&str)| {
        let longest = rows.iter().filter_map(|row| row.get(index)).map(|cell| length(&cell.text)).max();
        longest.filter(|longest| *longest > 0).map_or(0, |longest| longest.max(length(name)))
    };
    names.iter().enumerate().map(of_column).collect()
}

fn lines(names: &[&str], rows: Vec<Vec<Cell>>, output: Output) -> String {
    let widths = widths(names, &rows);
    let head = names.iter().map(|name| Cell { text: (*name).to_owned(), tone: Some(Tone::Faint) }).collect();
    let line = |cells: Vec<Cell>| {
        let mut line = String::new();
        let mut pending = 0;
        for (cell, width) in cells.iter().zip(&widths).filter(|(_, width)| **width > 0) {
            line.push_str(&spaces(pending));
            line.push_str(&toned(output, cell.tone, &cell.text));
            pending = length(&padded(&cell.text, *width)) - length(&cell.text) + GAP.len();
        }
        line
    };
    std::iter::once(head).chain(rows).map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::Summary;
    use super::super::whole::tests::record;
    use super::*;

    fn some() -> Vec<Folded> {
        let mut one = Folded::of(Summary::of(&record()));
        one.shown.id = "01M87VVT8336CAMSAG00AG5PCT".to_owned();
        one.times = 4;
        let mut other = one.clone();
        other.shown = Summary {
            at: "2026-11-21T23:59:59.000Z".to_owned(),
            url: format!("http://a/a-long-way/{}?state=open", ["down"; 12].join("/")),
            status: "200".to_owned(),
            finding: "missed-304".to_owned(),
            more: 0,
            party: String::new(),
            ..other.shown
        };
        other.shown.id = "01M87VVT8336CB9SAG00AG5PCT".to_owned();
        other.times = 1;
        vec![one, other]
    }

    fn shown(output: Output) -> String {
        table(&some(), output, "2026-11-22")
    }

    #[test]
    fn a_wide_terminal_shows_one_line_each() {
        insta::assert_snapshot!(shown(Output::terminal(140, false)), @r##"
TIME UTC             METHOD  PATH                             CAUSE OR HAZARD                 SURE    TO ACT      ID
06:00:00        412  PUT     /orders/7                        etag-suffixed/inside-origin +1  likely  origin  ×4  01M87VVT8336CAMSAG00AG5PCT
11-21 23:59:59  200  PUT     /a-long-way/dow…down?state=open  missed-304                      likely  -           01M87VVT8336CB9SAG00AG5PCT
"##);
    }

    #[test]
    fn a_narrow_terminal_shows_two_lines_each() {
        insta::assert_snapshot!(shown(Output::terminal(80, false)), @r##"
06:00:00 412 PUT /orders/7 ×4
         etag-suffixed/inside-origin +1, likely, origin
         01M87VVT8336CAMSAG00AG5PCT
11-21 23:59:59 200 PUT /a-long-way/down/down/down/d…n/down/down/down?state=open
               missed-304, likely 01M87VVT8336CB9SAG00AG5PCT
"##);
        insta::assert_snapshot!(shown(Output::terminal(60, false)), @r##"
06:00:00 412 PUT /orders/7 ×4
         etag-suffixed/inside-origin +1, likely, origin
         01M87VVT8336CAMSAG00AG5PCT
11-21 23:59:59 200 PUT /a-long-way/down/d…n/down?state=open
               missed-304, likely 01M87VVT8336CB9SAG00AG5PCT
"##);
    }

    #[test]
    fn in_between_ids_and_findings_are_shortened() {
        insta::assert_snapshot!(shown(Output::terminal(118, false)), @r##"
TIME UTC             METHOD  PATH                 CAUSE OR HAZARD                 SURE    TO ACT      ID
06:00:00        412  PUT     /orders/7            etag-suffixed/inside-origin +1  likely  origin  ×4  01M87VVT8336CAMS
11-21 23:59:59  200  PUT     /a-long-w…tate=open  missed-304                      likely  -           01M87VVT8336CB9S
"##);
        insta::assert_snapshot!(shown(Output::terminal(100, false)), @r##"
06:00:00 412 PUT /orders/7 ×4
         etag-suffixed/inside-origin +1, likely, origin 01M87VVT8336CAMSAG00AG5PCT
11-21 23:59:59 200 PUT /a-long-way/down/down/down/down/down/d…n/down/down/down/down/down?state=open
               missed-304, likely 01M87VVT8336CB9SAG00AG5PCT
"##);
    }

    #[test]
    fn shortened_ids_tell_apart() {
        assert_eq!(distinct(&["01M886E7FJDJJ3CDXW5T18PE7P"]), 12);
        assert_eq!(distinct(&["01M886E7FJDJJ3CDXW5T18PE7P", "01M886E7FJDJJ4CDXW5T18PE7P"]), 16);
    }

    #[test]
    fn every_width_is_kept() {
        for columns in 60..200 {
            let shown = shown(Output::terminal(columns, false));
            assert!(shown.lines().all(|line| length(line) <= columns), "{columns}\n{shown}");
        }
    }

    #[test]
    fn without_a_terminal_values_are_whole() {
        insta::assert_snapshot!(shown(Output::plain()), @r##"
TIME                      STATUS  METHOD  URL                                                                                         CAUSE OR HAZARD                 CONFIDENCE  TO ACT  TIMES  ID
2026-11-22T06:00:00.123Z  412     PUT     http://a/orders/7                                                                           etag-suffixed/inside-origin +1  likely      origin  ×4     01M87VVT8336CAMSAG00AG5PCT
2026-11-21T23:59:59.000Z  200     PUT     http://a/a-long-way/down/down/down/down/down/down/down/down/down/down/down/down?state=open  missed-304                      likely      -              01M87VVT8336CB9SAG00AG5PCT
"##);
    }

    #[test]
    fn colour_changes_no_column() {
        let coloured = shown(Output::terminal(140, true));
        let plain: String = coloured
            .split('\u{1b}')
            .enumerate()
            .map(|(at, part)| if at == 0 { part } else { part.split_once('m').expect("a sequence ends").1 })
            .collect();
        assert_eq!(plain, shown(Output::terminal(140, false)));
    }
}
