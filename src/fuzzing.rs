//! What the fuzz targets in `fuzz/` call with any bytes: each holds one reader of foreign bytes to its laws, and panics
//! where one is broken. It is there for tests and under the feature `fuzzing` only, and no part of the product.

use http::Method;

use crate::analysis::exchange::Comparison;
use crate::analysis::pairing::{Authenticity, HEAD_BYTES_MAX, Keys, MARK_BYTES_MAX, Mark, REPORT_BYTES_MAX, Report};
use crate::analysis::semantics::conditions::{Conditions, tags_of};
use crate::analysis::semantics::entity_tag::{EntityTag, TagFault, TagList};
use crate::analysis::semantics::fields::{FieldName, Fields};
use crate::analysis::semantics::http_date::HttpDate;
use crate::analysis::semantics::precondition::{State, Verdict, evaluate};
use crate::analysis::semantics::vendor;
use crate::config::{self, Flags};
use crate::proxy::fuzzing as proxy;

/// The head of a request by HTTP/1, and the head that goes on.
pub fn http1_request(bytes: &[u8]) {
    proxy::http1_request(bytes);
}

/// The head of a response by HTTP/1, and the head that the client gets.
pub fn http1_response(bytes: &[u8]) {
    proxy::http1_response(bytes);
}

/// A body in chunks.
pub fn chunked_body(bytes: &[u8]) {
    proxy::chunked_body(bytes);
}

/// The head of a request by HTTP/2, and the head that goes on by HTTP/1.
pub fn http2_request(bytes: &[u8]) {
    proxy::http2_request(bytes);
}

/// Entity-tags, dates, conditions and their evaluation: method, tag and date in a line each, then a field in each line.
///
/// # Panics
/// Where a law does not hold.
pub fn conditions(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, etag, date) = (line(), line(), line());
    let etag = tag(etag);
    let last_modified = HttpDate::parse(date).ok();
    if let Some(date) = last_modified {
        assert_eq!(HttpDate::parse(date.to_imf().as_bytes()), Ok(date), "what is printed is parsed");
    }
    let mut fields = Fields::default();
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at_checked(colon).unwrap_or_default();
        fields.push(name, value.get(1..).unwrap_or_default().trim_ascii());
    }
    let method = Method::from_bytes(method).unwrap_or(Method::PUT);
    let conditions = Conditions::of(&fields);
    let _ = (conditions.tag_fault(), conditions.absent_value(), conditions.date_fault());
    let _ = vendor::of(&fields, b"/a", &["x-own".to_owned()]);
    let tags = [tags_of(&conditions.if_match), tags_of(&conditions.if_none_match)].concat();
    for one in &tags {
        assert_eq!(tag(&one.to_bytes()), Some(*one));
        if let Some(etag) = etag {
            assert!(!one.strong_eq(&etag) || one.weak_eq(&etag), "strong equality implies weak");
            assert_eq!((one.strong_eq(&etag), one.weak_eq(&etag)), (etag.strong_eq(one), etag.weak_eq(one)));
        }
    }
    for exists in [None, Some(true), Some(false)] {
        let state = State { exists, etag, last_modified };
        let strong = evaluate(&method, &conditions, &state, Comparison::Strong);
        let weak = evaluate(&method, &conditions, &state, Comparison::Weak);
        // What holds strongly holds weakly, and only If-Match is compared by the route's comparison.
        assert!(strong == weak || strong == Verdict::Failed { by: FieldName::IfMatch }, "{strong:?}, weakly {weak:?}");
        if !conditions.is_any_present() {
            assert_eq!(strong, Verdict::Proceed, "there is no condition");
        }
    }
}

/// A tag and its laws.
fn tag(raw: &[u8]) -> Option<EntityTag<'_>> {
    let (tag, list) = (EntityTag::parse(raw), TagList::parse(raw));
    let _ = TagFault::of(raw);
    if let Some(tag) = tag {
        assert_eq!(tag.to_bytes(), raw, "what is parsed is printed");
        assert_eq!(list, Some(TagList::Tags(vec![tag])), "a tag is a list of one");
        assert!(tag.weak_eq(&tag) && tag.strong_eq(&tag) != tag.weak);
    }
    tag
}

/// The mark of an outer instance and the report of an inner one, as anybody could send them.
///
/// # Panics
/// Where what is written is not read as what it was, or something that is not authentic is believed.
pub fn pair_fields(bytes: &[u8]) {
    let none = Keys::default();
    let keys = Keys::new(vec![b"a secret of thirty-two bytes....".to_vec()]);
    // Bytes that were made without the secret are never believed.
    assert!(Mark::decode(bytes, &keys).is_none() && Report::decode(bytes, &keys).is_none());
    if let Some((mark, authenticity)) = Mark::decode(bytes, &none) {
        assert_eq!(authenticity, Authenticity::Unsigned);
        let sealed = mark.encode(&keys);
        assert!(sealed.len() <= MARK_BYTES_MAX);
        let (read, authenticity) = Mark::decode(sealed.as_bytes(), &keys).expect("what is written is read");
        assert_eq!(authenticity, Authenticity::Signed);
        // What has no room is shortened or left out; what is shortened is short enough.
        assert!(read == mark || sealed != mark.encode(&none));
        assert_eq!(read.encode(&keys), sealed);
        assert!(read == mark || read.reduced || read.conditions.len() == mark.conditions.len());
        forged(sealed.into_bytes(), bytes, |value| {
            let believed = Mark::decode(value, &keys);
            assert!(believed.is_none_or(|(believed, _)| believed == read), "a changed mark is believed");
        });
    }
    if let Some((report, authenticity)) = Report::decode(bytes, &none) {
        assert_eq!(authenticity, Authenticity::Unsigned);
        let sealed = report.encode(&keys, HEAD_BYTES_MAX);
        assert!(sealed.len() <= REPORT_BYTES_MAX);
        let (read, authenticity) = Report::decode(sealed.as_bytes(), &keys).expect("what is written is read");
        assert_eq!(authenticity, Authenticity::Signed);
        assert_eq!((read.exchange, read.marked, read.status), (report.exchange, report.marked, report.status));
        forged(sealed.into_bytes(), bytes, |value| {
            let believed = Report::decode(value, &keys);
            assert!(believed.is_none_or(|(believed, _)| believed == read), "a changed report is believed");
        });
    }
}

/// Changes one byte of `value`, which and how by what the fuzzer made up.
fn forged(mut value: Vec<u8>, by: &[u8], check: impl Fn(&[u8])) {
    let sum = by.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    let at = sum % value.len().max(1);
    let change = u8::try_from(sum / 7 % 255).unwrap_or(0) + 1;
    if let Some(byte) = value.get_mut(at) {
        *byte ^= change;
    }
    check(&value);
}

/// The text of a configuration.
///
/// # Panics
/// Where a fault does not say what it is about.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let (faults, warnings) = match config::check_text(text, &Flags::default()) {
        Ok(checked) => {
            assert!(!checked.config.upstreams.is_empty() && !checked.config.routes.is_empty());
            // What is shown of it is written without a secret in it, and without a panic.
            let _ = checked.config.shown();
            (Vec::new(), checked.warnings)
        }
        Err(faults) => {
            assert!(!faults.faults.is_empty(), "it was refused for no reason");
            (faults.faults, faults.warnings)
        }
    };
    for fault in faults.iter().chain(&warnings) {
        assert!(!fault.fault.is_empty() && !fault.remedy.is_empty(), "{fault}");
        assert!(fault.line.is_none_or(|line| (1..=lines).contains(&line)), "{fault}");
        assert!(fault.line.is_some() || fault.key != "syntax", "{fault}");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    type Target = fn(&[u8]);

    /// Every target, by the name of its corpus.
    const TARGETS: [(&str, Target); 7] = [
        ("chunked_body", chunked_body),
        ("conditions", conditions),
        ("configuration", configuration),
        ("http1_request", http1_request),
        ("http1_response", http1_response),
        ("http2_request", http2_request),
        ("pair_fields", pair_fields),
    ];

    #[test]
    fn every_file_of_every_corpus_holds() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        for (name, target) in TARGETS {
            let folder = fuzz.join("corpus").join(name);
            let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert!(files.len() >= 5, "{name} has a corpus of {} files", files.len());
            for file in files {
                let bytes = fs::read(&file).unwrap();
                let outcome = std::panic::catch_unwind(|| target(&bytes));
                assert!(outcome.is_ok(), "{} breaks a law", file.display());
                // Cut anywhere it holds as well.
                for end in 0..bytes.len().min(512) {
                    target(&bytes[..end]);
                }
            }
        }
    }

    #[test]
    fn every_target_is_built_and_has_a_corpus() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
        let named = |folder: &str| {
            let entries = fs::read_dir(fuzz.join(folder)).unwrap();
            let names = entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        };
        let expected = TARGETS.map(|(name, _)| name);
        assert_eq!(named("fuzz_targets"), expected);
        assert_eq!(named("corpus"), expected);
        for name in expected {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not built");
        }
    }
}
