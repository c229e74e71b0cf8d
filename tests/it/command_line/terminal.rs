//! What is shown on a terminal: within its width, in colour where colour is wanted, and nothing that acts on it.

use crate::harness::command::why412;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::terminal::{on_terminal, on_terminal_for, uncoloured};

const WIDTHS: [usize; 5] = [60, 80, 100, 132, 200];

fn refusing() -> Origin {
    Origin::always("HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 0\r\n\r\n")
}

fn write(instance: &Instance, path: &str, condition: &str) {
    let answer = instance
        .ask(format!("PUT {path} HTTP/1.1\r\nHost: shop.test\r\nIf-Match: {condition}\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!(answer.status(), 412);
}

fn columns(line: &str) -> usize {
    line.chars().count()
}

#[test]
fn lists_fit_every_width_fold_attempts_and_shorten_urls() {
    let origin = refusing();
    let instance = Instance::before(origin.address());
    let admin = format!("http://{}", instance.admin());
    let long = format!("/orders/{}/lines", "0123456789".repeat(20));
    // The first refusal is judged otherwise than those that repeat it.
    for _ in 0..4 {
        write(&instance, "/orders/7", "\"v1\"");
    }
    write(&instance, &long, "\"v1\"");
    instance.record("the last", |record| record["request"]["url"].as_str().is_some_and(|url| url.ends_with("/lines")));
    for width in WIDTHS {
        let shown = on_terminal(width, &["exchanges", "--color", "never", "--admin", &admin], &[]);
        assert_eq!(shown.code, 0);
        let table: Vec<_> = shown.text.lines().filter(|line| !line.starts_with("why412: ")).collect();
        assert!(table.iter().all(|line| columns(line) <= width), "{width}\n{}", shown.text);
        assert!(shown.text.contains("/orders/7") && shown.text.contains("×3"), "{width}\n{}", shown.text);
        assert!(!shown.text.contains(&long) && shown.text.contains('…'), "{width}\n{}", shown.text);
        assert!(shown.text.contains("why412 exchanges show ID"), "{}", shown.text);
    }
    let each = on_terminal(200, &["exchanges", "--each", "--admin", &admin], &[]);
    assert_eq!(each.text.matches("/orders/7").count(), 4, "{}", each.text);
    // Elsewhere values are whole.
    let piped = why412(&["exchanges", "--admin", &admin]);
    assert!(piped.data.contains(&format!("http://shop.test{long}")) && piped.messages.is_empty(), "{piped:?}");
}

#[test]
fn more_than_is_shown_is_told_and_reached() {
    let origin = refusing();
    let instance = Instance::before(origin.address());
    let admin = format!("http://{}", instance.admin());
    for number in 0..5 {
        write(&instance, &format!("/orders/{number}"), "\"v1\"");
    }
    instance.record("the last", |record| record["request"]["url"].as_str().is_some_and(|url| url.ends_with("/4")));
    let mut seen = Vec::new();
    let mut before: Option<String> = None;
    loop {
        let from = before.iter().flat_map(|id| ["--before", id.as_str()]);
        let arguments: Vec<_> = ["exchanges", "--limit", "2", "--admin", &admin].into_iter().chain(from).collect();
        let ran = why412(&arguments);
        let urls = ran.data.lines().skip(1).filter_map(|line| line.split_whitespace().nth(3)).map(str::to_owned);
        seen.extend(urls);
        before = ran.messages.trim().rsplit_once("--before ").map(|(_, id)| id.to_owned());
        if before.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..5).rev().map(|number| format!("http://shop.test/orders/{number}")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn one_exchange_is_shown_whole_at_every_width() {
    let origin = refusing();
    let instance = Instance::before(origin.address());
    let admin = format!("http://{}", instance.admin());
    let tag = format!("\"{}\"", "0123456789abcdef".repeat(12));
    write(&instance, "/orders/7?of=a-long-query-that-is-never-shortened-where-one-exchange-is-shown-by-itself", &tag);
    instance.record_of_412("PUT");
    for width in WIDTHS {
        let shown = on_terminal(width, &["exchanges", "show", "latest", "--admin", &admin], &[]);
        assert_eq!(shown.code, 0);
        let text = uncoloured(&shown.text);
        assert!(text.contains(&tag) && text.contains("where-one-exchange-is-shown-by-itself"), "{text}");
        // A word that is longer than the line is the only one on it.
        let fits = |line: &&str| columns(line) <= width.min(100) || line.trim().split(": ").last().is_some_and(whole);
        for line in text.lines().filter(|line| line.contains(' ')) {
            assert!(fits(&line) || line.contains("why412 exchanges export"), "{width}: {line}");
        }
    }
}

/// Nothing that could have been broken between words.
fn whole(text: &str) -> bool {
    text.split_whitespace().filter(|word| word.len() > 20).count() > 0
}

#[test]
fn prose_is_wrapped_to_the_terminal_within_bounds() {
    for (width, at_most) in [(60, 60), (72, 72), (100, 100), (200, 100), (40, 60)] {
        let shown = on_terminal(width, &["explain", "etag-weakened"], &[]);
        let text = uncoloured(&shown.text);
        let prose: Vec<_> = text.lines().take_while(|line| *line != "For example").collect();
        let longest = prose.iter().map(|line| columns(line)).max().unwrap();
        assert!(longest <= at_most && longest > at_most - 15, "{width}: {longest}\n{text}");
    }
}

#[test]
fn colour_is_for_terminals_and_as_it_is_wanted() {
    let has_colour = |text: &str| text.contains("\u{1b}[");
    let explain = ["explain", "etag-weakened"];
    assert!(has_colour(&on_terminal(80, &explain, &[]).text));
    assert!(!has_colour(&on_terminal(80, &explain, &[("NO_COLOR", "1")]).text));
    assert!(!has_colour(&on_terminal(80, &explain, &[("TERM", "dumb")]).text));
    assert!(!has_colour(&on_terminal(80, &["explain", "etag-weakened", "--color", "never"], &[]).text));
    assert!(!has_colour(&on_terminal(80, &["--help", "--color", "never"], &[]).text));
    assert!(!has_colour(&why412(&explain).data));
    assert!(has_colour(&why412(&["explain", "etag-weakened", "--color", "always"]).data));
    // Colour is never the only carrier of meaning.
    let coloured = on_terminal(80, &explain, &[]).text;
    assert_eq!(uncoloured(&coloured), on_terminal(80, &explain, &[("NO_COLOR", "1")]).text);
}

#[test]
fn what_strangers_sent_does_nothing_to_a_terminal() {
    let origin = Origin::always("HTTP/1.1 412 Precondition Failed\r\nETag: \"\u{9b}2J\"\r\nContent-Length: 0\r\n\r\n");
    let instance = Instance::before(origin.address());
    let admin = format!("http://{}", instance.admin());
    let request =
        b"PUT /a\xC2\x9B2Jb HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"\x9b31m\xa0\xad\"\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(instance.ask(request).status(), 412);
    instance.record_of_412("PUT");
    for arguments in [&["exchanges"][..], &["exchanges", "show", "latest"]] {
        let shown = on_terminal(100, &[arguments, &["--color", "never", "--admin", &admin]].concat(), &[]);
        let hostile =
            |character: char| (character.is_control() && character != '\n') || "\u{a0}\u{ad}".contains(character);
        assert!(!shown.text.contains(hostile), "{:?}", shown.text);
    }
    let shown = on_terminal(100, &["exchanges", "show", "latest", "--admin", &admin], &[]);
    assert!(shown.text.contains("\"\\u{9b}31m\\u{a0}\\u{ad}\""), "{}", shown.text);
}

#[test]
fn waiting_shows_after_a_second_on_a_terminal_and_leaves_no_trace() {
    let slow = Origin::serving(|wire, log| {
        let Some(request) = wire.request() else { return };
        log.push(&request);
        std::thread::sleep(std::time::Duration::from_millis(1600));
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{\"exchanges\":[],\"next\":null} ");
    });
    let admin = format!("http://{}", slow.address());
    let arguments = ["exchanges", "--admin", &admin];
    let shown = on_terminal(80, &arguments, &[]).text;
    assert!(shown.contains(&format!("waiting for {admin} … 1 s")), "{shown:?}");
    let (_, after) = shown.rsplit_once("\r\u{1b}[2K").expect("it is wiped away");
    assert_eq!(after, "why412: nothing is recorded that fits\n");
    let piped = why412(&arguments);
    assert_eq!(piped.messages, "why412: nothing is recorded that fits\n");
}

#[test]
fn tail_folds_the_attempts_of_a_loop_into_one_line() {
    let origin = refusing();
    let instance = Instance::before(origin.address());
    let admin = format!("http://{}", instance.admin());
    // The first refusal is judged otherwise than those that repeat it.
    for _ in 0..4 {
        write(&instance, "/orders/7", "\"v1\"");
    }
    write(&instance, "/orders/8", "\"v1\"");
    instance.record("the last", |record| record["request"]["url"].as_str().is_some_and(|url| url.ends_with("/8")));
    let shown = on_terminal_for(1, 80, &["tail", "--last", "10", "--color", "never", "--admin", &admin]);
    assert_eq!(shown.code, 0);
    let lines: Vec<_> = shown.text.lines().filter(|line| !line.starts_with("why412: ")).collect();
    assert!(lines.iter().all(|line| columns(line) < 80 + "\u{1b}[1F\u{1b}[2K".len()), "{lines:?}");
    assert!(shown.text.contains("\u{1b}[1F\u{1b}[2K") && shown.text.contains("×3"), "{:?}", shown.text);
    assert_eq!(lines.iter().filter(|line| line.contains("/orders/8")).count(), 1, "{lines:?}");
}
