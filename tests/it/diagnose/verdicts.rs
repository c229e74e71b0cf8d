//! What is said of services that answer themselves: with the request sent or supposed, by tags and by dates.

use super::{also, diagnose, methods, run, url, verdict};
use crate::harness::origin::Origin;
use crate::harness::versioned;

#[track_caller]
fn check(condition: &str, more: &[&str], expected: &str) {
    let origin = versioned::origin();
    let at = url(origin.address(), "/orders/7");
    let (said, code) = diagnose(&[&["-X", "PUT", "-H", condition, "-d", "{}", &at][..], more].concat());
    assert_eq!(verdict(&said), expected, "{condition}: {said:#}");
    assert_eq!(code, i32::from(!expected.is_empty()), "{condition}");
    assert_eq!(also(&said), Vec::<String>::new(), "{condition}");
}

#[test]
fn refusals_are_explained_whether_or_not_the_request_is_sent() {
    for more in [&[][..], &["--send"]] {
        check("If-Match: \"v0\"", more, "stale-validator likely");
        check("If-Match: v1", more, "malformed-precondition/unquoted likely");
        check("If-Match: W/\"v1\"", more, "etag-weakened likely");
        check("If-Match: null", more, "malformed-precondition/js-value likely");
        check("If-None-Match: *", more, "create-conflict likely");
        check("If-Unmodified-Since: Tue, 05 Mar 2024 09:00:00 GMT", more, "outdated-date likely");
    }
    check("If-Match: \"v1\"", &[], "");
    check("If-Match: \"v1\"", &["--send"], "");
    check("If-Match: *", &[], "");
}

#[test]
fn a_current_tag_that_is_refused_is_no_stale_one() {
    let origin = Origin::answering(|request| match request.head.method() {
        "PUT" => "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n",
        _ => "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 2\r\n\r\nhi",
    });
    let at = url(origin.address(), "/");
    let (said, _) = diagnose(&["-X", "PUT", "-H", "If-Match: \"v1\"", "-d", "{}", &at, "--send"]);
    assert_eq!(verdict(&said), "current-validator-refused possible", "{said:#}");
    // Unsent, nothing speaks against it.
    let (said, code) = diagnose(&["-X", "PUT", "-H", "If-Match: \"v1\"", "-d", "{}", &at]);
    assert_eq!((verdict(&said), code), (String::new(), 0), "{said:#}");
}

#[test]
fn weak_tags_by_design_are_no_problem_and_explain_a_refusal() {
    let origin = Origin::answering(|request| match request.head.method() {
        "PUT" => "HTTP/1.1 412 Precondition Failed\r\nETag: W/\"1\"\r\nContent-Length: 0\r\n\r\n",
        _ => "HTTP/1.1 200 OK\r\nETag: W/\"1\"\r\nContent-Length: 2\r\n\r\nhi",
    });
    let at = url(origin.address(), "/");
    let (said, code) = diagnose(&[&at]);
    assert_eq!((also(&said), code), (vec![], 0), "{said:#}");
    let (said, _) = diagnose(&["-X", "PUT", "-H", "If-Match: W/\"1\"", "-d", "{}", &at, "--send"]);
    assert_eq!(verdict(&said), "weak-etag-in-if-match likely", "{said:#}");
    let around = Origin::always("HTTP/1.1 200 OK\r\nETag: W/\"1\"\r\nContent-Length: 2\r\n\r\nhi");
    let direct = url(around.address(), "");
    let put = ["-X", "PUT", "-H", "If-Match: W/\"1\"", "-d", "{}", &at, "--send", "--direct", &direct];
    let (said, _) = diagnose(&put);
    assert_eq!(verdict(&said), "weak-etag-in-if-match/origin-issues-weak proven", "{said:#}");
    assert_eq!(said["verdict"]["party"], "origin");
    assert!(said["refreshed"]["none_because"].as_str().unwrap().contains("only weak tags"), "{said:#}");
}

#[test]
fn only_reads_are_sent_unless_more_is_asked_for() {
    let origin = versioned::origin();
    let at = url(origin.address(), "/orders/7");
    for method in ["PUT", "POST", "PATCH", "DELETE", "LOCK"] {
        let (said, _) = diagnose(&["-X", method, "-H", "If-Match: \"v1\"", &at]);
        assert!(methods(&said).iter().all(|sent| sent == "GET" || sent == "HEAD"), "{method}: {said:#}");
        assert_eq!(said["request"]["sent"], false);
    }
}

#[test]
fn the_text_fits_on_a_screen_and_teaches_the_way_on() {
    let origin = versioned::origin();
    let at = url(origin.address(), "/orders/7");
    let ran = run(&["-X", "PUT", "-H", "If-Match: W/\"v1\"", "-H", "Authorization: Bearer s3cret", "-d", "{}", &at]);
    assert!(ran.data.lines().count() <= 45, "{}", ran.data);
    assert!(ran.data.lines().all(|line| line.chars().count() <= 80), "{}", ran.data);
    for expected in
        ["--send", "why412 explain etag-weakened", "curl -i -X PUT", "-H 'If-Match: \"v1\"'", "Bearer s3cret"]
    {
        assert!(ran.data.contains(expected), "{expected}:\n{}", ran.data);
    }
    assert!(!ran.data.contains('\u{1b}'), "no colour without a terminal");
    assert_eq!(ran.messages, "", "nothing on standard error where nothing takes long");
    let (said, _) = diagnose(&["-H", "Authorization: Bearer s3cret", &at]);
    assert!(!said.to_string().contains("s3cret"), "JSON is shared: {said:#}");
}
