//! A record as a curl command that sends the same request: every byte of what was sent, and a shell variable wherever
//! a secret was hidden. What cannot be the same is said in the command's comment.

use super::har::{authority_end, uri};
use crate::recorder::record::Record;
use crate::recorder::redact::HIDDEN;

/// The command, for bash, with a comment that tells what to set before and what is not as it was.
pub fn command(record: &Record) -> String {
    let mut secrets = Secrets::default();
    let sent = Sent::of(record);
    let mut words = vec![sent.method(&mut secrets)];
    words.push(sent.version().to_owned());
    words.extend(sent.fields(&mut secrets));
    if sent.body != Body::None {
        words.push("--data-binary @\"${BODY_FILE:?the body was not recorded}\"".to_owned());
    }
    // What a shell or curl would expand in a URL is meant as it stands.
    words.push("--globoff --path-as-is".to_owned());
    words.extend(sent.target(&mut secrets));
    format!("{}{}\n", sent.comment(&secrets), words.join(" \\\n  "))
}

/// What the client sent.
struct Sent<'a> {
    record: &'a Record,
    body: Body,
    http1: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    None,
    /// As long as the field says.
    Length(Option<u64>),
    Chunked,
}

impl<'a> Sent<'a> {
    fn of(record: &'a Record) -> Self {
        let value = |wanted: &str| {
            let line = record.request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            line.map(|(_, value)| value.trim())
        };
        let body = match (value("transfer-encoding"), value("content-length")) {
            (Some(_), _) => Body::Chunked,
            (None, Some("0") | None) => Body::None,
            (None, Some(length)) => Body::Length(length.parse().ok()),
        };
        Self { record, body, http1: record.request.version.starts_with("HTTP/1") }
    }

    fn method(&self, secrets: &mut Secrets) -> String {
        // RFC 9110 §9.3.2: the answer to a HEAD has no content, and curl would wait for it.
        if self.record.request.method == "HEAD" && self.body == Body::None {
            return "curl -I".to_owned();
        }
        format!("curl -i -X {}", quoted(&self.record.request.method, "", secrets))
    }

    fn version(&self) -> &'static str {
        match self.record.request.version.as_str() {
            "HTTP/1.0" => "--http1.0",
            "HTTP/2" if self.record.request.url.starts_with("http:") => "--http2-prior-knowledge",
            "HTTP/2" => "--http2",
            _ => "--http1.1",
        }
    }

    /// Every field line, and the removal of what curl would send though nobody sent it.
    fn fields(&self, secrets: &mut Secrets) -> Vec<String> {
        let mut words = Vec::new();
        for (name, value) in &self.record.request.headers {
            if is_ours(name) || (self.body != Body::None && name.eq_ignore_ascii_case("content-length")) {
                continue;
            }
            // curl removes a field that is given as `Name:` and sends an empty one for `Name;`.
            let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
            words.push(format!("-H {}", quoted(&line, name, secrets)));
        }
        let carries =
            |wanted: &str| self.record.request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let with_body: &[&str] = if self.body == Body::None { &[] } else { ADDED_WITH_BODY };
        let host: &[&str] = if self.http1 { &["Host"] } else { &[] };
        for added in host.iter().chain(ADDED).chain(with_body).filter(|added| !carries(added)) {
            words.push(format!("-H '{added}:'"));
        }
        words
    }

    /// The URL, or its beginning with the target beside it, where curl would not send the target as it stands.
    fn target(&self, secrets: &mut Secrets) -> Vec<String> {
        let url = self.record.request.url.as_str();
        let (origin, target) = url.split_at(authority_end(url));
        // RFC 9112 §3.2.4: of the server itself.
        let asterisk = target.is_empty() && self.record.request.method == "OPTIONS";
        let target = if asterisk { "*" } else { target };
        if !asterisk && target.split(HIDDEN).all(|part| uri(part) == part) {
            return vec![quoted(url, "url", secrets)];
        }
        let beside = format!("--request-target {}", quoted(target, "url", secrets));
        vec![beside, quoted(&format!("{origin}/"), "url", secrets)]
    }

    fn comment(&self, secrets: &Secrets) -> String {
        let mut comment =
            "# The request as the client sent it: method, target, version, and every field line.\n".to_owned();
        if self.http1 {
            comment.push_str(
                "# Not as it was: curl writes Host first and the length of a body last; an absolute target becomes a \
                 path; trailers and the sizes of chunks are gone.\n",
            );
        }
        let of_length = match self.body {
            Body::None => None,
            Body::Length(Some(bytes)) => Some(format!(" of {bytes} bytes")),
            Body::Length(None) | Body::Chunked => Some(String::new()),
        };
        if let Some(of_length) = of_length {
            comment
                .push_str(&format!("# Bodies are not recorded: set BODY_FILE to a file with the body{of_length}.\n"));
        }
        if !secrets.names.is_empty() {
            comment.push_str(&format!("# Secrets are not recorded: set {}\n", secrets.names.join(" ")));
        }
        comment
    }
}

/// What curl sends though nobody asked it to: taken away where the client did not send it.
const ADDED: &[&str] = &["User-Agent", "Accept"];

/// The same where there is a body.
const ADDED_WITH_BODY: &[&str] = &["Content-Type", "Expect"];

/// What the instances of a pair tell each other belongs to one exchange, and is no part of the client's request.
fn is_ours(name: &str) -> bool {
    name.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case("why412-"))
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

    fn with(method: &str, url: &str, lines: &[(&str, &str)]) -> Record {
        let mut record = record(method, url);
        record.request.headers = lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        record
    }

    #[test]
    fn what_was_sent_is_sent_again_byte_for_byte() {
        let lines = [
            ("Host", "h"),
            ("If-Match", "W/\"it's\""),
            ("X-Latin", "caf\u{e9}\\"),
            ("X-Empty", ""),
            ("Why412-Pair", "…"),
            ("Content-Length", "3"),
        ];
        let expected = r#"# The request as the client sent it: method, target, version, and every field line.
# Not as it was: curl writes Host first and the length of a body last; an absolute target becomes a path; trailers and the sizes of chunks are gone.
# Bodies are not recorded: set BODY_FILE to a file with the body of 3 bytes.
curl -i -X 'PUT' \
  --http1.1 \
  -H 'Host: h' \
  -H 'If-Match: W/"it'\''s"' \
  -H $'X-Latin: caf\351\\' \
  -H 'X-Empty;' \
  -H 'User-Agent:' \
  -H 'Accept:' \
  -H 'Content-Type:' \
  -H 'Expect:' \
  --data-binary @"${BODY_FILE:?the body was not recorded}" \
  --globoff --path-as-is \
  'http://h/a?b='\''c'\'''
"#;
        assert_eq!(command(&with("PUT", "http://h/a?b='c'", &lines)), expected);
    }

    #[test]
    fn secrets_are_variables() {
        let lines = [("Authorization", "Bearer …"), ("Cookie", "a=…; b=…")];
        let mut record = with("GET", "http://h/?token=…&x=1", &lines);
        record.request.version = "HTTP/2".to_owned();
        let expected = r#"# The request as the client sent it: method, target, version, and every field line.
# Secrets are not recorded: set SECRET_AUTHORIZATION SECRET_COOKIE SECRET_COOKIE_2 SECRET_URL
curl -i -X 'GET' \
  --http2-prior-knowledge \
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
    fn a_target_that_is_no_uri_stands_beside_the_url() {
        #[track_caller]
        fn check(method: &str, url: &str, end: &str) {
            let command = command(&with(method, url, &[]));
            assert!(command.ends_with(&format!("--globoff --path-as-is \\\n  {end}\n")), "{command}");
        }
        check("GET", "http://[::1]:80/a%2F?b", "'http://[::1]:80/a%2F?b'");
        let beside = "--request-target '/a[1]?{b}&sig='\"${SECRET_URL:?}\" \\\n  'http://h/'";
        check("GET", "http://h/a[1]?{b}&sig=…", beside);
        check("OPTIONS", "http://h", "--request-target '*' \\\n  'http://h/'");
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
