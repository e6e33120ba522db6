"""Spack's recipe for metasieve (Spack 1.0 or newer). It builds the checkout that it lies in:

    spack -e jobs/packaging install        the program, the Python for its package and what else spack.yaml says
"""

from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class Metasieve(CMakePackage):
    """Distributed MPI batch simulator that generates suites of noisy, unfair classification tasks and meta-trains over
    them a policy that decides which training samples to trust."""

    license("Apache-2.0")

    # No archive is published: the sources are those of `develop` in spack.yaml, or of `spack dev-build metasieve@main`.
    version("main")

    variant("native", default=False, description="Add -march=native to the flags that Spack gives for its target")
    variant("tests", default=False, description="Build the tests")
    variant("benchmarks", default=False, when="+tests", description="Build the benchmarks")
    variant("python", default=True, description="Python for `python3 -m metasieve`")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("gmake", type="build")
    depends_on("git", type="build")  # the commit that files tell

    depends_on("mpi")
    depends_on("hdf5@1.10:+mpi")
    depends_on("eigen@3.4")
    depends_on("boost@1.74:+program_options")
    depends_on("random123", type="build")

    depends_on("googletest", when="+tests", type="build")
    depends_on("benchmark", when="+benchmarks", type="build")

    with when("+python"):
        depends_on("python@3.10:", type=("build", "run"))
        depends_on("py-pybind11", type="build")
        depends_on("py-h5py", type="run")
        depends_on("py-numpy", type="run")
        depends_on("py-pandas", type="run")
        depends_on("py-matplotlib", type="run")
        depends_on("py-scikit-learn", type="run")
        depends_on("py-tqdm", type="run")

    conflicts("%gcc@:10", msg="metasieve is C++20: GCC 11 or newer")

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", self.prefix.share.metasieve.analysis)

    def cmake_args(self):
        return [
            self.define_from_variant("METASIEVE_NATIVE", "native"),
            self.define_from_variant("METASIEVE_TESTS", "tests"),
            self.define_from_variant("METASIEVE_BENCHMARKS", "benchmarks"),
            self.define("RANDOM123_INCLUDE_DIR", self.spec["random123"].prefix.include),
        ]
