//! Plain text for people: wrapped, and with hostile characters made visible.

/// As wide as most terminals and mails take.
const COLUMNS: usize = 96;

/// A text of strangers: what a terminal or an editor would obey is shown instead.
pub(super) fn shown(text: &str) -> String {
    let visible = |c: char| if c.is_control() { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(visible).collect()
}

/// Appends a line that ends where it must.
pub(super) fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

/// Appends a heading.
pub(super) fn heading(out: &mut String, text: &str) {
    line(out, "");
    line(out, text);
    line(out, &"-".repeat(text.chars().count()));
}

/// Appends a paragraph: its first line begins with `first`, the others with as many spaces.
pub(super) fn paragraph(out: &mut String, first: &str, text: &str) {
    let indent = " ".repeat(first.chars().count());
    let mut current = first.to_owned();
    let mut empty = true;
    for word in shown(text).split_whitespace() {
        if !empty && current.chars().count() + 1 + word.chars().count() > COLUMNS {
            line(out, &current);
            current.clone_from(&indent);
            empty = true;
        }
        if !empty {
            current.push(' ');
        }
        current.push_str(word);
        empty = false;
    }
    line(out, &current);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped_and_hang() {
        let mut out = String::new();
        paragraph(&mut out, "  1. ", &"word ".repeat(40));
        assert!(out.lines().all(|line| line.len() <= COLUMNS), "{out}");
        assert!(out.starts_with("  1. word word") && out.lines().nth(1).unwrap().starts_with("     word"), "{out}");
        assert_eq!(out.split_whitespace().filter(|word| *word == "word").count(), 40);
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(shown("a\u{1b}[2J\u{9b}\"caf\u{e9}\""), "a\\u{1b}[2J\\u{9b}\"caf\u{e9}\"");
    }
}
