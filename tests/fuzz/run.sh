#!/usr/bin/env bash
# Fuzzes the readers and parsers, with address and undefined-behaviour sanitizers (needs clang):
#
#   tests/fuzz/run.sh [seconds for each target = 60] [target...]     suite dataset policy checkpoint journal ini mixture
#   METASIEVE_FUZZ_MERGE=1 tests/fuzz/run.sh ...                     adds new inputs to tests/fuzz/corpus
#
# Inputs and findings are left in build-fuzz/fuzz/TARGET. Exit code 1 if a target was brought down. Keep such an
# input, after the repair, as tests/fuzz/findings/TARGET/WHAT_IT_WAS: the ordinary tests replay it.
#
# HDF5 files are fuzzed in two ways, half of the time each:
#   edits   a good file is changed through HDF5's own calls (edit_file.cpp). Nothing may fail.
#   bytes   the bytes of a file are changed, checksums repaired. HDF5 1.10 itself crashes on many of these, which is
#           why metasieve checks files in a process of their own (files/read_file.hpp). libFuzzer has no such process
#           and goes on after a crash; afterwards each input that crashed is read as metasieve does (replay.cpp),
#           which must refuse it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source jobs/bootstrap.sh
bootstrap fuzz

seconds=${1:-60}
[ $# -eq 0 ] || shift
targets=("$@")
[ $# -gt 0 ] || targets=(suite dataset policy checkpoint journal ini mixture)

cmake --preset fuzz
cmake --build build-fuzz --parallel "$(cores)" --target "${targets[@]/#/fuzz_}" "${targets[@]/#/replay_}"

mpi_environment 1 1
export OMPI_MCA_btl=self OMP_NUM_THREADS=1
scratch=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" metasieve-fuzz.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch
binaries=build-fuzz/tests/fuzz
failed=0

fuzz() { # target kind seconds option... ; what libFuzzer prints goes to a file, and its last words here
  local target=$1 kind=$2 time=$3 folder=build-fuzz/fuzz/$1 log
  shift 3
  log=$folder/$kind.log
  mkdir -p "$folder/$kind" "$folder/$kind.found"
  local status=0
  METASIEVE_FUZZ_KIND=$kind $binaries/fuzz_"$target" -max_total_time="$time" -timeout=30 -rss_limit_mb=3000 \
    -artifact_prefix="$folder/$kind.found/" "$@" "$folder/$kind" tests/fuzz/corpus/"$target" \
    >"$log" 2>&1 || status=$?
  printf '%-10s %-5s %s' "$target" "$kind" "$(grep -aE '^#[0-9]+' "$log" | grep -a cov: | tail -n 1)"
  printf ', %d found\n' "$(find "$folder/$kind.found" -type f | wc -l)"
  return $status
}

for target in "${targets[@]}"; do
  folder=build-fuzz/fuzz/$target
  case $target in
  journal | ini | mixture) fuzz "$target" text "$seconds" -max_len=6000 || failed=1 ;;
  *)
    fuzz "$target" edits $((seconds / 2)) -max_len=200 || failed=1
    fuzz "$target" bytes $((seconds / 2)) -max_len=40000 -fork=1 -ignore_crashes=1 -ignore_ooms=1 \
      -ignore_timeouts=1 || failed=1
    if [ -n "$(ls -A "$folder/bytes.found")" ]; then
      $binaries/replay_"$target" "$folder/bytes.found" >"$folder/replay.log" 2>&1 || failed=1
      printf '%-10s these, read apart: %s\n' "$target" "$(tail -n 1 "$folder/replay.log")"
    fi
    ;;
  esac
  if [ -n "${METASIEVE_FUZZ_MERGE:-}" ]; then
    find "$folder" -maxdepth 1 -type d \( -name edits -o -name text -o -name bytes \) -print0 |
      xargs -0 $binaries/fuzz_"$target" -merge=1 -max_len=4000 tests/fuzz/corpus/"$target" >"$folder/merge.log" 2>&1
  fi
done
exit $failed
