#!/usr/bin/env bash
# Builds the fuzz targets and runs each from its corpus with libFuzzer; with names as arguments, only those. Unless told
# otherwise each takes 5 seconds at most and always tries the same inputs, so that it finds a fault in a change and not in
# a dice roll; SECONDS_EACH=600 looks for new ones, so long and at random. Needs a stable Rust toolchain and a C++
# compiler. What breaks a law is left in fuzz/artifacts/NAME: fix the fault, and keep the file in fuzz/corpus/NAME, where
# `cargo test` replays it.
set -euo pipefail
cd "$(dirname "$0")/.."
each=${SECONDS_EACH:-5}
dice=()
[ -n "${SECONDS_EACH:-}" ] || dice=(-seed=412)
# What cargo-fuzz would pass to a nightly compiler, less the address sanitizer: why412 forbids `unsafe`.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
# Naming the target keeps the flags away from build scripts.
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="--cfg fuzzing $coverage" cargo build --locked --quiet --manifest-path fuzz/Cargo.toml \
  --target "$host" --target-dir target/fuzz
[ "$#" -gt 0 ] || set -- $(cd fuzz/fuzz_targets && ls | sed 's/\.rs$//')
for name in "$@"; do
  mkdir -p "fuzz/artifacts/$name"
  found=$(mktemp -d)
  # New inputs go to the first folder: the corpus that is kept stays small.
  if ! "target/fuzz/$host/debug/$name" "${dice[@]}" -max_total_time="$each" -timeout=10 -rss_limit_mb=2048 -max_len=8192 \
    -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$name/" "$found" "fuzz/corpus/$name" >"$found.log" 2>&1; then
    cat "$found.log" >&2
    echo "fuzz target $name: a law is broken; see fuzz/artifacts/$name" >&2
    exit 1
  fi
  echo "fuzz target $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$found.log") inputs, no law broken"
  rm -rf "$found" "$found.log"
done
