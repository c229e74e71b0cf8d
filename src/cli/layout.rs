//! Text in columns: wrapping, padding, shortening. Lengths are counted in characters, one column each.

/// `text` in lines of at most `columns`, the first after `first`, the others after `further`. A word that is longer
/// than a line stands on a line of its own, whole.
pub(super) fn wrapped(text: &str, first: &str, further: &str, columns: usize) -> String {
    let mut shown = first.to_owned();
    let mut column = length(first);
    for (index, word) in text.split_whitespace().enumerate() {
        if index > 0 && column + 1 + length(word) > columns {
            shown.push('\n');
            shown.push_str(further);
            column = length(further);
        } else if index > 0 {
            shown.push(' ');
            column += 1;
        }
        shown.push_str(word);
        column += length(word);
    }
    shown
}

/// `text` in at most `columns`, its middle left out where it is longer: what a URL or a tag differs in stands at either
/// end more often than in the middle.
pub(super) fn shortened(text: &str, columns: usize) -> String {
    let all = length(text);
    if all <= columns {
        return text.to_owned();
    }
    let kept = columns.saturating_sub(1);
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    let begin: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(all - tail).collect();
    format!("{begin}…{end}")
}

/// `text` followed by spaces up to `columns`.
pub(super) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", spaces(columns.saturating_sub(length(text))))
}

/// So many spaces.
pub(super) fn spaces(columns: usize) -> String {
    " ".repeat(columns)
}

/// The columns that `text` takes.
pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped() {
        assert_eq!(wrapped("one two three", "- ", "  ", 9), "- one two\n  three");
        assert_eq!(wrapped("a-word-too-long for it", "- ", "  ", 9), "- a-word-too-long\n  for it");
        assert_eq!(wrapped("", "- ", "  ", 9), "- ");
    }

    #[test]
    fn text_is_shortened_in_the_middle() {
        assert_eq!(shortened("/orders/7", 9), "/orders/7");
        assert_eq!(shortened("/orders/17", 9), "/ord…s/17");
        assert_eq!(shortened("äöüß", 3), "ä…ß");
        assert_eq!(shortened("abc", 1), "…");
        assert_eq!(shortened("abc", 0), "…");
    }

    #[test]
    fn text_is_padded() {
        assert_eq!(padded("ä", 3), "ä  ");
        assert_eq!(padded("abc", 2), "abc");
    }
}
