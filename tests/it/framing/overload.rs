//! Watching gives way before traffic does.

use super::before;
use crate::harness::eventually;
use crate::harness::origin::Origin;

#[test]
fn every_refusal_is_answered_and_its_record_is_kept_or_counted_as_not() {
    const CLIENTS: usize = 8;
    const EACH: usize = 500;
    let origin = Origin::always("HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nContent-Length: 0\r\n\r\n");
    let instance = before(&origin, "[capture]\nrecords = 1000\nrepeats_per_minute = 0\n");
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let instance = &instance;
            scope.spawn(move || {
                let mut wire = instance.connect();
                for number in 0..EACH {
                    let answer = wire.ask(format!(
                        "PUT /{client}/{number} HTTP/1.1\r\nHost: a\r\nIf-Match: \"v1\"\r\nContent-Length: 0\r\n\r\n"
                    ));
                    assert_eq!(answer.status(), 412);
                }
            });
        }
    });
    let all = (CLIENTS * EACH) as f64;
    instance.assert_metric("why412_requests_total{code=\"412\",method=\"PUT\",route=\"all\"}", all);
    eventually("every record kept, evicted or lost", || {
        let of = |name| instance.metric(name);
        let known = of("why412_captures") + of("why412_captures_evicted_total") + of("why412_captures_lost_total");
        (known == all).then_some(())
    });
}
