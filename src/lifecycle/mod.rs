//! Composition: start, phase, reload, signals, logs.
