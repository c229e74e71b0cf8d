//! Mixed traffic for a while: what it costs does not grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use http::Request;

use crate::harness::http2::Http2;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;
use crate::harness::{eventually, within};

/// Memory that may come and go without anything being kept, in bytes: buffers, and what the allocator holds back.
const LEEWAY: u64 = 8 << 20;

/// Remembers nothing of what arrives.
fn origin() -> Origin {
    Origin::serving(|wire, _| {
        while let Some(request) = wire.request() {
            let refused = request.value("If-Match").is_some_and(|tag| tag != "\"v1\"");
            let answer = if refused {
                "HTTP/1.1 412 Precondition Failed\r\nETag: \"v1\"\r\nContent-Length: 0\r\n\r\n"
            } else {
                "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 5\r\n\r\nhello"
            };
            if wire.try_send(answer).is_err() {
                return;
            }
        }
    })
}

/// One round of each kind of traffic.
fn round(instance: &Instance, number: usize) {
    let path = format!("/orders/{}", number % 500);
    let mut wire = instance.connect();
    for (method, condition, status) in
        [("GET", "X-A: 1", 200), ("PUT", "If-Match: \"v1\"", 200), ("PUT", "If-Match: \"v0\"", 412)]
    {
        let answer = wire
            .ask(format!("{method} {path} HTTP/1.1\r\nHost: shop.test\r\n{condition}\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(answer.status(), status);
    }
    let http2 = Http2::to(instance.address());
    let ask = |_| Request::get(format!("http://shop.test{path}")).body(()).unwrap();
    for answer in http2.ask_all((0..8).map(ask).collect()) {
        assert_eq!(answer.expect("an answer").status(), 200);
    }
    let mut upload = instance.connect();
    upload.send(format!("PUT {path} HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100\r\n\r\nfew"));
    drop(upload);
    let mut impatient = instance.connect();
    impatient.send(format!("GET {path} HTTP/1.1\r\nHost: shop.test\r\n\r\n"));
    impatient.reset();
    let _ = Wire::to(instance.address()).try_send("GET / HT");
}

/// What is open for the moment only, such as the connection over which the question is asked. A leak would be one for
/// each of thousands of rounds.
const DESCRIPTORS_LEEWAY: usize = 8;

/// Traffic for that long, and what the instance holds when all of it is over.
fn half(instance: &Instance, lasting: Duration) -> (u64, usize, usize) {
    let stop = AtomicBool::new(false);
    let rounds: usize = thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|client| {
                let stop = &stop;
                scope.spawn(move || {
                    let mut number = client * 1000;
                    while !stop.load(Ordering::SeqCst) {
                        round(instance, number);
                        number += 1;
                    }
                    number - client * 1000
                })
            })
            .collect();
        // Traffic is all there is to wait for.
        within(lasting, || None::<()>);
        stop.store(true, Ordering::SeqCst);
        clients.into_iter().map(|client| client.join().expect("every answer is as expected")).sum()
    });
    for side in ["client", "upstream"] {
        let series = format!("why412_connections{{side=\"{side}\"}}");
        eventually("the last connection to end", || (instance.metric(&series) == 0.0).then_some(()));
    }
    instance.assert_metric("why412_exchanges_in_flight", 0.0);
    (instance.resident_bytes(), instance.descriptors(), rounds)
}

#[test]
fn mixed_traffic_costs_no_more_in_its_second_half() {
    // Longer where somebody has the time: `SOAK_SECONDS=3600 cargo test --test it soak::`.
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(16);
    let origin = Arc::new(origin());
    let instance = Instance::configured(&format!(
        "[upstream.api]\nurl = \"http://{}\"\n[capture]\nrecords = 200\nrepeats_per_minute = 10\n\
         [ledger]\nresources = 400\n",
        origin.address()
    ));
    let half = |part| half(&instance, Duration::from_secs(seconds) / part);
    // What is made once is made; stores are full.
    let (_, descriptors_at_first, rounds) = half(4);
    assert!(rounds > 0);
    let (memory, descriptors, _) = half(2);
    let (memory_after, descriptors_after, _) = half(2);
    let most = descriptors_at_first.max(descriptors);
    assert!(
        descriptors_after <= most + DESCRIPTORS_LEEWAY,
        "{descriptors_at_first} descriptors, then {descriptors} and {descriptors_after}"
    );
    assert!(memory_after < memory + LEEWAY, "{memory} bytes, then {memory_after}");
    assert!(instance.metric("why412_captures") <= 200.0);
    assert!(!instance.said().contains("panic"), "{}", instance.said());
}
