#pragma once

#include "io/provenance.hpp"
#include "parallel/communicator.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// Where ranks run.
struct Placement {
  std::vector<std::string> hosts; ///< one a node, in rank order
  std::vector<int> cores;         ///< of each, that its ranks may use, all together
  bool oversubscribed = false;    ///< somewhere more threads than cores
};

/// Collective: of the first `ranks` ranks, each with so many threads; the same on every rank.
[[nodiscard]] Placement placement(const Communicator& comm, int ranks, int threads);

/// "Intel(R) Xeon(R) ...", of this rank's node; "unknown processor" where the system does not say.
[[nodiscard]] std::string processor_model();

/// "a, b, c"; of more than 16 the first, then "+ 112 more".
[[nodiscard]] std::string names_of(const std::vector<std::string>& hosts);

/// Collective: what files say of this job, which began at `begin` (wall_seconds).
[[nodiscard]] RunFacts run_facts(const Communicator& comm, double begin);

} // namespace metasieve
