//! The data plane: the straight line that moves an exchange.
