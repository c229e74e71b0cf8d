//! The refreshed request: when it is sent, how often, and when it must not be. The origin counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{diagnose, run, url};
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::versioned;

const READ: &str = "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 2\r\n\r\nhi";
const REFUSED: &str = "HTTP/1.1 412 Precondition Failed\r\nETag: \"v1\"\r\nContent-Length: 0\r\n\r\n";

/// The If-Match of every write that arrived.
fn writes(origin: &Origin) -> Vec<String> {
    let is_write = |request: &Message| request.head.method() == "PUT";
    let conditions = origin.requests().into_iter().filter(is_write);
    conditions.map(|request| request.value("If-Match").unwrap_or_default().to_owned()).collect()
}

fn retry<'a>(condition: &'a str, at: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["-X", "PUT", "-H", condition, "-d", "{}", at, "--send", "--retry", "3"][..], more].concat()
}

#[test]
fn the_version_that_was_read_is_written_with_the_tag_that_holds() {
    let origin = versioned::origin();
    let at = url(origin.address(), "/orders/7");
    let (said, code) = diagnose(&retry("If-Match: W/\"v1\"", &at, &[]));
    assert_eq!((code, &said["retry"]["succeeded"]), (0, &true.into()), "{said:#}");
    assert_eq!(writes(&origin), ["W/\"v1\"", "\"v1\""], "one refusal, one success, and no more");
}

#[test]
fn what_has_changed_is_not_overwritten() {
    let origin = versioned::origin();
    let at = url(origin.address(), "/orders/7");
    let (said, code) = diagnose(&retry("If-Match: \"v0\"", &at, &[]));
    assert_eq!((code, &said["retry"]["succeeded"]), (1, &false.into()), "{said:#}");
    assert_eq!(writes(&origin), ["\"v0\""], "nothing was sent again");
    let shown = run(&retry("If-Match: \"v0\"", &at, &[])).data;
    assert!(shown.contains("Current is ETag: \"v1\""), "the difference is shown:\n{shown}");
}

#[test]
fn overwriting_is_possible_where_it_is_asked_for() {
    let origin = versioned::origin();
    let at = url(origin.address(), "/orders/7");
    let (_, code) = diagnose(&retry("If-Match: \"v0\"", &at, &["--overwrite"]));
    assert_eq!((code, writes(&origin)), (0, vec!["\"v0\"".to_owned(), "\"v1\"".to_owned()]));
}

#[test]
fn the_same_refusal_twice_ends_it() {
    let origin = Origin::answering(|request| if request.head.method() == "PUT" { REFUSED } else { READ });
    let at = url(origin.address(), "/");
    // The condition is refreshed once; the second refusal of it is the same as the first.
    let (said, code) = diagnose(&retry("If-Match: W/\"v1\"", &at, &[]));
    assert_eq!(code, 1);
    assert!(said["retry"]["says"].as_str().unwrap().contains("the same 412 twice"), "{said:#}");
    assert_eq!(writes(&origin), ["W/\"v1\"", "\"v1\"", "\"v1\""]);

    // Where it is current already, the first retry is the second time.
    let origin = Origin::answering(|request| if request.head.method() == "PUT" { REFUSED } else { READ });
    let at = url(origin.address(), "/");
    diagnose(&retry("If-Match: \"v1\"", &at, &[]));
    assert_eq!(writes(&origin), ["\"v1\"", "\"v1\""]);
}

#[test]
fn no_more_is_sent_than_was_allowed() {
    let count = Arc::new(AtomicUsize::new(0));
    let origin = Origin::answering(move |request| {
        if request.head.method() != "PUT" {
            return READ.to_owned();
        }
        // Every refusal says something else, so that none is the same.
        let number = count.fetch_add(1, Ordering::SeqCst);
        format!("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 1\r\n\r\n{number}")
    });
    let at = url(origin.address(), "/");
    let (said, code) = diagnose(&retry("If-Match: \"v1\"", &at, &[]));
    assert_eq!(code, 1);
    assert!(said["retry"]["says"].as_str().unwrap().contains("as many attempts as were allowed"), "{said:#}");
    assert_eq!(writes(&origin).len(), 1 + 3);
}

#[test]
fn any_other_answer_ends_it() {
    let count = Arc::new(AtomicUsize::new(0));
    let origin = Origin::answering(move |request| {
        if request.head.method() != "PUT" {
            return READ;
        }
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => REFUSED,
            _ => "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        }
    });
    let at = url(origin.address(), "/");
    let (said, code) = diagnose(&retry("If-Match: W/\"v1\"", &at, &[]));
    assert_eq!(code, 1);
    assert!(said["retry"]["says"].as_str().unwrap().contains("500"), "{said:#}");
    assert_eq!(writes(&origin).len(), 2);
}

#[test]
fn a_change_between_two_attempts_ends_it() {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    let origin = Origin::answering(move |request| match request.head.method() {
        "PUT" => {
            let number = count.fetch_add(1, Ordering::SeqCst);
            format!("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 1\r\n\r\n{number}")
        }
        // After the second refusal somebody else has written.
        _ if seen.load(Ordering::SeqCst) >= 2 => READ.replace("v1", "v2"),
        _ => READ.to_owned(),
    });
    let at = url(origin.address(), "/");
    let (said, code) = diagnose(&retry("If-Match: \"v1\"", &at, &[]));
    assert_eq!(code, 1);
    assert!(said["retry"]["says"].as_str().unwrap().contains("no longer what your condition named"), "{said:#}");
    assert_eq!(writes(&origin), ["\"v1\"", "\"v1\""]);
}

#[test]
fn nothing_unsafe_is_sent_without_being_asked_for() {
    let origin = versioned::origin();
    let at = url(origin.address(), "/orders/7");
    let ran = run(&["-X", "PUT", "-H", "If-Match: W/\"v1\"", "-d", "{}", &at, "--retry", "3"]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(origin.requests().is_empty(), "wrong usage sends nothing");
    run(&["-X", "DELETE", "-H", "If-Match: W/\"v1\"", &at]);
    assert!(origin.requests().iter().all(|request| request.head.method() != "DELETE"));
}

#[test]
fn dates_are_refreshed_by_the_same_rules() {
    let dated = |date: &'static str| {
        Origin::answering(move |request| {
            let read = format!("HTTP/1.1 200 OK\r\nLast-Modified: {date}\r\nContent-Length: 2\r\n\r\nhi");
            match (request.head.method(), request.value("If-Unmodified-Since")) {
                ("PUT", Some(since)) if since == date => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
                ("PUT", _) => "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n".to_owned(),
                _ => read,
            }
        })
    };
    let origin = dated("Tue, 05 Mar 2024 10:00:07 GMT");
    let at = url(origin.address(), "/");
    let (said, code) = diagnose(&retry("If-Unmodified-Since: Tue, 05 Mar 2024 10:00:00 GMT", &at, &[]));
    assert_eq!((code, &said["refreshed"]["same_version"]), (1, &false.into()), "{said:#}");
    let puts = origin.requests().iter().filter(|request| request.head.method() == "PUT").count();
    assert_eq!(puts, 1, "an older date is another version");
}
