#pragma once

#include "config/requests.hpp"
#include "hdf5/file_header.hpp"
#include "parallel/communicator.hpp"
#include "runtime/phases.hpp"

#include <cstdint>
#include <vector>

namespace metasieve {

/// Figures of a suite that was written.
struct Generated {
  Index tasks = 0;
  std::int64_t rows = 0;                      ///< rows of all tasks
  std::vector<std::uint64_t> one_class;       ///< ids of tasks whose training labels are all equal
  double make_seconds = 0, write_seconds = 0; ///< wall time on this rank
  double peak_bytes = 0;                      ///< most memory of a rank
  Usage usage;                                ///< of this job
  Profile profile;                            ///< if it was asked for
};

/// Collective: generates the tasks and writes them to a suite file. @throws CollectiveError: exit code 75 if
/// it was stopped, with all finished tasks kept for --resume
Generated generate(const Communicator& comm, const GenerateRequest& request);

} // namespace metasieve
