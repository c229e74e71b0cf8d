//! The bundle to escalate with: whole, readable by common tools, and without any secret.

use super::*;

const ADMIN_TOKEN: &str = "planted-admin-token-0123456789abcdef";
const BYPASS_TOKEN: &str = "planted-bypass-token-0123456789abcdef";
const PAIR_SECRET: &str = "planted-pair-secret-0123456789abcdef-long";

/// An instance whose configuration has a secret wherever one can be, with a 412 that carried some more.
struct Planted {
    instance: Instance,
    directory: TempDir,
    id: String,
}

/// What a client and an origin send that nobody else may read.
const REQUEST: &str = "PUT /orders/7?access_token=planted-query&own=planted-parameter&plain=shown&sig=planted-signature \
    HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\nAuthorization: Bearer planted-bearer\r\n\
    Proxy-Authorization: Basic cGxhbnRlZDpwbGFudGVk\r\nCookie: sid=planted-cookie; theme=planted-theme\r\n\
    X-Api-Key: planted-key\r\nX-Own: planted-field\r\nX-Plain: shown\r\n\
    Referer: http://planted-user:planted-password@shop.test/?token=planted-referer\r\n\
    Why412-Bypass: planted-bypass-token-0123456789abcdef\r\nContent-Length: 0\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nSet-Cookie: sid=planted-set-cookie; Path=/\r\n\
    Location: http://shop.test/?password=planted-location\r\nContent-Length: 0\r\n\r\n";

impl Planted {
    fn new() -> (Self, Origin) {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = directory.path().join(name);
            fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        let origin = Origin::always(ANSWER);
        let configuration = format!(
            "[admin]\ntoken_file = \"{}\"\n[bypass]\ntoken_file = \"{}\"\n[pairing]\nrole = \"outer\"\nsecret_file = \"{}\"\n\
             [capture]\nredacted_fields = [\"X-Own\"]\nredacted_parameters = [\"own\"]\n\
             [upstream.api]\nurl = [\"http://{}\"]\n",
            file("admin.token", ADMIN_TOKEN),
            file("bypass.token", BYPASS_TOKEN),
            file("pair.secret", PAIR_SECRET),
            origin.address()
        );
        let instance = Instance::configured(&configuration);
        // The same resource twice, so that there is something that is related.
        for _ in 0..2 {
            assert_eq!(instance.ask(REQUEST).status(), 412);
        }
        let planted = Self { instance, directory, id: String::new() };
        let listed = crate::harness::eventually("two records", || {
            let page: serde_json::Value = serde_json::from_str(&planted.text("/api/v1/exchanges")).unwrap();
            page["exchanges"].as_array().filter(|records| records.len() == 2).cloned()
        });
        (Self { id: listed[0]["id"].as_str().unwrap().to_owned(), ..planted }, origin)
    }

    /// Saves what the API answers to who has the token.
    fn save(&self, path: &str, file: &str) {
        let url = format!("http://{}{path}", self.instance.admin());
        let token = format!("Authorization: Bearer {ADMIN_TOKEN}");
        run(self.directory.path(), "curl", &["--fail", "--silent", "--show-error", "-H", &token, "-o", file, &url]);
    }

    fn text(&self, path: &str) -> String {
        self.save(path, "answer");
        fs::read_to_string(self.directory.path().join("answer")).unwrap()
    }
}

/// Every file below, with its path within.
fn files(below: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    files
}

#[track_caller]
fn assert_no_secret(files: &[(String, Vec<u8>)]) {
    assert!(!files.is_empty());
    for (name, content) in files {
        let text = String::from_utf8_lossy(content);
        for secret in ["planted", "cGxhbnRlZDpwbGFudGVk"] {
            assert!(!text.contains(secret), "{name} tells {secret}:\n{text}");
        }
    }
}

#[test]
fn both_archives_hold_everything_and_no_secret() {
    let (planted, _origin) = Planted::new();
    let path = format!("/api/v1/exchanges/{}/bundle", planted.id);
    planted.save(&path, "bundle.zip");
    planted.save(&format!("{path}?as=tar.gz"), "bundle.tar.gz");
    let unpack: [(&str, &str, &[&str]); 2] =
        [("from-zip", "unzip", &["-q", "../bundle.zip"]), ("from-tar", "tar", &["-xzf", "../bundle.tar.gz"])];
    for (name, program, arguments) in unpack {
        let place = planted.directory.path().join(name);
        fs::create_dir(&place).unwrap();
        run(&place, program, arguments);
        let inside = place.join(format!("why412-{}", planted.id));
        run(&inside, "sha256sum", &["--check", "--strict", "--quiet", "SHA256SUMS"]);
        let mut names: Vec<_> =
            fs::read_dir(&inside).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        let expected = [
            "README.txt",
            "SHA256SUMS",
            "build.json",
            "configuration.json",
            "exchange.har",
            "exchange.json",
            "related.json",
            "request.sh",
            "resource.json",
            "route.json",
            "sides.txt",
            "status.json",
            "timeline.json",
            "timeline.txt",
            "verdict.txt",
        ];
        assert_eq!(names, expected);
        let readme = fs::read_to_string(inside.join("README.txt")).unwrap();
        for name in expected.into_iter().filter(|name| *name != "README.txt") {
            assert!(readme.contains(name), "README.txt does not tell what {name} is");
        }
        assert_no_secret(&files(&place));
    }
}

#[test]
fn each_file_says_what_it_is_for() {
    let (planted, _origin) = Planted::new();
    planted.save(&format!("/api/v1/exchanges/{}/bundle", planted.id), "bundle.zip");
    run(planted.directory.path(), "unzip", &["-q", "-j", "bundle.zip", "-d", "flat"]);
    let read = |name: &str| fs::read_to_string(planted.directory.path().join("flat").join(name)).unwrap();
    let json = |name: &str| serde_json::from_str::<serde_json::Value>(&read(name)).unwrap();
    assert!(read("verdict.txt").contains("Why it was refused: "), "{}", read("verdict.txt"));
    assert!(read("verdict.txt").contains("What to do"));
    assert!(
        read("sides.txt").contains("if-match\n    arrived at this instance        \"v1\""),
        "{}",
        read("sides.txt")
    );
    let marked: Vec<_> =
        read("timeline.txt").lines().filter(|line| line.starts_with("> ")).map(str::to_owned).collect();
    assert_eq!(marked.len(), 1, "{}", read("timeline.txt"));
    assert!(marked[0].contains("PUT If-Match: \"v1\" -> 412"), "{marked:?}");
    assert_eq!(json("exchange.json")["id"], planted.id);
    assert_eq!(json("related.json").as_array().unwrap().len(), 2);
    assert_eq!(json("route.json")["precondition_failed"], 2);
    assert_eq!(json("configuration.json")["admin"]["token_file"], "(hidden)");
    assert_eq!(json("configuration.json")["capture"]["redacted_fields"][0], "x-own");
    assert_eq!(json("status.json")["role"], "outer");
    assert_eq!(json("build.json")["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json("exchange.har")["log"]["entries"][0]["_why412"]["id"], planted.id);
    assert!(read("request.sh").contains("curl"));
}

#[test]
fn no_other_export_tells_a_secret_either() {
    let (planted, _origin) = Planted::new();
    for path in ["", "/har", "/curl"] {
        let text = planted.text(&format!("/api/v1/exchanges/{}{path}", planted.id));
        assert_no_secret(&[(path.to_owned(), text.into_bytes())]);
    }
    let text = planted.text("/api/v1/config");
    assert_no_secret(&[("configuration".to_owned(), text.into_bytes())]);
}

#[test]
fn a_bundle_that_cannot_be_is_a_problem() {
    let origin = Origin::always(REFUSED);
    let instance = Instance::before(origin.address());
    instance.ask("PUT /a HTTP/1.1\r\nHost: h\r\nIf-Match: \"v1\"\r\nContent-Length: 0\r\n\r\n");
    let id = instance.record_of_412("PUT")["id"].as_str().unwrap().to_owned();
    let wrong = instance.control(&format!("GET /api/v1/exchanges/{id}/bundle?as=rar"));
    assert_eq!((wrong.status(), wrong.json()["detail"].as_str().unwrap().contains("tar.gz")), (400, true));
    assert_eq!(instance.control("GET /api/v1/exchanges/01ARZ3NDEKTSV4RRFFQ69G5FAV/bundle").status(), 404);
    let well = instance.control(&format!("GET /api/v1/exchanges/{id}/bundle?as=tar.gz"));
    assert_eq!(well.value("content-type"), Some("application/gzip"));
    let file = format!("attachment; filename=\"why412-{id}.tar.gz\"");
    assert_eq!(well.value("content-disposition"), Some(file.as_str()));
}
