#!/usr/bin/env bash
# Tests the scripts of jobs/ on a real SLURM of four nodes on this host, and leaves nothing behind. About two minutes.
# Exit code 77, with the reason, where SLURM cannot start: it needs root and the packages of `jobs/bootstrap.sh slurm`.
#
#   tests/slurm/run.sh [options of unittest]      e.g. tests/slurm/run.sh -k Requeue
#
# METASIEVE_BIN=build/src/metasieve is the program.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../../jobs/bootstrap.sh
exec ./cluster.sh --nodes 4 --cores 2 "$(find_python)" -m unittest -v test_slurm "$@"
