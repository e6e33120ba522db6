#!/usr/bin/env bash
# The tests under sanitizers:
#
#   tests/sanitize.sh address [ctest option...]   every test: addresses, leaks, undefined behaviour (GCC)
#   tests/sanitize.sh thread [ranks = 1]          races: tests/mpi and the program with 4 threads (clang, libomp)
#
# Build folders: build-asan, build-tsan. tests/sanitizer_defaults.cpp says what is not reported, and why. The thread
# sanitizer knows what waits for what in OpenMP by way of Archer, which comes with clang's libomp; GCC's libgomp
# would give false alarms without end.
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

thread() { # [ranks]
  local ranks=${1:-1}
  bootstrap fuzz
  cmake --preset tsan "${cmake_options[@]}"
  cmake --build build-tsan --parallel "$(cores)" --target test_mpi metasieve
  mpi_environment "$ranks" 4
  export OMP_NUM_THREADS=4 OMPI_MCA_btl=self,vader
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT

  # Without Archer each loop is a race, or none is seen.
  ARCHER_OPTIONS=verbose=1 build-tsan/tests/mpi/test_mpi --gtest_filter='*ForEach*' >"$scratch/log" 2>&1 || true
  grep -q "Archer detected OpenMP application with TSan" "$scratch/log" ||
    { cat "$scratch/log" && echo "sanitize.sh: libomp finds no Archer (libarcher.so)" >&2 && exit 1; }

  run() { echo "+ $*" && timeout 900 mpirun -n "$ranks" "$@"; }
  run build-tsan/tests/mpi/test_mpi --gtest_brief=1

  local metasieve=$PWD/build-tsan/src/metasieve
  local family=(--suite.mixture tiny:1 --family.tiny.samples 60:100 --family.tiny.features 5:6)
  local suite=(--suite.tasks 12 --suite.validation_tasks 4 "${family[@]}")
  local short=(--meta.iterations 6 --meta.batch 6 --meta.validate_every 3 --policy.hidden 8,4)
  cd "$scratch"
  run "$metasieve" generate "${suite[@]}" --output suite.h5 >log
  for method in implicit unrolled; do
    run "$metasieve" train "${suite[@]}" "${short[@]}" --inner.method $method --suite suite.h5 --output $method >log
  done
  run "$metasieve" train "${suite[@]}" "${short[@]}" --output no_suite >log
  run "$metasieve" evaluate --policy implicit/policy.h5 --suite suite.h5 --output e.h5 --frontier \
    --evaluate.adapt_steps 2 --evaluate.refit_rounds 1 >log
  echo "sanitize.sh: no race"
}

case ${1:-address} in
address) address "${@:2}" ;;
thread) thread "${@:2}" ;;
*) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
