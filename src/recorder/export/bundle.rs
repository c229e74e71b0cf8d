//! An archive of named files, as zip or as tar.gz, with the checksums of all. The same content gives the same bytes.
//! What is in it, and that it is redacted, is up to whoever fills it.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The name of the file that `sha256sum --check` reads.
pub const CHECKSUMS: &str = "SHA256SUMS";

/// A file that anybody may read.
const MODE: u32 = 0o644;

/// File systems take names of 255 bytes.
const PART_CHARACTERS_MAX: usize = 120;

/// Directories in a name, and the file.
const PARTS_MAX: usize = 8;

/// Files to hand over as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    directory: Option<String>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Begins with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Unpacks into a directory of that name, so that the files of two bundles do not mix.
    pub fn within(&mut self, directory: &str) -> &mut Self {
        self.directory = Some(safe(directory));
        self
    }

    /// Adds a file, in place of one that has the name already. Every character of the name that is no letter, digit,
    /// `.`, `-`, `_` or `/` becomes `_`, and it stays within the directory in which it is unpacked.
    pub fn add(&mut self, name: &str, content: impl Into<Vec<u8>>) -> &mut Self {
        self.files.insert(safe(name), content.into());
        self
    }

    /// The files, by name, without the checksums.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(name, content)| (name.as_str(), content.as_slice()))
    }

    /// As a zip archive.
    pub fn zip(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let write = |zip: &mut ZipWriter<_>| -> io::Result<()> {
            // The earliest time the format knows: when a bundle was made is said within it.
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .last_modified_time(DateTime::default())
                .unix_permissions(MODE);
            for (name, content) in self.with_checksums() {
                zip.start_file(self.path(&name), options)?;
                zip.write_all(&content)?;
            }
            Ok(())
        };
        written(write(&mut zip).and_then(|()| Ok(zip.finish()?.into_inner())))
    }

    /// As a tar archive compressed with gzip.
    pub fn tar_gz(&self) -> Vec<u8> {
        // Without name and time in its head (RFC 1952 §2.3.1: 0 is no time).
        let gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
        let mut tar = tar::Builder::new(gzip);
        let write = |tar: &mut tar::Builder<_>| -> io::Result<()> {
            for (name, content) in self.with_checksums() {
                let mut header = tar::Header::new_ustar();
                header.set_size(content.len() as u64);
                header.set_mode(MODE);
                header.set_mtime(0);
                tar.append_data(&mut header, self.path(&name), content.as_slice())?;
            }
            Ok(())
        };
        written(write(&mut tar).and_then(|()| tar.into_inner()?.finish()))
    }

    fn path(&self, name: &str) -> String {
        match &self.directory {
            Some(directory) => format!("{directory}/{name}"),
            None => name.to_owned(),
        }
    }

    fn with_checksums(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.files.clone();
        // The format of `sha256sum`: two spaces between sum and name.
        let line = |(name, content): (&str, &[u8])| format!("{}  {name}\n", hexadecimal(&Sha256::digest(content)));
        files.insert(CHECKSUMS.to_owned(), self.files().map(line).collect::<String>().into_bytes());
        files
    }
}

/// Nothing is written but to memory, under names that [`safe`] has made.
#[expect(clippy::expect_used, reason = "memory takes every byte, and both formats take every name that `safe` makes")]
fn written(archive: io::Result<Vec<u8>>) -> Vec<u8> {
    archive.expect("an archive in memory can be written")
}

/// A path below the place where it is unpacked, in characters that every file system takes.
fn safe(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let plain = |part: &str| part.chars().take(PART_CHARACTERS_MAX).map(keep).collect::<String>();
    let parts = name.split('/').filter(|part| !matches!(*part, "" | "." | "..")).take(PARTS_MAX);
    let name = parts.map(plain).collect::<Vec<_>>().join("/");
    if name.is_empty() { "_".to_owned() } else { name }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn bundle() -> Bundle {
        let mut bundle = Bundle::new();
        bundle.within("why412-1").add("b.json", "{}").add("a/one.txt", "one\n").add("README.txt", "read\n");
        bundle
    }

    #[track_caller]
    fn run(directory: &Path, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{program}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    #[test]
    fn other_tools_unpack_both_forms_and_find_the_checksums_right() {
        let unpack: [(&str, Vec<u8>, &str, &[&str]); 2] = [
            ("a.zip", bundle().zip(), "unzip", &["-q", "a.zip"]),
            ("a.tar.gz", bundle().tar_gz(), "tar", &["-xzf", "a.tar.gz"]),
        ];
        for (file, archive, program, arguments) in unpack {
            let place = tempfile::tempdir().unwrap();
            std::fs::write(place.path().join(file), archive).unwrap();
            run(place.path(), program, arguments);
            let inside = place.path().join("why412-1");
            assert_eq!(std::fs::read_to_string(inside.join("a/one.txt")).unwrap(), "one\n");
            let checked = run(&inside, "sha256sum", &["--check", "--strict", CHECKSUMS]);
            assert_eq!(checked, "README.txt: OK\na/one.txt: OK\nb.json: OK\n");
        }
    }

    #[test]
    fn the_same_content_gives_the_same_bytes_in_whatever_order_it_came() {
        let mut other = Bundle::new();
        other.add("README.txt", "read\n").add("a/one.txt", "one\n").add("b.json", "{}").within("why412-1");
        assert_eq!(bundle().zip(), other.zip());
        assert_eq!(bundle().tar_gz(), other.tar_gz());
        assert_ne!(bundle().zip(), Bundle::new().zip());
    }

    #[test]
    fn names_stay_within_their_directory() {
        #[track_caller]
        fn check(name: &str, expected: &str) {
            assert_eq!(safe(name), expected);
        }
        check("verdict.txt", "verdict.txt");
        check("related/01J.json", "related/01J.json");
        check("../../etc/passwd", "etc/passwd");
        check("/a//b/./c", "a/b/c");
        check("a\\b:c\u{202e}\n", "a_b_c__");
        check("", "_");
        check("..", "_");
        assert_eq!(safe(&"x".repeat(1000)).len(), PART_CHARACTERS_MAX);
        assert_eq!(safe(&"d/".repeat(1000)), "d/d/d/d/d/d/d/d");
    }

    #[test]
    fn long_names_and_empty_files_survive() {
        let name = [&*"x".repeat(200), &*"y".repeat(200), "z.txt"].join("/");
        let mut bundle = Bundle::new();
        bundle.add(&name, "");
        let kept = bundle.files().next().unwrap().0.to_owned();
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("a.tgz"), bundle.tar_gz()).unwrap();
        run(place.path(), "tar", &["-xzf", "a.tgz"]);
        assert_eq!(std::fs::read(place.path().join(kept)).unwrap(), b"");
    }
}
