//! A record in the words of other tools, and of people.

pub mod bundle;
pub mod curl;
pub mod escalation;
pub mod har;
pub mod sides;
mod text;
pub mod timeline;
pub mod verdict;
