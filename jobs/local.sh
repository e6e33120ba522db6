#!/usr/bin/env bash
# The main job on one machine: build, generate, train, evaluate, plot, report.
#
#   jobs/local.sh [config]        default: configs/quickstart.ini
#
# METASIEVE_RANKS=2             MPI ranks; the cores are shared out among them as threads
# METASIEVE_RUN=runs/local      output folder
# METASIEVE_BUILD=build         build folder
# METASIEVE_DATA=../shared/data folder of compas-scores-two-years.csv (as published by ProPublica), and of SLID.csv where R
#                               has no package carData (jobs/bootstrap.sh data)
# METASIEVE_HELDOUT=40          tasks in the suite that the policy is evaluated on
# METASIEVE_EXTRA=WORDS         appended to the metasieve commands on which these keys act, e.g.
#                               METASIEVE_EXTRA="--suite.tasks 24 --suite.validation_tasks 4 --meta.iterations 10"
# and those of jobs/bootstrap.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/bootstrap.sh
source jobs/keys.sh

config=configs/quickstart.ini run=runs/local build=build data=../shared/data
[ $# -eq 0 ] || config=$(from_caller "$1")
[ -z "${METASIEVE_RUN:-}" ] || run=$(from_caller "$METASIEVE_RUN")
[ -z "${METASIEVE_BUILD:-}" ] || build=$(from_caller "$METASIEVE_BUILD")
[ -z "${METASIEVE_DATA:-}" ] || data=$(from_caller "$METASIEVE_DATA")
if [ $# -gt 1 ] || [ ! -r "$config" ]; then
  echo "usage: jobs/local.sh [config]: cannot read $config" >&2
  exit 2
fi

step() { # name command...
  local name=$1 code=0 command
  shift
  printf -v command ' %q' "$@"
  printf '\n== %s\n+%s\n' "$name" "$command"
  "$@" || code=$?
  if [ $code -ne 0 ]; then
    echo "jobs/local.sh: step \"$name\" failed with exit code $code" >&2
    exit $code
  fi
}

# An option may be given once, so the held-out suite takes only those words of METASIEVE_EXTRA it does not set.
without_suite_size() {
  while [ $# -gt 0 ]; do
    case $1 in
      --suite.seed=* | --suite.tasks=* | --suite.validation_tasks=*) ;;
      --suite.seed | --suite.tasks | --suite.validation_tasks) shift ;;
      *) echo "$1" ;;
    esac
    shift
  done
}

ranks=${METASIEVE_RANKS:-2}
threads=$(($(cores) / ranks))
export OMP_NUM_THREADS=$((threads > 0 ? threads : 1))
read -ra extra <<<"${METASIEVE_EXTRA:-}"
mapfile -t -d '' for_generate < <(words_for generate "${extra[@]}")
mapfile -t -d '' for_train < <(words_for train "${extra[@]}")
mapfile -t -d '' for_evaluate < <(words_for evaluate "${extra[@]}")
mapfile -t heldout_extra < <(without_suite_size "${for_generate[@]}")
metasieve=(mpirun -n "$ranks" "$build/src/metasieve")

step packages jobs/bootstrap.sh analysis data
step configure cmake -S . -B "$build" "${cmake_options[@]}"
step build cmake --build "$build" --target metasieve --parallel "$(cores)"

mpi_environment "$ranks" "$OMP_NUM_THREADS"
choose_mpi_io "$run"
export PYTHONPATH=analysis${PYTHONPATH:+:$PYTHONPATH}
printf '\n== environment of the runs\n'
env | grep -E '^(OMP_NUM_THREADS|OMPI_|PYTHONPATH)' | sort | sed 's/^/+ export /'

mkdir -p "$run"
step "generate the suite" \
  "${metasieve[@]}" generate --config "$config" --output "$run/suite.h5" "${for_generate[@]}"
step "train the policy" \
  "${metasieve[@]}" train --config "$config" --suite "$run/suite.h5" --output "$run" "${for_train[@]}"
step "generate the held-out suite" \
  "${metasieve[@]}" generate --config "$config" --suite.seed 990001 --suite.tasks "${METASIEVE_HELDOUT:-40}" \
  --suite.validation_tasks 0 --output "$run/heldout.h5" "${heldout_extra[@]}"
step "evaluate on the held-out suite" \
  "${metasieve[@]}" evaluate --config "$config" --policy "$run/policy.h5" --suite "$run/heldout.h5" \
  --output "$run/evaluation_suite.h5" "${for_evaluate[@]}"

evaluations=("$run/evaluation_suite.h5") datasets=()
import_data() { # name option...
  step "import $1" "$(find_python)" -m metasieve import "$@" --output "$run/$1.h5"
  datasets+=("$run/$1.h5")
}
if [ -r "$data/SLID.csv" ]; then
  import_data slid --source "$data"
elif has_r_package carData; then
  import_data slid
else
  printf '\n== without SLID: there is neither %s nor R with the package carData,\n' "$data/SLID.csv"
  echo "   which jobs/bootstrap.sh data installs on Debian as root."
fi
if [ -r "$data/compas-scores-two-years.csv" ]; then
  import_data compas --source "$data"
else
  printf '\n== without COMPAS: %s is not there.\n' "$data/compas-scores-two-years.csv"
  echo "   METASIEVE_DATA=FOLDER jobs/local.sh evaluates on it too; it is fetched into FOLDER by"
  echo "   python3 -m metasieve import compas --download --source FOLDER --output compas.h5"
fi
if [ ${#datasets[@]} -gt 0 ]; then
  step "evaluate on real data" \
    "${metasieve[@]}" evaluate --config "$config" --policy "$run/policy.h5" --dataset "${datasets[@]}" \
    --output "$run/evaluation_data.h5" "${for_evaluate[@]}"
  evaluations+=("$run/evaluation_data.h5")
fi

step "plot" "$(find_python)" -m metasieve plot comparison "${evaluations[@]}" --output "$run/comparison.png"
step "report" "$(find_python)" -m metasieve report "$run"

printf '\n== done in %d s; files in %s:\n' $SECONDS "$run"
ls -1 "$run"
printf '\n== all of it on one page, for a browser: %s\n' "$run/report.html"
