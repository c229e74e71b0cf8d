//! The commands that talk to an instance.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::harness::command::{Ran, command, why412};
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

fn refusing() -> Origin {
    Origin::always("HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 0\r\n\r\n")
}

fn write(instance: &Instance, path: &str) {
    let answer = instance.ask(format!(
        "PUT {path} HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\nAuthorization: Basic c2VjcmV0OnNlY3JldA==\r\n\
         Content-Length: 0\r\n\r\n"
    ));
    assert_eq!(answer.status(), 412);
}

fn ask(instance: &Instance, arguments: &[&str]) -> Ran {
    let admin = format!("http://{}", instance.admin());
    why412(&[arguments, &["--admin", &admin]].concat())
}

fn id_of(record: &Value) -> &str {
    record["id"].as_str().unwrap()
}

#[test]
fn exchanges_are_listed_shown_and_exported() {
    let origin = refusing();
    let instance = Instance::before(origin.address());
    write(&instance, "/orders/7");
    let record = instance.record_of_412("PUT");
    let id = id_of(&record);

    let listed = ask(&instance, &["exchanges"]);
    assert_eq!(listed.code, 0);
    let row = listed.data.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(row[1..4], ["412", "PUT", "http://shop.test/orders/7"], "{listed:?}");
    assert_eq!(row.last(), Some(&id), "{listed:?}");
    let none = ask(&instance, &["exchanges", "list", "--status", "304"]);
    assert_eq!((none.code, none.data.as_str()), (0, ""));
    let json: Value = serde_json::from_str(&ask(&instance, &["exchanges", "list", "--json"]).data).unwrap();
    assert_eq!(id_of(&json["exchanges"][0]), id);

    let shown = ask(&instance, &["exchanges", "show", id]);
    let cause = record["diagnosis"]["cause"].as_str().unwrap();
    assert!(shown.data.contains(cause) && shown.data.contains("If-Match: \"v1\""), "{shown:?}");
    for meant in ["latest", "last-412"] {
        assert_eq!(ask(&instance, &["exchanges", "show", meant]).data, shown.data);
    }
    assert!(!shown.data.contains("c2VjcmV0"), "{shown:?}");

    let har: Value = serde_json::from_str(&ask(&instance, &["exchanges", "export", id, "--as", "har"]).data).unwrap();
    assert_eq!(har["log"]["entries"][0]["response"]["status"], 412);
    let curl = ask(&instance, &["exchanges", "export", id, "--as", "curl"]).data;
    assert!(curl.contains("\ncurl -i") && curl.contains("http://shop.test/orders/7"), "{curl}");
    let same: Value = serde_json::from_str(&ask(&instance, &["exchanges", "export", id, "--as", "json"]).data).unwrap();
    assert_eq!(id_of(&same), id);

    let unknown = ask(&instance, &["exchanges", "show", "01JD0Z0000000000000000000A"]);
    assert_eq!((unknown.code, unknown.data.as_str()), (1, ""));
    assert!(unknown.messages.contains("404"), "{unknown:?}");
}

#[test]
fn an_exchange_is_known_by_the_beginning_of_its_id() {
    let origin = refusing();
    let instance = Instance::before(origin.address());
    write(&instance, "/orders/7");
    let record = instance.record_of_412("PUT");
    let id = id_of(&record);
    let whole = ask(&instance, &["exchanges", "show", id]);
    for beginning in [&id[..6], &id[..10], &id[..16], &id[..25], &id[..12].to_lowercase(), &format!("{}…", &id[..12])]
    {
        assert_eq!(ask(&instance, &["exchanges", "show", beginning]).data, whole.data, "{beginning}");
    }
    let curl = ask(&instance, &["exchanges", "export", &id[..12], "--as", "curl"]);
    assert_eq!(curl.data, ask(&instance, &["exchanges", "export", id, "--as", "curl"]).data);

    write(&instance, "/orders/8");
    instance.record("the other", |record| record["request"]["url"].as_str().is_some_and(|url| url.ends_with("/8")));
    let several = ask(&instance, &["exchanges", "show", &id[..4]]);
    assert_eq!((several.code, several.data.as_str()), (1, ""));
    assert!(several.messages.contains("several exchanges begin with") && several.messages.contains(id), "{several:?}");
    let none = ask(&instance, &["exchanges", "show", "01AAAA"]);
    assert!(none.code == 1 && none.messages.contains("no recorded exchange begins with 01AAAA"), "{none:?}");
}

#[test]
fn the_bypass_is_switched_from_a_distance() {
    let origin = refusing();
    let instance = Instance::before(origin.address());
    let state = || -> Value {
        let ran = ask(&instance, &["bypass", "status", "--json"]);
        serde_json::from_str(&ran.data).unwrap()
    };
    assert_eq!(ask(&instance, &["bypass", "status"]).data, "No bypass is on.\n");
    let on = ask(&instance, &["bypass", "on", "--route", "default", "--for", "20m"]);
    assert_eq!(on.code, 0, "{on:?}");
    assert!(on.data.starts_with("Bypass on for route default: "), "{on:?}");
    assert_eq!(state()["bypasses"][0]["route"], "default");

    write(&instance, "/orders/7");
    assert_eq!(origin.only_request().value("Cache-Control"), Some("no-cache"));

    let unknown = ask(&instance, &["bypass", "on", "--route", "nowhere"]);
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert_eq!(ask(&instance, &["bypass", "off", "--route", "default"]).data, "No bypass is on.\n");
    assert_eq!(state()["bypasses"].as_array().unwrap().len(), 0);
}

#[test]
fn a_health_check_is_an_exit_code() {
    let origin = refusing();
    let instance = Instance::before(origin.address());
    assert_eq!(ask(&instance, &["healthcheck"]).code, 0);
    let admin = format!("http://{}", instance.admin());
    drop(instance);
    let gone = why412(&["healthcheck", "--admin", &admin]);
    assert_eq!((gone.code, gone.data.as_str()), (1, ""));
    assert!(gone.messages.contains(&admin), "{gone:?}");
}

#[test]
fn the_token_is_read_from_its_file() {
    let origin = refusing();
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("admin.token");
    std::fs::write(&token, "a-token-of-the-test\n").unwrap();
    let file = format!(
        "[upstream.api]\nurl = [\"http://{}\"]\n[admin]\ntoken_file = \"{}\"\n",
        origin.address(),
        token.display()
    );
    let instance = Instance::configured(&file);
    let without = ask(&instance, &["exchanges"]);
    assert_eq!((without.code, without.data.as_str()), (1, ""));
    assert!(without.messages.contains("--token-file"), "{without:?}");
    assert_eq!(ask(&instance, &["exchanges", "--token-file", token.to_str().unwrap()]).code, 0);
    assert_eq!(ask(&instance, &["healthcheck"]).code, 0);
}

#[test]
fn tail_shows_what_happens_and_ends_quietly_when_nobody_reads() {
    let origin = refusing();
    let instance = Instance::before(origin.address());
    let admin = format!("http://{}", instance.admin());
    let mut tail =
        command(&["tail", "--json", "--admin", &admin]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap());
    // The feed shows what happens from the moment it is open, which it does not announce: write until it is seen.
    let first = std::thread::scope(|scope| {
        let (seen, stop) = std::sync::mpsc::channel::<()>();
        scope.spawn(|| {
            let stop = stop;
            while stop.recv_timeout(std::time::Duration::from_millis(50)).is_err() {
                write(&instance, "/orders/7");
            }
        });
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        seen.send(()).unwrap();
        line
    });
    let record: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(record["response"]["status"], 412);
    assert!(!first.contains("c2VjcmV0"));

    drop(lines);
    let ended = crate::harness::eventually("the end of tail", || {
        write(&instance, "/orders/8");
        tail.try_wait().unwrap()
    });
    assert_eq!(ended.code(), Some(0));
    let mut said = String::new();
    std::io::Read::read_to_string(&mut tail.stderr.take().unwrap(), &mut said).unwrap();
    assert_eq!(said, "");
}

#[test]
fn tail_comes_back_to_where_it_was() {
    let feed = Origin::serving(|wire, log| {
        let request = wire.request().unwrap();
        log.push(&request);
        if request.head.target().starts_with("/api/v1/exchanges") {
            // The connection ends with this answer: a client that is not told might use it for the feed.
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 31\r\nConnection: close\r\n\r\n";
            wire.send(format!("{head}{{\"exchanges\":[{{\"id\":\"zeroth\"}}]}}"));
            return;
        }
        let id = if request.value("Last-Event-ID") == Some("first") { "second" } else { "first" };
        wire.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
        wire.send(format!(": hello\n\nid: {id}\nevent: exchange\ndata: {{\"id\":\"{id}\"}}\n\nid: cut\ndata: {{"));
    });
    let admin = format!("http://{}", feed.address());
    let mut tail =
        command(&["tail", "--json", "--admin", &admin]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let seen: Vec<_> = lines.take(2).map(Result::unwrap).collect();
    tail.kill().unwrap();
    tail.wait().unwrap();
    assert_eq!(seen, ["{\"id\":\"first\"}", "{\"id\":\"second\"}"]);
    let asked: Vec<_> =
        feed.requests().iter().filter_map(|request| request.value("Last-Event-ID").map(str::to_owned)).collect();
    assert_eq!(asked[..2], ["zeroth", "first"]);
}

#[test]
fn explain_lists_and_explains() {
    let list = why412(&["explain"]);
    assert_eq!(list.code, 0);
    assert!(list.data.contains("etag-weakened") && list.data.contains("missed-304"), "{list:?}");
    let entry = why412(&["explain", "etag-weakened"]);
    assert!(entry.code == 0 && entry.data.contains("etag-weakened"), "{entry:?}");
    let unknown = why412(&["explain", "no-such-cause"]);
    assert_eq!((unknown.code, unknown.data.as_str()), (2, ""));
    let near = why412(&["explain", "etag-weakend"]);
    assert!(near.code == 2 && near.messages.contains("'etag-weakened'"), "{near:?}");
}

#[test]
fn help_teaches_by_example() {
    let help = why412(&["--help"]);
    assert_eq!((help.code, help.messages.as_str()), (0, ""));
    for name in ["run", "check", "explain", "tail", "exchanges", "bypass", "healthcheck"] {
        assert!(help.data.contains(&format!("  {name}")), "{name}");
        let own = why412(&[name, "--help"]);
        assert_eq!(own.code, 0, "{name}");
    }
    assert!(help.data.contains("why412 run --upstream http://127.0.0.1:8080"));
    assert!(!help.data.contains("\u{1b}["), "no colour without a terminal");
}
