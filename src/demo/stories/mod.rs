//! What the clients do, as it is written in `stories.txt`: one request per line, and what is true of its answer below it.

use crate::demo::gateway;

/// A story: a few clients with something in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// Its requests carry it in `Demo-Story`.
    pub name: String,
    /// What happens, in a sentence.
    pub title: String,
    /// After how many seconds it is played again; it takes its turn among all others where nothing is said.
    pub every: Option<u64>,
    /// In order.
    pub lines: Vec<Line>,
}

/// One line of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A request, and what is to be found in it.
    Ask(Ask),
    /// A pause, in milliseconds.
    Wait(u64),
    /// A pause until the clock's next second begins.
    NextSecond,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its place in the story, from 1; the request says it behind the story's name.
    pub step: usize,
    /// Who asks.
    pub who: String,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Fields with their values as they are written; [`Value`] says what becomes of them.
    pub fields: Vec<(String, Value)>,
    /// What the body says, beside the round it is played in; the step without it.
    pub body: Option<String>,
    /// After how many milliseconds the client hangs up without waiting for the answer.
    pub leaves: Option<u64>,
    /// What is true of it.
    pub expected: Vec<Expected>,
}

/// The value of a field: text with what is known only when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value(pub Vec<Piece>);

/// A piece of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// The tag that this client was last given for the same path, or for another one.
    Tag {
        /// Another path than that of the request.
        of: Option<String>,
        /// The one before the last.
        older: bool,
        /// What this client makes of it.
        made: Made,
    },
    /// The Last-Modified that this client was last given for the path.
    Date,
    /// The client's own clock, so many seconds off.
    Clock(i64),
}

/// What a client makes of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// What it should: nothing.
    Same,
    /// Without its quotes.
    Unquoted,
    /// As XML has it.
    Escaped,
    /// In small letters.
    Lowered,
    /// Without `W/`.
    Strong,
    /// Without `-gzip`.
    Bare,
}

/// What is true of an exchange, by whoever wrote the story; never by what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// What is to be found.
    pub found: Found,
    /// `proven`, `likely` or `possible`.
    pub confidence: String,
    /// It may take more than a first round to be found.
    pub later: bool,
    /// Only while the gateway does this, or only while it does not.
    pub during: Option<During>,
}

/// The time in which something is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum During {
    /// While the gateway does this.
    On(String),
    /// While it does not.
    Off(String),
}

/// Something that is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A 412, for this reason; whoever has to act.
    Cause {
        /// The cause, with its detail behind a slash; several where the memory of earlier rounds decides.
        names: Vec<String>,
        /// The party.
        party: String,
    },
    /// A hazard, with its detail behind a slash.
    Hazard(String),
}

/// All of them, in the order of their first performance.
///
/// # Errors
///
/// The line that cannot be understood.
pub fn all() -> Result<Vec<Story>, String> {
    parse(include_str!("stories.txt"))
}

fn parse(text: &str) -> Result<Vec<Story>, String> {
    let mut stories: Vec<Story> = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let read = match (line.split_once(' '), stories.last_mut()) {
            (Some(("story", name)), _) => {
                stories.push(Story { name: name.to_owned(), title: String::new(), every: None, lines: Vec::new() });
                Some(())
            }
            (Some((word, rest)), Some(story)) => read_line(story, word, rest),
            (_, _) => None,
        };
        read.ok_or_else(|| format!("stories.txt:{number}: {line:?} cannot be understood"))?;
    }
    Ok(stories)
}

fn read_line(story: &mut Story, word: &str, rest: &str) -> Option<()> {
    match word {
        "title" => rest.clone_into(&mut story.title),
        "every" => story.every = Some(rest.parse().ok().filter(|seconds| *seconds > 0)?),
        "wait" if rest == "second" => story.lines.push(Line::NextSecond),
        "wait" => story.lines.push(Line::Wait(rest.parse().ok()?)),
        // The lines since the last pause, so many times in all.
        "times" => {
            let times: usize = rest.parse().ok()?;
            let since = story.lines.iter().rposition(|line| !matches!(line, Line::Ask(_))).map_or(0, |at| at + 1);
            let lines = story.lines.get(since..)?.to_vec();
            for _ in 1..times {
                story.lines.extend(lines.iter().cloned());
            }
            number(&mut story.lines);
        }
        "=>" => {
            let Some(Line::Ask(ask)) = story.lines.last_mut() else { return None };
            ask.expected.push(expected(rest)?);
        }
        who => {
            story.lines.push(Line::Ask(ask(who, rest)?));
            number(&mut story.lines);
        }
    }
    Some(())
}

fn number(lines: &mut [Line]) {
    let asks = lines.iter_mut().filter_map(|line| match line {
        Line::Ask(ask) => Some(ask),
        Line::Wait(_) | Line::NextSecond => None,
    });
    for (at, ask) in asks.enumerate() {
        ask.step = at + 1;
    }
}

/// `METHOD TARGET | Field: value | :body text | :leaves 400`
fn ask(who: &str, rest: &str) -> Option<Ask> {
    let mut parts = rest.split(" | ");
    let (method, target) = parts.next()?.split_once(' ')?;
    let mut ask = Ask {
        step: 0,
        who: who.to_owned(),
        method: method.to_owned(),
        target: target.to_owned(),
        fields: Vec::new(),
        body: None,
        leaves: None,
        expected: Vec::new(),
    };
    for part in parts {
        if let Some(body) = part.strip_prefix(":body ") {
            ask.body = Some(body.to_owned());
        } else if let Some(after) = part.strip_prefix(":leaves ") {
            ask.leaves = Some(after.parse().ok()?);
        } else {
            let (name, written) = part.split_once(": ")?;
            ask.fields.push((name.to_owned(), value(written)?));
        }
    }
    Some(ask)
}

fn value(mut written: &str) -> Option<Value> {
    let mut pieces = Vec::new();
    while let Some((text, rest)) = written.split_once('{') {
        let (inner, rest) = rest.split_once('}')?;
        pieces.push(Piece::Text(text.to_owned()));
        pieces.push(piece(inner)?);
        written = rest;
    }
    pieces.push(Piece::Text(written.to_owned()));
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    Some(Value(pieces))
}

/// `etag`, `older`, `etag unquoted`, `etag of /path`, `date`, `clock -300`.
fn piece(inner: &str) -> Option<Piece> {
    let (word, rest) = inner.split_once(' ').unwrap_or((inner, ""));
    if word == "date" {
        return Some(Piece::Date);
    }
    if word == "clock" {
        return rest.parse().ok().map(Piece::Clock);
    }
    if word != "etag" && word != "older" {
        return None;
    }
    let of = rest.strip_prefix("of ").map(str::to_owned);
    const MADE: [(&str, Made); 6] = [
        ("", Made::Same),
        ("unquoted", Made::Unquoted),
        ("escaped", Made::Escaped),
        ("lowered", Made::Lowered),
        ("strong", Made::Strong),
        ("bare", Made::Bare),
    ];
    let made = match of {
        Some(_) => Made::Same,
        None => MADE.iter().find(|(name, _)| *name == rest)?.1,
    };
    Some(Piece::Tag { of, older: word == "older", made })
}

/// `412 CAUSE[|CAUSE] CONFIDENCE PARTY` or `hazard HAZARD CONFIDENCE`, behind it `while BEHAVIOUR` or `unless BEHAVIOUR`,
/// before it `later`.
fn expected(rest: &str) -> Option<Expected> {
    let (later, rest) = rest.strip_prefix("later ").map_or((false, rest), |rest| (true, rest));
    let known = |id: &str| Some(id.to_owned()).filter(|id| gateway::is_known(id));
    let (rest, during) = if let Some((rest, id)) = rest.split_once(" while ") {
        (rest, Some(During::On(known(id)?)))
    } else if let Some((rest, id)) = rest.split_once(" unless ") {
        (rest, Some(During::Off(known(id)?)))
    } else {
        (rest, None)
    };
    let words: Vec<&str> = rest.split(' ').collect();
    match words[..] {
        ["412", name, confidence, party] => {
            let names = name.split('|').map(str::to_owned).collect();
            let found = Found::Cause { names, party: party.to_owned() };
            Some(Expected { found, confidence: confidence.to_owned(), later, during })
        }
        ["hazard", name, confidence] => {
            Some(Expected { found: Found::Hazard(name.to_owned()), confidence: confidence.to_owned(), later, during })
        }
        // Words of a file: everything else is wrong.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_reads_as_it_is_written() {
        let text = "story a\ntitle It happens\nevery 5\nann GET /x?y=1 | Accept: */*\nwait 30\nann PUT /x | If-Match: \
                    {older}, {etag bare} | :body b | :leaves 9\n=> 412 c|c/d likely client unless cache\n=> later hazard h proven\n\
                    times 2\nwait second\n";
        let stories = parse(text).unwrap();
        let [story] = &stories[..] else { panic!("{stories:?}") };
        assert_eq!((story.name.as_str(), story.title.as_str(), story.every), ("a", "It happens", Some(5)));
        let [Line::Ask(get), Line::Wait(30), Line::Ask(put), Line::Ask(again), Line::NextSecond] = &story.lines[..]
        else {
            panic!("{story:?}")
        };
        assert_eq!((get.step, get.target.as_str(), get.fields.len()), (1, "/x?y=1", 1));
        assert_eq!((put.step, again.step, put.leaves, put.body.as_deref()), (2, 3, Some(9), Some("b")));
        let tag = |older, made| Piece::Tag { of: None, older, made };
        let value = Value(vec![tag(true, Made::Same), Piece::Text(", ".to_owned()), tag(false, Made::Bare)]);
        assert_eq!(put.fields, [("If-Match".to_owned(), value)]);
        let found = Found::Cause { names: vec!["c".to_owned(), "c/d".to_owned()], party: "client".to_owned() };
        let during = Some(During::Off("cache".to_owned()));
        assert_eq!(put.expected[0], Expected { found, confidence: "likely".to_owned(), later: false, during });
        assert_eq!((&put.expected[1].found, put.expected[1].later), (&Found::Hazard("h".to_owned()), true));
        assert_eq!(again.expected, put.expected);
    }

    #[test]
    fn what_cannot_be_understood_is_named_with_its_line() {
        for wrong in [
            "ann GET /x",
            "story a\nann GET",
            "story a\nann GET /x | Accept",
            "story a\nann GET /x | If-Match: {tag}",
            "story a\nann GET /x | If-Match: {etag shouted}",
            "story a\nann GET /x | If-Match: {etag",
            "story a\n=> hazard h likely",
            "story a\nann GET /x\n=> 412 c likely client while asleep",
            "story a\nann GET /x\n=> maybe",
            "story a\nwait long",
            "story a\nevery 0",
        ] {
            let fault = parse(wrong).unwrap_err();
            let line = wrong.lines().count();
            assert!(fault.starts_with(&format!("stories.txt:{line}: ")), "{wrong:?}: {fault}");
        }
    }
}
