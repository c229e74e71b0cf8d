//! The page's files: all are served, none holds what the policy would refuse or what would parse text of others.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;

/// What makes markup or programs out of text.
const PARSERS: &[&str] = &[
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "createContextualFragment",
    "DOMParser",
    "srcdoc",
    "setHTML",
    "eval(",
    "new Function",
    "javascript:",
    "setAttribute(\"style\"",
    "setAttribute(\"on",
];

#[test]
fn every_file_is_served_with_its_type_and_can_be_confirmed() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let instance = Instance::before(origin.address());
    for (name, text) in files().into_iter().filter(|(name, _)| name != "index.html" && !name.ends_with(".rs")) {
        let path = format!("/assets/{name}");
        let answer = instance.control(&format!("GET {path}"));
        assert_eq!(answer.status(), 200, "{name} is not in the table of page/mod.rs");
        assert_eq!(String::from_utf8(answer.body.clone()).unwrap(), text, "{name}");
        let wanted = match name.rsplit('.').next().unwrap() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{name}: a browser is not told what .{other} is"),
        };
        assert_eq!(answer.value("content-type"), Some(wanted), "{name}");
        assert_eq!(answer.value("x-content-type-options"), Some("nosniff"), "{name}");
        assert_eq!(answer.value("cache-control"), Some("no-cache"), "{name}");
        let tag = answer.value("etag").unwrap();
        let host = instance.admin();
        let conditional = |tags: &str| {
            let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nIf-None-Match: {tags}\r\n\r\n");
            Wire::to(host).ask(request).status()
        };
        assert_eq!(conditional(&format!("\"other\", W/{tag}")), 304, "{name}");
        assert_eq!(conditional("\"other\""), 200, "{name}");
    }
    assert_eq!(instance.control("GET /assets/js/nothing.js").status(), 404);
    assert_eq!(instance.control("GET /assets/../index.html").status(), 404);
}

#[test]
fn nothing_is_inline_and_nothing_parses_text() {
    for (name, text) in files() {
        if name.ends_with(".html") {
            for tag in text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
                assert!(!tag.contains("style=") && !tag.starts_with("style"), "{name}: <{tag}>");
                assert!(!tag.contains(" on"), "{name}: <{tag}>");
                assert!(!tag.starts_with("script") || tag.contains("src=\"/assets/"), "{name}: <{tag}>");
            }
        }
        if name.ends_with(".js") {
            for word in PARSERS {
                // What is said of links in dom.js is why it refuses them.
                assert!(!text.contains(word), "{name}: {word}");
            }
        }
        if name.ends_with(".css") || name.ends_with(".html") {
            assert!(!text.contains("http://") && !text.contains("https://"), "{name}: nothing from elsewhere");
        }
        assert!(text.lines().count() <= 500, "{name}: one idea per file");
    }
}

#[test]
fn every_import_leads_to_a_file() {
    let root = folder();
    for (name, text) in files().into_iter().filter(|(name, _)| name.ends_with(".js")) {
        let imports = text.split('"').collect::<Vec<_>>();
        let from = imports.windows(2).filter(|pair| {
            let before = pair[0].trim_end();
            before.ends_with("from") || before.ends_with("import") || before.ends_with("import(")
        });
        for pair in from {
            assert!(pair[1].starts_with('.'), "{name}: {} is not of this page", pair[1]);
            let target = root.join(&name).parent().unwrap().join(pair[1]);
            assert!(target.is_file(), "{name}: there is no {}", pair[1]);
        }
        assert!(text.starts_with("// "), "{name}: the first line says what it is for");
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/admin/page")
}

/// Every file of the page, by its name below the folder.
fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension != "rs") {
                let name = entry.strip_prefix(folder()).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&entry).unwrap()));
            }
        }
    }
    assert!(found.len() > 20, "{found:#?}");
    found
}
