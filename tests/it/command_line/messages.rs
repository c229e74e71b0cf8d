//! What is said when something is not as it should be: what it is, and what to do.

use serde_json::Value;

use crate::harness::command::why412;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::ports::free_address;

/// Everything that asks an instance, and writes JSON.
const ASKING: [&[&str]; 6] = [
    &["exchanges", "list"],
    &["exchanges", "show", "latest"],
    &["exchanges", "export", "latest"],
    &["bypass", "status"],
    &["healthcheck"],
    &["tail"],
];

fn ask(arguments: &[&str], admin: impl std::fmt::Display) -> crate::harness::command::Ran {
    why412(&[arguments, &["--json", "--admin", &format!("http://{admin}")]].concat())
}

#[test]
fn nobody_there_is_told_with_what_to_do() {
    let nowhere = free_address();
    for arguments in ASKING {
        let ran = ask(arguments, nowhere);
        assert_eq!((ran.code, ran.data.as_str()), (1, ""), "{arguments:?}");
        let expected = format!("why412: nothing listens at http://{nowhere}. Is an instance running?");
        assert!(ran.messages.starts_with(&expected), "{ran:?}");
        assert!(ran.messages.contains("why412 run --upstream URL") && ran.messages.contains("--admin"), "{ran:?}");
    }
}

#[test]
fn the_address_of_clients_is_told_from_the_admin_address() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/html\r\n\r\nhi");
    let instance = Instance::configured(&format!(
        "[upstream.api]\nurl = [\"http://{}\"]\n[[route]]\nname = \"shop\"\nhost = \"shop.test\"\nupstream = \"api\"\n",
        origin.address()
    ));
    // No route fits, and the proxy refuses by itself.
    for arguments in ASKING {
        let ran = ask(arguments, instance.address());
        assert_eq!((ran.code, ran.data.as_str()), (1, ""), "{arguments:?} {ran:?}");
        assert!(ran.messages.contains("is where clients connect, not the admin address"), "{ran:?}");
    }
}

#[test]
fn a_stranger_is_told_from_an_instance() {
    let website = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/html\r\n\r\nhi");
    let refusing = Origin::always("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nContent-Type: text/html\r\n\r\nno");
    let other = Origin::serving(|wire, _| {
        wire.send("220 smtp.test ESMTP\r\n");
    });
    for arguments in ASKING {
        for (stranger, says) in [
            (&website, "but not as the admin API of why412 does"),
            (&refusing, "but not as the admin API of why412 does"),
            (&other, "does not answer as HTTP does"),
        ] {
            let ran = ask(arguments, stranger.address());
            assert_eq!((ran.code, ran.data.as_str()), (1, ""), "{arguments:?} {ran:?}");
            assert!(ran.messages.contains(says), "{arguments:?} {ran:?}");
        }
    }
}

#[test]
fn a_refused_token_is_told_from_a_missing_one() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let directory = tempfile::tempdir().unwrap();
    let (right, wrong) = (directory.path().join("right"), directory.path().join("wrong"));
    std::fs::write(&right, "the-token-of-the-test\n").unwrap();
    std::fs::write(&wrong, "some-other-token\n").unwrap();
    let file = format!(
        "[upstream.api]\nurl = [\"http://{}\"]\n[admin]\ntoken_file = \"{}\"\n",
        origin.address(),
        right.display()
    );
    let instance = Instance::configured(&file);
    let missing = ask(&["exchanges"], instance.admin());
    assert!(missing.code == 1 && missing.messages.contains("wants its token"), "{missing:?}");
    let refused = ask(&["exchanges", "--token-file", wrong.to_str().unwrap()], instance.admin());
    assert!(refused.code == 1 && refused.messages.contains("does not take this token"), "{refused:?}");
    let nowhere = ask(&["exchanges", "--token-file", "/nowhere/token"], instance.admin());
    assert!(nowhere.code == 1 && nowhere.messages.contains("/nowhere/token"), "{nowhere:?}");
}

#[test]
fn health_is_told_as_json_too() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = Instance::before(origin.address());
    let ready = ask(&["healthcheck"], instance.admin());
    let json: Value = serde_json::from_str(&ready.data).unwrap();
    assert_eq!((ready.code, &json["ready"], &json["because"]), (0, &Value::Bool(true), &Value::Null));

    let draining = Origin::answering(|_| {
        let body = r#"{"status":503,"title":"Service Unavailable","detail":"soon"}"#;
        let length = body.len();
        format!(
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nContent-Length: {length}\r\n\r\n\
             {body}"
        )
    });
    let not_ready = ask(&["healthcheck"], draining.address());
    assert_eq!((not_ready.code, not_ready.data.as_str()), (1, "{\"because\":\"soon\",\"ready\":false}\n"));
}

#[test]
fn what_is_asked_for_wrongly_is_answered_with_what_was_meant() {
    for (arguments, near) in [
        (&["exchanges", "--cause", "etag-weakend"][..], "'etag-weakened'"),
        (&["tail", "--hazard", "missed304"], "'missed-304'"),
        (&["explain", "weakened"], "'etag-weakened'"),
        (&["run", "--role", "outr"], "'outer'"),
        (&["exchange"], "'exchanges'"),
        (&["exchanges", "--caus", "x"], "'--cause'"),
    ] {
        let ran = why412(arguments);
        assert_eq!((ran.code, ran.data.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.messages.contains(near), "{arguments:?}\n{}", ran.messages);
    }
}

#[test]
fn why412_alone_says_where_to_begin() {
    let ran = why412(&[]);
    // No command is wrong usage, and nothing that a script could take for data.
    assert_eq!((ran.code, ran.data.as_str()), (2, ""));
    let said = ran.messages;
    assert!(said.lines().count() <= 8, "{said}");
    assert!(said.contains("  why412 demo") && said.contains("  why412 run --upstream URL"), "{said}");
}

#[test]
fn tail_ends_well_when_it_is_interrupted() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = Instance::before(origin.address());
    for signal in ["INT", "TERM"] {
        let script = format!(
            "exec timeout --preserve-status -s {signal} 1 {} tail --admin http://{}",
            env!("CARGO_BIN_EXE_why412"),
            instance.admin()
        );
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{signal} {output:?}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    }
}
