//! The end: what is under way finishes, nothing new is taken.

use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use http::Request;

use crate::harness::eventually;
use crate::harness::http2::Http2;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

#[test]
fn what_is_in_flight_finishes_and_the_process_ends_well() {
    let (go_on, gate) = mpsc::channel::<()>();
    let (begun, under_way) = mpsc::channel::<()>();
    let (gate, begun) = (Mutex::new(gate), Mutex::new(begun));
    let origin = Origin::serving(move |wire, _| {
        wire.request();
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
        begun.lock().unwrap().send(()).unwrap();
        gate.lock().unwrap().recv().unwrap();
        wire.send("half");
    });
    let mut instance = Instance::before(origin.address());
    let mut idle = instance.connect();

    let mut client = instance.connect();
    client.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    under_way.recv().unwrap();
    instance.signal("TERM");
    eventually("the end of accepting", || TcpStream::connect(instance.address()).is_err().then_some(()));
    assert!(
        idle.rest().is_ok_and(|rest| rest.is_empty()),
        "an idle connection is closed without waiting for the others"
    );
    go_on.send(()).unwrap();

    assert_eq!(client.answer_to("GET").text(), "halfhalf");
    assert!(client.rest().is_ok_and(|rest| rest.is_empty()));
    assert!(instance.ended().success(), "{}", instance.said());
}

#[test]
fn no_exchange_is_lost_under_traffic() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let mut instance = Instance::before(origin.address());
    let (address, stop) = (instance.address(), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                let mut whole = 0;
                'connections: while !stop.load(Ordering::SeqCst) {
                    let Ok(stream) = TcpStream::connect(address) else { break };
                    let mut wire = crate::harness::wire::Wire::over(stream);
                    loop {
                        if wire.try_send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n").is_err() {
                            break;
                        }
                        // A request may meet the close of an idle connection; an answer that has begun comes whole.
                        let Ok(head) = wire.try_head() else { break };
                        assert_eq!(head.status(), 200);
                        assert_eq!(wire.exactly(2).expect("the whole body"), b"ok");
                        whole += 1;
                        if head.value("Connection") == Some("close") {
                            continue 'connections;
                        }
                    }
                }
                whole
            })
        })
        .collect();
    eventually("traffic", || (origin.requests().len() > 200).then_some(()));
    instance.signal("TERM");
    assert!(instance.ended().success(), "{}", instance.said());
    stop.store(true, Ordering::SeqCst);

    let whole: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
    assert_eq!(whole, origin.requests().len(), "every request that reached the origin was answered to its client");
}

#[test]
fn a_client_of_http_2_is_told_to_go() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let mut instance = Instance::before(origin.address());
    let client = Http2::to(instance.address());
    client.ask(Request::get("http://shop.test/").body(()).unwrap()).unwrap();

    instance.signal("TERM");

    assert!(client.ends_well(), "GOAWAY, then the end");
    assert!(instance.ended().success());
}

#[test]
fn readiness_ends_before_accepting_does() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let mut instance = Instance::configured(&format!(
        "[upstream.api]\nurl = [\"http://{}\"]\n[[route]]\nname = \"all\"\npath = \"/{{*rest}}\"\nupstream = \"api\"\n\
         [timeouts]\ndrain_delay = \"500ms\"\n",
        origin.address()
    ));

    instance.signal("TERM");
    eventually("the end of readiness", || (instance.control("GET /readyz").status() == 503).then_some(()));
    assert_eq!(instance.control("GET /livez").status(), 200);
    assert_eq!(instance.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n").status(), 200);

    assert!(instance.ended().success());
}

#[test]
fn a_second_signal_ends_at_once() {
    let origin = Origin::serving(|wire, log| {
        log.push(&wire.request().unwrap());
        let _ = wire.rest();
    });
    let mut instance = Instance::before(origin.address());
    let mut client = instance.connect();
    client.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    origin.only_request();

    instance.signal("TERM");
    eventually("the end of accepting", || TcpStream::connect(instance.address()).is_err().then_some(()));
    instance.signal("TERM");

    instance.ended();
}
