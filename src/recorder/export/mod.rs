//! A record in the words of other tools.

pub mod curl;
pub mod har;
