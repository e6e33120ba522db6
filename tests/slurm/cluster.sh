#!/usr/bin/env bash
# A SLURM of several nodes on this host, for as long as one command runs. Root; packages slurm-wlm and munge.
#
#   tests/slurm/cluster.sh [--nodes 4] [--cores 2] COMMAND...      e.g. tests/slurm/cluster.sh bash
#
# The exit code is the command's; 77, with the reason, where SLURM cannot start.
#
# Everything lives in namespaces of its own: processes, mounts, hostname and network, which has a loopback and nothing
# else. So ports and names cannot clash, /etc/hosts is a private copy, and whatever ends this script, SIGKILL too,
# leaves no process, file or mount behind. All state is in memory, below /run.
set -euo pipefail

nodes=4 cores=2

skip() { # reason
  echo "cluster.sh: skipped: $1" >&2
  exit 77
}

slurm_conf() {
  cat <<CONF
ClusterName=metasieve
SlurmctldHost=controller(10.0.0.1)
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
# A requeued job may start again once its old credentials are void: two minutes later by default.
AuthInfo=cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=/run/cluster/state
SlurmdSpoolDir=/run/cluster/%n/spool
TmpFS=/run/cluster/%n/tmp
SlurmctldPidFile=/run/cluster/slurmctld.pid
SlurmdPidFile=/run/cluster/%n/slurmd.pid
SlurmctldLogFile=/run/cluster/slurmctld.log
SlurmdLogFile=/run/cluster/%n/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=5
MinJobAge=3600
SlurmdPort=16818
NodeName=node[1-$nodes] NodeAddr=10.0.0.1 Port=[17001-$((17000 + nodes))] CPUs=$cores RealMemory=2000 State=UNKNOWN
# As on many clusters a job must say its partition: the default one takes none.
PartitionName=closed Nodes=ALL Default=YES State=DOWN
PartitionName=batch Nodes=ALL MaxTime=INFINITE State=UP
CONF
}

# What a user's environment needs for Open MPI here: it runs as root, two real cores stand for all nodes' cores, and
# ranks and threads that spin while they wait would starve the others. The fence: see docs/troubleshooting.md.
export_environment() {
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
    OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_oob_tcp_if_include=lo OMPI_MCA_btl_tcp_if_include=lo \
    OMPI_MCA_btl=self,vader,tcp OMPI_MCA_pml=ob1 PMIX_MCA_gds=hash OMP_WAIT_POLICY=passive TMPDIR=/run/cluster/tmp \
    SLURM_PMIX_FENCE=tree
}

# The loopback of a new network is down. It also needs an address other than 127.0.0.1: SLURM asks for names with
# AI_ADDRCONFIG, which takes a machine without one for a machine without a network. (Not every machine has `ip`.)
loopback_up() {
  python3 - <<'PYTHON'
import fcntl, socket, struct
SIOCSIFADDR, SIOCSIFFLAGS, IFF_UP = 0x8916, 0x8914, 0x1
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFADDR, struct.pack("16shxx4s8x", b"lo", socket.AF_INET, socket.inet_aton("10.0.0.1")))
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
PYTHON
}

wait_until() { # seconds command...: whether it succeeds in that time
  local end=$((SECONDS + $1))
  shift
  while ! "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

nodes_are_idle() { [ "$(timeout 5 sinfo --noheader --partition=batch --states=idle --format=%D)" = "$nodes" ]; }

# As the first process of the new namespaces: when it ends, the kernel ends all others in them.
inside() { # nodes cores command...
  nodes=$1 cores=$2
  shift 2
  unset "${!SLURM_@}" "${!SBATCH_@}" # of a job that runs this
  export SLURM_CONF=/run/cluster/slurm.conf
  loopback_up
  mount -t tmpfs -o mode=755 none /run
  mount -t tmpfs -o mode=1777 none /dev/shm
  mkdir -p /run/cluster/{state,tmp,munge} /run/munge
  chmod 1777 /run/cluster/tmp
  printf '10.0.0.1 %s\n' localhost "$(uname -n)" controller $(seq -f node%g "$nodes") >/run/cluster/hosts
  mount --bind /run/cluster/hosts /etc/hosts
  slurm_conf >$SLURM_CONF

  head -c 128 /dev/urandom >/run/cluster/munge/munge.key
  chmod 400 /run/cluster/munge/munge.key
  munged --force --key-file=/run/cluster/munge/munge.key --log-file=/run/cluster/munge/munged.log \
    --seed-file=/run/cluster/munge/munged.seed 2>/run/cluster/munge/errors ||
    skip "munged does not start: $(tail -n 1 /run/cluster/munge/errors)"
  unshare --uts sh -c "hostname controller; exec slurmctld -D" &>/run/cluster/slurmctld.out &
  local i
  for i in $(seq "$nodes"); do # Open MPI must see a hostname of its own on every node
    mkdir -p "/run/cluster/node$i/"{spool,tmp}
    unshare --uts sh -c "hostname node$i; exec slurmd -D -N node$i" &>"/run/cluster/node$i/slurmd.out" &
  done
  wait_until 60 nodes_are_idle || skip "SLURM does not start: $(tail -qn 1 /run/cluster/slurmctld.log \
    /run/cluster/node*/slurmd.log 2>&1 | head -n 2 | tr '\n' ' ')"

  export_environment
  "$@"
}

if [ "${1:-}" = --inside ]; then
  shift
  inside "$@"
  exit
fi

while [ $# -gt 1 ]; do
  case $1 in
    --nodes) nodes=$2 && shift 2 ;;
    --cores) cores=$2 && shift 2 ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || { echo "usage: $0 [--nodes 4] [--cores 2] COMMAND..." >&2 && exit 2; }
[ "$(id -u)" = 0 ] || skip "needs root, for slurmd"
for program in slurmctld slurmd munged sbatch srun scontrol python3 unshare setpriv; do
  command -v $program >/dev/null || skip "$program is missing: jobs/bootstrap.sh slurm installs it"
done
namespaces=(unshare --uts --mount --ipc --net --pid --fork --kill-child --mount-proc)
"${namespaces[@]}" true 2>/dev/null || skip "this system has no namespaces to run it in"
trap 'exit 143' TERM HUP
trap '' INT # it is for COMMAND
# Should this script end in any way, the kernel kills unshare, and with it all that is inside.
setpriv --pdeathsig KILL "${namespaces[@]}" env --default-signal=INT,QUIT \
  bash "${BASH_SOURCE[0]}" --inside "$nodes" "$cores" "$@" <&0 &
wait $!
