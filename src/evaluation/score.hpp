#pragma once

#include "config/requests.hpp"
#include "files/dataset.hpp"
#include "parallel/communicator.hpp"
#include "runtime/phases.hpp"

#include <string>

namespace metasieve {

/// A policy's scores of a data set.
struct Scored {
  ScoreTable scores;                    ///< of the rows of the data set, on rank 0
  std::vector<std::string> group_names; ///< of the data set, by the numbers of the groups
  Profile profile;                      ///< if it was asked for
};

/// Collective: scores the rows of the request's data set and writes both files. @throws CollectiveError
[[nodiscard]] Scored score(const Communicator& comm, const ScoreRequest& request);

/// Collective: the text of a dry run, see studies/dry_run.hpp.
[[nodiscard]] std::string plan(const Communicator& comm, const ScoreRequest& request);

} // namespace metasieve
