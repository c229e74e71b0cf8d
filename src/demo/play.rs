//! The clients at work: first every story once, soon after one another, then one at a time for as long as the demo runs.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use tokio::task::JoinSet;

use super::stories::{Ask, Line, Made, Piece, Story, Value};
use super::wire::{self, Names, text};
use crate::analysis::semantics::http_date::HttpDate;
use crate::clock;

/// In which every story has had its first performance begun.
const FIRST_ROUND: Duration = Duration::from_secs(38);

/// Before the first request, so that whoever is quick sees it arrive.
const BEFORE: Duration = Duration::from_millis(500);

/// Between two requests of a story.
const BETWEEN: Duration = Duration::from_millis(220);

/// Between two stories that take turns, from the second round on.
const BETWEEN_STORIES: Duration = Duration::from_millis(2000);

/// Plays until it is dropped.
pub(super) async fn play(stories: Vec<Story>, to: SocketAddr) {
    let stories: Vec<_> = stories.into_iter().map(Arc::new).collect();
    let count = u32::try_from(stories.len()).unwrap_or(u32::MAX).max(1);
    let (mut first_round, mut for_ever) = (JoinSet::new(), JoinSet::new());
    for (at, story) in (0_u32..).zip(&stories) {
        let (story, begins) = (Arc::clone(story), BEFORE + FIRST_ROUND / count * at);
        match story.every.map(Duration::from_secs) {
            None => drop(first_round.spawn(async move {
                tokio::time::sleep(begins).await;
                perform(&story, 1, to).await;
            })),
            Some(pause) => drop(for_ever.spawn(async move {
                tokio::time::sleep(begins).await;
                for round in 1.. {
                    perform(&story, round, to).await;
                    tokio::time::sleep(pause).await;
                }
            })),
        }
    }
    while first_round.join_next().await.is_some() {}
    let taking_turns: Vec<_> = stories.into_iter().filter(|story| story.every.is_none()).collect();
    take_turns(&taking_turns, to).await;
}

/// One at a time, in another order each round.
async fn take_turns(stories: &[Arc<Story>], to: SocketAddr) {
    let count = stories.len().max(1);
    for (round, step) in (2..).zip([7, 11, 13, 5, 1].into_iter().cycle()) {
        // With a factor in common some would never have their turn.
        let step = if count.is_multiple_of(step) { 1 } else { step };
        for story in (0..count).filter_map(|turn| stories.get(turn * step % count)) {
            perform(story, round, to).await;
            tokio::time::sleep(BETWEEN_STORIES).await;
        }
    }
}

/// What a client was given for a path.
#[derive(Clone, Debug, Default)]
struct Holding {
    etag: Option<String>,
    older: Option<String>,
    date: Option<String>,
}

type Holdings = HashMap<(String, String), Holding>;

async fn perform(story: &Story, round: u32, to: SocketAddr) {
    let mut holdings = Holdings::new();
    for line in &story.lines {
        match line {
            Line::Wait(milliseconds) => tokio::time::sleep(Duration::from_millis(*milliseconds)).await,
            Line::NextSecond => {
                let within = clock::now().unix_micros() % 1_000_000;
                tokio::time::sleep(Duration::from_micros(1_000_000 - within + 20_000)).await;
            }
            Line::Ask(ask) => {
                // A client that lost its connection goes on with what it holds.
                let _ = carry_out(story, ask, round, to, &mut holdings).await;
                tokio::time::sleep(BETWEEN).await;
            }
        }
    }
}

async fn carry_out(story: &Story, ask: &Ask, round: u32, to: SocketAddr, holdings: &mut Holdings) -> io::Result<()> {
    // Who holds nothing to send has nothing to ask.
    let Some(request) = request(story, ask, round, to, holdings) else { return Ok(()) };
    let answer = wire::send(to, request, Names::Capitalised);
    let response = match ask.leaves {
        None => answer.await?,
        Some(after) => match tokio::time::timeout(Duration::from_millis(after), answer).await {
            Ok(response) => response?,
            Err(_) => return Ok(()),
        },
    };
    if response.status().is_success() {
        keep(holdings.entry((ask.who.clone(), path_of(&ask.target).to_owned())).or_default(), &response);
    }
    Ok(())
}

fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

fn keep(holding: &mut Holding, response: &Response<Bytes>) {
    let given = |name| text(response.headers(), name).map(str::to_owned);
    if let Some(etag) = given("etag").filter(|etag| holding.etag.as_ref() != Some(etag)) {
        holding.older = holding.etag.replace(etag);
    }
    holding.date = given("last-modified").or_else(|| holding.date.take());
}

fn request(story: &Story, ask: &Ask, round: u32, to: SocketAddr, holdings: &Holdings) -> Option<Request<Bytes>> {
    let has_body = ["PUT", "PATCH", "POST"].contains(&ask.method.as_str());
    let body = if has_body {
        let says = ask.body.clone().unwrap_or_else(|| format!("step {}", ask.step));
        format!("{{\"by\":\"{}\",\"says\":\"{says}\",\"round\":{round}}}\n", ask.who)
    } else {
        String::new()
    };
    let mut builder = Request::builder()
        .method(ask.method.as_str())
        .uri(ask.target.as_str())
        .header(header::HOST, to.to_string())
        .header(header::USER_AGENT, format!("why412-demo ({})", ask.who))
        .header(header::AUTHORIZATION, format!("Basic {}", base64(&format!("{}:demo", ask.who))))
        .header("demo-story", format!("{}; step={}", story.name, ask.step));
    if has_body {
        builder = builder.header(header::CONTENT_TYPE, "application/json");
    }
    for (name, value) in &ask.fields {
        let value = filled_in(value, ask, holdings)?;
        builder = builder.header(name.as_str(), HeaderValue::from_str(&value).ok()?);
    }
    builder.body(body.into()).ok()
}

fn filled_in(value: &Value, ask: &Ask, holdings: &Holdings) -> Option<String> {
    let holding = |path: &str| holdings.get(&(ask.who.clone(), path.to_owned()));
    let own = || holding(path_of(&ask.target));
    let mut text = String::new();
    for piece in &value.0 {
        match piece {
            Piece::Text(as_it_stands) => text.push_str(as_it_stands),
            Piece::Tag { of, older, made } => {
                let held = of.as_deref().map_or_else(own, holding)?;
                let tag = if *older { held.older.as_ref() } else { held.etag.as_ref() }?;
                text.push_str(&made_of(tag, *made));
            }
            Piece::Date => text.push_str(own()?.date.as_ref()?),
            Piece::Clock(off) => text.push_str(&HttpDate(clock::now().unix_seconds() + off).to_imf()),
        }
    }
    Some(text)
}

fn made_of(tag: &str, made: Made) -> String {
    match made {
        Made::Same => tag.to_owned(),
        Made::Unquoted => tag.trim_matches('"').to_owned(),
        Made::Escaped => tag.replace('"', "&quot;"),
        Made::Lowered => tag.to_lowercase(),
        Made::Strong => tag.trim_start_matches("W/").to_owned(),
        Made::Bare => tag.replace("-gzip\"", "\""),
    }
}

/// RFC 4648 §4.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let index = usize::try_from(bits >> (18 - 6 * at) & 63).unwrap_or_default();
            let letter = if at > chunk.len() { b'=' } else { LETTERS.get(index).copied().unwrap_or(b'=') };
            encoded.push(char::from(letter));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_given_nothing_sends_nothing() {
        let ask = Ask {
            step: 2,
            who: "ann".to_owned(),
            method: "PUT".to_owned(),
            target: "/x?y".to_owned(),
            fields: Vec::new(),
            body: None,
            leaves: None,
            expected: Vec::new(),
        };
        let tag = |older, made| Value(vec![Piece::Tag { of: None, older, made }]);
        let mut holdings = Holdings::new();
        assert_eq!(filled_in(&tag(false, Made::Same), &ask, &holdings), None);
        let mut answer = Response::new(Bytes::new());
        for etag in ["W/\"A1\"", "\"A2-gzip\""] {
            answer.headers_mut().insert(header::ETAG, etag.parse().unwrap());
            keep(holdings.entry(("ann".to_owned(), "/x".to_owned())).or_default(), &answer);
        }
        for (older, made, sent) in [
            (false, Made::Same, "\"A2-gzip\""),
            (false, Made::Bare, "\"A2\""),
            (false, Made::Unquoted, "A2-gzip"),
            (false, Made::Lowered, "\"a2-gzip\""),
            (false, Made::Escaped, "&quot;A2-gzip&quot;"),
            (true, Made::Same, "W/\"A1\""),
            (true, Made::Strong, "\"A1\""),
        ] {
            assert_eq!(filled_in(&tag(older, made), &ask, &holdings).as_deref(), Some(sent));
        }
        assert_eq!(filled_in(&Value(vec![Piece::Date]), &ask, &holdings), None);
    }

    #[test]
    fn base64_is_that_of_its_rfc() {
        for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(text), encoded);
        }
    }
}
