//! What why412 is made of beside its own code: under which licences, from where, and each guard of the door only once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Licences that a binary under MIT or Apache-2.0 may hold code of, and whose terms a list of licences satisfies.
const LICENCES: &[&str] = &["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "0BSD", "Unicode-3.0"];

/// What stands between us and others: two versions of one of these would be two places to keep up.
const ONCE: &[&str] = &[
    "h2",
    "hmac",
    "http",
    "http-body",
    "httparse",
    "hyper",
    "hyper-util",
    "libsqlite3-sys",
    "ring",
    "rusqlite",
    "rustls",
    "rustls-pki-types",
    "rustls-webpki",
    "sfv",
    "sha2",
    "subtle",
    "tokio",
    "tokio-rustls",
    "toml",
    "zeroize",
    "zip",
];

/// TLS and compression by C libraries of the system: another build, another keeper, and none of it is needed.
const BANNED: &[&str] = &["native-tls", "openssl", "openssl-sys", "curl", "libz-sys", "bzip2-sys", "atty", "chrono"];

#[test]
fn licences_are_ones_that_may_be_passed_on() {
    for package in packages() {
        let (name, licence) = (text(&package, "name"), package["license"].as_str().unwrap_or_default());
        assert!(is_allowed(licence), "{name} is under {licence:?}");
    }
}

#[test]
fn everything_comes_from_crates_io_with_a_checksum() {
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        for package in locked(lock) {
            let name = package["name"].as_str().unwrap();
            let source = package.get("source").and_then(toml::Value::as_str);
            match source {
                None => assert!(matches!(name, "why412" | "why412-fuzz"), "{lock}: {name} comes from nowhere"),
                Some(source) => {
                    let from_crates_io = source.starts_with("registry+") && source.ends_with("/crates.io-index");
                    assert!(from_crates_io, "{lock}: {name} comes from {source}");
                    assert!(package.get("checksum").is_some(), "{lock}: {name} has no checksum");
                }
            }
        }
    }
}

#[test]
fn what_guards_the_door_is_there_once_and_nothing_unwanted_is() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in locked("Cargo.lock") {
        let part = |key: &str| package[key].as_str().unwrap().to_owned();
        versions.entry(part("name")).or_default().insert(part("version"));
    }
    for name in ONCE {
        let known = versions.get(*name).unwrap_or_else(|| panic!("{name} is no dependency any more: strike it here"));
        assert_eq!(known.len(), 1, "{name} is there as {known:?}");
    }
    for name in BANNED {
        assert!(!versions.contains_key(*name), "{name} has come in");
    }
}

#[test]
fn what_is_fuzzed_is_made_of_what_is_shipped() {
    let versions = |lock: &str| -> BTreeSet<(String, String)> {
        let part = |package: &toml::Table, key: &str| package[key].as_str().unwrap().to_owned();
        locked(lock).iter().map(|package| (part(package, "name"), part(package, "version"))).collect()
    };
    let (shipped, fuzzed) = (versions("Cargo.lock"), versions("fuzz/Cargo.lock"));
    let of_the_fuzzer = ["arbitrary", "jobserver", "libfuzzer-sys", "why412-fuzz"];
    for (name, version) in fuzzed.iter().filter(|(name, _)| !of_the_fuzzer.contains(&name.as_str())) {
        let same = shipped.contains(&(name.clone(), version.clone()));
        assert!(same, "{name} {version} is fuzzed and not shipped; run cargo update in fuzz/ or copy Cargo.lock there");
    }
}

/// Every package that the product is built of on this machine.
fn packages() -> Vec<Value> {
    let host = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let host = String::from_utf8(host.stdout).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc says its host");
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().clone();
    assert!(packages.len() > 50, "the packages are somewhere else");
    packages
}

fn locked(file: &str) -> Vec<toml::Table> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let lock: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    lock["package"].as_array().unwrap().iter().map(|package| package.as_table().unwrap().clone()).collect()
}

fn text<'a>(package: &'a Value, key: &str) -> &'a str {
    package[key].as_str().unwrap()
}

/// Whether one of the choices of an SPDX expression holds nothing but [`LICENCES`]. `AND` binds closer than `OR`; what
/// stands in brackets is one term.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    any_of(&mut words) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>) -> bool {
    let mut allowed = all_of(words);
    while words.next_if_eq(&"OR").is_some() {
        allowed |= all_of(words);
    }
    allowed
}

fn all_of(words: &mut Words<'_>) -> bool {
    let mut allowed = term(words);
    while words.next_if_eq(&"AND").is_some() {
        allowed &= term(words);
    }
    allowed
}

fn term(words: &mut Words<'_>) -> bool {
    let Some(word) = words.next() else { return false };
    if word == "(" {
        return any_of(words) & words.next_if_eq(&")").is_some();
    }
    // An exception only ever allows more.
    if words.next_if_eq(&"WITH").is_some() {
        words.next();
    }
    LICENCES.contains(&word)
}

#[test]
fn licence_expressions_are_understood() {
    for allowed in
        ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-3.0", "(GPL-3.0 OR ISC) AND MIT", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for refused in ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT AND (GPL-3.0 OR MPL-2.0)", "(MIT", "MIT)", "MIT ISC", "OR"] {
        assert!(!is_allowed(refused), "{refused}");
    }
}
