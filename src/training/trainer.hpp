#pragma once

#include "config/requests.hpp"
#include "files/results.hpp"
#include "parallel/communicator.hpp"
#include "runtime/phases.hpp"

namespace metasieve {

/// Outcome of a training.
struct Trained {
  Policy policy;
  Results results; ///< timing: with the writing of the last files, which results.h5 does not have
  Index tasks = 0; ///< training tasks
  Index batch = 0; ///< tasks in each iteration
  std::int64_t failed_fits = 0; ///< fits of training tasks that failed, over all sessions
  bool has_trained = false;     ///< at least one iteration; else all was done before
  double seconds = 0;
  double peak_bytes = 0; ///< most memory of a rank
  Usage usage;           ///< of all sessions
  Profile profile;       ///< if it was asked for, and an iteration was made
};

/// Collective: trains a policy and writes it, its results and checkpoints to the folder of the request.
/// Prints its progress, unless it must be quiet. @throws CollectiveError: exit code 75 if it was stopped,
/// with a checkpoint from which --resume continues
Trained train(const Communicator& comm, const TrainRequest& request);

} // namespace metasieve
