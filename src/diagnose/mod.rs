//! The active procedure of `why412 diagnose` and of probes: asks a service itself, instead of waiting for its traffic.
//!
//! [`procedure`] sends what [`steps`] plans and keeps what comes back; [`compare`] and [`verdict`] judge it and know no
//! network; [`retry`] sends the refreshed request, under rules that never overwrite what nobody has read.
//! [`probe`] is apart from all that: it only reads, for the recorder of an instance.

pub mod asked;
pub mod compare;
pub mod findings;
pub mod observed;
pub mod probe;
pub mod procedure;
pub mod refreshed;
pub mod retry;
pub mod steps;
pub mod verdict;
pub mod wire;

pub use asked::{Asked, Target};
pub use observed::{Observed, Step};
pub use procedure::{Means, run};
pub use steps::{Kind, Way};
pub use verdict::{Conclusion, conclude};
