//! The control plane: the admin API and its guard.
