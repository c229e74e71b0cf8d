//! The command line as people and shells meet it: on a terminal, by its examples, completed, and as manual pages.

mod examples;
mod messages;
mod scripts;
mod terminal;
