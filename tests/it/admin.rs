//! The admin API through its socket, over a recorder that is fed directly.

mod openapi;
mod queries;
mod schema;
mod status;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Method;
use why412::admin::{self, AdminContext, Hooks, Running};
use why412::analysis::exchange::{
    Answer, Exchange, ExchangeId, FarSide, Outcome, RequestBody, Role, RoutePolicy, Scheme,
};
use why412::analysis::principal::{Principal, ToldApartBy};
use why412::analysis::semantics::message::{RequestHead, ResponseHead, Version};
use why412::bypass::Switch;
use why412::clock;
use why412::config::{Config, Secret, UpstreamUrl};
use why412::recorder::Recorder;
use why412::recorder::metrics::RouteSeries;

use crate::harness::eventually;
use crate::harness::message::Message;
use crate::harness::wire::Wire;

/// A control plane and the recorder behind it.
struct Plane {
    address: SocketAddr,
    telemetry: SocketAddr,
    recorder: Arc<Recorder>,
    route: Arc<RouteSeries>,
    running: Option<Running>,
}

impl Plane {
    fn start() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let url = UpstreamUrl { https: false, host: "127.0.0.1".to_owned(), port: 1 };
        let mut config = Config::defaults_with_upstream(url);
        change(&mut config);
        let recorder = Recorder::start(&config).unwrap();
        let route = recorder.series("default", "default");
        let [listener, telemetry] = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let (address, telemetry_address) = (listener.local_addr().unwrap(), telemetry.local_addr().unwrap());
        let context = AdminContext {
            recorder: Arc::clone(&recorder),
            bypass: Arc::new(Switch::default()),
            config: Arc::new(ArcSwap::from_pointee(config)),
            hooks: Hooks {
                reload: Box::new(|| Err(vec!["line 3: what is this".to_owned()])),
                readiness: Box::new(|| Err("draining".to_owned())),
                probe: Box::new(|_| tokio::sync::oneshot::channel().1),
            },
            switchboard: None,
            listen: ([127, 0, 0, 1], 8412).into(),
        };
        let running = admin::start(listener, Some(telemetry), context).unwrap();
        Self { address, telemetry: telemetry_address, recorder, route, running: Some(running) }
    }

    fn ask(&self, line: &str) -> Message {
        self.ask_with(line, "", "")
    }

    fn ask_with(&self, line: &str, lines: &str, body: &str) -> Message {
        let framing = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
        };
        let host = self.address;
        Wire::to(host)
            .ask(format!("{line} HTTP/1.1\r\nHost: {host}\r\n{lines}{framing}Connection: close\r\n\r\n{body}"))
    }

    /// Records a PUT that was answered with 412.
    fn refused(&self, id: u128, target: &str, lines: &[(&str, &str)]) {
        self.exchanged(id, Method::PUT, target, lines, 412, &[]);
    }

    /// Records an exchange.
    fn exchanged(
        &self,
        id: u128,
        method: Method,
        target: &str,
        lines: &[(&str, &str)],
        status: u16,
        answered: &[(&str, &str)],
    ) {
        let request = RequestHead {
            method,
            target: target.as_bytes().to_vec(),
            authority: b"api.example.com".to_vec(),
            version: Version::Http11,
            fields: lines.iter().copied().collect(),
        };
        let response = ResponseHead {
            status,
            reason: Vec::new(),
            version: Version::Http11,
            fields: answered.iter().copied().collect(),
        };
        let answer = Answer { head: &response, returned: &response.fields, body_prefix: &[], complete: true };
        let now = clock::now();
        self.recorder.record(
            &Exchange {
                id: ExchangeId(id),
                at: now,
                ended: now,
                upstream_time: Duration::from_millis(1),
                role: Role::Alone,
                policy: &RoutePolicy::default(),
                route: self.route.number(),
                client: Principal { key: 1 << 127, by: ToldApartBy::Address },
                scheme: Scheme::Http,
                request: &request,
                forwarded: &request.fields,
                request_body: RequestBody::default(),
                outcome: Outcome::Answered(answer),
                bypass: None,
                upstream: None,
                far_side: FarSide::default(),
            },
            &self.route,
        );
    }

    /// The names of the records on a page.
    fn listed(&self, query: &str) -> Vec<u128> {
        let page = self.ask(&format!("GET /api/v1/exchanges{query}")).json();
        let ids = page["exchanges"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned());
        ids.map(|id| id.parse::<ulid::Ulid>().unwrap().0).collect()
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop(Duration::ZERO);
        }
        self.recorder.close();
    }
}

fn id(number: u128) -> String {
    ulid::Ulid(number).to_string()
}

#[test]
fn records_are_readable_at_once_and_paged_in_both_directions() {
    let plane = Plane::start();
    for number in 1..=5 {
        plane.refused(number, &format!("/orders/{number}?access_token=s3cret"), &[("If-Match", "\"v1\"")]);
    }
    assert_eq!(plane.listed(""), [5, 4, 3, 2, 1]);
    assert_eq!(plane.listed("?limit=2"), [5, 4]);
    assert_eq!(plane.listed(&format!("?limit=2&before={}", id(4))), [3, 2]);
    assert_eq!(plane.listed(&format!("?after={}", id(3))), [4, 5]);
    assert_eq!(plane.listed("?status=412&route=default&limit=1"), [5]);
    assert_eq!(plane.listed("?status=409"), [] as [u128; 0]);
    assert_eq!(plane.listed("?resource=/orders/2?access_token=s3cret"), [2]);
    let url = "http%3A%2F%2Fapi.example.com%2Forders%2F2%3Faccess_token%3Dother";
    assert_eq!(plane.listed(&format!("?resource={url}")), [2], "hidden values are alike");
    let page = plane.ask("GET /api/v1/exchanges?limit=2").json();
    assert_eq!(page["next"], id(4));
    assert!(plane.ask(&format!("GET /api/v1/exchanges?before={}", id(3))).json()["next"].is_null());
}

#[test]
fn a_record_has_the_form_the_contract_shows_and_no_secret() {
    let plane = Plane::start();
    let lines = [("If-Match", "\"caf\u{e9}\""), ("Authorization", "Bearer s3cret"), ("Cookie", "sid=s3cret")];
    plane.refused(7, "/a?token=s3cret", &lines);
    let answer = plane.ask(&format!("GET /api/v1/exchanges/{}", id(7)));
    let record = answer.json();
    assert!(!answer.text().contains("s3cret"), "{record:#}");
    assert_eq!(record["request"]["url"], "http://api.example.com/a?token=…");
    assert_eq!(record["request"]["headers"][1], serde_json::json!(["Authorization", "Bearer …"]));
    assert_eq!(record["response"]["status"], 412);
    assert_eq!(record["client"], "c-800000");
    assert!(record["diagnosis"]["cause"].is_string() && record["diagnosis"]["fix"][0].is_string(), "{record:#}");
    assert!(record["far_side"].is_null() && record["bypass"].is_null());
    assert!(record["timing_us"]["inspection"].is_u64());
    for export in ["har", "curl"] {
        let answer = plane.ask(&format!("GET /api/v1/exchanges/{}/{export}", id(7)));
        assert_eq!(answer.status(), 200);
        assert!(!answer.text().contains("s3cret"));
    }
    assert_eq!(plane.ask(&format!("GET /api/v1/exchanges/{}", id(8))).status(), 404);
    assert_eq!(plane.ask("GET /api/v1/exchanges/nonsense").status(), 404);
}

#[test]
fn what_repeats_itself_is_counted_on_the_last_record_of_its_kind() {
    let plane = Plane::start();
    let tag = [("ETag", "\"v1\""), ("Content-Type", "text/plain"), ("Content-Length", "2")];
    plane.exchanged(1, Method::GET, "/a", &[], 200, &tag);
    for number in 2..=16 {
        plane.exchanged(number, Method::GET, "/a", &[("If-None-Match", "\"v1\"")], 200, &tag);
    }
    plane.refused(17, "/a", &[("If-Match", "\"v1\"")]);
    let page = plane.ask("GET /api/v1/exchanges").json();
    let records = page["exchanges"].as_array().unwrap();
    let ids: Vec<_> = records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<_> = [17].into_iter().chain((2..=11).rev()).map(id).collect();
    assert_eq!(ids, expected, "ten of a kind and the 412");
    assert_eq!(records[1]["repeated"], 5);
    assert!(records[2]["repeated"].is_null());
    let text = plane.ask("GET /metrics").text();
    assert!(text.contains("why412_hazards_total{hazard=\"missed-304\",route=\"default\"} 15\n"), "{text}");
}

#[test]
fn the_curl_command_sends_what_the_client_sent() {
    let plane = Plane::start();
    let lines = [("Host", "api.example.com"), ("If-Match", "W/\"it's\\\""), ("X-Odd", "$HOME `id` !"), ("X-Empty", "")];
    plane.refused(1, "/a?b='c'&d=$(id)&e=[1-3]{x,y}", &lines);
    let origin = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = origin.local_addr().unwrap().to_string();
    let command = plane.ask(&format!("GET /api/v1/exchanges/{}/curl", id(1))).text();
    let command = command.replace("http://api.example.com", &format!("http://{address}"));
    let mut shell = Command::new("bash").arg("-c").arg(&command).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut wire = Wire::over(origin.accept().unwrap().0);
    let sent = wire.request().unwrap().head;
    wire.send("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n");
    shell.as_mut().unwrap().wait().unwrap();
    assert_eq!(sent.start, "PUT /a?b='c'&d=$(id)&e=[1-3]{x,y} HTTP/1.1", "{command}");
    let expected: Vec<_> = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(sent.lines, expected, "{command}");
}

#[test]
fn the_feed_goes_on_where_its_reader_left() {
    let plane = Plane::start();
    plane.refused(1, "/a", &[]);
    plane.refused(2, "/a", &[]);
    eventually("both are readable", || (plane.listed("").len() == 2).then_some(()));
    let mut wire = Wire::to(plane.address);
    let host = plane.address;
    wire.send(format!("GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nLast-Event-ID: {}\r\n\r\n", id(1)));
    assert_eq!(wire.head().value("content-type"), Some("text/event-stream"));
    plane.refused(3, "/a", &[]);
    let mut seen = String::new();
    while !seen.contains(&format!("id: {}", id(3))) {
        seen.push_str(&String::from_utf8_lossy(&wire.exactly(1).unwrap()));
    }
    assert!(seen.contains(&format!("id: {}\ndata: {{\"id\":\"{}\"", id(2), id(2))), "{seen}");
    assert!(!seen.contains(&format!("id: {}", id(1))), "{seen}");
}

#[test]
fn wrong_queries_are_told_what_is_wrong() {
    let plane = Plane::start();
    for query in ["limit=0", "limt=5", "status=x", "after=1", "cause=bad-luck", "limit=1&limit=2"] {
        let answer = plane.ask(&format!("GET /api/v1/exchanges?{query}"));
        assert_eq!(answer.status(), 400, "{query}");
        assert_eq!(answer.value("content-type"), Some("application/problem+json"));
        assert!(!answer.json()["detail"].as_str().unwrap().is_empty());
    }
}

#[test]
fn the_bypass_is_switched_only_by_who_knows_its_state() {
    let plane = Plane::start();
    let before = plane.ask("GET /api/v1/bypass");
    let tag = before.value("etag").unwrap().to_owned();
    let put = |lines: &str, body: &str| plane.ask_with("PUT /api/v1/bypass", lines, body);
    let begun = put(&format!("If-Match: {tag}\r\n"), "{\"for\":\"5m\"}");
    assert_eq!(begun.status(), 200);
    assert!(begun.json()["bypasses"][0]["until"].is_string());
    assert_eq!(put(&format!("If-Match: {tag}\r\n"), "{\"for\":\"5m\"}").status(), 412);
    let text = plane.ask("GET /metrics").text();
    assert!(text.contains("why412_bypass_active{scope=\"all\"} 1\n"), "{text}");
    for wrong in [
        "{\"for\":\"500h\"}",
        "{\"for\":\"0s\"}",
        "{\"route\":\"nope\"}",
        "{\"direct\":true}",
        "{\"preconditions\":\"remove\"}",
        "{\"preconditions\":\"maybe\"}",
        "{\"forr\":\"1m\"}",
        "{",
    ] {
        let answer = put("", wrong);
        assert_eq!(answer.status(), 400, "{wrong}: {}", answer.text());
    }
    assert_eq!(put("", "{\"route\":\"default\"}").json()["bypasses"].as_array().unwrap().len(), 2);
    let one = plane.ask("DELETE /api/v1/bypass?route=default").json();
    assert_eq!(one["bypasses"].as_array().unwrap().len(), 1);
    assert_eq!(plane.ask_with("DELETE /api/v1/bypass", &format!("If-Match: {tag}\r\n"), "").status(), 412);
    let none = plane.ask("DELETE /api/v1/bypass");
    assert_eq!(none.json()["bypasses"], serde_json::json!([]));
    assert_eq!(none.value("etag"), Some(tag.as_str()));
}

#[test]
fn the_guard_stands_before_everything() {
    let plane = Plane::with(|config| config.admin.token = Some(Secret::new(b"t0ken".to_vec())));
    assert_eq!(plane.ask("GET /").status(), 200);
    assert_eq!(plane.ask("GET /assets/css/base.css").status(), 200);
    for path in ["/api/v1/exchanges", "/api/v1/openapi.json", "/metrics", "/nothing"] {
        let answer = plane.ask(&format!("GET {path}"));
        assert_eq!(answer.status(), 401, "{path}");
        assert!(answer.value("www-authenticate").unwrap().starts_with("Bearer"));
    }
    let with_token = |lines: &str| {
        plane.ask_with("GET /api/v1/routes", &format!("Authorization: Bearer t0ken\r\n{lines}"), "").status()
    };
    assert_eq!(with_token(""), 200);
    assert_eq!(with_token("Origin: http://evil.example\r\n"), 403);
    let foreign = b"GET /api/v1/routes HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(Wire::to(plane.address).ask(foreign).status(), 403);
    let scraped =
        Wire::to(plane.telemetry).ask("GET /metrics HTTP/1.1\r\nHost: why412.svc\r\nConnection: close\r\n\r\n");
    assert_eq!(scraped.status(), 200);
    let there = Wire::to(plane.telemetry).ask("GET /api/v1/routes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(there.status(), 404);
}

#[test]
fn the_rest_of_the_api_answers() {
    let plane = Plane::start();
    assert_eq!(plane.ask("GET /livez").status(), 200);
    let readyz = plane.ask("GET /readyz");
    assert_eq!((readyz.status(), readyz.json()["detail"].as_str()), (503, Some("draining")));
    let reload = plane.ask("POST /-/reload");
    assert_eq!((reload.status(), reload.json()["faults"][0].as_str()), (400, Some("line 3: what is this")));
    assert_eq!(plane.ask("GET /-/reload").value("allow"), Some("POST"));
    let wrong_method = plane.ask("POST /api/v1/exchanges");
    assert_eq!((wrong_method.status(), wrong_method.value("allow")), (405, Some("GET,HEAD")));
    assert_eq!(wrong_method.value("content-type"), Some("application/problem+json"));
    assert!(plane.ask("GET /api/v1/causes").json()["causes"].as_array().unwrap().len() > 20);
    assert!(plane.ask("GET /api/v1/config").json()["route"].is_array());
    assert!(plane.ask("GET /api/v1/openapi.json").json()["paths"]["/api/v1/exchanges"].is_object());
    plane.refused(1, "/a", &[("If-Match", "\"v1\"")]);
    let route = &plane.ask("GET /api/v1/routes").json()["routes"][0];
    assert_eq!(
        (&route["route"], &route["requests"], &route["codes"]["412"]),
        (&"default".into(), &1.into(), &1.into())
    );
    assert_eq!(route["conditional"]["if-match"], 1);
    assert_eq!(plane.ask("GET /nothing").value("content-type"), Some("application/problem+json"));
    let large = plane.ask_with("PUT /api/v1/bypass", "", &"x".repeat(100_000));
    assert_eq!((large.status(), large.value("content-type")), (413, Some("application/problem+json")));
    let page = plane.ask("GET /");
    assert!(page.value("content-security-policy").unwrap().contains("default-src 'none'"));
    let html = page.text();
    assert!(
        html.split("<script").skip(1).all(|script| script.contains("src=\"/assets/") && script.contains("></script>"))
    );
    assert!(!html.contains("style=") && !html.contains("<style"), "nothing inline");
    assert_eq!(plane.ask("HEAD /livez").status(), 200);
}

#[test]
fn a_resource_shows_what_is_known_of_it() {
    let plane = Plane::start();
    plane.refused(1, "/a?b=c", &[("If-Match", "\"v1\"")]);
    let of = |url: &str| plane.ask(&format!("GET /api/v1/resources?url={url}"));
    let known = of("http%3A%2F%2FAPI.example.com:80%2Fa%3Fb%3Dc").json();
    assert_eq!(known["refusals"][0]["exchange"], id(1), "{known:#}");
    assert_eq!(of("http://api.example.com/other").status(), 404);
    assert_eq!(of("/a").status(), 400);
    assert_eq!(plane.ask("GET /api/v1/resources").status(), 400);
}

#[test]
fn exemplars_lead_from_the_metric_to_the_record() {
    let plane = Plane::start();
    plane.refused(9, "/a", &[("If-Match", "\"v1\"")]);
    let scraped = plane.ask_with("GET /metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n", "");
    assert!(scraped.value("content-type").unwrap().starts_with("application/openmetrics-text"));
    let exemplar = format!("# {{exchange_id=\"{}\"}}", id(9));
    assert!(scraped.text().contains(&exemplar), "{}", scraped.text());
    assert!(!plane.ask("GET /metrics").text().contains("{exchange_id"));
}

#[test]
fn promtool_accepts_what_is_measured() {
    let plane = Plane::start();
    plane.refused(9, "/a", &[("If-Match", "\"v1\"")]);
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed; `tests/setup.sh` installs what the tests need");
    promtool.stdin.take().unwrap().write_all(&plane.ask("GET /metrics").body).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn a_file_that_cannot_be_used_costs_nothing_but_the_file() {
    let plane = Plane::with(|config| config.capture.file = Some("/proc/nowhere/why412.db".into()));
    plane.refused(1, "/a", &[]);
    assert_eq!(plane.listed(""), [1]);
}

#[test]
fn records_outlive_the_process_where_there_is_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("why412.db");
    let started = || Plane::with(|config| config.capture.file = Some(file.clone()));
    let first = started();
    first.refused(1, "/a", &[]);
    drop(first);
    let second = started();
    second.refused(2, "/a", &[]);
    assert_eq!(second.listed(""), [2, 1]);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "nobody else may read it");
    assert!(second.ask("GET /metrics").text().contains("\nwhy412_captures 2\n"));
}

#[test]
fn stopping_ends_feeds_and_leaves_nobody_waiting() {
    let mut plane = Plane::start();
    let mut feed = Wire::to(plane.address);
    let host = plane.address;
    feed.send(format!("GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    assert_eq!(feed.head().status(), 200);
    let mut idle = Wire::to(plane.address);
    assert_eq!(idle.ask(format!("GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\n")).status(), 200);
    let running = plane.running.take().unwrap();
    running.stop(Duration::from_secs(30));
    assert!(feed.rest().unwrap().ends_with(b"0\r\n\r\n"), "the feed ends as a whole");
    assert_eq!(idle.rest().unwrap(), b"");
}

#[test]
fn connections_are_bounded() {
    let plane = Plane::start();
    let mut held: Vec<_> = (0..256).map(|_| Wire::to(plane.address)).collect();
    let host = plane.address;
    let line = format!("GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\n");
    for wire in &mut held {
        assert_eq!(wire.ask(&line).status(), 200);
    }
    let mut one_more = Wire::to(plane.address);
    let refused = one_more.try_send(&line).and_then(|()| one_more.try_answer_to("GET")).is_err();
    assert!(refused);
    drop(held);
    eventually("a place", || {
        let mut wire = Wire::to(plane.address);
        wire.try_send(&line).and_then(|()| wire.try_answer_to("GET")).ok()
    });
}
