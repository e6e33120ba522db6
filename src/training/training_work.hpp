#pragma once

#include "meta/batches.hpp"
#include "training/task_source.hpp"

#include <vector>

namespace metasieve {

/// Kinds of work of a training, for its progress.
enum class TrainingPart : std::size_t { iterate, validate, write, prepare };

/// Predicted seconds of all that a training has before it, on the rank that takes longest: see cost.hpp.
class TrainingWork {
public:
  TrainingWork() = default; ///< of nothing: for ranks that do not tell
  /// Training tasks 0 to `train`-1 of the source, the others for validation, dealt as TaskPool deals them
  /// over `ranks`; `begun` iterations were made before.
  TrainingWork(const Config& config, const TaskSource& source, Index train, int ranks, Index begun);

  /// By TrainingPart.
  [[nodiscard]] std::vector<double> whole() const;
  /// Of iteration t, from 1.
  [[nodiscard]] double iteration(Index t) const;
  [[nodiscard]] double validation() const noexcept { return validation_; }
  [[nodiscard]] static double write() noexcept { return 0.03; } ///< of a checkpoint, or the last files

private:
  Index begun_ = 0;
  std::vector<double> iterations_{0.0}; ///< of those after `begun`; one value: of each
  double iteration_total_ = 0, validation_ = 0, prepare_ = 0;
  Index validations_ = 0, writes_ = 0;
};

} // namespace metasieve
