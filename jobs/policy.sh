#!/usr/bin/env bash
# Trains the policies that come with metasieve, configs/policy.h5 and configs/policy_blind.h5 (for a final model that
# does not see the group), from configs/train.ini with its seeds. A few minutes on two cores.
#
#   jobs/policy.sh               the settings of jobs/local.sh apply; METASIEVE_RUN=runs/policy by default
#   jobs/policy.sh --install     also copies the policies of the first seed to configs/
#
# METASIEVE_SEEDS="1 2 3"       values of meta.seed; their policies are RUN/aware_SEED/policy.h5 and
#                               RUN/blind_SEED/policy.h5, to be compared together: evaluate --policy A B C
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/bootstrap.sh

run=runs/policy build=build
[ -z "${METASIEVE_RUN:-}" ] || run=$(from_caller "$METASIEVE_RUN")
[ -z "${METASIEVE_BUILD:-}" ] || build=$(from_caller "$METASIEVE_BUILD")
if [ $# -gt 1 ] || [ "${1:---install}" != --install ]; then
  echo "usage: jobs/policy.sh [--install]" >&2
  exit 2
fi

jobs/bootstrap.sh
cmake -S . -B "$build" "${cmake_options[@]}" >/dev/null
cmake --build "$build" --target metasieve --parallel "$(cores)" >/dev/null

ranks=${METASIEVE_RANKS:-2}
threads=$(($(cores) / ranks))
export OMP_NUM_THREADS=$((threads > 0 ? threads : 1))
mpi_environment "$ranks" "$OMP_NUM_THREADS"

read -ra seeds <<<"${METASIEVE_SEEDS:-1 2 3}"
read -ra extra <<<"${METASIEVE_EXTRA:-}"
for seed in "${seeds[@]}"; do
  for group in true false; do
    folder=$run/$([ $group = true ] && echo aware || echo blind)_$seed
    printf '\n== %s\n' "$folder"
    mpirun -n "$ranks" "$build/src/metasieve" train --config configs/train.ini --meta.seed "$seed" \
      --inner.use_group $group --output "$folder" "${extra[@]}" | tail -n 12
  done
done
if [ "${1:-}" = --install ]; then
  cp "$run/aware_${seeds[0]}/policy.h5" configs/policy.h5
  cp "$run/blind_${seeds[0]}/policy.h5" configs/policy_blind.h5
fi
