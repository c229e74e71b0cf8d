//! A record in one tight line: when, what, and why.

use super::fold::Folded;
use super::{confidence_tone, party_tone, status_tone};
use crate::cli::layout::{length, shortened};
use crate::cli::output::{Output, Tone};

/// Columns that a URL keeps in a line that has to fit.
const URL_COLUMNS_MIN: usize = 16;

/// A record, or the attempts folded into it, in one line. On a terminal it fits the width; elsewhere it is whole.
pub(in crate::cli) fn line(folded: &Folded, output: Output, day: &str) -> String {
    match output.table_columns() {
        Some(columns) => fitting(folded, output, day, columns),
        None => whole(folded, output),
    }
}

/// `2026-11-22T06:00:00.123Z 412 PUT http://a/orders/7 [orders] etag-weakened likely gateway 01JD0Z…`
fn whole(folded: &Folded, output: Output) -> String {
    let of = &folded.shown;
    let parts = [
        output.toned(Tone::Faint, &of.at),
        toned(output, status_tone(&of.status), &of.status),
        of.method.clone(),
        of.url.clone(),
        format!("[{}]", of.route),
        output.toned(Tone::Strong, &of.findings()),
        toned(output, confidence_tone(&of.confidence), &of.confidence),
        toned(output, party_tone(&of.party), &of.party),
        notes(folded),
        output.toned(Tone::Faint, &of.id),
    ];
    joined(&parts)
}

fn fitting(folded: &Folded, output: Output, day: &str, columns: usize) -> String {
    let of = &folded.shown;
    let (time, notes) = (of.time(day), notes(folded));
    let with = |url: &str, finding: &str, id: &str| {
        [
            output.toned(Tone::Faint, &time),
            toned(output, status_tone(&of.status), &of.status),
            of.method.clone(),
            url.to_owned(),
            output.toned(Tone::Strong, finding),
            toned(output, confidence_tone(&of.confidence), &of.confidence),
            toned(output, party_tone(&of.party), &of.party),
            notes.clone(),
            output.toned(Tone::Faint, id),
        ]
    };
    let fixed = [&time, &of.status, &of.method, &of.confidence, &of.party, &notes];
    let fixed: usize = fixed.iter().filter(|part| !part.is_empty()).map(|part| length(part) + 1).sum();
    // The last column stays free: some terminals wrap a full line.
    let room = columns.saturating_sub(fixed + 1);
    let (path, finding) = (of.path(), of.findings());
    let (for_path, for_finding, for_id) = (length(path).min(URL_COLUMNS_MIN) + 1, length(&finding) + 1, length(&of.id));
    // What identifies goes first, then what explains; the id can be had from `exchanges`.
    if for_path + for_finding + for_id <= room {
        return joined(&with(&shortened(path, room - for_finding - for_id - 1), &finding, &of.id));
    }
    let for_path = for_path.max((room + 1).saturating_sub(for_finding));
    let path = shortened(path, for_path - 1);
    let finding = shortened(&finding, room.saturating_sub(length(&path) + 1));
    joined(&with(&path, &finding, ""))
}

/// What is to be said beside the finding.
fn notes(folded: &Folded) -> String {
    let mut notes = Vec::new();
    if folded.times > 1 {
        notes.push(format!("×{}", folded.times));
    }
    if folded.shown.is_amended {
        notes.push("amended".to_owned());
    }
    if folded.shown.repeated > 0 {
        notes.push(format!("(+{} counted)", folded.shown.repeated));
    }
    notes.join(" ")
}

pub(super) fn toned(output: Output, tone: Option<Tone>, text: &str) -> String {
    tone.map_or_else(|| text.to_owned(), |tone| output.toned(tone, text))
}

fn joined(parts: &[String]) -> String {
    parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::Summary;
    use super::super::whole::tests::record;
    use super::*;

    fn folded(times: u64) -> Folded {
        let mut folded = Folded::of(Summary::of(&record()));
        folded.times = times;
        folded
    }

    #[test]
    fn without_a_terminal_a_line_is_whole() {
        assert_eq!(
            line(&folded(1), Output::plain(), "2026-11-22"),
            "2026-11-22T06:00:00.123Z 412 PUT http://a/orders/7 [orders] etag-suffixed/inside-origin +1 likely origin 01J"
        );
    }

    #[test]
    fn on_a_terminal_a_line_fits() {
        let check = |columns, expected: &str| {
            let line = line(&folded(3), Output::terminal(columns, false), "2026-11-22");
            assert_eq!(line, expected);
            assert!(length(&line) < columns, "{line}");
        };
        check(100, "06:00:00 412 PUT /orders/7 etag-suffixed/inside-origin +1 likely origin ×3 01J");
        check(79, "06:00:00 412 PUT /orders/7 etag-suffixed/inside-origin +1 likely origin ×3 01J");
        check(75, "06:00:00 412 PUT /orders/7 etag-suffixed/inside-origin +1 likely origin ×3");
        check(60, "06:00:00 412 PUT /orders/7 etag-su…igin +1 likely origin ×3");
    }
}
