#!/usr/bin/env bash
# Repeats the figures of README.md: trains the default policy with and without the group as an input of the model, and
# compares both on fresh suites of each family and, where it is at hand, on COMPAS. About five minutes on two cores.
#
#   jobs/figures.sh           the settings of jobs/local.sh apply; METASIEVE_RUN=runs/figures by default,
#                             METASIEVE_TASKS=400 tasks in each fresh suite
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/bootstrap.sh

run=runs/figures build=build data=../shared/data
[ -z "${METASIEVE_RUN:-}" ] || run=$(from_caller "$METASIEVE_RUN")
[ -z "${METASIEVE_BUILD:-}" ] || build=$(from_caller "$METASIEVE_BUILD")
[ -z "${METASIEVE_DATA:-}" ] || data=$(from_caller "$METASIEVE_DATA")

jobs/bootstrap.sh analysis
cmake -S . -B "$build" "${cmake_options[@]}" >/dev/null
cmake --build "$build" --target metasieve --parallel "$(cores)" >/dev/null

ranks=${METASIEVE_RANKS:-2}
threads=$(($(cores) / ranks))
export OMP_NUM_THREADS=$((threads > 0 ? threads : 1))
mpi_environment "$ranks" "$OMP_NUM_THREADS"
metasieve=(mpirun -n "$ranks" "$build/src/metasieve")

mkdir -p "$run"
for family in biased seed; do
  "${metasieve[@]}" generate --suite.mixture $family:1 --suite.tasks "${METASIEVE_TASKS:-400}" \
    --suite.validation_tasks 0 --suite.seed 9001 --output "$run/$family.h5"
done
if [ -r "$data/compas-scores-two-years.csv" ]; then
  "$(find_python)" analysis/import_dataset.py compas --source "$data" --output "$run/compas.h5"
fi
for group in true false; do
  name=$([ $group = true ] && echo aware || echo blind)
  printf '\n===== inner.use_group = %s\n' $group
  "${metasieve[@]}" train --config configs/train.ini --inner.use_group $group --output "$run/$name" | tail -n 11
  for source in "--suite $run/biased.h5" "--suite $run/seed.h5" "--dataset $run/compas.h5"; do
    [ -r "${source#* }" ] || continue
    # shellcheck disable=SC2086  # an option and its value
    "${metasieve[@]}" evaluate --policy "$run/$name/policy.h5" $source \
      --output "$run/evaluation_${name}_$(basename "${source#* }")"
  done
done
