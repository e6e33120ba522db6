#pragma once

#include "base/linalg.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace metasieve {

enum class Seed : std::uint64_t {};
enum class TaskId : std::uint64_t {};

/// What a stream of random numbers is for. The one list of all purposes: append only, or old seeds change
/// meaning.
enum class Draw : std::uint64_t {
  parameters = 1,  ///< task: the family's ranges
  vertices,        ///< task: hypercube vertices of the cluster centres
  cluster_maps,    ///< task: random linear map per cluster
  redundant_map,   ///< task: linear combinations
  covariates,      ///< task: standard normal columns
  row_order,       ///< task: shuffle of rows
  column_order,    ///< task: shuffle of columns
  groups,          ///< task: who is in which group
  shift_direction, ///< task: unit vector of the feature shift
  split,           ///< task or data set: training and test rows
  flips,           ///< task or data set: which labels are flipped
  label_bias,      ///< task: which positives are hidden
  folds,           ///< features: cross-validation folds
  knn_reference,   ///< features: reference rows of a large task
  rff_weights,     ///< features: frequencies
  rff_phases,      ///< features: phases
  rff_pairs,       ///< features: pairs for the median distance
  policy,          ///< initial policy
  batch,           ///< tasks of a meta-iteration
  support,         ///< support rows of a task in a meta-iteration
  selection,       ///< the method `random`
  bootstrap,       ///< confidence intervals
  roh_start,       ///< the method `roh`: coefficients at the start
  roh_batches,     ///< the method `roh`: order of rows in an epoch
  adaptation,      ///< halves of the training rows that a policy is adapted on
  sweep,           ///< values of the sampled keys of a sweep
  sweep_strata,    ///< which stratum of a Latin hypercube each of its points takes
  group_count,     ///< task: how many groups, their shares, odds and who is at a disadvantage
  group_shift,     ///< task: a direction of the feature shift for each group
  floors,          ///< rates of groups by chance alone
  decisions,       ///< random decisions of the methods `exponentiated` and `error_parity`
  table_labels,    ///< task: log-odds of the labels of a table, and their noise
  table_columns,   ///< task: what the columns of a table are made of
  column_noise,    ///< task: each column's own part in a table
};

/// Counter-based random numbers (Philox4x64-10; Salmon et al. 2011, doi:10.1145/2063384.2063405): every
/// number is a pure function of (seed, draw, task, step, index). No state, so no order: any rank or thread
/// gets the same bits.
class Stream {
public:
  Stream(Seed seed, Draw draw, TaskId task, std::uint64_t step = 0) noexcept;

  [[nodiscard]] std::uint64_t bits(Index index) const noexcept;
  /// In [0, 1), 53 random bits.
  [[nodiscard]] double uniform(Index index) const noexcept;
  /// In [low, high).
  [[nodiscard]] double uniform(Index index, double low, double high) const noexcept;
  /// Standard normal (Box and Muller 1958).
  [[nodiscard]] double normal(Index index) const noexcept;
  /// [rows, columns], entry (i, j) the same bits as normal(i * columns + j), at a quarter of the cost.
  [[nodiscard]] Matrix normals(Index rows, Index columns) const;
  /// In [0, bound), bound >= 1; bias below 2^-64 * bound.
  [[nodiscard]] Index below(Index index, Index bound) const noexcept;

private:
  [[nodiscard]] std::array<std::uint64_t, 4> words(Index index) const noexcept;

  std::uint64_t seed_, draw_, task_, step_;
};

/// The first `count` entries of a uniformly random permutation of 0..size-1 (Fisher-Yates), 0 <= count <=
/// size.
[[nodiscard]] std::vector<Index> sample_without_replacement(const Stream& stream, Index size, Index count);

/// A uniformly random permutation of 0..size-1.
[[nodiscard]] std::vector<Index> permutation(const Stream& stream, Index size);

/// Draws without replacement, again and again, in memory that it keeps: no allocation once it has seen its
/// largest size.
class Sampler {
public:
  /// [count] what sample_without_replacement gives, 0 <= count <= size, in O(count) time once it has seen a
  /// size as large. Valid until the next draw.
  [[nodiscard]] std::span<const Index> draw(const Stream& stream, Index size, Index count);
  /// [count] the same numbers in ascending order, in O(count + size / 64) time.
  [[nodiscard]] std::span<const Index> draw_sorted(const Stream& stream, Index size, Index count);

private:
  std::vector<Index> numbers_;        // 0, 1, 2, ... between draws
  std::vector<Index> drawn_, others_; // [count] the last draw, and with what its places were swapped
  std::vector<std::uint64_t> marked_; // a bit for each number: is it drawn?
};

} // namespace metasieve
