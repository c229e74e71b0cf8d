//! TLS, HTTP/2, bodies, bundles.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{diagnose, run, url};
use crate::harness::command::command;
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::versioned;
use crate::tls::Authority;

#[test]
fn https_is_spoken_with_http2_where_it_is_offered() {
    let authority = Authority::new();
    let origin = versioned::origin();
    let instance = Instance::configured(&format!(
        "[listen]\ntls = {{ certificate = \"{}\", key = \"{}\" }}\n[upstream.api]\nurl = \"http://{}\"\n\
         [[route]]\nname = \"all\"\npath = \"/{{*rest}}\"\nupstream = \"api\"\n",
        authority.file("tls.pem"),
        authority.file("tls.key"),
        origin.address()
    ));
    let at = format!("https://{}/orders/7", instance.address());
    let ca = authority.file("ca.pem");
    for (more, version) in [(&[][..], "HTTP/2"), (&["--http1.1"], "HTTP/1.1")] {
        let (said, code) = diagnose(&[&[at.as_str(), "--cacert", &ca][..], more].concat());
        assert_eq!(code, 0, "{said:#}");
        assert_eq!(said["steps"][0]["response"]["version"], version, "{said:#}");
    }
    // An authority that is not trusted is named, and nothing is sent.
    let other = Authority::new();
    let ran = run(&[&at, "--cacert", &other.file("ca.pem")]);
    assert_eq!(ran.code, 1);
    assert!(ran.data.contains("certificate that is not trusted"), "{}", ran.data);
}

#[test]
fn the_request_goes_out_byte_for_byte() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 0\r\n\r\n");
    let at = url(origin.address(), "/a%2Fb?x=[1]");
    let mut child =
        command(&["diagnose", "-X", "PUT", "--send", "-H", "iF-mAtch: W/\"ü\"", "-H", "X-Empty;", "-d", "@-", &at])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
    child.stdin.take().unwrap().write_all(b"line\r\nline\0").unwrap();
    child.wait().unwrap();
    let sent = &origin.requests()[0];
    assert_eq!(sent.head.start, "PUT /a%2Fb?x=[1] HTTP/1.1");
    assert_eq!(sent.body, b"line\r\nline\0");
    for line in ["iF-mAtch: W/\"\u{c3}\u{bc}\"", "X-Empty: ", "Accept: */*", "Content-Length: 11"] {
        assert!(sent.head.lines.iter().any(|sent| sent.trim_end() == line.trim_end()), "{line:?} in {sent:#?}");
    }
    // Reads carry no condition, and nothing that speaks of the body.
    let read = origin.requests().into_iter().find(|request| request.head.method() == "GET").unwrap();
    assert_eq!((read.value("If-Match"), read.value("Content-Type"), read.value("X-Empty")), (None, None, Some("")));
}

#[test]
fn a_bundle_holds_everything_and_no_secret() {
    let origin = versioned::origin();
    let at = url(origin.address(), "/orders/7?token=s3cret");
    let directory = tempfile::tempdir().unwrap();
    for name in ["case.zip", "case.tar.gz", "case.tgz"] {
        let file = directory.path().join(name);
        let path = file.display().to_string();
        let put = ["-X", "PUT", "-H", "If-Match: W/\"v1\"", "-H", "Authorization: Bearer s3cret", "-d", "s3cret"];
        let ran = run(&[&put[..], &[&at, "--bundle", &path]].concat());
        assert_eq!(ran.code, 1);
        assert!(ran.messages.contains(name), "{}", ran.messages);
        let unpacked = directory.path().join(name.replace('.', "-"));
        fs::create_dir(&unpacked).unwrap();
        let (program, arguments) = if name == "case.zip" { ("unzip", vec!["-q"]) } else { ("tar", vec!["-xzf"]) };
        let status = Command::new(program).args(arguments).arg(&file).current_dir(&unpacked).status().unwrap();
        assert!(status.success());
        let within = unpacked.join("why412-diagnose");
        let status = Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&within).status();
        assert!(status.unwrap().success(), "the checksums hold");
        let read = |name: &str| fs::read_to_string(within.join(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        for part in ["verdict.txt", "diagnose.json", "exchanges.har", "timeline.txt", "request.curl.sh", "about.txt"] {
            assert!(!read(part).contains("s3cret"), "{part}:\n{}", read(part));
        }
        assert!(read("verdict.txt").contains("etag-weakened"));
        let har: serde_json::Value = serde_json::from_str(&read("exchanges.har")).unwrap();
        let entries = har["log"]["entries"].as_array().unwrap();
        assert_eq!(entries.len(), read("timeline.txt").lines().count());
        assert!(entries.iter().all(|entry| entry["response"]["status"].as_u64() > Some(0)), "{har:#}");
        assert!(read("request.curl.sh").contains("${SECRET_AUTHORIZATION:?}"));
    }
}
