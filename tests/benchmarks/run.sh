#!/usr/bin/env bash
# Builds every benchmark and prints one table: tests/benchmarks/run.sh [BUILD] [Google Benchmark options]
# For example: tests/benchmarks/run.sh build --benchmark_filter=meta_gradient
set -euo pipefail
cd "$(dirname "$0")/../.."
build=build
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
  build=$1
  shift
fi

[ -f "$build/CMakeCache.txt" ] || cmake -S . -B "$build" > /dev/null
cmake --build "$build" --target benchmarks -j "$(nproc)" > "$build/benchmarks.log" || { cat "$build/benchmarks.log"; exit 1; }

export OMP_NUM_THREADS=1
for source in tests/benchmarks/bench_*.cpp; do
  "$build/tests/benchmarks/$(basename "$source" .cpp)" --benchmark_counters_tabular=true "$@" 2> >(grep -v WARNING >&2)
done | awk '/^Benchmark / && seen++ { next } /^-+$/ && dashes++ > 1 { next } { print }'
