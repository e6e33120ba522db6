#include "files/dataset.hpp"
#include "files/evaluation.hpp"
#include "files/policy.hpp"
#include "files/results.hpp"
#include "files/verify.hpp"

#include "support/sample_files.hpp"

#include <cstdio>

using namespace metasieve;

namespace {

void write_samples(const Communicator& comm, const std::filesystem::path& folder) {
  const Provenance provenance{"[suite]\ntasks = 7\n"};
  write_suite(comm, folder / "suite.h5", provenance, test::sample_tasks(test::share(comm, 7)));
  write_file(comm, folder / "dataset.h5", provenance, test::sample_table());
  write_file(comm, folder / "policy.h5", provenance, test::sample_policy());
  write_checkpoint(comm, folder / "checkpoint.h5", {}, test::sample_checkpoint());
  write_file(comm, folder / "results.h5", provenance, test::sample_results());
  write_file(comm, folder / "evaluation.h5", provenance,
             Evaluation{{test::sample_row(comm.rank())},
                        comm.is_root() ? test::sample_tables() : EvaluationTables{}});
  write_file(comm, folder / "scores.h5", provenance,
             ScoreTable{{{comm.rank(), -0.5, 0.25, 1, 0, 1}}, {"größe " + std::to_string(comm.rank())}});
}

} // namespace

/// samples write DIR: one file of each type, for test_files.py to read with h5py.
/// samples inspect FILE, samples verify FILE: what C++ makes of a file that Python wrote.
int main(int argc, char** argv) {
  const Environment environment(argc, argv);
  const Communicator comm;
  const std::string verb = argc == 3 ? argv[1] : "";
  try {
    if (verb == "write")
      write_samples(comm, argv[2]);
    else if (verb == "inspect") {
      const std::string text = inspect_file(comm, argv[2]);
      if (comm.is_root()) std::fputs(text.c_str(), stdout);
    } else if (verb == "verify") {
      const std::string text = verify_file(comm, argv[2]);
      if (comm.is_root()) std::fputs(text.c_str(), stdout);
    } else
      return static_cast<int>(ExitCode::usage);
  } catch (const CollectiveError& error) {
    if (comm.is_root()) std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
