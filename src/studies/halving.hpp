#pragma once

#include "base/linalg.hpp"

#include <vector>

namespace metasieve {

/// Successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943): rung by rung, points train for a
/// growing part of their iterations, and the best share of a rung is promoted to the next.
struct Halving {
  Index factor = 1; ///< fewer points and more iterations from rung to rung; 1: one rung of all
  Index rungs = 1;

  /// As many rungs as n points of at least so many iterations allow, at most `most` (0: no such limit): the
  /// first has n points and iterations / factor^(rungs - 1), at least one.
  [[nodiscard]] static Halving of(Index factor, Index most, Index points, Index fewest_iterations);

  /// Iterations of a point at the end of each rung, rounded; the last are all of them.
  [[nodiscard]] std::vector<Index> iterations(Index all) const;
  /// Points in each rung, if none fails.
  [[nodiscard]] std::vector<Index> points(Index all) const;
  /// Share of the iterations of all points that are made.
  [[nodiscard]] double share(Index points) const;
};

/// A point on its way through the rungs.
struct Contender {
  std::vector<double> losses; ///< at the ends of the rungs that it has passed
  bool is_out = false;        ///< trains no more, whatever it has passed
};

/// A loss in the order of points: an undefined one is the worst.
[[nodiscard]] double ordered_loss(double loss);

/// Result of the decisions so far for one point.
struct Standing {
  enum class State { trains, waits, dropped, finished } state = State::trains;
  Index rungs = 0; ///< passed: the last of them is where it waits, or was dropped
};

/// Decides the rungs whose points have all passed them or are out: a pure function, so every rank and job
/// decides alike. The best ceil(n / factor) of a rung of n points are promoted; of equal losses the earlier
/// point's is better.
[[nodiscard]] std::vector<Standing> standings(const Halving& halving, const std::vector<Contender>& points);

} // namespace metasieve
