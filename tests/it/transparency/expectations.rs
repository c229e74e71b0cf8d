//! `Expect: 100-continue` is decided by the origin, and informational answers reach the client.

use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

#[test]
fn a_final_refusal_is_not_preceded_by_an_invitation() {
    let origin = Origin::serving(|wire, _| {
        let head = wire.head();
        assert_eq!(head.value("Expect"), Some("100-continue"));
        wire.send("HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        assert_eq!(wire.rest().unwrap_or_default(), b"", "the body was never asked for");
    });
    let instance = Instance::before(origin.address());

    let answer = instance.ask(
        "PUT / HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    );

    assert_eq!(answer.status(), 412);
    assert_eq!(answer.interim, []);
}

#[test]
fn the_invitation_of_the_origin_reaches_the_client_before_the_body_is_sent() {
    let origin = Origin::serving(|wire, log| {
        let head = wire.head();
        wire.send("HTTP/1.1 100 Continue\r\n\r\n");
        let body = wire.exactly(5).unwrap();
        log.push(&crate::harness::message::Message { interim: vec![], head, body, trailers: vec![] });
        wire.send("HTTP/1.1 204 No Content\r\n\r\n");
    });
    let instance = Instance::before(origin.address());

    let mut client = instance.connect();
    client.send("PUT / HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.head().status(), 100);
    client.send("hello");

    assert_eq!(client.answer_to("PUT").status(), 204);
    assert_eq!(origin.only_request().text(), "hello");
}

#[test]
fn a_client_that_does_not_wait_for_the_invitation_is_not_held_up() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let instance = Instance::before(origin.address());

    let answer =
        instance.ask("PUT / HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");

    assert_eq!(answer.status(), 204);
    assert_eq!(origin.only_request().text(), "hello");
}

#[test]
fn informational_answers_reach_the_client_in_order_with_their_fields() {
    let origin = Origin::always(
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    let instance = Instance::before(origin.address());

    let answer = instance.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");

    let seen: Vec<_> = answer.interim.iter().map(|head| (head.status(), head.values("Link"))).collect();
    assert_eq!(seen, [(102, vec![]), (103, vec!["</a.css>; rel=preload", "</b.js>"])]);
    assert_eq!(answer.text(), "ok");
}

#[test]
fn a_client_of_http_1_0_is_sent_no_informational_answer() {
    let origin = Origin::always(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    let instance = Instance::before(origin.address());

    let answer = instance.ask("GET / HTTP/1.0\r\nHost: shop.test\r\n\r\n");

    assert_eq!((answer.status(), answer.interim.len()), (200, 0));
}
