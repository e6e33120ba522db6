#!/usr/bin/env bash
# What metasieve needs of a machine: packages, a Python with h5py, and MPI settings for a small machine.
#
#   jobs/bootstrap.sh [SET...]   checks the build set and the sets named: analysis, data, wheel, check, fuzz, slurm,
#                                simulation, browser, benchmarks. What is missing is installed when root on a Debian-like
#                                system, else named (exit code 2). Data and wheel are optional: what is missing of them is
#                                named, and is no error
#   source jobs/bootstrap.sh               gives these functions to another script
#
# METASIEVE_BOOTSTRAP=off   no check: modules or Spack give everything, and CMake looks for itself
# METASIEVE_PYTHON=FILE     this Python instead of the first that has h5py
# METASIEVE_CMAKE=WORDS     options of the configure command, e.g. -DMETASIEVE_NATIVE=OFF

build_packages=(g++ make cmake git libopenmpi-dev openmpi-bin libhdf5-openmpi-dev libeigen3-dev
  libboost-program-options-dev libgtest-dev libbenchmark-dev librandom123-dev pybind11-dev python3-dev)
analysis_packages=(python3 python3-h5py python3-numpy python3-pandas python3-matplotlib python3-sklearn python3-tqdm)
data_packages=(r-base-core r-cran-cardata) # R with the table of `python3 -m metasieve import slid`
wheel_packages=(python3-skbuild python3-pip python3-setuptools python3-wheel) # pip install . without a network
optional_sets=(data wheel) # jobs and tests leave out what needs them
check_packages=(clang-format clang-tidy)
simulation_packages=(libsimgrid-dev) # SimGrid's SMPI, for tests/simgrid
browser_packages=(chromium chromium-driver python3-selenium) # a test opens the report in it
fuzz_packages=(clang libclang-rt-14-dev libomp-14-dev) # fuzzing and the thread sanitizer
benchmarks_packages=(python3-torch libopenblas0-pthread) # what tests/benchmarks/peer_pytorch.py compares with
slurm_packages=(slurm-wlm munge)                       # tests/slurm starts a SLURM of its own; no job needs these
# shellcheck disable=SC2034  # for the scripts that source this one
read -ra cmake_options <<<"${METASIEVE_CMAKE:-}"

bootstrap() { # [SET...]
  [ "${METASIEVE_BOOTSTRAP:-on}" != off ] || return 0
  if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    bootstrap_debian "$@"
  else
    bootstrap_elsewhere "$@"
  fi
}

bootstrap_debian() {
  local needed=("${build_packages[@]}") missing set
  for set in "$@"; do
    local -n packages=${set}_packages
    is_optional "$set" || needed+=("${packages[@]}")
  done
  install_missing "${needed[@]}" || report_missing "${missing[@]}"
  for set in "$@"; do
    local -n packages=${set}_packages
    ! is_optional "$set" || install_missing "${packages[@]}" || report_left_out "$set"
  done
}

is_optional() { [[ " ${optional_sets[*]} " == *" $1 "* ]]; }

install_missing() { # package... ; leaves those that are not installed in `missing`, and fails if they stay so
  local package installed
  missing=()
  # Not installed makes dpkg-query fail; what it lists is what counts.
  installed=$(dpkg-query -W -f '${db:Status-Status}:${Package}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    grep -qxF "installed:$package" <<<"$installed" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || return 1
  echo "bootstrap: installing ${missing[*]}"
  local apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  export DEBIAN_FRONTEND=noninteractive
  "${apt[@]}" update </dev/null &&
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}

# A cluster's login node: tests for the things themselves, wherever they come from. Not for pybind11, scikit-learn and
# tqdm: where CMake finds no pybind11, it leaves the Python module out, and only that module needs the others.
bootstrap_elsewhere() {
  local missing=() tool header module headers=() set
  for tool in make git cmake; do command -v $tool >/dev/null || missing+=("$tool"); done
  if command -v cmake >/dev/null; then
    local version
    version=$(cmake --version | awk 'NR == 1 { print $3 }')
    printf '3.25\n%s\n' "$version" | sort -VC || missing+=("cmake >= 3.25 (found $version)")
  fi
  command -v mpicxx >/dev/null || command -v mpic++ >/dev/null || command -v CC >/dev/null || missing+=("mpicxx")
  local compiler=${CXX:-c++}
  if ! "$compiler" -std=c++20 -fsyntax-only -x c++ - 2>/dev/null <<<'#include <span>'; then
    missing+=("a C++20 compiler ($compiler is not one: set CXX)")
  else
    for header in Eigen/Dense Random123/philox.h boost/program_options.hpp boost/math/distributions/students_t.hpp hdf5.h; do
      "$compiler" -E -x c++ -I/usr/include/eigen3 - >/dev/null 2>&1 \
        <<<"#if !__has_include(<$header>)"$'\n#error\n#endif' || headers+=("$header")
    done
  fi
  if [[ " $* " == *" analysis "* ]]; then
    local python
    python=$(find_python)
    for module in h5py numpy pandas matplotlib; do
      has_module "$python" $module || missing+=("$module (Python module of $python)")
    done
  fi
  if [[ " $* " == *" check "* ]]; then
    for tool in clang-format clang-tidy; do command -v $tool >/dev/null || missing+=("$tool"); done
  fi
  if [[ " $* " == *" fuzz "* ]]; then
    command -v clang++ >/dev/null || missing+=("clang++ (with its sanitizers)")
  fi
  if [[ " $* " == *" slurm "* ]]; then
    for tool in slurmctld slurmd munged; do command -v $tool >/dev/null || missing+=("$tool"); done
  fi
  if [[ " $* " == *" simulation "* ]]; then
    for tool in smpicxx smpirun; do command -v $tool >/dev/null || missing+=("$tool (SimGrid)"); done
  fi
  if [[ " $* " == *" benchmarks "* ]]; then
    has_module "$(find_python)" torch || missing+=("torch (Python module)")
  fi
  if [[ " $* " == *" browser "* ]]; then
    for tool in chromium chromedriver; do command -v $tool >/dev/null || missing+=("$tool"); done
    has_module "$(find_python)" selenium || missing+=("selenium (Python module)")
  fi
  if [ ${#headers[@]} -gt 0 ]; then # no error: CMAKE_PREFIX_PATH may know them
    echo "bootstrap: not on the compiler's own path: ${headers[*]}; leaving the search to CMake" >&2
  fi
  [ ${#missing[@]} -eq 0 ] || report_missing "${missing[@]}"
  for set in "$@"; do
    ! is_optional "$set" || report_left_out "$set"
  done
}

report_left_out() { # optional-set ; says what is missing of it, if anything is
  local absent="" module python
  local -n packages=${1}_packages
  case $1 in
    data) has_r_package carData || absent=" R's package carData" ;;
    wheel)
      python=$(find_python)
      for module in skbuild pip setuptools wheel; do
        has_module "$python" $module || absent+=" $module"
      done
      ;;
  esac
  [ -z "$absent" ] || echo "bootstrap: optional set $1: left out without$absent (Debian: ${packages[*]})" >&2
}

report_missing() { # what... ; ends the script
  local list
  list=$(printf ', %s' "$@")
  cat >&2 <<MESSAGE
bootstrap: missing: ${list:2}

  Debian, as administrator:   apt-get update && apt-get install -y --no-install-recommends $(debian_names "$@")
  A cluster's modules:        module load gcc cmake openmpi hdf5 eigen boost    (names vary; hdf5 must be the parallel one)
  Spack:                      spack install cmake openmpi hdf5+mpi eigen boost+program_options random123 \\
                                googletest benchmark py-pybind11 py-h5py py-numpy py-pandas py-matplotlib \\
                                py-scikit-learn py-tqdm; for the set data also r-cardata
                              spack load those, then run this again

If all is there by other means than Debian packages, set METASIEVE_BOOTSTRAP=off: CMake then looks for itself.
MESSAGE
  exit 2
}

debian_names() { # missing packages as they are; for anything else all packages of the build and analysis sets
  local known=" ${build_packages[*]} ${analysis_packages[*]} ${check_packages[*]} ${fuzz_packages[*]} " name
  known+="${slurm_packages[*]} ${simulation_packages[*]} ${browser_packages[*]} ${benchmarks_packages[*]} "
  known+="${data_packages[*]} ${wheel_packages[*]} "
  for name in "$@"; do
    [[ "$known" == *" $name "* ]] || { echo "${build_packages[*]} ${analysis_packages[*]}" && return; }
  done
  echo "$*"
}

has_r_package() { # name
  command -v Rscript >/dev/null && Rscript -e "quit(status = !requireNamespace('$1', quietly = TRUE))" >/dev/null 2>&1
}

has_module() { # python module
  "$1" -c 'import importlib.util as u, sys; sys.exit(u.find_spec(sys.argv[1]) is None)' "$2" 2>/dev/null
}

# The Python that has h5py: Debian's comes with /usr/bin/python3, and another python3 may be first in PATH.
find_python() {
  local python
  for python in ${METASIEVE_PYTHON:+"$METASIEVE_PYTHON"} /usr/bin/python3 python3; do
    if has_module "$python" h5py; then
      echo "$python"
      return
    fi
  done
  echo "${METASIEVE_PYTHON:-python3}"
}

cores() { env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc; } # nproc obeys those two

# Lets Open MPI run as root and with more ranks than cores. Never inside a SLURM job: there the site decides.
mpi_environment() { # ranks threads
  [ -z "${SLURM_JOB_ID:-}" ] || return 0
  if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
  local cores
  cores=$(cores)
  # Open MPI counts physical cores, nproc hardware threads: on a small machine there may be half as many slots.
  if ((cores <= 4 || $1 * $2 > cores)); then export OMPI_MCA_rmaps_base_oversubscribe=1; fi
  # Ranks that spin while they wait starve the others: 1000 times slower with 4 ranks on 2 cores. So do threads: 3 ranks
  # of 2 took 14 times the processor time.
  if (($1 * $2 > cores)); then export OMPI_MCA_mpi_yield_when_idle=1 OMP_WAIT_POLICY=passive; fi
  # With one or two ranks mpirun binds each to one core, and its threads share it.
  if ((cores <= 4 || $2 > 1)); then export OMPI_MCA_hwloc_base_binding_policy=none; fi
}

# Open MPI's own MPI-IO, OMPIO, has hung in collective writes on Lustre (open-mpi/ompi issues 6871, 9479, 13823): takes
# ROMIO there and on GPFS, unless OMPI_MCA_io is set, and prints so. FOLDER need not be there.
choose_mpi_io() { # folder
  local folder=$1 kind name
  while [ ! -d "$folder" ]; do folder=$(dirname -- "$folder"); done
  kind=$(stat -f -c '%T %t' -- "$folder" 2>/dev/null) || return 0
  case $kind in # a name, and the number that older coreutils have no name for
    lustre* | *" bd00bd0") name=Lustre ;;
    gpfs* | *" 47504653") name=GPFS ;;
    *) return 0 ;;
  esac
  if [ -n "${OMPI_MCA_io+set}" ]; then
    echo "== $folder is on $name: OMPI_MCA_io=$OMPI_MCA_io, as you set it"
  else
    # Open MPI 5 has another version of ROMIO, under another name.
    OMPI_MCA_io=$(ompi_info 2>/dev/null | sed -n 's/.*MCA io: \(romio[0-9]*\).*/\1/p') || true
    export OMPI_MCA_io=${OMPI_MCA_io:-romio321}
    echo "== $folder is on $name: OMPI_MCA_io=$OMPI_MCA_io"
  fi
}

# A path as its user meant it, for a script that has changed to the repository root.
from_caller() { case $1 in /*) echo "$1" ;; *) realpath -m --relative-to=. "$OLDPWD/$1" ;; esac; }

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -euo pipefail
  for name in "$@"; do
    case $name in
      analysis | data | wheel | check | fuzz | slurm | simulation | browser | benchmarks) ;;
      *)
        echo "usage: $0 [analysis] [data] [wheel] [check] [fuzz] [slurm] [simulation] [browser] [benchmarks]" >&2
        exit 2
        ;;
    esac
  done
  bootstrap "$@"
fi
