//! A store that cannot be used, or not any more: records are lost and counted, exchanges never are, and nothing that could
//! be read once is gone after a sudden end.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::harness::eventually;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;

const PUT: &str = "PUT / HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v0\"\r\nContent-Length: 0\r\n\r\n";

fn refusing() -> Origin {
    Origin::always("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n")
}

fn recording(origin: &Origin, file: &Path) -> String {
    format!("[upstream.api]\nurl = \"http://{}\"\n[capture]\nfile = \"{}\"\n", origin.address(), file.display())
}

#[test]
fn a_file_that_cannot_be_used_is_left_alone_and_records_are_kept_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let origin = refusing();
    // The beginning of a database, and nothing that follows from it; and something else altogether.
    let torn = [b"SQLite format 3\0".as_slice(), &[0xff; 4080]].concat();
    for (name, content) in [("torn.db", torn.as_slice()), ("letter.txt", b"Dear reader,\n")] {
        let file = directory.path().join(name);
        fs::write(&file, content).unwrap();
        let instance = Instance::configured(&recording(&origin, &file));
        assert_eq!(instance.ask(PUT).status(), 412);
        instance.record_of_412("PUT");
        eventually("the log to say it", || instance.said().contains("the capture file cannot be used").then_some(()));
        drop(instance);
        assert!(fs::read(&file).unwrap() == content, "{name}: what cannot be read may still be worth something");
    }
    let instance = Instance::configured(&recording(&origin, &directory.path().join("not/there.db")));
    assert_eq!(instance.ask(PUT).status(), 412);
    instance.record_of_412("PUT");
}

#[test]
fn a_file_that_may_not_grow_costs_records_until_it_may() {
    let directory = tempfile::tempdir().unwrap();
    let origin = refusing();
    let config = recording(&origin, &directory.path().join("records.db"));
    let instance = Instance::through("ulimit -S -f 400; exec", &[], Some(&config), &[]);
    let mut client = instance.connect();
    let lost = || instance.metric("why412_captures_lost_total") > 0.0;
    eventually("a record that is lost", || {
        for _ in 0..20 {
            assert_eq!(client.ask(PUT).status(), 412, "traffic goes on");
        }
        lost().then_some(())
    });
    assert_eq!(instance.control("GET /readyz").status(), 200);
    assert!(!instance.records().is_empty(), "what is there can be read");
    let (pid, fsize) = (instance.pid().to_string(), "--fsize=unlimited");
    assert!(Command::new("prlimit").args(["--pid", &pid, fsize]).status().unwrap().success());
    instance.ask("PUT /late HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v0\"\r\nContent-Length: 0\r\n\r\n");
    // Oldest records make no room here: the limit of records is far away.
    eventually("a record again", || {
        let late = instance.control("GET /api/v1/exchanges?limit=1&resource=/late").json();
        late["exchanges"].get(0).cloned()
    });
}

#[test]
fn what_could_be_read_is_there_after_a_sudden_end() {
    let directory = tempfile::tempdir().unwrap();
    let origin = refusing();
    let config = recording(&origin, &directory.path().join("records.db"));
    for _ in 0..3 {
        let instance = Instance::configured(&config);
        let (address, stop) = (instance.address(), Arc::new(AtomicBool::new(false)));
        let clients = (0..3).map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                let mut wire = Wire::to(address);
                while !stop.load(Ordering::SeqCst) && wire.try_send(PUT).is_ok() && wire.try_answer_to("PUT").is_ok() {}
            })
        });
        let clients: Vec<_> = clients.collect();
        let ids = |instance: &Instance| -> BTreeSet<String> {
            instance.records().iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
        };
        let before = ids(&instance).len();
        let seen = eventually("records", || Some(ids(&instance)).filter(|seen| seen.len() > before + 50));
        instance.killed();
        stop.store(true, Ordering::SeqCst);
        clients.into_iter().for_each(|client| client.join().unwrap());
        let again = Instance::configured(&config);
        let there = all(&again);
        assert!(seen.is_subset(&there), "{:?} are gone", seen.difference(&there).collect::<Vec<_>>());
        assert!(!again.said().contains("cannot be used"), "{}", again.said());
    }
}

/// The names of all records, however many.
fn all(instance: &Instance) -> BTreeSet<String> {
    let (mut ids, mut before) = (BTreeSet::new(), String::new());
    loop {
        let page = instance.control(&format!("GET /api/v1/exchanges?limit=1000{before}")).json();
        let records = page["exchanges"].as_array().unwrap();
        ids.extend(records.iter().map(|record| record["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { return ids };
        before = format!("&before={next}");
    }
}
