//! A message as it stood on the wire. Text is one character per byte.

/// A head: the start line and the field lines, in order, names and values as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The first line.
    pub(crate) start: String,
    /// `Name: value`, white space around the value removed.
    pub(crate) lines: Vec<String>,
}

impl Head {
    /// Reads a head from its bytes, the empty line included.
    pub(crate) fn parse(text: &str) -> Self {
        let mut lines = text.strip_suffix("\r\n\r\n").expect("a head ends with an empty line").split("\r\n");
        let start = lines.next().expect("a head has a start line").to_owned();
        Self { start, lines: lines.map(field_line).collect() }
    }

    /// The status code of an answer.
    pub(crate) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line has a code")
    }

    /// The method of a request.
    pub(crate) fn method(&self) -> &str {
        self.start.split(' ').next().expect("a request line has a method")
    }

    /// The target of a request.
    pub(crate) fn target(&self) -> &str {
        self.start.split(' ').nth(1).expect("a request line has a target")
    }

    /// The values under a name, whatever its case, in order.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let split = self.lines.iter().filter_map(|line| line.split_once(':'));
        split.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_matches(' ')).collect()
    }

    /// The only value under a name.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let values = self.values(name);
        assert!(values.len() < 2, "{name} stands {} times in {self:#?}", values.len());
        values.first().copied()
    }

    /// The lines but for those under `names`.
    pub(crate) fn lines_without(&self, names: &[&str]) -> Vec<&str> {
        let named = |line: &str, name: &&str| line.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name));
        self.lines.iter().map(String::as_str).filter(|line| !names.iter().any(|name| named(line, name))).collect()
    }
}

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// 1xx heads that came before it.
    pub(crate) interim: Vec<Head>,
    /// The head.
    pub(crate) head: Head,
    /// The body, without its framing.
    pub(crate) body: Vec<u8>,
    /// The trailer lines.
    pub(crate) trailers: Vec<String>,
}

impl Message {
    /// See [`Head::status`].
    pub(crate) fn status(&self) -> u16 {
        self.head.status()
    }

    /// See [`Head::value`].
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.head.value(name)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        super::latin1(&self.body)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|fault| panic!("{fault} in {}", self.text()))
    }
}

/// One field line, white space around the value removed: RFC 9110 §5.5 does not count it as part of the value.
pub(crate) fn field_line(line: &str) -> String {
    let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no field line: {line:?}"));
    format!("{name}: {}", value.trim_matches([' ', '\t']))
}
