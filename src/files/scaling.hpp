#pragma once

#include "files/file_layout.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace metasieve {

/// Where the wall time of a training goes, on each rank. generate: tasks made or read, before the first
/// iteration; features: with the probe; make: tasks made or read again in the iterations (suite.hold),
/// policy, inner: means over the threads; idle: threads without a task, and summing; wait: for slower ranks;
/// reduce: the bare allreduce; io: checkpoint and last files.
inline constexpr std::array<std::string_view, 11> scaling_phases{
    "generate", "features", "make", "policy", "inner", "idle", "wait", "reduce", "update", "validate", "io"};

/// Over the ranks.
struct Spread {
  double min = 0, mean = 0, max = 0;
};

/// One training of a scaling study. Names in these records: at most 15 characters.
struct ScalingRow {
  std::string kind; ///< strong or weak
  std::int64_t ranks, threads, nodes, repeat;
  std::int64_t tasks, batch, iterations;            ///< tasks to train on, and of each iteration
  std::int64_t parameters;                          ///< of the policy
  double seconds;                                   ///< of the whole training
  double seconds_per_iteration;                     ///< mean, without validation and checkpoints
  double work;                                      ///< predicted seconds of one core, an iteration
  std::array<Spread, scaling_phases.size()> phases; ///< seconds of the whole training
  double imbalance;       ///< a core's iteration until the slowest is done / its busy part, mean over cores
  double shard_imbalance; ///< busy time of a rank over all iterations, max / mean
  double allreduce_share; ///< of the iterations' time
  std::uint64_t policy_hash;
  std::uint8_t oversubscribed; ///< 1: more threads than usable cores on a node
};

/// Seconds of one phase of one training on one rank.
struct ScalingSeconds {
  std::string kind;
  std::int64_t ranks, threads, repeat;
  std::string phase;
  std::int64_t rank;
  double seconds;
};

/// One iteration of one training.
struct ScalingIteration {
  std::string kind;
  std::int64_t ranks, threads, repeat;
  std::int64_t iteration; ///< from 1
  double seconds;
};

/// One point of a study, or several.
struct Scaling {
  std::string config; ///< of the study, resolved
  std::string suite;  ///< configuration of the suite file that strong scaling trains on; empty: generated
  std::string commit; ///< of the program that measured; what is written is that of this one
  std::vector<std::string> hosts;
  std::vector<std::string>
      machines; ///< "64 processors a node, PROCESSOR, MPI": one where all nodes are alike
  std::vector<ScalingRow> points;
  std::vector<ScalingSeconds> timing;
  std::vector<ScalingIteration> iterations;
};

template <>
[[nodiscard]] const FileLayout<Scaling>& layout_of<Scaling>();

/// Collective; rank 0's study is written: /points, /timing, /iterations. File type metasieve-scaling. `job`:
/// the one that writes; the attribute `hosts` is a list of those that measured.
/// @throws CollectiveError (exit code 3) naming the file if it cannot be written.
void write_scaling(const Communicator& comm, const std::filesystem::path& path, const Scaling& scaling,
                   JobMetadata job, FileIo io);

} // namespace metasieve
