#pragma once

#include "io/results_file.hpp"
#include "parallel/communicator.hpp"
#include "run/config.hpp"
#include "run/phase_clock.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace metasieve {

/// Each stage is collective over `comm`, prints on rank 0's standard output, and throws AgreedError where all
/// ranks fail alike; any other exception is one rank's own, and the caller must abort the job.
///
/// All but score end with exit code 75 when they are stopped: see run/stop.hpp. generate and evaluate keep
/// the tasks and splits that are finished in a folder OUTPUT.partial, which `resume` goes on from, on any
/// number of ranks; it is gone when the output is written. The output is the same as of one run.

struct GenerateRequest {
  Config config;
  std::filesystem::path output;  ///< suite file
  bool resume = false;           ///< keep what a stopped run has finished
  bool profile = false;          ///< tell at the end where the time went
  double begin = wall_seconds(); ///< of the command
};
void generate(const Communicator& comm, const GenerateRequest& request);

struct TrainRequest {
  Config config;
  std::filesystem::path output;               ///< folder
  std::optional<std::filesystem::path> suite; ///< else generated in memory
  bool resume = false;                        ///< go on from the checkpoint, if there is one
  bool quiet = false;                         ///< nothing on standard output
  bool measured = false; ///< a barrier before each reduction, which tells waiting (phase `wait`) from it
  bool locked = false;   ///< the caller keeps other runs out of the folder, and tells how far it is
  bool profile = false;  ///< count, and tell at the end where the time went

  /// policy.h5, results.h5, checkpoint.h5, checkpoint_prev.h5
  [[nodiscard]] std::vector<std::filesystem::path> output_files() const;
};

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

struct EvaluateRequest {
  Config config;
  std::vector<std::filesystem::path> policies; ///< of one kind, e.g. of several seeds
  std::optional<std::filesystem::path> suite;
  std::vector<std::filesystem::path> datasets;
  std::filesystem::path output;  ///< evaluation file
  bool frontier = false;         ///< sweep the weight of the gap in the adaptation too
  bool resume = false;           ///< keep what a stopped run has finished
  bool profile = false;          ///< tell at the end where the time went
  double begin = wall_seconds(); ///< of the command

  [[nodiscard]] std::vector<std::filesystem::path> input_files() const;
};
void evaluate(const Communicator& comm, const EvaluateRequest& request);

struct ScoreRequest {
  Config config;
  std::filesystem::path policy, dataset;
  std::filesystem::path output;  ///< scores file; the same table as CSV goes beside it
  bool profile = false;          ///< tell at the end where the time went
  double begin = wall_seconds(); ///< of the command

  /// The HDF5 file, and the CSV file
  [[nodiscard]] std::vector<std::filesystem::path> output_files() const;
};
void score(const Communicator& comm, const ScoreRequest& request);

struct ScalingRequest {
  Config config;
  std::filesystem::path output;               ///< folder: points/*.h5, and scaling.h5
  std::optional<std::filesystem::path> suite; ///< that strong scaling trains on; else generated
  bool collect = false;                       ///< measure nothing: only put the points together
  bool profile = false;                       ///< tell of each point where the time went
  double begin = wall_seconds();              ///< of the command
};
/// Trains at each point of [scaling] that this job has the ranks for and that is not measured yet, one after
/// the other, and puts all points in the folder together. @throws AgreedError: exit code 2 if points there
/// are of another configuration or program, 70 if a policy depends on ranks or threads
void scale(const Communicator& comm, const ScalingRequest& request);

/// The tasks that `config` trains on, of a suite of `total`. @throws AgreedError (exit code 2) if none are
/// left: every rank must call it alike.
[[nodiscard]] Range training_tasks(const Config& config, Index total);

/// How often a validation task is assessed over the whole training, once for the baseline included.
[[nodiscard]] double assessments_per_task(const Config& config);

/// Checks that no output is one of the inputs, which it would replace. @throws AgreedError (exit code 2)
/// naming it
void require_distinct(const Communicator& comm, const std::vector<std::filesystem::path>& outputs,
                      const std::vector<std::filesystem::path>& inputs);

/// Checks that `files` can be written, before hours are spent on what goes there. Changes nothing: folders
/// are made when there is something to put into them. @throws AgreedError (exit code 3) naming file and
/// reason.
void require_writable(const Communicator& comm, const std::vector<std::filesystem::path>& files);

} // namespace metasieve
