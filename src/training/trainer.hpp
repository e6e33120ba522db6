#pragma once

#include "config/requests.hpp"
#include "files/results.hpp"
#include "parallel/communicator.hpp"
#include "runtime/phases.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// What a training knows when it has ended.
struct Trained {
  Policy policy;
  Results results; ///< timing: with the writing of the last files, which results.h5 does not have
  Index tasks = 0; ///< to train on
  Index batch = 0; ///< of them in each iteration
  double seconds = 0;
  Profile profile; ///< if it was asked for, and an iteration was made
};
Trained train(const Communicator& comm, const TrainRequest& request);

/// "loss 0.4321  accuracy loss 0.3210  gap 0.1111  gradient 0.222"
[[nodiscard]] std::string state_text(const HistoryRow& row);

/// "validation at 50: accuracy 0.8000 (+1.20 points), DP gap 0.0800 (-52 %), ..., loss 0.4321"
[[nodiscard]] std::string validation_text(const ValidationRow& row);

} // namespace metasieve
