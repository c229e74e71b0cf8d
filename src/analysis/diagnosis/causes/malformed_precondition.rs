//! The condition is not what the grammar of its field allows.

use crate::analysis::diagnosis::{Case, Cause, Detail, Evidence};
use crate::analysis::judgement::{Confidence, Finding, Party};
use crate::analysis::semantics::entity_tag::{TagFault, TagList};
use crate::analysis::semantics::fields::FieldName;

/// The catalogue entry.
pub static CAUSE: Cause = Cause {
    id: "malformed-precondition",
    party: Party::Client,
    other_parties: &[],
    title: "The condition is malformed and cannot match anything",
    explanation: "The value of the condition is not a list of entity-tags, or not an HTTP-date, or it is one in \
        form only (the word null in quotes, a tag with entities for its quotes): by the grammar no version of \
        the resource can satisfy it. A tag is written in double quotes, optionally with W/ in front: `\"abc\"` \
        or `W/\"abc\"`. The value as it was sent is in the evidence. Where the service itself gives out \
        malformed validators, the cause is another (`malformed-origin-validator`).",
    example: r#"client  GET /items/3 -> 200 | ETag: "8d4f00"
client  PUT /items/3 | If-Match: 8d4f00 -> 412"#,
    fix: &[
        "Return the validator exactly as it was received, quotes and W/ included; treat it as an opaque string.",
        "Stop and read again when no validator is at hand, rather than send an empty or invented one.",
    ],
    specification: &["RFC 9110 §13.1.1", "RFC 9110 §8.8.3", "RFC 9110 §5.6.7"],
    details: &[
        Detail {
            id: "unquoted",
            explanation: "The tag came without its double quotes: a library or a store dropped them.",
            fix: &[
                "Keep the double quotes: store and send the ETag as it stood in the header, or put back the quotes \
                    that your SDK removes (`\"` + tag + `\"`).",
            ],
        },
        Detail {
            id: "double-quoted",
            explanation: "The tag was quoted twice, or its quotes were escaped: it was serialised as a string once \
                too often.",
            fix: &["Set the header from the string itself, not from its JSON form or a quoted copy."],
        },
        Detail {
            id: "xml-entity",
            explanation: "The tag was copied out of an XML document with its quotes still written as entities.",
            fix: &["Decode the text of `getetag` with an XML parser before putting it into a header."],
        },
        Detail {
            id: "js-value",
            explanation: "The value is a program's placeholder for nothing (null, undefined, None, false …): the \
                client had no tag.",
            fix: &[
                "Check for the missing tag before sending; read the resource and take its ETag. Look also at why it \
                    was missing: an answer without ETag, or a script that may not read it \
                    (`Access-Control-Expose-Headers: ETag`).",
            ],
        },
        Detail {
            id: "star-in-list",
            explanation: "`*` stands alone or not at all; within a list, or in quotes, it is a tag like any other.",
            fix: &["Send `If-Match: *` (exists in any version), or a list of tags."],
        },
        Detail {
            id: "date",
            explanation: "The date is not an HTTP-date.",
            fix: &["Format it as `Tue, 15 Nov 1994 12:45:26 GMT`, always in GMT and in English; return the \
                    Last-Modified as it was received wherever you can."],
        },
        Detail {
            id: "other",
            explanation: "The value breaks the grammar in some other way.",
            fix: &["Compare the value in the evidence with the ETag that the service gave out."],
        },
    ],
    examine,
};

fn examine(case: &Case<'_>) -> Option<Finding> {
    let tag = case.conditions.tag_fault().filter(|(field, ..)| *field == FieldName::IfMatch || case.is_write());
    if let Some((field, value, fault)) = tag {
        let fact = Evidence::Malformed { field, value, says: says(fault) };
        let confidence = if was_taken(case, fault) { Confidence::Possible } else { Confidence::Likely };
        return Some(Finding::new(confidence, vec![fact, case.named_evidence()]).detail(fault.as_str()));
    }
    // Well-formed, but it says that there was no tag.
    if let Some((field, value)) = case.conditions.absent_value() {
        let is_known = case.if_match().iter().any(|tag| case.is_known(*tag) || case.names(*tag));
        let fact = Evidence::Malformed { field, value, says: says(TagFault::JsValue) };
        let finding = Finding::new(Confidence::Likely, vec![fact, case.named_evidence()]);
        return (!is_known).then(|| finding.detail(TagFault::JsValue.as_str()));
    }
    if let Some(tag) = case.only_tag().filter(|tag| TagFault::is_encoded(tag) && !case.is_known(*tag)) {
        let (field, says) = (FieldName::IfMatch, says(TagFault::XmlEntity));
        let fact = Evidence::Malformed { field, value: tag.to_bytes(), says };
        let finding = Finding::new(Confidence::Likely, vec![fact, case.named_evidence()]);
        return Some(finding.detail(TagFault::XmlEntity.as_str()));
    }
    // RFC 9110 §13.1.4: If-Unmodified-Since is ignored beside If-Match.
    let (field, value, fault) = case.conditions.date_fault().filter(|_| !case.conditions.if_match.is_present())?;
    let fact = Evidence::Malformed { field, value, says: fault.says() };
    Some(Finding::new(Confidence::Likely, vec![fact, case.named_evidence()]).detail("date"))
}

/// Whether the service has accepted a value with the same fault before: then it refused this one for another reason.
fn was_taken(case: &Case<'_>, fault: TagFault) -> bool {
    case.applied().any(|(_, write)| {
        let sent = write.if_match.as_deref().filter(|sent| TagList::parse(sent).is_none());
        sent.is_some_and(|sent| TagFault::of(sent) == fault)
    })
}

const fn says(fault: TagFault) -> &'static str {
    match fault {
        TagFault::Unquoted => "the quotes are missing",
        TagFault::DoubleQuoted => "there are quotes within the quotes",
        TagFault::XmlEntity => "the quotes are XML entities",
        TagFault::JsValue => "it names a value that the client did not have",
        TagFault::StarInList => "* stands beside other members",
        TagFault::Other => "it is not a list of entity-tags",
    }
}
