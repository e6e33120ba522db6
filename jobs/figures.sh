#!/usr/bin/env bash
# Repeats the figures of docs/results.md: trains three policies with and three without the group as an input of the model
# (jobs/policy.sh), compares them on fresh suites and, where they are at hand, on COMPAS, Adult, German credit and the data of
# Roh et al. 2021 (python3 -m metasieve compare), and on these and further tables under several corruptions (python3 -m metasieve
# league). About an hour on two cores.
#
#   jobs/figures.sh           the settings of jobs/local.sh apply; METASIEVE_RUN=runs/figures by default,
#                             METASIEVE_TASKS=400 tasks in each fresh suite
#
# Policies that are already in RUN/policies are used as they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/bootstrap.sh

run=runs/figures build=build data=../shared/data
[ -z "${METASIEVE_RUN:-}" ] || run=$(from_caller "$METASIEVE_RUN")
[ -z "${METASIEVE_BUILD:-}" ] || build=$(from_caller "$METASIEVE_BUILD")
[ -z "${METASIEVE_DATA:-}" ] || data=$(from_caller "$METASIEVE_DATA")

jobs/bootstrap.sh analysis
complete=yes
for seed in 1 2 3; do
  for group in aware blind; do [ -e "$run/policies/${group}_$seed/policy.h5" ] || complete=no; done
done
if [ $complete = yes ]; then
  echo "using the policies in $run/policies"
  cmake -S . -B "$build" "${cmake_options[@]}" >/dev/null
  cmake --build "$build" --target metasieve --parallel "$(cores)" >/dev/null
else
  METASIEVE_RUN=$(realpath -m "$run/policies") METASIEVE_BUILD=$(realpath -m "$build") jobs/policy.sh
fi

ranks=${METASIEVE_RANKS:-2}
threads=$(($(cores) / ranks))
export OMP_NUM_THREADS=$((threads > 0 ? threads : 1))
mpi_environment "$ranks" "$OMP_NUM_THREADS"
export PYTHONPATH=analysis${PYTHONPATH:+:$PYTHONPATH}
metasieve=(mpirun -n "$ranks" "$build/src/metasieve")

for seed in 9101 9102; do
  "${metasieve[@]}" generate --suite.mixture seed_random:1,biased:1,honest:1 --suite.tasks "${METASIEVE_TASKS:-400}" \
    --suite.validation_tasks 0 --suite.seed $seed --output "$run/suite_$seed.h5"
  for group in aware blind; do
    printf '\n===== suite %s, %s\n' $seed $group
    "${metasieve[@]}" evaluate --policy "$run"/policies/"${group}"_*/policy.h5 --suite "$run/suite_$seed.h5" \
      --output "$run/evaluation_${group}_$seed.h5"
  done
done
if [ -d "$data" ]; then
  "$(find_python)" -m metasieve compare --source "$data" --output "$run/real" --data compas adult german roh \
    --metasieve "$build/src/metasieve" --ranks "$ranks" --frontier \
    --policy "$run"/policies/aware_*/policy.h5 --blind-policy "$run"/policies/blind_*/policy.h5
  "$(find_python)" -m metasieve plot frontier "$run/real/comparison_aware.h5" --only compas adult \
    --output "$run/frontier.png"
  "$(find_python)" -m metasieve import compas --source "$data" --group race --output "$run/compas_race.h5"
  for name in compas adult; do
    "$(find_python)" -m metasieve import $name --source "$data" --group race sex --smallest-group 30 \
      --output "$run/${name}_race_sex.h5"
  done
  "${metasieve[@]}" evaluate --config configs/compare.ini --policy configs/policy.h5 \
    --dataset "$run/compas_race.h5" "$run/compas_race_sex.h5" "$run/adult_race_sex.h5" --output "$run/groups.h5"
  "$(find_python)" -m metasieve league "$data" --metasieve "$build/src/metasieve" --ranks "$ranks" --seed 7001 --methods all \
    --corruptions none,flips:0.1,flips:0.2,hidden:0.15,hidden:0.3,hidden:0.45,groups,lowest_loss:0.1,clustered:0.1 \
    --output "$run/league"
  tables=()
  for table in "$data"/league/*.csv; do
    [ -e "$table" ] && tables+=("$run/league/$(basename "$table" .csv).h5")
  done
  # -DMETASIEVE_PYTHON=ON
  if cmake --build "$build" --target metasieve_module --parallel "$(cores)" >/dev/null; then
    PYTHONPATH=$PYTHONPATH:$build/python "$(find_python)" -m metasieve compare --model boosting forest logistic \
      --source "$data" --data compas adult ${tables:+--dataset "${tables[@]}"} --output "$run/final_models"
  else
    echo "no figures of other final models: the Python module is not built"
  fi
fi
