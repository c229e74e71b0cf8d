//! Completions and manual pages, as the programs that they are for take them.

use std::fs;
use std::process::Command;

use crate::harness::command::why412;

fn script(shell: &str) -> tempfile::NamedTempFile {
    let ran = why412(&["completions", shell]);
    assert_eq!((ran.code, ran.messages.as_str()), (0, ""), "{shell}");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), ran.data).unwrap();
    file
}

/// What a program writes, which must end well and complain of nothing.
#[track_caller]
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; run tests/setup.sh"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{program} {arguments:?}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_commands_options_and_names() {
    let script = script("bash");
    let path = script.path().display();
    run("bash", &["-n", &path.to_string()]);
    let check = |words: &[&str], expected: &[&str]| {
        let (current, before) = (words[words.len() - 1], words[words.len() - 2]);
        let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        let ask = format!(
            "source '{path}'; complete -p why412 >/dev/null; COMP_WORDS=({}); COMP_CWORD={}; \
             _why412 why412 '{current}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            quoted.join(" "),
            words.len() - 1
        );
        let completed = run("bash", &["--norc", "-c", &ask]);
        assert_eq!(completed.lines().collect::<Vec<_>>(), expected, "{words:?}");
    };
    check(&["why412", "expl"], &["explain"]);
    check(&["why412", "exchanges", "ex"], &["export"]);
    check(&["why412", "explain", "etag-w"], &["etag-weakened"]);
    check(&["why412", "explain", "missed"], &["missed-304"]);
    check(&["why412", "tail", "--cause", "etag-su"], &["etag-suffixed"]);
    check(&["why412", "exchanges", "list", "--hazard", "wrong"], &["wrong-304"]);
    check(&["why412", "run", "--role", "o"], &["outer"]);
    check(&["why412", "exchanges", "export", "--as", "c"], &["curl"]);
    check(&["why412", "exchanges", "list", "--res"], &["--resource"]);
}

#[test]
fn fish_completes_commands_options_and_names() {
    let script = script("fish");
    let path = script.path().display();
    run("fish", &["--no-execute", &path.to_string()]);
    let check = |line: &str, expected: &str| {
        let completed = run("fish", &["--no-config", "-c", &format!("source '{path}'; complete -C '{line}'")]);
        let names: Vec<_> = completed.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(names, [expected], "{line}");
    };
    check("why412 expl", "explain");
    check("why412 explain etag-w", "etag-weakened");
    check("why412 tail --hazard wrong", "wrong-304");
    check("why412 exchanges export x --as h", "har");
    check("why412 completions fi", "fish");
}

#[test]
fn zsh_takes_its_script() {
    let script = script("zsh");
    let path = script.path().display().to_string();
    run("zsh", &["-f", "-n", &path]);
    let load = format!("autoload -U compinit && compinit -D && source '{path}' && print -r -- $_comps[why412]");
    assert_eq!(run("zsh", &["-f", "-c", &load]), "_why412\n");
    let text = fs::read_to_string(script.path()).unwrap();
    assert!(text.contains("etag-weakened\\:"), "names have their descriptions");
}

#[test]
fn other_shells_get_theirs() {
    for shell in ["elvish", "powershell"] {
        let text = fs::read_to_string(script(shell).path()).unwrap();
        assert!(text.contains("exchanges") && text.contains("--cause"), "{shell}");
    }
    let unknown = why412(&["completions", "command.com"]);
    assert_eq!((unknown.code, unknown.data.as_str()), (2, ""));
}

#[test]
fn every_command_has_a_clean_manual_page() {
    let directory = tempfile::tempdir().unwrap();
    let into = directory.path().join("man1");
    let written = why412(&["man", "--output", into.to_str().unwrap()]);
    assert_eq!((written.code, written.messages.as_str()), (0, ""));
    let pages: Vec<_> = written.data.lines().collect();
    for name in ["why412", "why412-run", "why412-exchanges-show", "why412-bypass-on"] {
        assert!(pages.iter().any(|page| page.ends_with(&format!("/{name}.1"))), "{name} in {pages:?}");
    }
    assert_eq!(run("mandoc", &[&["-T", "lint"][..], &pages].concat()), "");
    let list = into.join("why412-exchanges-list.1");
    let set = struck_once(&run("mandoc", &["-T", "utf8", list.to_str().unwrap()]));
    let words = set.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in ["EXAMPLES", "why412 exchanges list --status 412 --resource /orders/7", "Only those with this hazard"] {
        assert!(words.contains(said), "{said:?} in\n{set}");
    }
    let own = why412(&["man"]);
    assert_eq!(own.data, fs::read_to_string(into.join("why412.1")).unwrap());
}

/// What is bold or underlined is struck twice, with a backspace in between.
fn struck_once(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if character == '\u{8}' {
            shown.pop();
        } else {
            shown.push(character);
        }
    }
    shown
}
