#!/usr/bin/env bash
# The whole test suite: installs the servers it needs where they are missing, then `cargo test` with the given arguments.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tests/setup.sh
bash tests/schemathesis.sh
exec cargo test --locked "$@"
