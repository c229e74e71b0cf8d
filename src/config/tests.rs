//! Faults as tables: what is written, and exactly what is said of it.

use std::path::Path;
use std::time::Duration;

use super::*;

const UPSTREAM: &str = "[upstream.api]\nurl = [\"http://127.0.0.1:8080\"]\n";

fn load(text: &str) -> Result<Checked, fault::Faults> {
    check::check(Some(Path::new("why412.toml")), text, &Flags::default(), None)
}

#[track_caller]
fn faults(text: &str, expected: &[&str]) {
    let faults = load(text).expect_err("the configuration has faults").faults;
    let said: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(said, expected);
}

/// A fault below a valid upstream of two lines.
#[track_caller]
fn fault(text: &str, expected: &str) {
    faults(&format!("{UPSTREAM}{text}"), &[expected]);
}

#[track_caller]
fn fine(text: &str) -> Checked {
    match load(text) {
        Ok(checked) => checked,
        Err(faults) => panic!("{faults}"),
    }
}

#[test]
fn an_upstream_alone_is_enough() {
    let checked = fine("[upstream.default]\nurl = \"http://127.0.0.1:8080\"\n");
    let url = UpstreamUrl { https: false, host: "127.0.0.1".to_owned(), port: 8080 };
    let mut expected = Config::defaults_with_upstream(url);
    expected.files = vec!["why412.toml".into()];
    assert_eq!(checked.config, expected);
    assert_eq!(checked.warnings, []);
}

#[test]
fn nothing_at_all_lacks_an_upstream() {
    faults(
        "",
        &["why412.toml: upstream: there is no upstream; write [upstream.default] with url = \
           [\"http://127.0.0.1:8080\"], or pass --upstream URL"],
    );
}

#[test]
fn all_faults_come_at_once_in_the_order_of_lines() {
    faults(
        "[listen]\naddress = \"localhost:8412\"\nadress = 3\n[upstream.api]\nurl = \"http://a/b\"\n[timeouts]\nconnect = \
         \"5\"\ndrain = 3\n",
        &[
            "why412.toml:2: listen.address: \"localhost:8412\" is not an IP address with a port; write an address such \
             as \"127.0.0.1:8412\" instead",
            "why412.toml:3: listen.adress: unknown key; write \"address\" instead",
            "why412.toml:5: upstream.api.url: \"http://a/b\" has a path, and targets are passed on as they come; write \
             \"http://a\" instead",
            "why412.toml:7: timeouts.connect: \"5\" is not a duration; write a number with its unit (ms, s, m, h), such \
             as \"5s\", instead",
            "why412.toml:8: timeouts.drain: it is an integer; write a string in quotes instead",
        ],
    );
}

#[test]
fn syntax_has_a_line() {
    let faults = load("[upstream.api]\nurl = \n").expect_err("no value").faults;
    assert_eq!(faults.first().and_then(|fault| fault.line), Some(2));
    assert_eq!(faults.first().map(|fault| fault.key.as_str()), Some("syntax"));
}

#[test]
fn values_say_what_to_write() {
    fault(
        "[limits]\nheader_count = 513\n",
        "why412.toml:4: limits.header_count: 513 is out of range; write a number from 8 to 512 instead",
    );
    fault(
        "[limits]\nheader_bytes = \"2MiB\"\n",
        "why412.toml:4: limits.header_bytes: \"2MiB\" is out of range; write from 1KiB to 1MiB instead",
    );
    fault(
        "[pairing]\nrole = \"middle\"\n",
        "why412.toml:4: pairing.role: \"middle\" is not one of its values; write \"alone\" or \"outer\" or \"inner\" \
         instead",
    );
    fault(
        "http = \"3\"\n",
        "why412.toml:3: upstream.api.http: \"3\" is not one of its values; write \"1.1\" or \"2\" or \"auto\" instead",
    );
    fault(
        "[log]\naccess_sample = 2\n",
        "why412.toml:4: log.access_sample: 2 is no share; write a number from 0.0 to 1.0 instead",
    );
    fault(
        "[client]\nfield = \"X Y\"\n",
        "why412.toml:4: client.field: \"X Y\" is not the name of a field; write a name such as \"x-api-key\" instead",
    );
    fault(
        "[client]\ntrusted_proxies = [\"10.0.0.0/8\", \"here\"]\n",
        "why412.toml:4: client.trusted_proxies: \"here\" is not a network; write one such as \"10.0.0.0/8\" or \
         \"2001:db8::/32\", or an IP address, instead",
    );
    fault(
        "[listen]\nproxy_protocol = \"10.0.0.1/8\"\n",
        "why412.toml:4: listen.proxy_protocol: \"10.0.0.1/8\" names an address within a network; write \"10.0.0.0/8\" for \
         the network, or \"10.0.0.1\" for the address, instead",
    );
    fault(
        "[ledger]\nstore = \"redis://127.0.0.1/\"\n",
        "why412.toml:4: ledger.store: a ledger in Redis is not available in this version; write \"memory\" instead",
    );
    fault(
        "[bypass]\ndefault = \"2h\"\nlongest = \"1h\"\n",
        "why412.toml:4: bypass.default: the default \"2h\" is longer than the longest \"1h\"; write at most \"1h\", or a \
         greater longest, instead",
    );
    fault(
        "[admin]\naddress = \"0.0.0.0:4120\"\n",
        "why412.toml:4: admin.address: 0.0.0.0:4120 is not loopback, and there is no token; write token_file = \
         \"admin.token\" under [admin], or the address \"127.0.0.1:4120\", instead",
    );
}

#[test]
fn numbers_are_read_as_toml_writes_them() {
    let config = fine(&format!("{UPSTREAM}[capture]\nrecords = 12_000\nbytes = 0x20_0000\n")).config;
    assert_eq!((config.capture.records, config.capture.bytes), (12_000, 2 << 20));
}

#[test]
fn log_levels_are_levels_or_filters() {
    for level in ["info", "WARN", "info,why412::proxy=debug", "off"] {
        assert_eq!(fine(&format!("{UPSTREAM}[log]\nlevel = \"{level}\"\n")).config.log.level, level);
    }
    for level in ["", "verbose", "info,noise", "why412=loud"] {
        fault(
            &format!("[log]\nlevel = \"{level}\"\n"),
            &format!(
                "why412.toml:4: log.level: {level:?} is not a log level; write error, warn, info, debug or trace, or a \
                 filter such as \"info,why412::proxy=debug\", instead"
            ),
        );
    }
}

#[test]
fn empty_lists_are_nothing_written() {
    assert_eq!(fine(&format!("route = []\n{UPSTREAM}")).config.routes.len(), 1);
    faults(
        "[upstream.api]\nurl = []\n",
        &["why412.toml:2: upstream.api.url: it has no address; write url = [\"http://127.0.0.1:8080\"]"],
    );
}

#[test]
fn tables_must_be_tables() {
    faults(
        "upstream = 3\nroute = \"a\"\nlimits = true\n",
        &[
            "why412.toml:1: upstream: it is an integer; write a table instead",
            "why412.toml:2: route: it is a string; write a list of tables, begun with [[route]], instead",
            "why412.toml:3: limits: it is a boolean; write a table instead",
        ],
    );
}

proptest::proptest! {
    /// Whatever stands in the file, it is checked and not choked on; what has no faults can be shown.
    #[test]
    fn any_text_is_checked(text in "(\\[\\[?(listen|upstream\\.a|route|limits|timeouts)\\]?\\]\n|(url|path|address|connect|name|host) = (\"[a-z0-9:/{}*.]{0,12}\"|[0-9]{1,22}|\\[\\]|\\{\\})\n|.){0,12}") {
        if let Ok(checked) = load(&text) {
            assert!(!checked.config.routes.is_empty() && !checked.config.upstreams.is_empty());
            let _ = checked.config.shown();
        }
    }
}

#[test]
fn two_listeners_want_two_addresses() {
    fault(
        "[listen]\naddress = \"127.0.0.1:4120\"\n[admin]\naddress = \"127.0.0.1:4120\"\n",
        "why412.toml:6: admin.address: it is the same address as listen.address; write another port instead",
    );
}

#[test]
fn routes_are_told_apart() {
    fault(
        "[[route]]\nname = \"a\"\npath = \"/orders/{id}\"\n[[route]]\nname = \"b\"\npath = \"/orders/{number}\"\n",
        "why412.toml:8: route[1].path: \"/orders/{number}\" matches the same requests as the route in line 3; remove one \
         of them, or write another path or host instead",
    );
    fault(
        "[[route]]\nname = \"a\"\npath = \"/a\"\n[[route]]\nname = \"a\"\npath = \"/b\"\n",
        "why412.toml:7: route[1].name: the name \"a\" is taken in line 3; write another name instead",
    );
    fault(
        "[[route]]\nname = \"unmatched\"\n",
        "why412.toml:4: route[0].name: the name \"unmatched\" is reserved: it is the series of requests that no route \
         fits; write another name, such as \"orders\", instead",
    );
    fault(
        "[[route]]\nname = \"a\"\npath = \"/{*rest}/b\"\n",
        "why412.toml:5: route[0].path: \"/{*rest}/b\" goes on behind \"{*rest}\"; write \"/{*rest}\" instead",
    );
    fault(
        "[[route]]\nname = \"a\"\nupstream = \"b\"\n",
        "why412.toml:5: route[0].upstream: there is no upstream \"b\"; write \"api\", or configure [upstream.b], instead",
    );
    let hosts = "[[route]]\nname = \"a\"\nhost = \"A.example\"\n[[route]]\nname = \"b\"\nhost = \"b.example\"\n";
    let checked = fine(&format!("{UPSTREAM}{hosts}"));
    assert_eq!(checked.config.routes.first().and_then(|route| route.host.as_deref()), Some("a.example"));
}

#[test]
fn more_routes_than_the_limit_are_refused() {
    let routes: String = (0..201).map(|n| format!("[[route]]\nname = \"r{n}\"\npath = \"/{n}\"\n")).collect();
    fault(
        &routes,
        "why412.toml:3: route: there are 201 routes, and each has its own metric series; write at most 200, or raise \
         routes under [limits]",
    );
    fine(&format!("{UPSTREAM}[limits]\nroutes = 201\n{routes}"));
}

#[test]
fn our_own_listeners_are_no_upstream() {
    let to = |url: &str, listen: &str| format!("[listen]\naddress = \"{listen}\"\n[upstream.api]\nurl = \"{url}\"\n");
    let own = "is our own listen.address; write the address of the server behind it instead";
    for (url, listen) in [
        ("http://127.0.0.1:8412", "127.0.0.1:8412"),
        ("http://localhost:8412", "127.0.0.1:8412"),
        ("http://127.0.0.1:8412", "0.0.0.0:8412"),
        ("http://[::1]:8412", "[::]:8412"),
    ] {
        faults(&to(url, listen), &[&format!("why412.toml:4: upstream.api.url: \"{url}\" {own}")]);
    }
    fine(&to("http://127.0.0.2:8412", "127.0.0.1:8412"));
    fine(&to("http://192.0.2.1:8412", "0.0.0.0:8412"));
}

#[test]
fn an_origin_that_sees_everybody_as_local_is_a_warning() {
    let listen = "[listen]\naddress = \"0.0.0.0:8412\"\n";
    let warnings = fine(&format!("{UPSTREAM}{listen}")).warnings;
    assert_eq!(
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "why412.toml:2: upstream.api.url: clients reach 0.0.0.0:8412 from elsewhere and the upstream is loopback: it now \
          sees everybody as local; write forwarding = [\"x-forwarded\"] on its routes if the upstream goes by addresses"
        ]
    );
    let forwarding = "[[route]]\nforwarding = [\"x-forwarded\"]\n";
    assert_eq!(fine(&format!("{UPSTREAM}{listen}{forwarding}")).warnings, []);
}

#[test]
fn a_pair_without_a_secret_is_a_warning() {
    let warnings = fine(&format!("{UPSTREAM}[pairing]\nrole = \"inner\"\n")).warnings;
    let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(
        warning.starts_with("why412.toml:4: pairing.role: there is no secret: the pair works unsigned"),
        "{warning}"
    );
    assert_eq!(fine(&format!("{UPSTREAM}[pairing]\nrole = \"alone\"\n")).warnings, []);
}

#[test]
fn flags_go_before_the_file() {
    let flags = Flags {
        listen: Some(([127, 0, 0, 1], 1).into()),
        upstream: Some(values::upstream_url("http://127.0.0.1:9").expect("a URL")),
        direct: Some(values::upstream_url("http://127.0.0.1:10").expect("a URL")),
        admin: Some(([127, 0, 0, 1], 2).into()),
        role: Some(Role::Inner),
        secret_file: None,
    };
    let text = format!("{UPSTREAM}[[route]]\nname = \"r\"\nupstream = \"api\"\n[pairing]\nrole = \"outer\"\n");
    let config = check::check(Some(Path::new("why412.toml")), &text, &flags, None).expect("valid").config;
    assert_eq!(config.listen.address.port(), 1);
    assert_eq!(config.admin.address.port(), 2);
    assert_eq!(config.pairing.role, Role::Inner);
    let upstream = config.upstreams.first().expect("one");
    assert_eq!(upstream.urls.iter().map(ToString::to_string).collect::<Vec<_>>(), ["http://127.0.0.1:9"]);
    assert_eq!(upstream.direct.iter().map(ToString::to_string).collect::<Vec<_>>(), ["http://127.0.0.1:10"]);
    assert_eq!(upstream.on_failure, OnUpstreamFailure::Mirror);
}

#[test]
fn a_flag_for_one_of_two_upstreams_is_a_fault() {
    let flags =
        Flags { upstream: Some(values::upstream_url("http://127.0.0.1:9").expect("a URL")), ..Flags::default() };
    let text = format!("{UPSTREAM}[upstream.other]\nurl = \"http://127.0.0.1:2\"\n[[route]]\nupstream = \"api\"\n");
    let faults = check::check(None, &text, &flags, None).expect_err("ambiguous");
    assert_eq!(
        faults.to_string(),
        "--upstream: the file configures 2 upstreams, and it is not clear which one is meant; leave it out, or configure \
         one upstream"
    );
}

#[test]
fn secrets_are_read_measured_and_hidden() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("why412.toml");
    let text = format!("{UPSTREAM}[pairing]\nsecret_file = \"pair.secret\"\n");
    std::fs::write(directory.path().join("pair.secret"), format!("{}\nshort\n", "x".repeat(32))).expect("written");
    let faults = check::check(Some(&file), &text, &Flags::default(), None).expect_err("a short one");
    let path = directory.path().join("pair.secret");
    let (file_shown, path_shown) = (file.display(), path.display());
    assert_eq!(
        faults.to_string(),
        format!(
            "{file_shown}:4: pairing.secret_file: secret 2 in {path_shown} has 5 bytes, fewer than 32; write one secret \
             per line, such as the output of `openssl rand -hex 32`, into it"
        )
    );
    std::fs::write(&path, format!("{}\n", "x".repeat(32))).expect("written");
    let checked = check::check(Some(&file), &text, &Flags::default(), None).expect("valid");
    assert_eq!(checked.config.pairing.secrets.len(), 1);
    assert!(!format!("{:?}", checked.config).contains("xxx"));
    assert_eq!(checked.config.files, [file, path]);
}

#[test]
fn durations_and_sizes_are_read_and_shown() {
    for (text, expected) in [("15m", 900_000), ("3s", 3_000), ("500ms", 500), ("1h 30m", 5_400_000), ("0s", 0)] {
        let duration = values::duration(text).expect("a duration");
        assert_eq!(duration, Duration::from_millis(expected));
        assert_eq!(values::show_duration(duration), text);
    }
    for text in ["", "15", "-3s", "m", "1d 1", "3 fortnights"] {
        assert!(values::duration(text).is_err(), "{text:?}");
    }
    for (text, expected) in [("64KiB", 65_536), ("1GiB", 1 << 30), ("3B", 3), ("1025B", 1025)] {
        assert_eq!(values::bytes(text), Ok(expected));
        assert_eq!(values::show_bytes(expected), text);
    }
    for text in ["", "KiB", "64", "64kb", "-1B", "99999999999GiB"] {
        assert!(values::bytes(text).is_err(), "{text:?}");
    }
}

#[test]
fn urls_are_scheme_host_and_port() {
    for (text, expected) in [
        ("http://a", "http://a:80"),
        ("HTTPS://A.example:8443/", "https://a.example:8443"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://10.0.0.1", "https://10.0.0.1:443"),
    ] {
        assert_eq!(values::upstream_url(text).map(|url| url.to_string()), Ok(expected.to_owned()));
    }
    for (text, says) in [
        (
            "127.0.0.1:8080",
            "\"127.0.0.1:8080\" is not a URL; write one with its scheme, such as \"http://127.0.0.1:8080\", instead",
        ),
        ("ftp://a", "\"ftp://a\" has the scheme \"ftp\"; write http or https, such as \"http://a\", instead"),
        (
            "http://a?b",
            "\"http://a?b\" has something behind the authority, and targets are passed on as they come; write \"http://a\" instead",
        ),
        ("http://u:p@a", "the URL has user information, which is not sent to upstreams; write \"http://a\" instead"),
        (
            "http://a:0",
            "\"http://a:0\" has no valid host and port; write a URL such as \"http://127.0.0.1:8080\" instead",
        ),
        ("http://", "\"http://\" has no valid host and port; write a URL such as \"http://127.0.0.1:8080\" instead"),
        (
            "http://300.1.1.1",
            "\"http://300.1.1.1\" has no valid host and port; write a URL such as \"http://127.0.0.1:8080\" instead",
        ),
    ] {
        assert_eq!(values::upstream_url(text).expect_err("no URL").to_string(), says);
    }
}

#[test]
fn what_cannot_change_while_running_is_a_fault() {
    let running = fine(UPSTREAM).config;
    let text = format!("{UPSTREAM}[listen]\naddress = \"127.0.0.1:1\"\n[limits]\nheader_count = 100\nthreads = 3\n");
    let faults = check::check(Some(Path::new("why412.toml")), &text, &Flags::default(), Some(&running));
    assert_eq!(
        faults.expect_err("two need a restart").to_string(),
        "why412.toml:4: listen.address: a change of it needs a restart; restart, or put back what it was\nwhy412.toml:7: \
         limits.threads: a change of it needs a restart; restart, or put back what it was"
    );
    let text = format!("{UPSTREAM}[limits]\nheader_count = 100\n");
    assert!(check::check(None, &text, &Flags::default(), Some(&running)).is_ok());
}

#[test]
fn shown_values_hide_secrets() {
    let mut config = fine(UPSTREAM).config;
    config.admin.token = Some(Secret::new(b"token-of-the-test".to_vec()));
    config.pairing.secrets = vec![Secret::new(b"secret-of-the-test".to_vec())];
    let shown = config.shown();
    assert_eq!(shown.pointer("/admin/token_file").and_then(|value| value.as_str()), Some("(hidden)"));
    assert!(!shown.to_string().contains("of-the-test"));
    assert_eq!(shown.pointer("/timeouts/connect").and_then(|value| value.as_str()), Some("5s"));
}
