//! The bypass switch: state, scope, expiry.
