//! Marks and reports that are none: forged, altered, doubled, cut, too long, of the other kind. They do no harm, reach
//! nobody, and are counted.

use why412::analysis::exchange::ExchangeId;
use why412::analysis::pairing::{BypassMark, Mark, Report};
use why412::analysis::principal::{Principal, ToldApartBy};
use why412::analysis::semantics::fields::Fields;

use super::{Pair, SECRET, assert_nothing_of_ours, get, keys, mark_of, pairing, put, report_of};
use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;

const REFUSED: &str = "HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 0\r\n\r\n";
const FOREIGN: &str = "a-secret-that-only-a-stranger-knows-012345";

/// A mark of an exchange that does not exist, for whom it suits.
fn mark(secret: &[&str]) -> String {
    let sent: Fields = [("If-Match", "\"v1\"")].into_iter().collect();
    let client = Principal { key: u128::MAX, by: ToldApartBy::Mark };
    Mark::of(ExchangeId(7), Some(client), &sent, Some(BypassMark::CachesAndPreconditions)).encode(&keys(secret))
}

/// A report that says that all is well.
fn report(secret: &[&str]) -> String {
    let (conditions, validators) =
        Report::fields_of(&Fields::default(), &[("ETag", "\"v9\"")].into_iter().collect::<Fields>());
    let report = Report {
        exchange: ExchangeId(8),
        marked: Some(ExchangeId(7)),
        status: 204,
        at: None,
        conditions,
        validators,
        cause: None,
        earlier: Vec::new(),
        reduced: false,
    };
    report.encode(&keys(secret), usize::MAX)
}

/// What looks like one of ours and is none.
fn impostors(genuine: &str, forged: &str, of_the_other_kind: &str) -> Vec<Vec<String>> {
    let one = |value: &str| vec![value.to_owned()];
    let signature = genuine.rfind(", sig=").expect("a signature");
    vec![
        one(""),
        one("v=1"),
        one("\u{ff}\u{ff}"),
        one("\"unterminated"),
        one(&"a=1, ".repeat(4000)),
        one(&format!("v=1, id=:{}:", "A".repeat(6000))),
        one(forged),
        one(&genuine[..signature]),
        one(&genuine[..genuine.len() - 3]),
        one(&genuine.replacen("v=1", "v=2", 1)),
        one(&format!("{genuine}, x=1")),
        one(&genuine.replacen("v=1", "v=1;x", 1)),
        one(of_the_other_kind),
        vec![genuine.to_owned(), genuine.to_owned()],
        vec![genuine.to_owned(), String::new()],
    ]
}

#[test]
fn a_mark_that_is_none_changes_nothing_and_goes_nowhere() {
    let pair = Pair::before(Origin::always(REFUSED));
    // Sent past the outer instance, as a client would who reaches the gateway on another way.
    let impostors = impostors(&mark(&[SECRET]), &mark(&[FOREIGN]), &report(&[SECRET]));
    for (number, lines) in impostors.iter().enumerate() {
        let fields: String = lines.iter().map(|value| format!("Why412-Pair: {value}\r\n")).collect();
        let answer = pair.inner.ask(put(&format!("If-Match: \"v1\"\r\n{fields}")));
        assert_eq!(answer.status(), 412, "{lines:?}");
        assert_eq!(answer.head.values("Cache-Control"), [""; 0], "a bypass for the asking: {lines:?}");
        assert_eq!(report_of(&answer).marked, None, "{lines:?}");
        let arrived = pair.origin.requests().pop().unwrap();
        assert_nothing_of_ours(&arrived);
        assert_eq!(arrived.value("If-Match"), Some("\"v1\""));
        assert_eq!(pairing(&pair.inner, "unauthentic"), number as f64 + 1.0, "{lines:?}");
    }
    let records = pair.inner.settled_records();
    assert_eq!(records.len(), impostors.len());
    for record in records {
        assert_eq!(record["far_side"]["unauthentic"], true);
        assert_ne!(record["client"], "c-ffffff", "nobody chooses who he is");
    }
}

#[test]
fn a_report_that_is_none_changes_nothing_and_goes_nowhere() {
    let impostors = impostors(&report(&[SECRET]), &report(&[FOREIGN]), &mark(&[SECRET]));
    let count = impostors.len();
    let number = |request: &Message| request.value("X-Number").map(|number| number.parse::<usize>().unwrap());
    let pair = Pair::around(
        Origin::always(REFUSED),
        |_| {},
        move |request, answer| {
            if let Some(number) = number(request) {
                answer.head.lines.retain(|line| !line.starts_with("Why412-Report"));
                answer.head.lines.extend(impostors[number].iter().map(|value| format!("Why412-Report: {value}")));
            }
        },
    );
    for number in 0..count {
        let answer = pair.ask(put(&format!("If-Match: \"v1\"\r\nX-Number: {number}\r\n")));
        assert_eq!(answer.status(), 412);
        assert_nothing_of_ours(&answer);
        assert_eq!(pairing(&pair.outer, "unauthentic"), number as f64 + 1.0, "{number}");
    }
    assert_eq!(pairing(&pair.outer, "report") + pairing(&pair.outer, "from_store"), 0.0);
    for record in pair.outer.settled_records() {
        assert_eq!(record["far_side"]["unauthentic"], true, "{record:#}");
        assert_eq!(record["far_side"]["status"], serde_json::Value::Null);
        assert_ne!(record["diagnosis"]["confidence"], "proven", "{record:#}");
    }
}

#[test]
fn a_mark_that_is_replayed_leads_to_no_other_answer() {
    let pair = Pair::before(Origin::always(REFUSED));
    pair.ask(put("If-Match: \"v1\"\r\n"));
    let (marked, _) = pair.relay.latest();
    let mark = marked.value("Why412-Pair").unwrap();
    for _ in 0..3 {
        let answer = pair.inner.ask(put(&format!("If-Match: \"v1\"\r\nWhy412-Pair: {mark}\r\n")));
        assert_eq!(answer.status(), 412);
        assert_eq!(report_of(&answer).marked, Some(mark_of(&marked).exchange));
    }
    assert!(pair.origin.requests().iter().all(|request| request.head.values("If-Match") == ["\"v1\""]));
}

#[test]
fn a_mark_that_is_replayed_with_another_request_accuses_nobody_and_borrows_no_name() {
    let origin = Origin::answering(|request| match request.value("If-Match") {
        Some("\"v9\"") if request.value("X-Applied").is_some() => "HTTP/1.1 204 No Content\r\n\r\n",
        _ => REFUSED,
    });
    let pair = Pair::before(origin);
    pair.ask(put("If-Match: \"v1\"\r\nAuthorization: Basic YW5uYTp4\r\n"));
    let (marked, _) = pair.relay.latest();
    let mark = marked.value("Why412-Pair").unwrap();
    pair.inner.ask(put(&format!("If-Match: \"v9\"\r\nWhy412-Pair: {mark}\r\n")));
    let written = pair.inner.ask(put(&format!("If-Match: \"v9\"\r\nX-Applied: 1\r\nWhy412-Pair: {mark}\r\n")));
    let outcomes: Vec<u16> = report_of(&written).earlier.iter().map(|write| write.status).collect();
    assert_eq!((written.status(), outcomes), (204, vec![412]), "the outcome of the exchange that the mark names");
    pair.ask("PUT /orders/8 HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n");
    let outcomes: Vec<u16> = report_of(&pair.relay.latest().1).earlier.iter().map(|write| write.status).collect();
    assert_eq!(outcomes, [412]);
    let records = pair.inner.settled_records();
    let [own, replayed, ..] = records.as_slice() else { panic!("{records:#?}") };
    assert_ne!(replayed["client"], own["client"]);
    assert_eq!(replayed["alterations"], serde_json::json!([]));
    assert_ne!(replayed["diagnosis"]["party"], "gateway", "{replayed:#}");
}

#[test]
fn what_clients_and_origins_send_under_our_names_goes_nowhere() {
    let origin = Origin::always(
        "HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nwhy412-report: v=1, id=:AAAAAAAAAAAAAAAAAAAAAA==:, s=204\r\n\
         Why412-Pair: v=1\r\nWhy412-Later: 1\r\nContent-Length: 0\r\n\r\n",
    );
    let pair = Pair::before(origin);
    let answer = pair.ask(put(&format!(
        "If-Match: \"v1\"\r\nWhy412-Pair: {}\r\nWHY412-REPORT: {}\r\nWhy412-Later: 1\r\n",
        mark(&[SECRET]),
        report(&[SECRET])
    )));
    assert_nothing_of_ours(&answer);
    assert_nothing_of_ours(&pair.origin.only_request());
    let (request, reported) = pair.relay.latest();
    assert_ne!(mark_of(&request).exchange, ExchangeId(7), "an outer instance believes no client");
    assert_eq!(report_of(&reported).status, 412, "an inner instance believes no origin");
    assert_eq!(pairing(&pair.outer, "unauthentic"), 1.0);
    assert_eq!(pairing(&pair.inner, "unauthentic"), 1.0);
    assert_eq!(pairing(&pair.outer, "report"), 1.0);
}

#[test]
fn an_unsigned_mark_names_no_client() {
    let origin = Origin::always(REFUSED);
    let inner = Instance::with(&["--role", "inner", "--upstream", &format!("http://{}", origin.address())], None);
    let answer = inner.ask(put(&format!("If-Match: \"v1\"\r\nWhy412-Pair: {}\r\n", mark(&[]))));
    assert_eq!(answer.status(), 412);
    let record = inner.record_of_412("PUT");
    assert_ne!(record["client"], "c-ffffff");
    assert_eq!(record["far_side"]["signed"], false);
    assert_nothing_of_ours(&origin.only_request());
}

#[test]
fn a_flood_of_junk_leaves_the_pair_at_work() {
    let pair = Pair::before(Origin::always(REFUSED));
    let genuine = mark(&[SECRET]);
    for at in 0..genuine.len() {
        let mut bytes = genuine.clone().into_bytes();
        bytes[at] ^= 1;
        if bytes[at].is_ascii_control() {
            continue;
        }
        let value = String::from_utf8(bytes).unwrap();
        let answer = pair.inner.ask(get(&format!("If-Match: \"v1\"\r\nWhy412-Pair: {value}\r\n")));
        assert_eq!(answer.status(), 412);
        assert_eq!(report_of(&answer).marked, None, "byte {at} of {value}");
    }
    assert_nothing_of_ours(&pair.ask(put("If-Match: \"v1\"\r\n")));
    assert_eq!(pairing(&pair.outer, "report"), 1.0);
    assert!(!pair.inner.said().contains("panic"));
}
