#!/usr/bin/env bash
# What happens inside a SLURM job: jobs/*.sbatch source this and call run_job. Settings are in jobs/site.sh, and
#
# METASIEVE_SITE=FILE           another site file
# METASIEVE_BIN=FILE            another program than that of the site file
# METASIEVE_MAX_REQUEUES=20     how often a job that was stopped early may requeue itself
#
# Paths that are not absolute, here and in the site file, are below the repository.
#
# Exit codes are those of metasieve (docs/resuming.md), and 143 when SLURM itself ended the job.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=bootstrap.sh
source "$repository/jobs/bootstrap.sh" # choose_mpi_io

below_repository() { case $1 in /*) echo "$1" ;; *) echo "$repository/$1" ;; esac; }

# Sets what site.sh may leave out, too.
read_site() {
  # shellcheck disable=SC2034  # for submit.py
  partition="" account="" sbatch_options=() ranks_per_node=2
  launcher=(mpirun) metasieve=build/src/metasieve max_requeues=20
  # shellcheck source-path=SCRIPTDIR source=site.sh
  source "$(below_repository "${METASIEVE_SITE:-jobs/site.sh}")"
  metasieve=$(below_repository "${METASIEVE_BIN:-$metasieve}")
  max_requeues=${METASIEVE_MAX_REQUEUES:-$max_requeues}
}

# The folder that --output names, or of the file; a command without has none.
output_folder() { # word...
  local before="" word
  for word; do
    case $word in --output=*) before=--output word=${word#--output=} ;; esac
    if [ "$before" = --output ]; then
      case $word in *.h5) dirname -- "$word" ;; *) echo "$word" ;; esac
      return
    fi
    before=$word
  done
}

say() { printf '== %s\n' "$*"; }

refuse() { # reason
  say "not started: $1" >&2
  exit 2
}

# SLURM's "36(x2),28": a line for each node.
each_node() {
  tr ',' '\n' <<<"$1" | sed -E 's/\(x([0-9]+)\)$/ \1/' | awk '{ for (i = 0; i < ($2 ? $2 : 1); ++i) print $1 }'
}

# Sets ranks, threads, cores (of all nodes) and binding, from what SLURM gave.
share_out() {
  local on_each smallest
  ranks=$SLURM_NTASKS
  on_each=$(each_node "$SLURM_TASKS_PER_NODE" | sort -n | tail -n 1)
  smallest=$(each_node "$SLURM_JOB_CPUS_PER_NODE" | sort -n | head -n 1)
  cores=$(each_node "$SLURM_JOB_CPUS_PER_NODE" | awk '{ sum += $1 } END { print sum }')
  threads=${SLURM_CPUS_PER_TASK:-$((smallest < on_each ? 1 : smallest / on_each))}
  if ((on_each * threads > smallest)); then
    refuse "$on_each ranks x $threads threads on a node need $((on_each * threads)) cores, but $SLURM_JOB_NODELIST \
gives $smallest: fewer --ntasks-per-node or --cpus-per-task, more --nodes"
  fi
  export OMP_NUM_THREADS=$threads
  binding=(--map-by "slot:PE=$threads" --bind-to core)
  # Of a node that the job has a part of, and SLURM does not confine it, mpirun would bind every job to the first cores.
  if (($(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) > SLURM_CPUS_ON_NODE)); then binding=(--bind-to none); fi
}

# Sets launch: the words that start a command on all ranks.
choose_launch() {
  case ${launcher[0]##*/} in
    mpirun | mpiexec | orterun) launch=("${launcher[@]}" -n "$ranks" "${binding[@]}") ;;
    # Without --kill-on-bad-exit a dead rank leaves the others waiting; since 22.05 srun inherits no --cpus-per-task.
    srun)
      launch=("${launcher[@]}" --kill-on-bad-exit=1 --ntasks="$ranks" --cpus-per-task="$threads" --cpu-bind=cores)
      ;;
    *) refuse "launcher=(${launcher[*]}) in site.sh: must be mpirun or srun" ;;
  esac
}

# A line of each rank, for rank_map.awk; whatever else the launcher says is among them.
where_ranks_run() {
  # shellcheck disable=SC2016  # for the shell of each rank
  "${launch[@]}" sh -c 'echo "rank $(uname -n) ${OMPI_COMM_WORLD_RANK:-$SLURM_PROCID}" \
    "$(sed -n "s/^Cpus_allowed_list:.//p" /proc/self/status)"' 2>&1
}

# Prints where ranks run, before they do; shows that the launcher works at all.
print_map() {
  local lines code=0
  lines=$(where_ranks_run) || code=$?
  # Where SLURM counts hardware threads there may be too few cores to bind to.
  if [ $code -ne 0 ] && [ "${binding[*]}" != "--bind-to none" ] && [ "${launcher[0]##*/}" != srun ]; then
    binding=(--bind-to none)
    choose_launch
    code=0
    lines=$(where_ranks_run) || code=$?
  fi
  if [ $code -ne 0 ]; then
    printf '%s\n' "$lines" >&2
    refuse "\"${launch[*]}\" fails with exit code $code, in the words above; site.sh sets the launcher"
  fi
  sort -k 2,2V -k 3,3n <<<"$lines" | awk -v threads="$threads" -v allocated="$cores" -f "$repository/jobs/rank_map.awk"
}

on_usr1() {
  stop=USR1 signals=$((signals + 1))
  say "SIGUSR1: stopping with a checkpoint"
  [ -z "$process" ] || kill -USR1 "$process" 2>/dev/null || true
}

# SLURM ends the job, and tells the ranks so itself: they have KillWait seconds under srun, one under mpirun.
on_term() { stop=TERM signals=$((signals + 1)); }

# Sets code. mpirun and srun pass USR1 on to the ranks.
run_to_the_end() { # command...
  local before
  "$@" &
  process=$!
  while :; do
    before=$signals code=0
    wait "$process" || code=$?
    [ "$signals" != "$before" ] || break # a signal ends wait, not the process
  done
  process=""
  if [ "$stop" = USR1 ] && [ "$code" = 138 ]; then code=75; fi # it came before the ranks caught signals
}

# The last line of the log, and the exit code.
finish() {
  local line="see the line \"metasieve: ...\" above" again="submit the same command again, it goes on where it stopped"
  [ "$stop" != TERM ] || code=143 # whatever the launcher makes of it
  case $code in
    0) say "$name: done after $SECONDS s" ;;
    75) stopped_early ;;
    143) say "$name: ENDED BY SLURM after $SECONDS s (time limit, scancel or preemption); to go on, $again" ;;
    2) say "$name: FAILED with exit code 2: $line; correct command or configuration and submit again" ;;
    3) say "$name: FAILED with exit code 3: $line; repair the file or make room, then $again" ;;
    4) say "$name: FAILED with exit code 4: $line; too many tasks fail numerically" ;;
    *)
      say "$name: FAILED with exit code $code: a rank died, see above (memory? more nodes, fewer ranks on each); $again"
      ;;
  esac
  exit "$code"
}

stopped_early() {
  local again="to go on, submit the same command again" id=$SLURM_JOB_ID
  # One of an array's tasks has the number of the whole array.
  [ -z "${SLURM_ARRAY_TASK_ID:-}" ] || id=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
  if ((restarts >= max_requeues)); then
    say "$name: STOPPED EARLY (75) after $restarts requeues, the most that max_requeues in site.sh allows; $again"
    return
  fi
  # Said before: a requeue kills this script.
  say "$name: stopped early (75) after $SECONDS s; requeueing, $((restarts + 1)) of at most $max_requeues times"
  scontrol requeue "$id" || say "$name: STOPPED EARLY (75), and SLURM does not requeue it; $again"
}

run_job() { # command of metasieve, its words...
  local command task output
  name="metasieve $1" process="" stop="" signals=0 restarts=${SLURM_RESTART_COUNT:-0}
  trap on_usr1 USR1
  trap on_term TERM
  read_site
  set +eu # modules are seldom written for these
  if declare -F load_modules >/dev/null; then load_modules; fi
  set -eu
  [ -x "$metasieve" ] || refuse "there is no program $metasieve: build it (docs/cluster.md), or name it in site.sh"
  share_out
  choose_launch
  task=${SLURM_ARRAY_TASK_ID:+, number $SLURM_ARRAY_TASK_ID of array $SLURM_ARRAY_JOB_ID}
  say "$name: job $SLURM_JOB_ID$task, start $((restarts + 1)), $(date '+%F %T')"
  say "$ranks ranks x $threads threads on $SLURM_JOB_NODELIST"
  print_map
  output=$(output_folder "$@")
  [ -z "$output" ] || choose_mpi_io "$output"
  printf -v command ' %q' "${launch[@]}" "$metasieve" "$@"
  say "OMP_NUM_THREADS=$threads$command"
  code=75 # USR1 so soon: nothing was begun
  [ -n "$stop" ] || run_to_the_end "${launch[@]}" "$metasieve" "$@"
  # On busy nodes a rank may crash in MPI_Init (Open MPI 12495). Whatever it was, the work goes on where it stopped.
  if [ "$code" = 139 ] && [ -z "$stop" ]; then
    say "$name: a rank crashed (139), see above; starting once more"
    run_to_the_end "${launch[@]}" "$metasieve" "$@"
  fi
  finish
}

# The same with --resume, where the user has not given it.
run_resumable() { # command of metasieve, its words...
  [[ " $* " == *" --resume "* ]] || set -- "$@" --resume
  run_job "$@"
}
