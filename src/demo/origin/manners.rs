//! The faults that parts of the service have, each in one place of its URL space; everything else is as it should be.

/// How one part of the service behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manner {
    pub(super) tags: Tags,
    pub(super) judges: Judges,
    pub(super) answers: Answers,
    /// Whether it gives out Last-Modified.
    pub(super) dated: bool,
    /// Whether a job of the service's own changes the document shortly after each read.
    pub(super) touched: bool,
    /// Its Cache-Control.
    pub(super) caching: Option<&'static str>,
}

/// The tags that it gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tags {
    /// `"v3-K3fQ9zBt"`
    Strong,
    /// `W/"v3-K3fQ9zBt"`
    Weak,
    /// Without quotes.
    Unquoted,
    /// Each node makes its own.
    PerNode,
    /// Made anew for every answer.
    PerAnswer,
    /// Only a generation number.
    None,
}

/// How it judges conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judges {
    /// RFC 9110 §13.2.2.
    Strictly,
    /// It compares the whole field with the tag, letter by letter.
    Letters,
    /// It compares fractions of a second with a date that has none.
    Fractions,
    /// It judges a record by the tag of the collection that the record is in.
    ByTheCollection,
    /// It refuses what is current at first, and accepts it the second time.
    AtSecondGlance,
    /// It looks at x-goog-if-generation-match alone.
    Generations,
    /// It carries out every write, whatever the condition says.
    NothingOnWrites,
    /// It never answers 304.
    NeverReads,
    /// It asks If-Modified-Since though there is an If-None-Match.
    DateFirst,
    /// It answers 412 by a rule of its own, to requests without a condition.
    RuleOfItsOwn,
    /// It does not know `If-None-Match: *`.
    RefusesCreates,
}

/// How its answers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// As they should be.
    Fully,
    /// A refusal names nothing.
    Bare,
    /// A failed condition is a 409.
    Conflict,
    /// Who writes is given no new tag.
    NoTagToWriters,
    /// Writes are carried out at once and answered late.
    Late,
    /// After a PUT the connection breaks.
    Broken,
    /// A 304 lacks what the 200 said of caching.
    PoorConfirmations,
    /// JSON or HTML under one tag.
    Pages,
    /// Ranges are served, and If-Range is not looked at.
    Ranges,
}

const STRICT: Manner = Manner {
    tags: Tags::Strong,
    judges: Judges::Strictly,
    answers: Answers::Fully,
    dated: false,
    touched: false,
    caching: None,
};

const DATED: Manner = Manner { dated: true, ..STRICT };

/// By the beginning of the path; the first that fits.
const MANNERS: [(&str, Manner); 28] = [
    ("/documents/", DATED),
    ("/wiki/", Manner { caching: Some("public, max-age=8"), ..DATED }),
    ("/ledger/accounts/", Manner { answers: Answers::Broken, ..STRICT }),
    ("/ledger/payments/", Manner { answers: Answers::Late, ..STRICT }),
    ("/people/profiles/", Manner { tags: Tags::Weak, ..STRICT }),
    ("/patients/", Manner { tags: Tags::Weak, judges: Judges::Letters, ..STRICT }),
    ("/bucket/", Manner { tags: Tags::None, judges: Judges::Generations, ..STRICT }),
    ("/pages/", Manner { tags: Tags::PerNode, ..STRICT }),
    ("/files/budget.ods", Manner { touched: true, ..DATED }),
    ("/files/prices.json", Manner { touched: true, ..STRICT }),
    ("/files/disk.img", Manner { answers: Answers::Ranges, ..DATED }),
    ("/files/", DATED),
    ("/legacy/items/", Manner { tags: Tags::Unquoted, ..STRICT }),
    ("/legacy/labels/", Manner { judges: Judges::Letters, ..STRICT }),
    ("/legacy/sync/", Manner { judges: Judges::Fractions, ..DATED }),
    ("/legacy/tasks/", Manner { judges: Judges::ByTheCollection, ..STRICT }),
    ("/legacy/values/", Manner { judges: Judges::AtSecondGlance, ..STRICT }),
    ("/legacy/flags/", Manner { tags: Tags::PerAnswer, ..STRICT }),
    ("/legacy/archive/", Manner { judges: Judges::NothingOnWrites, ..STRICT }),
    ("/legacy/feed/", Manner { judges: Judges::NeverReads, ..STRICT }),
    ("/legacy/clips/", Manner { judges: Judges::DateFirst, ..DATED }),
    ("/legacy/jobs/", Manner { judges: Judges::RuleOfItsOwn, answers: Answers::Bare, ..STRICT }),
    ("/legacy/uploads/", Manner { judges: Judges::RefusesCreates, ..STRICT }),
    ("/legacy/vault/", Manner { answers: Answers::Bare, ..STRICT }),
    ("/legacy/stock/", Manner { answers: Answers::Conflict, ..STRICT }),
    ("/legacy/invoices/", Manner { answers: Answers::NoTagToWriters, ..STRICT }),
    ("/legacy/logos/", Manner { answers: Answers::PoorConfirmations, caching: Some("max-age=60"), ..STRICT }),
    ("/legacy/views/", Manner { answers: Answers::Pages, ..STRICT }),
];

/// How the part of the service behaves that `path` is in.
pub(super) fn of(path: &str) -> Manner {
    MANNERS.iter().find(|(start, _)| path.starts_with(start)).map_or(STRICT, |(_, manner)| *manner)
}
