#!/usr/bin/env bash
# Builds every benchmark and prints one table, then the ratios that are goals:
#   tests/benchmarks/run.sh [BUILD] [Google Benchmark options]
# For example: tests/benchmarks/run.sh build --benchmark_filter=meta_gradient
# All of it takes some five minutes of a machine that has nothing else to do; each benchmark is repeated three times.
# METASIEVE_BENCH_DIR   a folder on the disk to be measured; otherwise that of the build
set -euo pipefail
cd "$(dirname "$0")/../.."
source jobs/bootstrap.sh
# PyTorch and OpenBLAS, for the comparison; without PyTorch it is left out.
[ "$(id -u)" != 0 ] || bootstrap benchmarks
"$(find_python)" tests/benchmarks/peer_pytorch.py --check
build=build
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
  build=$1
  shift
fi

[ -f "$build/CMakeCache.txt" ] || cmake -S . -B "$build" > /dev/null
if grep -q '^benchmark_DIR:PATH=.*-NOTFOUND' "$build/CMakeCache.txt"; then
  cmake -S . -B "$build" > /dev/null # it may have come since
fi
if ! grep -qw benchmarks <<< "$(cmake --build "$build" --target help)"; then
  echo "Google Benchmark is missing: jobs/bootstrap.sh installs it or names its package (Debian: libbenchmark-dev);" >&2
  echo "if it is there, the build must have METASIEVE_BENCHMARKS=ON" >&2
  exit 2
fi
cmake --build "$build" --target benchmarks -j "$(nproc)" > "$build/benchmarks.log" ||
  { cat "$build/benchmarks.log" && exit 1; }

cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }
flags="$(cached CMAKE_CXX_FLAGS) $(cached CMAKE_CXX_FLAGS_RELEASE)"
[ "$(cached METASIEVE_NATIVE)" != ON ] || flags+=" -march=native"
echo "processor  $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(cores) core(s) for this process"
echo "compiler   $("$(cached CMAKE_CXX_COMPILER)" --version | head -1)"
echo "flags      $flags"
echo "load       $(cut -d' ' -f1-3 /proc/loadavg) before the start"

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
export OMP_NUM_THREADS=1 METASIEVE_BENCH_DIR=${METASIEVE_BENCH_DIR:-$PWD/$build}
mpi_environment 1 1
# Of those that were built: a benchmark that has just been added is not, until CMake runs again.
for program in "$build"/tests/benchmarks/bench_*; do
  [ -x "$program" ] && [ -f "$program" ] || continue
  name=$(basename "$program")
  inputs=()
  [ "$name" != bench_iteration ] || inputs=(METASIEVE_ITERATION="$results")
  env "${inputs[@]}" "$program" --benchmark_repetitions=3 --benchmark_out="$results/$name.json" \
    --benchmark_out_format=json "$@" > "$results/$name.log" 2>&1 ||
    { cat "$results/$name.log" >&2 && echo "$name failed" >&2 && exit 1; }
done
if [ -f "$results/tasks.f32" ]; then
  "$(find_python)" tests/benchmarks/peer_pytorch.py --inputs "$results" --json "$results/peer.json" \
    > "$results/peer.log" || { cat "$results/peer.log" >&2 && exit 1; }
  [ -f "$results/peer.json" ] || cat "$results/peer.log"
fi
"$(find_python)" tests/benchmarks/table.py "$results"
