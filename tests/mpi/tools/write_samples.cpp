#include "io/evaluation_file.hpp"
#include "io/policy_file.hpp"
#include "io/results_file.hpp"
#include "io/scores_file.hpp"

#include "mpi/io/samples.hpp"

#include <cstdio>

/// write_samples DIR: one file of each type, for check_samples.py to read with h5py.
int main(int argc, char** argv) {
  using namespace metasieve;
  const Environment environment(argc, argv);
  const Communicator comm;
  if (argc != 2) return static_cast<int>(ExitCode::usage);
  const std::filesystem::path folder = argv[1];
  const Provenance provenance{"[suite]\ntasks = 7\n"};
  try {
    write_suite(comm, folder / "suite.h5", provenance, test::sample_tasks(test::share(comm, 7)));
    write_dataset(comm, folder / "dataset.h5", provenance, test::sample_dataset());
    write_policy(comm, folder / "policy.h5", provenance, test::sample_policy());
    write_checkpoint(comm, folder / "checkpoint.h5", provenance, test::sample_checkpoint());
    write_results(comm, folder / "results.h5", provenance, test::sample_results());
    write_evaluation(comm, folder / "evaluation.h5", provenance, {test::sample_row(comm.rank())},
                     {{"compas", "meta_hard", "accuracy", 0.7, 0.6, 0.8, 0, -0.1, 0.1, 0, 2}});
    write_scores(comm, folder / "scores.h5", provenance, {{comm.rank(), -0.5, 0.25, 1, 0, 1}});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    comm.abort(ExitCode::internal);
  }
  return 0;
}
