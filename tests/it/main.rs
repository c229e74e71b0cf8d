//! Behaviour at the edges, through real sockets.
