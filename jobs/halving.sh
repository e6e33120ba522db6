#!/usr/bin/env bash
# Compares successive halving with the full grid at the 128 points of configs/halving.ini, for five seeds: the best
# point's validation loss, and the core-hours. About an hour on two cores.
#
#   jobs/halving.sh [OUT]     into runs/halving_study by default; METASIEVE_SEEDS="1 2 3 4 5", METASIEVE_RANKS=2
#
# Points that are done are not repeated.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/bootstrap.sh

out=runs/halving_study build=build ranks=${METASIEVE_RANKS:-2}
[ -z "${1:-}" ] || out=$(from_caller "$1")
[ -z "${METASIEVE_BUILD:-}" ] || build=$(from_caller "$METASIEVE_BUILD")
read -ra seeds <<<"${METASIEVE_SEEDS:-1 2 3 4 5}"
export OMP_NUM_THREADS=1
mpi_environment "$ranks" 1

for seed in "${seeds[@]}"; do
  for factor in 0 3; do
    folder=$out/seed_${seed}_halving_$factor
    mpirun -n "$ranks" "$build/src/metasieve" sweep --config configs/halving.ini --output "$folder" \
      --sweep.halving "$factor" --suite.seed "$seed" --meta.seed "$seed" --sweep.seed "$seed"
    "$build/src/metasieve" sweep --output "$folder" --collect
  done
done
"$(find_python)" - "$out" "${seeds[@]}" <<'PYTHON'
import csv
import statistics
import sys

out, *seeds = sys.argv[1:]


def best_and_cost(seed, factor):
    with open(f"{out}/seed_{seed}_halving_{factor}/sweep.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    losses = [float(row["validation.loss"] or "inf") for row in rows if row["state"] == "done"]
    return min(losses), sum(float(row["core_seconds"]) for row in rows) / 3600


losses, costs = [], []
print("seed  loss of the grid  of halving  ratio  core-hours of the grid  of halving  ratio")
for seed in seeds:
    (grid, hours), (halving, fewer) = best_and_cost(seed, 0), best_and_cost(seed, 3)
    losses.append(halving / grid)
    costs.append(fewer / hours)
    print(f"{seed:>4}  {grid:16.5f}  {halving:10.5f}  {losses[-1]:5.3f}"
          f"  {hours:22.3f}  {fewer:10.3f}  {costs[-1]:5.3f}")
print(f"median ratio of losses {statistics.median(losses):.4f}, of core-hours {statistics.median(costs):.3f}")
PYTHON
