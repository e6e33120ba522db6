# Your cluster, for the scripts of jobs/: edit once. Bash; read by jobs/submit.py and, inside every job, by jobs/job.sh.
# METASIEVE_SITE=FILE names another file, e.g. one of your own outside of the repository.
# shellcheck shell=bash disable=SC2034  # for the scripts that read it

# As `sbatch --partition` and `--account` take them; empty: the cluster's default.
partition=""
account=""

# More options for every sbatch, one word each.
#   whole nodes:                    --exclusive
#   cores, not hardware threads:    --hint=nomultithread
#   elsewhere:                      --qos=normal --constraint=rome --mem-per-cpu=2G --mail-type=END,FAIL
sbatch_options=()

# What starts the ranks: (mpirun), or (srun --mpi=pmix) where SLURM was built with PMIx (`srun --mpi=list` tells).
launcher=(mpirun)

# Ranks on a node where the job does not say: as many as a node has sockets is a good start.
ranks_per_node=2

# The program, below the repository unless the path is absolute.
metasieve=build/src/metasieve

# How often a job that was stopped early may requeue itself.
max_requeues=20

# Runs inside each job, before anything else. Load what metasieve was built with.
load_modules() {
  : # source /etc/profile.d/modules.sh    where jobs have no command `module`
  : # module purge; module load gcc/12 openmpi/4.1 hdf5/1.12-mpi boost/1.81
  : # or: source "$HOME/spack/share/spack/setup-env.sh"; spack load openmpi hdf5 boost
}
