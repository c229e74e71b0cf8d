//! What the two instances of a pair tell each other: marks on requests, reports on responses, both RFC 9651
//! dictionaries, bounded and authenticated.
//!
//! `docs/pairing.md` describes the fields and what a hostile party could try. This module writes and reads them; it
//! concludes nothing.

mod carried;
mod earlier;
mod envelope;
mod mark;
mod report;
mod seen;

pub use carried::{Carried, CarriedValue, VALUE_BYTES_MAX};
pub use earlier::EarlierWrites;
pub use envelope::{Authenticity, Keys};
pub use mark::{BypassMark, MARK_BYTES_MAX, Mark};
pub use report::{EarlierWrite, HEAD_BYTES_MAX, REPORT_BYTES_MAX, Report};
pub use seen::SeenMarks;
