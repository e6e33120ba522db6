#pragma once

#include "base/stopwatch.hpp"
#include "config/settings.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

namespace metasieve {

struct GenerateRequest {
  Config config;
  std::filesystem::path output;  ///< suite file
  bool resume = false;           ///< keep what a stopped run has finished
  bool profile = false;          ///< report at the end where the time went
  double begin = wall_seconds(); ///< start of the command
};

struct TrainRequest {
  Config config;
  std::filesystem::path output;               ///< folder
  std::optional<std::filesystem::path> suite; ///< else generated in memory
  bool resume = false;                        ///< continue from the checkpoint, if there is one
  bool quiet = false;                         ///< nothing on standard output
  bool measured = false; ///< a barrier before each reduction, which separates waiting (phase `wait`) from it
  bool locked = false;   ///< the caller keeps other runs out of the folder, and reports the progress
  bool profile = false;  ///< count flops, and report at the end where the time went
  Index until = 0;       ///< iterations after which it ends, with all its files; 0: meta.iterations, which
                         ///< decide the learning rate in any case
  std::vector<Index> validate_at = {}; ///< further iterations to validate after

  /// Iterations after which it ends.
  [[nodiscard]] Index end() const {
    return until > 0 ? std::min(until, config.meta.iterations) : config.meta.iterations;
  }
  /// policy.h5, results.h5, checkpoint.h5, checkpoint_prev.h5
  [[nodiscard]] std::vector<std::filesystem::path> output_files() const;
};

struct EvaluateRequest {
  Config config;
  std::vector<std::filesystem::path> policies; ///< policies of one kind, e.g. from several seeds
  std::optional<std::filesystem::path> suite;
  std::vector<std::filesystem::path> datasets;
  std::filesystem::path output;  ///< evaluation file
  bool frontier = false;         ///< sweep the weight of the gap in the adaptation too
  bool resume = false;           ///< keep what a stopped run has finished
  bool profile = false;          ///< report at the end where the time went
  double begin = wall_seconds(); ///< start of the command

  [[nodiscard]] std::vector<std::filesystem::path> input_files() const;
};

struct ScoreRequest {
  Config config;
  std::filesystem::path policy, dataset;
  std::filesystem::path output;  ///< scores file; the same table as CSV goes beside it
  bool profile = false;          ///< report at the end where the time went
  double begin = wall_seconds(); ///< start of the command

  /// The HDF5 file, and the CSV file
  [[nodiscard]] std::vector<std::filesystem::path> output_files() const;
};

struct ScalingRequest {
  Config config;
  std::filesystem::path output;               ///< folder: points/*.h5, and scaling.h5
  std::optional<std::filesystem::path> suite; ///< suite for strong scaling; else generated
  bool collect = false;                       ///< measure nothing: only put the points together
  bool profile = false;                       ///< report for each point where the time went
  double begin = wall_seconds();              ///< start of the command
};

/// What is done with the points of a sweep: run all, or the one of a number; list them; say how far they are;
/// put their results into DIR/sweep.h5 and DIR/sweep.csv.
enum class SweepAction { run, one_point, list, status, collect };

struct SweepRequest {
  Config config;                ///< every point's, but for the swept keys; and config.sweep
  std::filesystem::path output; ///< folder
  SweepAction action = SweepAction::run;
  Index point = 0;               ///< for one_point: its number in the list
  bool retry = false;            ///< repeat failed points
  bool profile = false;          ///< report for each point where the time went
  double begin = wall_seconds(); ///< start of the command
};

} // namespace metasieve
