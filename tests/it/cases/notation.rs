//! The notation of cases, read. `tests/cases/README.md` describes it.

use why412::analysis::exchange::{Comparison, Role, RoutePolicy};
use why412::analysis::principal::ToldApartBy;

/// Exchanges that begin with nothing remembered.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) role: Role,
    pub(crate) policy: RoutePolicy,
    pub(crate) exchanges: Vec<Told>,
}

/// One exchange as it is told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) line: usize,
    /// Milliseconds since the one before.
    pub(crate) after: u64,
    pub(crate) client: String,
    pub(crate) told_apart_by: ToldApartBy,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) request: Vec<(String, String)>,
    pub(crate) ending: Ending,
    pub(crate) response: Vec<(String, String)>,
    pub(crate) expected: Vec<(usize, Expected)>,
}

/// How an exchange ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Answered(u16),
    Cut(u16),
    Lost,
    Unsent,
    Gone,
}

/// What must be found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Cause { name: String, confidence: String, party: Option<String> },
    Also { name: String },
    Fix { text: String },
    Hazard { name: String, confidence: String },
    Alteration { on: String, field: String, change: String },
    Amends { exchange: usize, name: String, confidence: String },
}

const USUAL_PAUSE: u64 = 100;

/// What is told of an exchange beside its fields.
const KNOWN: [&str; 12] = [
    ":body",
    ":length",
    ":node",
    ":bypass",
    ":mark",
    ":sent",
    ":arrived",
    ":origin",
    ":gave",
    ":stored",
    ":earlier",
    ":unsigned",
];

/// Every block of a file; or the line and what is wrong with it.
pub(crate) fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut after = USUAL_PAUSE;
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        match &mut open {
            None if line == "```exchanges" => open = Some(Block::default()),
            None => {}
            Some(_) if line == "```" => blocks.extend(open.take()),
            Some(block) => read(block, number, line, &mut after).map_err(|fault| format!("{number}: {fault}"))?,
        }
    }
    if open.is_some() { Err("a block is not closed".to_owned()) } else { Ok(blocks) }
}

fn read(block: &mut Block, number: usize, line: &str, after: &mut u64) -> Result<(), String> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(());
    }
    if let Some(expected) = line.strip_prefix("=>") {
        let exchange = block.exchanges.last_mut().ok_or("no exchange to expect it of")?;
        exchange.expected.push((number, expectation(expected.trim())?));
        return Ok(());
    }
    if let Some(seconds) = line.strip_prefix("wait ") {
        let seconds: f64 = seconds.trim().parse().map_err(|_| "seconds are a number".to_owned())?;
        *after = (seconds * 1000.0) as u64;
        return Ok(());
    }
    if let Some((key @ ("role" | "comparison" | "precondition"), value)) = line.split_once(": ") {
        return setting(block, key, value);
    }
    block.exchanges.push(exchange(number, line, std::mem::replace(after, USUAL_PAUSE))?);
    Ok(())
}

fn setting(block: &mut Block, key: &str, value: &str) -> Result<(), String> {
    match (key, value) {
        ("role", "alone") => block.role = Role::Alone,
        ("role", "outer") => block.role = Role::Outer,
        ("role", "inner") => block.role = Role::Inner,
        ("comparison", "strong") => block.policy.comparison = Comparison::Strong,
        ("comparison", "weak") => block.policy.comparison = Comparison::Weak,
        ("precondition", name) => block.policy.preconditions.push(name.to_owned()),
        _ => return Err(format!("no such setting: {key}: {value}")),
    }
    Ok(())
}

fn exchange(line: usize, text: &str, after: u64) -> Result<Told, String> {
    let (request, answer) = text.split_once(" -> ").ok_or("an exchange is REQUEST -> OUTCOME")?;
    let (head, request) = parts(request)?;
    let (outcome, response) = parts(answer)?;
    let words: Vec<_> = head.split_whitespace().collect();
    let [client, method, target] = words[..] else { return Err("a request is CLIENT METHOD TARGET".to_owned()) };
    let (client, by) = client.split_once('@').unwrap_or((client, "basic"));
    Ok(Told {
        line,
        after,
        client: client.to_owned(),
        told_apart_by: told_apart_by(by)?,
        method: method.to_owned(),
        target: target.to_owned(),
        request,
        ending: ending(outcome)?,
        response,
        expected: Vec::new(),
    })
}

type Pairs = Vec<(String, String)>;

fn parts(text: &str) -> Result<(&str, Pairs), String> {
    let mut parts = text.split(" | ").map(str::trim);
    let head = parts.next().unwrap_or_default();
    let fields = parts.map(|field| {
        // The names of what is no field begin with a colon, as HTTP/2 has it.
        let separator = if field.starts_with(':') { ' ' } else { ':' };
        let (name, value) = field.split_once(separator).unwrap_or((field, ""));
        let known = separator == ':' || KNOWN.contains(&name);
        if known { Ok((name.to_owned(), value.trim().to_owned())) } else { Err(format!("no such thing: {name}")) }
    });
    Ok((head, fields.collect::<Result<_, _>>()?))
}

fn told_apart_by(text: &str) -> Result<ToldApartBy, String> {
    match text {
        "basic" => Ok(ToldApartBy::BasicUser),
        "certificate" => Ok(ToldApartBy::Certificate),
        "authorization" => Ok(ToldApartBy::Authorization),
        "address" => Ok(ToldApartBy::Address),
        _ => Err(format!("nobody is told apart by {text}")),
    }
}

fn ending(text: &str) -> Result<Ending, String> {
    let status = |text: &str| text.parse::<u16>().map_err(|_| format!("no outcome: {text}"));
    match text {
        "lost" => Ok(Ending::Lost),
        "unsent" => Ok(Ending::Unsent),
        "gone" => Ok(Ending::Gone),
        _ => match text.strip_suffix(" cut") {
            Some(text) => Ok(Ending::Cut(status(text)?)),
            None => Ok(Ending::Answered(status(text)?)),
        },
    }
}

fn expectation(text: &str) -> Result<Expected, String> {
    if let Some(text) = text.strip_prefix("fix ") {
        return Ok(Expected::Fix { text: text.to_owned() });
    }
    let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["cause", name, confidence] => Ok(cause(name, confidence, None)),
        ["cause", name, confidence, party] => Ok(cause(name, confidence, Some(party))),
        ["also", name] => Ok(Expected::Also { name: (*name).to_owned() }),
        ["hazard", name, confidence] => {
            Ok(Expected::Hazard { name: (*name).to_owned(), confidence: (*confidence).to_owned() })
        }
        ["alteration", on, field, change] => {
            Ok(Expected::Alteration { on: (*on).to_owned(), field: (*field).to_owned(), change: (*change).to_owned() })
        }
        ["amends", exchange, name, confidence] => Ok(Expected::Amends {
            exchange: exchange.parse().map_err(|_| "amends is followed by a number".to_owned())?,
            name: (*name).to_owned(),
            confidence: (*confidence).to_owned(),
        }),
        _ => Err(format!("no expectation: {text}")),
    }
}

fn cause(name: &str, confidence: &str, party: Option<&str>) -> Expected {
    Expected::Cause { name: name.to_owned(), confidence: confidence.to_owned(), party: party.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_reads_as_it_is_told() {
        let text = "prose\n```exchanges\nrole: inner\nwait 2\nal@address PUT /a?b=c | If-Match: \"a:b\", \"c\" | :body one -> 412 | \
                    ETag: \"d\"\n=> cause stale-validator likely client\n```\n";
        let blocks = blocks(text).unwrap();
        assert_eq!(blocks[0].role, Role::Inner);
        let told = &blocks[0].exchanges[0];
        assert_eq!((told.line, told.after, told.client.as_str()), (5, 2000, "al"));
        assert_eq!(told.told_apart_by, ToldApartBy::Address);
        assert_eq!(told.request[0], ("If-Match".to_owned(), "\"a:b\", \"c\"".to_owned()));
        assert_eq!(told.request[1], (":body".to_owned(), "one".to_owned()));
        assert_eq!(told.ending, Ending::Answered(412));
        assert_eq!(told.expected[0], (6, cause("stale-validator", "likely", Some("client"))));
    }

    #[test]
    fn what_cannot_be_read_is_a_fault_with_its_line() {
        for wrong in ["al PUT /a 200", "al PUT -> 200", "al PUT /a -> maybe", "=> cause x likely", "role: middle"] {
            assert!(blocks(&format!("```exchanges\n{wrong}\n```")).unwrap_err().starts_with("2: "), "{wrong}");
        }
    }
}
