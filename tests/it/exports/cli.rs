//! Exports and searches from the command line.

use super::*;
use crate::harness::command::{Ran, command, why412};

struct Refused {
    instance: Instance,
    id: String,
    _origin: Origin,
}

impl Refused {
    fn new() -> Self {
        let origin = Origin::always(REFUSED);
        let instance = Instance::before(origin.address());
        instance.ask("PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nIf-Match: \"v1\"\r\nContent-Length: 0\r\n\r\n");
        let id = instance.record_of_412("PUT")["id"].as_str().unwrap().to_owned();
        Self { instance, id, _origin: origin }
    }

    fn admin(&self) -> String {
        format!("http://{}", self.instance.admin())
    }

    fn exchanges(&self, arguments: &[&str]) -> Ran {
        why412(&[&["exchanges"], arguments, &["--admin", &self.admin()]].concat())
    }
}

#[test]
fn a_bundle_goes_into_a_file_or_a_pipe() {
    let refused = Refused::new();
    let place = tempfile::tempdir().unwrap();
    for (file, program, arguments) in [("a.zip", "unzip", &["-tq"][..]), ("a.tar.gz", "tar", &["-tzf"])] {
        let path = place.path().join(file).display().to_string();
        let written = refused.exchanges(&["export", &refused.id, "--as", "bundle", "--output", &path]);
        assert_eq!((written.code, written.data.as_str()), (0, ""), "{written:?}");
        assert!(written.messages.contains(&path), "{written:?}");
        run(place.path(), program, &[arguments, &[file]].concat());
        let again = refused.exchanges(&["export", &refused.id, "--as", "bundle", "--output", &path]);
        assert_eq!(again.code, 1);
        assert!(again.messages.contains("not overwritten"), "{again:?}");
    }
    let admin = refused.admin();
    let piped = command(&["exchanges", "export", "last-412", "--as", "bundle", "--admin", &admin]).output().unwrap();
    assert!(piped.status.success() && piped.stdout.starts_with(b"PK\x03\x04"), "{piped:?}");
}

#[test]
fn an_archive_is_not_written_to_a_terminal() {
    let refused = Refused::new();
    let place = tempfile::tempdir().unwrap();
    let (program, admin) = (env!("CARGO_BIN_EXE_why412"), refused.admin());
    let line = format!("{program} exchanges export {} --as bundle --admin {admin}; echo \"ended with $?\"", refused.id);
    // `script` gives the command a terminal of its own.
    let shown = run(place.path(), "script", &["-qec", &line, "/dev/null"]);
    assert!(shown.contains("--output FILE") && shown.contains("ended with 2"), "{shown}");
    assert!(!shown.contains("PK\u{3}"), "{shown}");
}

#[test]
fn records_are_searched_by_time_and_text() {
    let refused = Refused::new();
    let found = |arguments: &[&str]| {
        let ran = refused.exchanges(&[&["list"], arguments].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.data.contains(&refused.id)
    };
    assert!(found(&["--since", "5m", "--text", "IF-MATCH: \"v1\""]));
    assert!(!found(&["--text", "nothing like that"]));
    assert!(!found(&["--until", "5m"]));
    let wrong = refused.exchanges(&["list", "--since", "yesterday"]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.messages.contains("15m"), "{wrong:?}");
}
