//! Proxy-Status on 412 answers, where a route asks for it: why, and the id of the record.

use http::Request;

use crate::harness::http2::Http2;
use crate::harness::instance::Instance;
use crate::harness::message::Message;
use crate::harness::origin::Origin;
use crate::harness::versioned;

const PUT: &str = "PUT /orders/7 HTTP/1.1\r\nHost: api.test\r\nIf-Match: \"v0\"\r\nContent-Length: 0\r\n\r\n";

/// Orders are annotated, everything else is not.
fn before(origin: &Origin) -> Instance {
    Instance::configured(&format!(
        "[upstream.api]\nurl = [\"http://{}\"]\n\
         [[route]]\nname = \"orders\"\npath = \"/orders/{{id}}\"\nannotate = true\n\
         [[route]]\nname = \"rest\"\npath = \"/{{*rest}}\"\n",
        origin.address()
    ))
}

/// The id in an annotation that is written exactly so.
#[track_caller]
fn id_in(annotation: &str, cause: &str) -> String {
    let begins = format!("why412; received-status=412; details=\"cause={cause}; id=");
    let rest = annotation.strip_prefix(&begins).unwrap_or_else(|| panic!("{annotation}"));
    rest.strip_suffix('"').unwrap_or_else(|| panic!("{annotation}")).to_owned()
}

/// The cause that the record of that id names.
#[track_caller]
fn recorded_cause(instance: &Instance, id: &str) -> String {
    let record = instance.record("the annotated 412", |record| record["id"] == id);
    let found: Message = instance.control(&format!("GET /api/v1/exchanges/{id}"));
    assert_eq!((found.status(), found.json()), (200, record.clone()), "the id finds it");
    record["diagnosis"]["cause"].as_str().unwrap().to_owned()
}

#[test]
fn the_id_of_an_annotation_finds_the_record() {
    let origin = versioned::origin();
    let instance = before(&origin);

    let answer = instance.ask(PUT);

    assert_eq!(answer.status(), 412);
    let id = id_in(answer.value("Proxy-Status").unwrap(), "stale-validator");
    assert_eq!(recorded_cause(&instance, &id), "stale-validator");
}

#[test]
fn http2_is_annotated_in_the_same_way() {
    let origin = versioned::origin();
    let instance = before(&origin);
    let request = |path: &str| {
        let request = Request::builder().method("PUT").uri(format!("http://api.test{path}"));
        request.header("if-match", "\"v0\"").body(()).unwrap()
    };
    let client = Http2::to(instance.address());

    let answer = client.ask(request("/orders/7")).unwrap();
    let elsewhere = client.ask(request("/customers/7")).unwrap();

    assert_eq!((answer.status(), elsewhere.status()), (412, 412));
    let id = id_in(answer.value("proxy-status").unwrap(), "stale-validator");
    assert_eq!(recorded_cause(&instance, &id), "stale-validator");
    assert_eq!(elsewhere.value("proxy-status"), None, "that route does not ask for it");
}

#[test]
fn what_the_origin_says_of_itself_stays_in_front() {
    let origin = Origin::always(
        "HTTP/1.1 412 Precondition Failed\r\nProxy-Status: edge; received-status=412\r\nContent-Length: 0\r\n\r\n",
    );
    let instance = before(&origin);

    let answer = instance.ask(PUT);

    let members = answer.head.values("Proxy-Status");
    assert_eq!((members.len(), members[0]), (2, "edge; received-status=412"));
    id_in(members[1], "unexplained");
}

#[test]
fn only_412s_of_routes_that_ask_for_it_are_annotated() {
    let origin = versioned::origin();
    let instance = before(&origin);

    let refused_elsewhere = instance.ask(PUT.replace("/orders/7", "/customers/7"));
    let accepted = instance.ask(PUT.replace("v0", "v1"));
    let read = instance.ask("GET /orders/7 HTTP/1.1\r\nHost: api.test\r\n\r\n");

    assert_eq!((refused_elsewhere.status(), accepted.status(), read.status()), (412, 204, 200));
    for answer in [refused_elsewhere, accepted, read] {
        assert_eq!(answer.value("Proxy-Status"), None);
    }
}
