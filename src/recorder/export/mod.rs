//! A record in the words of other tools.

pub mod bundle;
pub mod curl;
pub mod har;
