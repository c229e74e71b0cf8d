//! Upstream addresses that are asked whether they are well, and the choice between several.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use crate::harness::http2_origin::{Http2Origin, status};
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::ports::free_address;
use crate::harness::{eventually, within};

const GET: &str = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

/// An origin, and whether it says that it is well.
fn origin() -> (Origin, Arc<AtomicBool>) {
    let well = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&well);
    let origin = Origin::answering(move |request| {
        let is_well = request.head.target() != "/healthz" || told.load(Ordering::SeqCst);
        if is_well { "HTTP/1.1 204 Well\r\n\r\n" } else { "HTTP/1.1 503 Ill\r\nContent-Length: 0\r\n\r\n" }
    });
    (origin, well)
}

fn configured(origins: &[&Origin], interval: &str) -> Instance {
    let urls: Vec<_> = origins.iter().map(|origin| format!("\"http://{}\"", origin.address())).collect();
    Instance::configured(&format!(
        "[upstream.api]\nurl = [{}]\nhealth = {{ path = \"/healthz\", interval = \"{interval}\" }}\n",
        urls.join(", ")
    ))
}

/// Requests of clients, without those of health checks.
fn asked(origin: &Origin) -> usize {
    origin.requests().iter().filter(|request| request.head.target() == "/").count()
}

fn series(origin: &Origin) -> String {
    format!("why412_upstream_healthy{{address=\"{}\",upstream=\"api\"}}", origin.address())
}

fn ask(instance: &Instance, times: usize) {
    for _ in 0..times {
        assert_eq!(instance.ask(GET).status(), 204);
    }
}

#[test]
fn an_address_that_says_it_is_ill_is_tried_last_until_it_is_well_again() {
    let ((ill, well), (other, _)) = (origin(), origin());
    let instance = configured(&[&ill, &other], "100ms");
    instance.assert_metric(&series(&ill), 1.0);
    instance.assert_metric(&series(&other), 1.0);
    ask(&instance, 20);
    assert!(asked(&ill) > 0 && asked(&other) > 0);

    well.store(false, Ordering::SeqCst);
    instance.assert_metric(&series(&ill), 0.0);
    let before = (asked(&ill), asked(&other));
    ask(&instance, 20);
    assert_eq!((asked(&ill), asked(&other)), (before.0, before.1 + 20));
    eventually("the log to say it", || instance.said().contains("an upstream address is unhealthy").then_some(()));

    well.store(true, Ordering::SeqCst);
    instance.assert_metric(&series(&ill), 1.0);
    ask(&instance, 20);
    assert!(asked(&ill) > before.0);
}

#[test]
fn where_all_are_ill_requests_go_out_all_the_same() {
    let ((first, well), (second, other)) = (origin(), origin());
    let instance = configured(&[&first, &second], "100ms");
    well.store(false, Ordering::SeqCst);
    other.store(false, Ordering::SeqCst);
    instance.assert_metric(&series(&first), 0.0);
    instance.assert_metric(&series(&second), 0.0);
    ask(&instance, 20);
    assert_eq!(instance.control("GET /readyz").status(), 200, "it is not this instance that is not ready");
}

#[test]
fn a_reload_keeps_what_is_known() {
    let ((ill, well), (other, _)) = (origin(), origin());
    // One check alone, right after the reload, would not be enough to find out again.
    let instance = configured(&[&ill, &other], "1s");
    well.store(false, Ordering::SeqCst);
    let reached = within(std::time::Duration::from_secs(10), || (instance.metric(&series(&ill)) == 0.0).then_some(()));
    assert!(reached.is_some(), "{}", instance.said());
    eventually("the log to say it", || instance.said().contains("an upstream address is unhealthy").then_some(()));
    assert_eq!(instance.control("POST /-/reload").status(), 200);
    let before = asked(&ill);
    ask(&instance, 20);
    assert_eq!(asked(&ill), before);
}

#[test]
fn silence_and_refusal_are_illness() {
    let silent = Origin::serving(|wire, _| drop(wire.rest()));
    let gone = free_address();
    let instance = Instance::configured(&format!(
        "[upstream.api]\nurl = [\"http://{}\", \"http://{gone}\"]\n\
         health = {{ path = \"/\", interval = \"100ms\", timeout = \"200ms\", unhealthy_after = 1 }}\n",
        silent.address()
    ));
    for why in ["it took too long to answer", "it cannot be reached"] {
        eventually("the log to say it", || instance.said().contains(why).then_some(()));
    }
    instance.assert_metric(&series(&silent), 0.0);
}

#[test]
fn an_upstream_of_http_2_is_asked_in_its_own_words() {
    let origin = Http2Origin::always(|| status(200), "ok");
    let instance = Instance::configured(&format!(
        "[upstream.api]\nurl = \"http://{}\"\nhttp = \"2\"\nhealth = {{ path = \"/healthz?deep=1\" }}\n",
        origin.address()
    ));
    let asked = eventually("a check", || origin.requests().into_iter().next());
    assert_eq!(asked.head.uri().path_and_query().unwrap(), "/healthz?deep=1");
    let series = format!("why412_upstream_healthy{{address=\"{}\",upstream=\"api\"}}", origin.address());
    instance.assert_metric(&series, 1.0);
}

#[test]
fn the_address_with_the_fewest_requests_under_way_is_next() {
    let (go_on, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let origins = [0, 1].map(|_| {
        let gate = Arc::clone(&gate);
        Origin::answering(move |request| {
            if request.head.method() == "PUT" {
                gate.lock().unwrap().recv().unwrap();
            }
            "HTTP/1.1 204 Well\r\n\r\n"
        })
    });
    let [first, second] = &origins;
    // Each thread counts its own requests.
    let instance = Instance::configured(&format!(
        "[upstream.api]\nurl = [\"http://{}\", \"http://{}\"]\n[limits]\nthreads = 1\n",
        first.address(),
        second.address()
    ));
    let mut writer = instance.connect();
    writer.send("PUT / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n");
    let writes = |origin: &Origin| origin.requests().iter().any(|request| request.head.method() == "PUT");
    eventually("the write", || origins.iter().any(writes).then_some(()));
    ask(&instance, 20);
    let (busy, free) = if writes(first) { (first, second) } else { (second, first) };
    assert_eq!((asked(busy), asked(free)), (1, 20), "the write, and all else");
    go_on.send(()).unwrap();
    assert_eq!(writer.answer_to("PUT").status(), 204);
    ask(&instance, 20);
    assert!(asked(busy) > 5 && asked(free) > 25, "equals take turns");
}
