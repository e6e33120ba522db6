#!/usr/bin/env bash
# Submits a scaling study, a job for each number of nodes and threads, and one that collects what they measured:
#
#   jobs/scaling.sh --config configs/scaling.ini --output DIR --nodes 1,2,4 [--ranks-per-node R] [--threads 1,2]
#
# Points that are already in DIR are not measured again. `python3 -m metasieve plot scaling` shows the result.
exec "$(dirname "${BASH_SOURCE[0]}")/submit.py" scaling "$@"
