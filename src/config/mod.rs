//! The configuration: the file as written, checked into values that cannot be wrong.
