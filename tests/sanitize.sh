#!/usr/bin/env bash
# The tests under sanitizers:
#
#   tests/sanitize.sh address [ctest option...]   every test: addresses, leaks, undefined behaviour (GCC)
#   tests/sanitize.sh thread                      races in the OpenMP loop and what runs in it (clang and its libomp)
#
# Build folders: build-asan, build-tsan. tests/sanitizer_defaults.cpp says what is not reported, and why.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/bootstrap.sh

address() {
  bootstrap analysis
  cmake --preset asan "${cmake_options[@]}"
  cmake --build build-asan --parallel "$(cores)"
  mpi_environment 4 2 # the largest MPI test
  exec ctest --test-dir build-asan --output-on-failure --no-tests=error "$@"
}

case ${1:-address} in
address) address "${@:2}" ;;
*) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
