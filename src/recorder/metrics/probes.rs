//! What becomes of probes, as their metric tells it.

/// What became of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProbeOutcome {
    /// The path gave an answer.
    Answered,
    /// It gave none.
    Failed,
    /// The URL holds a secret that it may not use.
    Withheld,
    /// The limit of probes was reached.
    Limited,
    /// Too many were waiting or under way.
    Dropped,
    /// A probe of the outer instance passed here.
    Passed,
}

impl ProbeOutcome {
    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Withheld => "withheld",
            Self::Limited => "limited",
            Self::Dropped => "dropped",
            Self::Passed => "passed",
        }
    }
}
