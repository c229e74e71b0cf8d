//! Real gateways from Debian's packages, with one instance in front of them or behind them.

mod alone;
