#pragma once

#include "config/requests.hpp"
#include "evaluation/statistics.hpp"
#include "runtime/phases.hpp"
#include "runtime/progress.hpp"
#include "training/task_source.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// What an evaluation compares, in memory.
struct EvaluationInput {
  std::vector<Policy> policies;
  std::vector<TaskSource> sources;
  bool pooled = false;     ///< whether the union of the sources is summed up too
  std::string key;         ///< lines "name = value" that distinguish these policies and tasks: see Journal
  double read_seconds = 0; ///< time that reading all this took
  std::vector<std::string> files = {}; ///< an input_record of each
};

/// What an evaluation found.
struct Evaluated {
  Config config;           ///< with the settings of the policies
  EvaluationTables tables; ///< on rank 0
  Index fits = 0, failed = 0;
  Usage usage;         ///< of this job
  Profile profile;     ///< if it was asked for
  double seconds = 0;  ///< without the reading of the input files
  std::string problem; ///< empty unless more fits failed than run.max_failed allows
};

/// Collective: compares the methods on the request's files and writes the evaluation file. @throws
/// CollectiveError: exit code 75 after a stop
[[nodiscard]] Evaluated evaluate(const Communicator& comm, const EvaluateRequest& request);

/// Collective: compares the methods on `input`; the request's input files are only names here, and `status`
/// follows the progress.
[[nodiscard]] Evaluated evaluate(const Communicator& comm, const EvaluateRequest& request,
                                 EvaluationInput input, StatusFile& status);

/// @throws CollectiveError (exit code 4) if more fits failed than run.max_failed allows. To be called when
/// the tables were shown.
void require_few_failed(const Evaluated& evaluated);

} // namespace metasieve
