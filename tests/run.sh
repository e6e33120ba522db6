#!/usr/bin/env bash
# Builds everything and runs all tests, as many at a time as there are cores, but those alone that need it. Arguments
# go to ctest: tests/run.sh -R core -j1
# METASIEVE_BUILD=build is the build folder; see also jobs/bootstrap.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/bootstrap.sh

build=build
[ -z "${METASIEVE_BUILD:-}" ] || build=$(from_caller "$METASIEVE_BUILD")
bootstrap analysis data wheel
cmake -S . -B "$build" -DMETASIEVE_TESTS=ON "${cmake_options[@]}"
cmake --build "$build" --parallel "$(cores)"

mpi_environment 4 2 # the largest MPI test
export CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$(cores)}
exec ctest --test-dir "$build" --output-on-failure --no-tests=error "$@"
