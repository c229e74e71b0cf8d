//! The run for people: step by step what was done and found, then the verdict. One screen in the ordinary case.

use std::fmt::Write as _;

use super::Ran;
use crate::analysis::diagnosis::spelling::shown;
use crate::analysis::judgement::{Confidence, Party};
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::cli::output::{Output, Tone, printable};
use crate::diagnose::compare::{between, validator};
use crate::diagnose::findings::Found;
use crate::diagnose::refreshed::Version;
use crate::diagnose::retry::Stopped;
use crate::diagnose::steps::VARIANTS;
use crate::diagnose::verdict::About;
use crate::diagnose::wire::Answer;
use crate::diagnose::{Asked, Kind, Observed, Way};
use crate::recorder::export::curl;
use crate::recorder::redact::{HIDDEN, Redaction, latin1};

const WIDTH: usize = 80;
/// Where the answers of the table of steps begin.
const ANSWERS: usize = 36;
/// How many sentences of advice are shown; `why412 explain` has them all.
const FIXES: usize = 2;
/// Fields by which caches and gateways show themselves.
const SIGNS: [FieldName; 9] = [
    FieldName::Server,
    FieldName::Via,
    FieldName::Age,
    FieldName::CacheStatus,
    FieldName::XCache,
    FieldName::CfCacheStatus,
    FieldName::XVarnish,
    FieldName::ProxyStatus,
    FieldName::CdnCacheControl,
];

/// The text. With a `redaction` secrets are hidden; without, the user's own terminal shows the user's own fields.
pub(super) fn of(ran: &Ran<'_>, output: Output, redaction: Option<&Redaction>) -> String {
    let mut page = Page { text: String::new(), output, redaction };
    page.head(ran.asked);
    page.reproduced(ran);
    if ran.observed.steps.iter().any(|step| step.kind != Kind::Asked) {
        page.read(ran.observed);
        page.compared(ran);
        page.tested(ran.observed);
        page.caches(ran.observed);
    }
    page.verdict(ran);
    page.refreshed(ran);
    page.text
}

struct Page<'a> {
    text: String,
    output: Output,
    redaction: Option<&'a Redaction>,
}

impl Page<'_> {
    fn head(&mut self, asked: &Asked) {
        let direct = asked.direct.as_ref().map(|direct| format!(" and directly at {}", direct.server));
        let line = format!("{} {}{}", asked.method, asked.url.url(), direct.unwrap_or_default());
        let line = self.hidden(&line);
        self.line(&self.output.toned(Tone::Strong, &line));
    }

    fn reproduced(&mut self, ran: &Ran<'_>) {
        let asked = ran.asked;
        let conditions: Vec<String> = asked
            .fields
            .iter()
            .filter(|line| crate::analysis::semantics::conditions::CONDITIONS.contains(line.name))
            .map(|line| format!("{}: {}", latin1(line.name_bytes), shown(line.value)))
            .collect();
        let with = if conditions.is_empty() { "no condition".to_owned() } else { conditions.join(", ") };
        let result = if asked.is_sent() {
            self.outcome(ran.observed, Kind::Asked, Way::Through)
        } else {
            format!("not sent, for {} may change something (--send sends it once)", asked.method)
        };
        self.step(1, "Reproduce", &format!("{with}: {result}"));
    }

    fn read(&mut self, observed: &Observed) {
        self.step(2, "Read it as it is now", "");
        for kind in VARIANTS {
            self.row(observed, kind);
        }
    }

    fn compared(&mut self, ran: &Ran<'_>) {
        if VARIANTS.into_iter().all(|kind| ran.observed.shown(kind, Way::Through).is_none()) {
            return;
        }
        self.step(3, "Compare", &compared(ran.asked, ran.observed));
    }

    fn tested(&mut self, observed: &Observed) {
        let kinds = [Kind::CannotHold, Kind::SameCondition, Kind::NotModified];
        if !kinds.iter().any(|kind| observed.step(*kind, Way::Through).is_some()) {
            return;
        }
        self.step(4, "Test conditions with reads", "");
        for kind in kinds {
            self.row(observed, kind);
        }
    }

    fn caches(&mut self, observed: &Observed) {
        if observed.step(Kind::NoCache, Way::Through).is_none() {
            return;
        }
        let signs =
            observed.answer(Kind::Plain, Way::Through).map(|answer| signs(&answer.head.fields)).unwrap_or_default();
        let signs = if signs.is_empty() { "no sign of one".to_owned() } else { signs };
        let value = |kind| observed.answer(kind, Way::Through).and_then(validator);
        let again = if value(Kind::NoCache) == value(Kind::Plain) { "gives the same" } else { "gives another version" };
        self.step(5, "Caches and gateways", &format!("{signs}; no-cache {again}"));
    }

    /// What a read got by both ways.
    fn row(&mut self, observed: &Observed, kind: Kind) {
        if observed.step(kind, Way::Through).is_none() {
            return;
        }
        let through = self.outcome(observed, kind, Way::Through);
        let direct = observed.step(kind, Way::Direct).map(|_| self.outcome(observed, kind, Way::Direct));
        let is_same = direct.as_ref() == Some(&through);
        let mark = if is_same { self.output.toned(Tone::Faint, "  (directly, too)") } else { String::new() };
        self.line(&format!("    {:<32}{through}{mark}", kind.title()));
        if let Some(direct) = direct.filter(|_| !is_same) {
            let label = format!("{:>width$}", "directly ", width = ANSWERS);
            self.line(&format!("{label}{}", self.output.toned(Tone::Bad, &direct)));
        }
    }

    fn outcome(&self, observed: &Observed, kind: Kind, way: Way) -> String {
        match observed.step(kind, way).map(|step| &step.result) {
            None => "not asked".to_owned(),
            Some(Err(_)) => "no answer".to_owned(),
            Some(Ok(answer)) => self.answered(answer),
        }
    }

    fn answered(&self, answer: &Answer) -> String {
        let fields = &answer.head.fields;
        let mut text = answer.head.status.to_string();
        if let Some(value) = validator(answer) {
            let _ = write!(text, " {}", shown(value));
        }
        if let Some(coding) = fields.first(FieldName::ContentEncoding) {
            let _ = write!(text, " ({})", shown(coding));
        }
        if let Some(to) = fields.first(FieldName::Location).filter(|_| matches!(answer.head.status, 300..=399)) {
            let _ = write!(text, " to {}", self.hidden(&shown(to)));
        }
        text
    }

    fn verdict(&mut self, ran: &Ran<'_>) {
        let conclusion = ran.conclusion;
        self.line("");
        match conclusion.causes.first() {
            Some(found) => self.found(ran, found),
            None => self.without_cause(ran),
        }
        let others: Vec<_> = conclusion.causes.iter().skip(1).map(|found| named(found, true)).collect();
        if !others.is_empty() {
            self.wrapped(&format!("Also possible: {}", others.join(", ")), "", "  ");
        }
        for found in conclusion.path.iter().chain(&conclusion.hazards) {
            self.also(found);
        }
        for says in &conclusion.obstacles {
            self.wrapped(&self.hidden(says), "! ", "  ");
        }
        for says in &conclusion.notes {
            self.wrapped(&self.hidden(says), "Note: ", "  ");
        }
    }

    fn found(&mut self, ran: &Ran<'_>, found: &Found) {
        let how = match ran.conclusion.about {
            About::Refused => "Refused",
            About::WouldBeRefused => "Would be refused",
            About::WouldHold | About::NotKnown | About::NotRefused(_) | About::NoAnswer => "Wrong in itself",
        };
        let title = format!("{how}: {}", named(found, false));
        self.line(&self.output.toned(Tone::Bad, &title));
        self.wrapped(found.title, "  ", "  ");
        self.wrapped(&act(found), "  ", "  ");
        if let Some(place) = place(ran, found) {
            self.wrapped(&place, "  ", "  ");
        }
        self.line("How we know");
        for said in &found.evidence {
            self.wrapped(&self.hidden(&said.says), "  - ", "    ");
        }
        self.line("What to do");
        for fix in found.fix.iter().take(FIXES) {
            self.wrapped(fix, "  - ", "    ");
        }
        self.line(&self.output.toned(Tone::Faint, &format!("  More: why412 explain {}", found.id)));
    }

    fn without_cause(&mut self, ran: &Ran<'_>) {
        let conclusion = ran.conclusion;
        let says = match conclusion.about {
            About::NotRefused(status @ 0..400) => format!("Not refused: the request was answered with {status}."),
            About::NotRefused(status) => format!("Answered with {status}, which is no failed precondition."),
            About::WouldHold => "By what reads show, the condition holds: the request would not be refused.".to_owned(),
            About::NoAnswer => "No answer: nothing can be said of the request.".to_owned(),
            About::NotKnown if ran.asked.is_conditional() => {
                "Whether the condition holds cannot be told without sending the request.".to_owned()
            }
            About::NotKnown => "The request has no condition: the way of reads was checked.".to_owned(),
            About::Refused | About::WouldBeRefused => "It is refused, and why is not known.".to_owned(),
        };
        self.wrapped(&says, "", "  ");
        if !ran.conclusion.is_problem() {
            let nothing = if ran.asked.direct.is_some() {
                "Nothing wrong found: both ways give the same validators and answers."
            } else {
                "Nothing wrong found. With --direct URL, the way around the gateway, more can be known."
            };
            let mut text = String::new();
            wrap(&mut text, nothing, "", "  ");
            self.line(&self.output.toned(Tone::Good, text.trim_end()));
        }
    }

    /// Something that this request did not meet, in short.
    fn also(&mut self, found: &Found) {
        let title = format!("Also found: {}", named(found, false));
        self.line(&self.output.toned(Tone::Bad, &title));
        self.wrapped(found.title, "  ", "  ");
        for said in &found.evidence {
            self.wrapped(&self.hidden(&said.says), "  - ", "    ");
        }
        for fix in found.fix.iter().take(1) {
            self.wrapped(fix, "  Fix: ", "    ");
        }
    }

    fn refreshed(&mut self, ran: &Ran<'_>) {
        let is_refused = matches!(ran.conclusion.about, About::Refused | About::WouldBeRefused);
        if !is_refused {
            return;
        }
        self.line("");
        match &ran.conclusion.refreshed {
            Err(because) => self.step(6, "Refreshed request", &format!("none: {}", because.says())),
            Ok(fresh) => {
                match &fresh.version {
                    Version::Same => {
                        self.step(6, "Refreshed request", "the version you have read is still the current one")
                    }
                    Version::Other(differs) => {
                        self.step(
                            6,
                            "Refreshed request",
                            "the resource has changed: read it first, or you overwrite that",
                        );
                        for says in differs {
                            self.wrapped(&self.hidden(says), "    ", "    ");
                        }
                    }
                }
                let command = command(ran, (fresh.field, &fresh.value), self.redaction);
                self.text.push_str(&command);
                self.text.push('\n');
            }
        }
        if let Some(stopped) = ran.stopped {
            self.retried(ran.observed, stopped);
        }
    }

    fn retried(&mut self, observed: &Observed, stopped: &Stopped) {
        for step in observed.steps.iter().filter(|step| step.kind == Kind::Refreshed) {
            let got = step.result.as_ref().map_or_else(|_| "no answer".to_owned(), |answer| self.answered(answer));
            self.line(&format!("    {:<32}{got}", "sent refreshed"));
        }
        let tone = if stopped.is_success() { Tone::Strong } else { Tone::Bad };
        let says = self.hidden(&stopped.says());
        let mut wrapped = String::new();
        wrap(&mut wrapped, &format!("Retry: {says}."), "    ", "    ");
        self.text.push_str(&self.output.toned(tone, wrapped.trim_end()));
        self.text.push('\n');
    }

    fn step(&mut self, number: u8, title: &str, says: &str) {
        let head = format!("{number} {title}");
        let head_width = head.chars().count();
        let mut text = String::new();
        // The title is toned, and must not count twice.
        wrap(&mut text, says, &format!("{}  ", " ".repeat(head_width)), "    ");
        let rest = text.get(head_width..).unwrap_or_default().trim_end();
        self.line(&format!("{}{rest}", self.output.toned(Tone::Strong, &head)));
    }

    fn wrapped(&mut self, text: &str, first: &str, further: &str) {
        wrap(&mut self.text, &printable(text), first, further);
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn hidden(&self, text: &str) -> String {
        match self.redaction {
            Some(redaction) => redaction.text(text).into_owned(),
            None => text.to_owned(),
        }
    }
}

/// `etag-suffixed/inside-origin, proven`
fn named(found: &Found, brackets: bool) -> String {
    let detail = found.detail.map_or_else(String::new, |detail| format!("/{detail}"));
    let confidence = found.confidence.as_str();
    if brackets {
        format!("{}{detail} ({confidence})", found.id)
    } else {
        format!("{}{detail}, {confidence}", found.id)
    }
}

fn act(found: &Found) -> String {
    let who = match found.party {
        Some(Party::Client) => "the client",
        Some(Party::OtherClient) => "whoever else writes",
        Some(Party::Gateway) if found.confidence == Confidence::Proven => "whoever runs what is in between",
        Some(Party::Gateway) => "whoever runs what is in between (or the service itself: --direct tells)",
        Some(Party::Origin) => "the service",
        Some(Party::Unknown) | None => return "Nobody can be named yet.".to_owned(),
    };
    format!("To act: {who}.")
}

/// Between which servers a gateway does what was found.
fn place(ran: &Ran<'_>, found: &Found) -> Option<String> {
    let direct = ran.asked.direct.as_ref().filter(|_| found.party == Some(Party::Gateway))?;
    let product = ran.observed.shown(Kind::Plain, Way::Through).zip(ran.observed.shown(Kind::Plain, Way::Direct));
    let product = product.and_then(|(through, direct)| between(through, direct));
    let product = product.map_or_else(String::new, |product| format!(" ({})", product.as_str()));
    Some(format!("Where: between {} and {}{product}.", ran.asked.url.server, direct.server))
}

/// The third step: how the reads differ, and which of them give what the request carries.
fn compared(asked: &Asked, observed: &Observed) -> String {
    let differ = if observed.has_direct() { differing_ways(observed) } else { differing_reads(observed) };
    let Some(differ) = differ else { return "the resource could not be read".to_owned() };
    let Some(sent) = asked.fields.first(FieldName::IfMatch) else { return differ };
    let given = |way| VARIANTS.into_iter().filter(move |kind| observed.tag(*kind, way) == Some(sent));
    let is_plain = |way| given(way).any(|kind| kind == Kind::Plain);
    if is_plain(Way::Through) && (is_plain(Way::Direct) || !observed.has_direct()) {
        return format!("{differ}; yours is the current one");
    }
    let codings = |way| given(way).map(Kind::coding).collect::<Vec<_>>().join(", ");
    let by = |way, place: &str| {
        let codings = codings(way);
        if codings.is_empty() { format!("{place} never") } else { format!("{place} for {codings}") }
    };
    let (through, direct) = (by(Way::Through, "through the URL"), by(Way::Direct, "directly"));
    let places = if observed.has_direct() { format!("{through}, {direct}") } else { through };
    format!("{differ}; yours is given {places}")
}

fn differing_ways(observed: &Observed) -> Option<String> {
    let differing = VARIANTS.into_iter().filter(|kind| {
        let both = observed.shown(*kind, Way::Through).zip(observed.shown(*kind, Way::Direct));
        both.is_some_and(|(through, direct)| validator(through) != validator(direct))
    });
    let differing: Vec<_> = differing.map(Kind::coding).collect();
    Some(if differing.is_empty() {
        "both ways give the same validators".to_owned()
    } else {
        format!("the two ways differ for {}", differing.join(", "))
    })
}

fn differing_reads(observed: &Observed) -> Option<String> {
    observed.shown(Kind::Plain, Way::Through)?;
    let mut tags: Vec<_> = observed.tags(Way::Through).map(|(_, tag)| tag).collect();
    tags.sort_unstable();
    tags.dedup();
    Some(match tags.len() {
        0 => "no ETag is given".to_owned(),
        1 => "every read gives the same ETag".to_owned(),
        count => format!("reads give {count} different ETags"),
    })
}

fn signs(fields: &Fields) -> String {
    let present = SIGNS.into_iter().filter_map(|name| {
        let value = fields.first(name)?;
        Some(format!("{}: {}", crate::analysis::diagnosis::spelling::title(name), shown(value)))
    });
    present.collect::<Vec<_>>().join(", ")
}

/// The refreshed request for a shell.
fn command(ran: &Ran<'_>, condition: (FieldName, &[u8]), redaction: Option<&Redaction>) -> String {
    let asked = ran.asked;
    let mut words = vec![format!("curl -i -X {}", asked.method)];
    for (name, value) in ran.arguments.given(Some(condition)) {
        let mut fields = Fields::default();
        fields.push(name.as_bytes(), value.as_bytes());
        let value = match (redaction, fields.iter().next()) {
            (Some(redaction), Some(line)) => redaction.line(line).unwrap_or_else(|| HIDDEN.to_owned()),
            (Some(_) | None, _) => latin1(value.as_bytes()),
        };
        let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        words.push(format!("-H {}", word(&line)));
    }
    if let Some(data) = ran.arguments.data() {
        let data = if redaction.is_some() && !data.starts_with('@') { "@BODY" } else { data };
        words.push(format!("--data-binary {}", word(&latin1(data.as_bytes()))));
    }
    let url = asked.url.url();
    if url.contains(['[', ']', '{', '}']) {
        words.push("--globoff".to_owned());
    }
    if url.contains("/.") {
        words.push("--path-as-is".to_owned());
    }
    let url = redaction.map_or_else(|| url.clone(), |redaction| redaction.text(&url).into_owned());
    words.push(word(&url));
    let one = format!("    {}", words.join(" "));
    if one.chars().count() <= WIDTH { one } else { format!("    {}", words.join(" \\\n      ")) }
}

/// A word of the shell; a hidden secret stays the ellipsis that it is.
fn word(text: &str) -> String {
    if text.contains(HIDDEN) { format!("'{}'", text.replace('\'', r"'\''")) } else { curl::literal(text) }
}

fn wrap(out: &mut String, text: &str, first: &str, further: &str) {
    out.push_str(first);
    let mut column = first.chars().count();
    for (index, word) in text.split_whitespace().enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > WIDTH {
            out.push('\n');
            out.push_str(further);
            column = further.chars().count();
        } else if index > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
}
