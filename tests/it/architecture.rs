//! The rules of the design that neither the compiler nor clippy knows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may name whom. A new edge is a change of this table, so that it is seen in review.
const ALLOWED: &[(&str, &[&str])] = &[
    ("analysis", &[]),
    ("clock", &["analysis"]),
    ("bypass", &["analysis"]),
    ("config", &["analysis"]),
    ("recorder", &["analysis", "bypass", "clock", "config"]),
    ("http1", &["analysis"]),
    ("tls", &["config"]),
    // What probes learn goes where everything that is remembered goes.
    ("diagnose", &["analysis", "clock", "config", "http1", "recorder", "tls"]),
    // The two planes never name each other: they meet in `recorder` and `bypass`.
    ("proxy", &["analysis", "bypass", "clock", "config", "http1", "recorder", "tls"]),
    ("admin", &["analysis", "bypass", "clock", "config", "recorder"]),
    ("lifecycle", &["admin", "analysis", "bypass", "clock", "config", "diagnose", "proxy", "recorder"]),
    // It composes a pair and plays around it; nothing that serves knows of it.
    ("demo", &["admin", "analysis", "clock", "config", "lifecycle"]),
    ("cli", &["analysis", "bypass", "clock", "config", "demo", "diagnose", "lifecycle", "recorder"]),
    // It reaches into everything that reads foreign bytes, and is in no product.
    ("fuzzing", &["analysis", "config", "proxy"]),
    ("main", &["cli"]),
];

/// What a pure library has no use for.
const IMPURE: &[&str] = &[
    "async fn",
    ".await",
    "tokio",
    "tracing",
    "std::fs",
    "std::io",
    "std::sync",
    "std::thread",
    "std::env",
    "std::process",
    "TcpStream",
    "UdpSocket",
    "thread_local!",
    "SystemTime",
    "Instant",
];

const LINES_MAX: usize = 500;

#[test]
fn modules_name_only_whom_they_may() {
    for (module, path, code) in sources() {
        let allowed = ALLOWED.iter().find(|(name, _)| *name == module);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{module} is not in the table of allowed edges"));
        for named in modules_named(&path, &code) {
            let fits = named == module || allowed.contains(&named.as_str());
            assert!(fits, "{}: {module} may not name {named}", path.display());
        }
    }
}

#[test]
fn analysis_is_pure() {
    for (_, path, code) in sources().into_iter().filter(|(module, ..)| module == "analysis") {
        for word in IMPURE {
            assert!(!code.contains(word), "{}: {word} has no place in a pure library", path.display());
        }
    }
}

#[test]
fn files_are_short() {
    for (_, path, code) in sources() {
        let lines = code.lines().count();
        assert!(lines <= LINES_MAX, "{}: {lines} lines without its tests; one idea per file", path.display());
    }
}

#[test]
fn every_file_of_the_tests_is_part_of_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut files = Vec::new();
    collect(&root, &mut files);
    for path in files.iter().filter(|path| !path.ends_with("main.rs")) {
        let (stem, folder) = (path.file_stem().unwrap().to_string_lossy(), path.parent().unwrap());
        let (name, folder) = if stem == "mod" {
            (folder.file_name().unwrap().to_string_lossy(), folder.parent().unwrap())
        } else {
            (stem, folder)
        };
        let parents = [folder.join("main.rs"), folder.join("mod.rs"), folder.with_extension("rs")];
        let parent = parents.iter().find(|parent| parent.is_file()).expect("a folder belongs to a module");
        let declared = fs::read_to_string(parent).unwrap().contains(&format!("mod {name};"));
        assert!(declared, "{} is not declared in {}", path.display(), parent.display());
    }
}

#[test]
fn nothing_is_put_off_in_a_comment() {
    // Written apart, so that this file does not find itself.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("unimpl", "emented!")];
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", ".ci", "deploy", "config", "docs"] {
        collect_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    for path in files {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        for word in words {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}

/// Every source file: the module of the crate it belongs to, its path below `src`, its code without comments and tests.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 10, "the sources are somewhere else");
    let mut sources = Vec::new();
    for file in files {
        let path = file.strip_prefix(&root).unwrap().to_path_buf();
        let first = Path::new(path.components().next().unwrap().as_os_str()).file_stem().unwrap();
        let module = first.to_string_lossy().into_owned();
        // The map of the crate names everybody; a file of tests is no part of the product.
        if module != "lib" && !path.ends_with("tests.rs") {
            sources.push((module, path, without_tests(&fs::read_to_string(&file).unwrap())));
        }
    }
    sources
}

/// The code before the tests; comment lines are kept empty, so that lines still count.
fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let kept = code.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    kept.collect::<Vec<_>>().join("\n")
}

/// The modules of the crate that a file names by `crate::…` or by enough `super::`.
fn modules_named(path: &Path, code: &str) -> BTreeSet<String> {
    let depth = path.components().count() - usize::from(path.ends_with("mod.rs"));
    let to_root = "super::".repeat(depth);
    let code: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut named = BTreeSet::new();
    for (at, start) in code.match_indices("crate::").chain(code.match_indices(to_root.as_str())) {
        let rest = code[at + start.len()..].trim_start();
        match rest.strip_prefix('{') {
            Some(group) => named.extend(first_segments(group)),
            None => named.extend(identifier(rest)),
        }
    }
    named.retain(|name| ALLOWED.iter().any(|(module, _)| module == name));
    named
}

/// The first segments of the members of a `use` group, up to its closing brace.
fn first_segments(group: &str) -> Vec<String> {
    let (mut depth, mut segments, mut member) = (0, Vec::new(), String::new());
    for character in group.chars() {
        match character {
            '}' if depth == 0 => break,
            ',' if depth == 0 => segments.extend(identifier(&std::mem::take(&mut member))),
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth == 0 => member.push(character),
            _ => {}
        }
    }
    segments.extend(identifier(&member));
    segments
}

fn identifier(text: &str) -> Option<String> {
    let name: String =
        text.trim_start().chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect();
    (!name.is_empty()).then_some(name)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut all = Vec::new();
    collect_all(folder, &mut all);
    files.extend(all.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs")));
}

fn collect_all(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect_all(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn paths_are_understood() {
    let named = |path: &str, code: &str| modules_named(Path::new(path), code).into_iter().collect::<Vec<_>>();
    assert_eq!(named("proxy/serve.rs", "use crate::admin::x; crate::clock::now()"), ["admin", "clock"]);
    assert_eq!(
        named("proxy/serve.rs", "use crate::{\n  config::{proxy, Config},\n  recorder,\n};"),
        ["config", "recorder"]
    );
    assert_eq!(named("proxy/serve.rs", "use super::admin; use super::super::admin::y;"), ["admin"]);
    assert_eq!(named("bypass.rs", "use super::proxy::x;"), ["proxy"]);
    assert_eq!(named("proxy/mod.rs", "use super::admin::x;"), ["admin"]);
}
