#!/usr/bin/env bash
# Makes the pictures of docs/gallery.md again, from runs of its own: about ten minutes on two cores.
#
#   jobs/gallery.sh               into runs/gallery
#   jobs/gallery.sh --install     and copies them to docs/gallery, in few colours, as the page shows them
#
# Takes what jobs/local.sh left in runs/local (and runs that first, if it has not). COMPAS, German credit: METASIEVE_DATA.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/bootstrap.sh

data=../shared/data out=runs/gallery build=build
[ -z "${METASIEVE_BUILD:-}" ] || build=$(from_caller "$METASIEVE_BUILD")
[ -z "${METASIEVE_DATA:-}" ] || data=$(from_caller "$METASIEVE_DATA")
[ $# -eq 0 ] || [ "$*" = --install ] || { echo "usage: jobs/gallery.sh [--install]" >&2 && exit 2; }
[ -e runs/local/results.h5 ] || jobs/local.sh
python=$(find_python) metasieve=(mpirun -n 2 "$build/src/metasieve")
export OMP_NUM_THREADS=1
export PYTHONPATH=analysis${PYTHONPATH:+:$PYTHONPATH}
mpi_environment 2 1
mkdir -p "$out"

evaluate=("${metasieve[@]}" evaluate --config configs/compare.ini --policy configs/policy.h5)
for name in compas german; do
  "$python" -m metasieve import $name --source "$data" --output "$out/$name.h5"
done
"${evaluate[@]}" --dataset "$out/compas.h5" "$out/german.h5" --output "$out/real.h5" --frontier
"$python" -m metasieve import compas --source "$data" --group race --output "$out/compas_race.h5"
"${evaluate[@]}" --dataset "$out/compas_race.h5" --output "$out/race.h5"
"${metasieve[@]}" generate --suite.mixture biased:1 --suite.tasks 100 --suite.validation_tasks 0 --suite.seed 7 \
  --output "$out/fresh.h5"
"${metasieve[@]}" evaluate --policy configs/policy.h5 --suite "$out/fresh.h5" --output "$out/suite.h5"
"${metasieve[@]}" sweep --config configs/sweep.ini --output "$out/sweep"
"${metasieve[@]}" sweep --output "$out/sweep" --collect
"${metasieve[@]}" scaling --config configs/scaling.ini --output "$out/scaling"

"$python" -m metasieve plot suite runs/local/suite.h5 --output "$out/tasks"
"$python" -m metasieve plot learning runs/local/results.h5 --output "$out/learning"
"$python" -m metasieve plot comparison "$out/suite.h5" "$out/real.h5" --output "$out/comparison"
"$python" -m metasieve plot groups "$out/race.h5" --output "$out/groups"
"$python" -m metasieve plot frontier "$out/real.h5" --only compas --output "$out/frontier"
"$python" -m metasieve plot noise "$out/suite.h5" --output "$out/noise"
"$python" -m metasieve plot response "$out/real.h5" --output "$out/response"
"$python" -m metasieve plot sweep "$out/sweep/sweep.h5" --output "$out/sweep"
"$python" -m metasieve plot scaling "$out/scaling/scaling.h5" --output "$out/scaling"
[ "$*" != --install ] || "$python" - "$out" <<'END'
import pathlib, sys
from PIL import Image
target = pathlib.Path("docs/gallery")
target.mkdir(exist_ok=True)
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.png")):
    picture = Image.open(path).convert("RGB")
    picture.thumbnail((1400, 1400))
    picture.quantize(256, Image.Quantize.MAXCOVERAGE).save(target / path.name, optimize=True)
END
