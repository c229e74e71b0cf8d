//! A new configuration takes effect whole, or not at all.

use std::fs;

use crate::harness::eventually;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

fn origin(name: &'static str) -> Origin {
    Origin::answering(move |_| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len()))
}

fn file(origin: &Origin) -> String {
    format!(
        "[upstream.api]\nurl = [\"http://{}\"]\n[[route]]\nname = \"all\"\npath = \"/{{*rest}}\"\nupstream = \"api\"\n",
        origin.address()
    )
}

fn answered_by(instance: &Instance) -> String {
    instance.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n").text()
}

#[test]
fn by_the_api_by_a_signal_and_by_a_changed_file() {
    let (first, second) = (origin("first"), origin("second"));
    let instance = Instance::configured(&file(&first));
    assert_eq!(answered_by(&instance), "first");

    fs::write(instance.file(), file(&second)).unwrap();
    assert_eq!(instance.control("POST /-/reload").status(), 200);
    assert_eq!(answered_by(&instance), "second");

    fs::write(instance.file(), file(&first)).unwrap();
    instance.signal("HUP");
    eventually("the first origin after a signal", || (answered_by(&instance) == "first").then_some(()));

    fs::write(instance.file(), file(&second)).unwrap();
    eventually("the second origin after a change", || (answered_by(&instance) == "second").then_some(()));
}

#[test]
fn a_bad_file_changes_nothing_and_says_so() {
    let first = origin("first");
    let instance = Instance::configured(&file(&first));

    fs::write(instance.file(), format!("{}nonsense = 1\n[limits]\nconnections = \"many\"\n", file(&first))).unwrap();
    let answer = instance.control("POST /-/reload");

    assert_eq!(answer.status(), 400);
    let said = answer.text();
    assert!(said.contains("nonsense") && said.contains("limits.connections"), "all faults at once: {said}");
    assert_eq!(answered_by(&instance), "first");
    instance.assert_metric("why412_config_last_reload_successful", 0.0);
}
