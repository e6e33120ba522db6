#!/usr/bin/env bash
# Scaling to 1,024 nodes, simulated: measures real tasks on this machine, then runs the real sharding, batches and sums
# on SimGrid's cluster fat_tree.xml.   tests/simgrid/run.sh [OUTPUT] [--nodes N]
# OUTPUT (runs/simulation) gets tasks.csv, weak.csv, strong.csv, allreduce.csv and simulation.png. A tasks.csv that is
# there is used again. METASIEVE_BUILD=build is the build folder; see also jobs/bootstrap.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source jobs/bootstrap.sh

output=runs/simulation
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
  output=$(from_caller "$1")
  shift
fi
build=build
[ -z "${METASIEVE_BUILD:-}" ] || build=$(from_caller "$METASIEVE_BUILD")

bootstrap analysis simulation
cmake -S . -B "$build" "${cmake_options[@]}" >/dev/null
cmake --build "$build" --parallel "$(cores)" --target simulate_training measure_tasks
mkdir -p "$output"
if [ ! -e "$output/tasks.csv" ]; then
  OMP_NUM_THREADS=1 "$build/tests/simgrid/measure_tasks" configs/train.ini 1000 16 1 "$output/tasks.csv.part"
  mv "$output/tasks.csv.part" "$output/tasks.csv"
fi
python=$(find_python)
"$python" tests/simgrid/study.py "$PWD/$build/tests/simgrid/simulate_training" "$output/tasks.csv" "$output" "$@"
PYTHONPATH=analysis "$python" -m metasieve plot simulation "$output" --output "$output/simulation.png"
