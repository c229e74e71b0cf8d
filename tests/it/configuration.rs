//! The configuration, from outside: what is refused, with which code, and what goes before what.

use std::fs;
use std::net::TcpListener;

use crate::harness::command::{Ran, why412};
use crate::harness::eventually;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;

const UPSTREAM: &str = "[upstream.api]\nurl = [\"http://127.0.0.1:9\"]\n";

fn in_file(text: &str, run: impl Fn(&str) -> Ran) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("why412.toml");
    fs::write(&file, text).unwrap();
    run(file.to_str().unwrap())
}

#[test]
fn faults_keep_it_from_starting() {
    let ran = in_file("[listen]\nadress = \"127.0.0.1:0\"\n[upstream.api]\nurl = \"http://a/b\"\n", |file| {
        why412(&["run", "--config", file])
    });
    assert_eq!(ran.code, 78);
    assert_eq!(ran.data, "");
    assert!(ran.messages.contains("why412.toml:2: listen.adress: unknown key; write \"address\" instead"), "{ran:?}");
    assert!(ran.messages.contains("why412.toml:4: upstream.api.url: "), "both at once: {ran:?}");
}

#[test]
fn the_control_plane_is_not_opened_to_everybody_without_a_token() {
    let ran = why412(&["run", "--upstream", "http://127.0.0.1:9", "--admin", "0.0.0.0:0"]);
    assert_eq!(ran.code, 78);
    assert!(ran.messages.contains("token_file"), "{ran:?}");
}

#[test]
fn a_file_that_is_not_there_is_a_fault() {
    let ran = why412(&["run", "--config", "/nonexistent/why412.toml"]);
    assert_eq!(ran.code, 78);
    assert!(ran.messages.contains("/nonexistent/why412.toml: --config: it cannot be read"), "{ran:?}");
}

#[test]
fn an_address_that_is_taken_is_no_fault_of_the_configuration() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = why412(&["run", "--upstream", "http://127.0.0.1:9", "--admin", "127.0.0.1:0", "--listen", &address]);
    assert_eq!(ran.code, 1);
    assert!(ran.messages.contains(&format!("listen.address {address}: ")), "{ran:?}");
}

#[test]
fn wrong_usage_has_its_own_code() {
    for arguments in [&["run", "--upstream", "example.com"][..], &["run", "--role", "middle"], &["dance"], &[]] {
        let ran = why412(arguments);
        assert_eq!((ran.code, ran.data.as_str()), (2, ""), "{arguments:?}");
    }
}

#[test]
fn check_names_every_fault_as_data() {
    let good = in_file(UPSTREAM, |file| why412(&["check", "--config", file]));
    assert_eq!((good.code, good.data.as_str()), (0, "The configuration can be used.\n"));

    let text = format!("{UPSTREAM}[timeouts]\nconnect = \"5\"\n[client]\nfield = \"a b\"\n");
    let bad = in_file(&text, |file| why412(&["check", "--config", file, "--json"]));
    assert_eq!(bad.code, 1);
    let said: serde_json::Value = serde_json::from_str(&bad.data).unwrap();
    let found: Vec<_> = said["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["line"].as_u64().unwrap(), fault["key"].as_str().unwrap()))
        .collect();
    assert_eq!(found, [(4, "timeouts.connect"), (6, "client.field")]);
    assert!(said["faults"].as_array().unwrap().iter().all(|fault| fault["remedy"].as_str().unwrap().contains("write")));
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let origins = ["file", "environment", "flag"].map(|name| {
        Origin::answering(move |_| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len()))
    });
    let url = |index: usize| format!("http://{}", origins[index].address());
    let file = format!("[upstream.api]\nurl = [\"{}\"]\n", url(0));
    let answered = |flags: &[&str], variables: &[(&str, &str)]| {
        let instance = Instance::in_environment(flags, Some(&file), variables);
        instance.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n").text()
    };
    assert_eq!(answered(&[], &[]), "file");
    assert_eq!(answered(&[], &[("WHY412_UPSTREAM", &url(1))]), "environment");
    assert_eq!(answered(&["--upstream", &url(2)], &[("WHY412_UPSTREAM", &url(1))]), "flag");
}

#[test]
fn variables_of_kubernetes_are_survived_with_a_warning() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let upstream = format!("http://{}", origin.address());
    let variables = [("WHY412_PORT", "tcp://10.0.0.1:80"), ("WHY412_SERVICE_HOST", "10.0.0.1")];
    let instance = Instance::in_environment(&["--upstream", &upstream], None, &variables);
    assert_eq!(instance.ask("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n").status(), 204);
    eventually("the warnings", || {
        let said = instance.said();
        (said.contains("WHY412_PORT") && said.contains("WHY412_SERVICE_HOST")).then_some(())
    });
}

#[test]
fn what_needs_a_restart_is_refused_and_everything_with_it() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let file = format!("[upstream.api]\nurl = [\"http://{}\"]\n", origin.address());
    let instance = Instance::configured(&file);
    let changed = format!("{file}[capture]\nfile = \"other.db\"\n[limits]\ntarget_bytes = \"256B\"\n");
    fs::write(instance.file(), changed).unwrap();
    let answer = instance.control("POST /-/reload");
    assert_eq!(answer.status(), 400);
    assert!(answer.text().contains("capture.file: a change of it needs a restart"), "{}", answer.text());
    let long = "x".repeat(300);
    assert_eq!(instance.ask(format!("GET /{long} HTTP/1.1\r\nHost: shop.test\r\n\r\n")).status(), 204);
}

#[test]
fn a_changed_secret_is_a_changed_configuration() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("bypass.token");
    fs::write(&token, "first-token\n").unwrap();
    let file = format!(
        "[upstream.api]\nurl = [\"http://{}\"]\n[bypass]\ntoken_file = \"{}\"\n",
        origin.address(),
        token.display()
    );
    let instance = Instance::configured(&file);
    let bypassed = |token: &str| {
        instance.ask(format!("GET /{token} HTTP/1.1\r\nHost: shop.test\r\nWhy412-Bypass: {token}\r\n\r\n"));
        let seen = origin.requests();
        let last = seen.iter().rev().find(|request| request.head.target() == format!("/{token}")).unwrap();
        last.head.value("Cache-Control") == Some("no-cache")
    };
    assert!(bypassed("first-token") && !bypassed("second-token"));
    fs::write(&token, "second-token\n").unwrap();
    eventually("the second token", || bypassed("second-token").then_some(()));
    assert!(!bypassed("first-token"));
    assert!(!instance.said().contains("second-token"));
}

#[test]
fn the_shown_configuration_hides_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("bypass.token");
    fs::write(&token, "a-token-to-hide\n").unwrap();
    let file = format!("{UPSTREAM}[bypass]\ntoken_file = \"{}\"\n", token.display());
    let shown = Instance::configured(&file).control("GET /api/v1/config").text();
    assert!(shown.contains("(hidden)") && !shown.contains("a-token-to-hide"), "{shown}");
}

#[test]
fn check_tries_what_the_data_path_would_use() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let made = [(); 2].map(|()| rcgen::generate_simple_self_signed(["shop.test".to_owned()]).unwrap());
    let certificate = write("tls.pem", made[0].cert.pem());
    let (own, other) = (made[0].signing_key.serialize_pem(), made[1].signing_key.serialize_pem());
    for (key, code) in [(own, 0), (other, 1)] {
        let key = write("tls.key", key);
        let text = format!("{UPSTREAM}[listen]\ntls = {{ certificate = \"{certificate}\", key = \"{key}\" }}\n");
        let ran = in_file(&text, |file| why412(&["check", "--config", file]));
        assert_eq!(ran.code, code, "{ran:?}");
    }
}

#[test]
fn the_access_log_shows_plain_exchanges_where_it_is_asked_to() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let file = format!("[upstream.api]\nurl = [\"http://{}\"]\n[log]\naccess_sample = 1.0\n", origin.address());
    let instance = Instance::configured(&file);
    assert_eq!(instance.ask("GET /a?token=hide-me HTTP/1.1\r\nHost: shop.test\r\n\r\n").status(), 204);
    let said = eventually("the line", || Some(instance.said()).filter(|said| said.contains("\"exchange\"")));
    assert!(said.contains("http://shop.test/a?token=") && !said.contains("hide-me"), "{said}");
}
