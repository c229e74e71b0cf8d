//! Every metric, declared with its help. Labels are enums or configured names: nothing a client sends becomes one.

/// All series of the process.
#[derive(Debug)]
pub struct Metrics {}

/// The series of one route, resolved once.
#[derive(Debug)]
pub struct RouteSeries {}
