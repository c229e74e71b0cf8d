//! A record as a curl command that sends the same request: every byte of what was sent, and a shell variable wherever
//! a secret was hidden.

use crate::recorder::record::Record;
use crate::recorder::redact::HIDDEN;

/// The command, for a POSIX shell.
pub fn command(record: &Record) -> String {
    let mut secrets = Secrets::default();
    let request = &record.request;
    let mut words = vec!["curl -i".to_owned(), format!("-X {}", quoted(&request.method, "", &mut secrets))];
    // RFC 9110 §9.3.2: a HEAD has no content, and curl would wait for it.
    if request.method == "HEAD" {
        words = vec!["curl -I".to_owned()];
    }
    match request.version.as_str() {
        "HTTP/1.0" => words.push("--http1.0".to_owned()),
        "HTTP/2" if request.url.starts_with("http:") => words.push("--http2-prior-knowledge".to_owned()),
        "HTTP/2" => words.push("--http2".to_owned()),
        _ => words.push("--http1.1".to_owned()),
    }
    let carries = |wanted: &str| request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let is_empty = request.headers.iter().any(|(name, value)| is_length(name) && value == "0");
    let has_body = carries("transfer-encoding") || (carries("content-length") && !is_empty);
    for (name, value) in &request.headers {
        let of_the_connection = OF_THE_CONNECTION.iter().any(|known| name.eq_ignore_ascii_case(known));
        if of_the_connection || is_ours(name) || (is_length(name) && has_body) {
            continue;
        }
        // curl removes a field that is given as `Name:` and sends an empty one for `Name;`.
        let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        words.push(format!("-H {}", quoted(&line, name, &mut secrets)));
    }
    for added in ADDED_BY_CURL {
        if !carries(added) && (*added != "Content-Type" || has_body) {
            words.push(format!("-H '{added}:'"));
        }
    }
    if has_body {
        words.push("--data-binary @\"${BODY_FILE:?the body was not recorded}\"".to_owned());
    }
    // What a shell or curl would expand in a URL is meant as it stands.
    words.push("--globoff --path-as-is".to_owned());
    words.push(quoted(&request.url, "url", &mut secrets));
    format!("{}{}\n", secrets.note(), words.join(" \\\n  "))
}

/// What curl makes by itself, for the connection it uses.
const OF_THE_CONNECTION: &[&str] = &["transfer-encoding", "connection", "keep-alive", "expect"];

/// What curl sends though nobody asked it to: taken away where the client did not send it.
const ADDED_BY_CURL: &[&str] = &["User-Agent", "Accept", "Content-Type"];

/// What the instances of a pair tell each other belongs to one exchange, and is no part of the client's request.
fn is_ours(name: &str) -> bool {
    name.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case("why412-"))
}

const fn is_length(name: &str) -> bool {
    name.eq_ignore_ascii_case("content-length")
}

/// The shell variables that stand for what was hidden.
#[derive(Default)]
struct Secrets {
    names: Vec<String>,
}

impl Secrets {
    fn variable(&mut self, hint: &str) -> String {
        let upper =
            |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' };
        let base: String = "SECRET_".chars().chain(hint.chars().map(upper)).collect();
        let mut name = base.clone();
        let mut number = 2;
        while self.names.contains(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.names.push(name.clone());
        name
    }

    fn note(&self) -> String {
        if self.names.is_empty() { String::new() } else { format!("# Set first: {}\n", self.names.join(" ")) }
    }
}

/// One word of the shell. Within single quotes everything stands for itself; bytes that are no printable ASCII are
/// written as escapes, so that the command survives any copying.
fn quoted(text: &str, hint: &str, secrets: &mut Secrets) -> String {
    let mut parts = text.split(HIDDEN);
    let mut word = literal(parts.next().unwrap_or_default());
    for part in parts {
        let variable = secrets.variable(hint);
        word.push_str(&format!("\"${{{variable}:?}}\""));
        if !part.is_empty() {
            word.push_str(&literal(part));
        }
    }
    word
}

/// A text as one word of a POSIX shell, where everything stands for itself. Characters beyond ASCII are ISO-8859-1: each
/// is the byte that is meant.
pub fn literal(text: &str) -> String {
    if text.chars().all(|character| character == ' ' || character.is_ascii_graphic()) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    // POSIX.1-2024 §2.2.4. Values are ISO-8859-1: each character is the byte that was sent.
    let mut word = String::from("$'");
    for character in text.chars() {
        match character {
            '\'' | '\\' => word.extend(['\\', character]),
            ' '..='~' => word.push(character),
            other => word.push_str(&format!("\\{:03o}", u32::from(other) & 0xff)),
        }
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::testing::record;

    #[test]
    fn what_was_sent_is_sent_again_byte_for_byte() {
        let mut record = record("PUT", "http://h/a?b='c'");
        record.request.headers = vec![
            ("If-Match".to_owned(), "W/\"it's\"".to_owned()),
            ("X-Latin".to_owned(), "caf\u{e9}\\".to_owned()),
            ("X-Empty".to_owned(), String::new()),
            ("Why412-Pair".to_owned(), "…".to_owned()),
            ("Content-Length".to_owned(), "3".to_owned()),
        ];
        let expected = r#"curl -i \
  -X 'PUT' \
  --http1.1 \
  -H 'If-Match: W/"it'\''s"' \
  -H $'X-Latin: caf\351\\' \
  -H 'X-Empty;' \
  -H 'User-Agent:' \
  -H 'Accept:' \
  -H 'Content-Type:' \
  --data-binary @"${BODY_FILE:?the body was not recorded}" \
  --globoff --path-as-is \
  'http://h/a?b='\''c'\'''
"#;
        assert_eq!(command(&record), expected);
    }

    #[test]
    fn secrets_are_variables() {
        let mut record = record("GET", "http://h/?token=…&x=1");
        record.request.headers =
            vec![("Authorization".to_owned(), "Bearer …".to_owned()), ("Cookie".to_owned(), "a=…; b=…".to_owned())];
        let expected = r#"# Set first: SECRET_AUTHORIZATION SECRET_COOKIE SECRET_COOKIE_2 SECRET_URL
curl -i \
  -X 'GET' \
  --http1.1 \
  -H 'Authorization: Bearer '"${SECRET_AUTHORIZATION:?}" \
  -H 'Cookie: a='"${SECRET_COOKIE:?}"'; b='"${SECRET_COOKIE_2:?}" \
  -H 'User-Agent:' \
  -H 'Accept:' \
  --globoff --path-as-is \
  'http://h/?token='"${SECRET_URL:?}"'&x=1'
"#;
        assert_eq!(command(&record), expected);
    }

    #[test]
    fn the_shell_reads_the_words_back() {
        for text in ["it's", "$HOME `id` \\ \"x\"", "tab\tand\u{1}", "a*b?[c]!{d,e}~;|&<>()"] {
            let word = quoted(text, "", &mut Secrets::default());
            let output =
                std::process::Command::new("bash").arg("-c").arg(format!("printf %s {word}")).output().unwrap();
            assert_eq!(output.stdout, text.as_bytes(), "{word}");
        }
    }
}
