#!/usr/bin/env bash
# Installs schemathesis, in the versions of tests/schemathesis.txt, where the tests look for it: target/schemathesis.
set -euo pipefail
cd "$(dirname "$0")/.."
home=target/schemathesis
if [ -x "$home/bin/schemathesis" ] && cmp -s tests/schemathesis.txt "$home/installed.txt"; then
  exit 0
fi
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  bash tests/setup.sh venv
fi
echo "Installing schemathesis …" >&2
rm -rf "$home"
mkdir -p target
python3 -m venv "$home"
"$home/bin/pip" install --quiet --disable-pip-version-check --requirement tests/schemathesis.txt
cp tests/schemathesis.txt "$home/installed.txt"
