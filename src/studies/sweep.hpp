#pragma once

#include "config/config.hpp"
#include "parallel/communicator.hpp"
#include "runtime/phases.hpp"

#include <filesystem>
#include <string>

namespace metasieve {

/// What `metasieve sweep` is asked to do with the points: make all, or the one of a number; list them with
/// what they will cost; tell how far they are; put their results into DIR/sweep.h5 and DIR/sweep.csv.
enum class SweepAction { run, one_point, list, status, collect };

struct SweepRequest {
  Config config;                ///< of every point, but for what is swept; and config.sweep
  std::filesystem::path output; ///< folder
  SweepAction action = SweepAction::run;
  Index point = 0;               ///< of one_point: its number in the list
  bool retry = false;            ///< make failed points anew
  bool profile = false;          ///< tell of each point where the time went
  double begin = wall_seconds(); ///< of the command
};

/// Collective. Makes a training and an evaluation of each point in DIR/points/HASH, by groups of
/// sweep.ranks_per_point ranks, the longest first; what is done is skipped, what was begun goes on. A point
/// that fails is marked, and the others go on.
/// @throws AgreedError: exit code 2 or 3 before anything is made; 4 at the end if points failed; 75 if it was
/// stopped, or points are at work in another run; of one_point, that of the point
void sweep(const Communicator& comm, const SweepRequest& request);

} // namespace metasieve
