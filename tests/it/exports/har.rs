//! HAR, held against its schema by the validator that others use.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use super::*;
use crate::harness::eventually;

/// Validates what stands on standard input: with the usual validator, and once more with formats (dates, URIs) checked in
/// full.
const VALIDATE: &str = "
    const har = JSON.parse(require('fs').readFileSync(0, 'utf8'));
    const Ajv = require('ajv');
    const strict = new Ajv({ allErrors: true, format: 'full' });
    strict.addMetaSchema(require('ajv/lib/refs/json-schema-draft-06.json'));
    strict.addSchema(require('har-schema'));
    const fail = (by, errors) => { console.log(by, JSON.stringify(errors, null, 2)); process.exit(1); };
    const check = strict.getSchema('har.json');
    if (!check(har)) fail('ajv', check.errors);
    require('har-validator/lib/promise').har(har).catch(error => fail('har-validator', error.errors || String(error)));
";

/// What the validator says; empty where all is well.
fn faults(har: &[u8]) -> String {
    let mut node = Command::new("node")
        .args(["-e", VALIDATE])
        // Where Debian's packages put libraries; a node from elsewhere does not look there.
        .env("NODE_PATH", "/usr/share/nodejs")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node is installed; `tests/setup.sh` installs what the tests need");
    node.stdin.take().unwrap().write_all(har).unwrap();
    let output = node.wait_with_output().unwrap();
    if output.status.success() {
        String::new()
    } else {
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

/// The HAR of the first record of an instance that fits.
#[track_caller]
fn har_of(instance: &Instance, fits: impl Fn(&Value) -> bool) -> Value {
    let record = instance.record("what is exported", fits);
    let answer = instance.control(&format!("GET /api/v1/exchanges/{}/har", record["id"].as_str().unwrap()));
    assert_eq!(
        answer.value("content-disposition").unwrap(),
        format!("attachment; filename=\"why412-{}.har\"", record["id"].as_str().unwrap())
    );
    let faults = faults(&answer.body);
    assert!(faults.is_empty(), "{faults}\n{:#}", answer.json());
    answer.json()
}

#[test]
fn the_validator_finds_what_is_wrong() {
    assert_ne!(faults(b"{\"log\":{}}"), "");
    let well = serde_json::json!({ "log": {
        "version": "1.2", "creator": { "name": "x", "version": "1" }, "pages": [], "entries": [],
    } });
    assert_eq!(faults(well.to_string().as_bytes()), "");
}

#[test]
fn whatever_was_sent_the_archive_fits_the_schema() {
    let origin = Origin::always(
        "HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nX-Latin: caf\u{e9}\r\nSet-Cookie: sid=1; Expires=Wed, 01 Jan 2031 \
         00:00:00 GMT; SameSite=Lax\r\nSet-Cookie: broken; Expires=never\r\nSet-Cookie: \r\nContent-Length: 4\r\n\r\nnope",
    );
    let instance = Instance::before(origin.address());
    let requests = [
        "PUT /a%2Fb?x=[1]&y={z}|\"\\^`&access_token=secret HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\n\
         Cookie: a=b; c; =d;;\r\nX-Tab: a\tb\r\nContent-Length: 2\r\n\r\nhi",
        "PUT /chunked HTTP/1.1\r\nHost: [::1]:80\r\nIf-Match: \"caf\u{e9}\"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\n\r\n",
        "DELETE http://other.test/absolute HTTP/1.1\r\nHost: other.test\r\nIf-Match: \"v1\"\r\n\r\n",
    ];
    for request in requests {
        assert_eq!(instance.ask(request).status(), 412);
    }
    let records =
        eventually("all records", || Some(instance.records()).filter(|records| records.len() == requests.len()));
    for record in records {
        let har = har_of(&instance, |other| other["id"] == record["id"]);
        let [entry] = har["log"]["entries"].as_array().unwrap().as_slice() else { panic!("{har:#}") };
        assert_eq!(entry["request"]["method"], record["request"]["method"]);
        assert_eq!(
            entry["request"]["headers"].as_array().unwrap().len(),
            record["request"]["headers"].as_array().unwrap().len()
        );
        let timings = &entry["timings"];
        let parts =
            ["blocked", "dns", "connect", "ssl", "send", "wait", "receive"].map(|part| timings[part].as_f64().unwrap());
        let sum: f64 = parts.into_iter().filter(|part| *part > 0.0).sum();
        assert!((sum - entry["time"].as_f64().unwrap()).abs() < 1e-6, "{entry:#}");
        assert_eq!(entry["response"]["cookies"][0]["expires"], "2031-01-01T00:00:00Z");
    }
}

#[test]
fn a_pair_exports_both_sides_from_either() {
    let origin = Origin::always(REFUSED);
    let inner = Instance::with(&["--role", "inner", "--upstream", &format!("http://{}", origin.address())], None);
    let outer = Instance::with(&["--role", "outer", "--upstream", &format!("http://{}", inner.address())], None);
    outer.ask("PUT /a HTTP/1.1\r\nHost: h\r\nIf-Match: \"v1\"\r\nUser-Agent: x\r\nContent-Length: 0\r\n\r\n");
    let is_412 = |record: &Value| record["response"]["status"] == 412;
    for (instance, own) in [(&outer, 0), (&inner, 1)] {
        let har = har_of(instance, is_412);
        let entries = har["log"]["entries"].as_array().unwrap();
        assert_eq!(entries.len(), 2, "{har:#}");
        let [whole, told] = [&entries[own], &entries[1 - own]];
        assert!(whole["request"]["headers"].as_array().unwrap().len() > 3, "{har:#}");
        assert_eq!(told["request"]["headers"], serde_json::json!([{ "name": "If-Match", "value": "\"v1\"" }]));
        assert_eq!([&entries[0], &entries[1]].map(|entry| entry["_why412"]["role"].clone()), ["outer", "inner"]);
        assert!(told["_why412"]["known"].as_array().is_some_and(|known| !known.is_empty()), "{har:#}");
    }
}
