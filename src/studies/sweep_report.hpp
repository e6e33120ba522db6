#pragma once

#include "studies/sweep_cost.hpp"
#include "studies/sweep_state.hpp"

namespace metasieve {

/// A sweep as its folder shows it, on rank 0.
struct SweepView {
  std::vector<PointStatus> statuses;          ///< [points]
  std::vector<std::uint8_t> is_held;          ///< [points]: a run is at work on it
  std::vector<double> predicted;              ///< [points]: core-seconds
  std::vector<std::filesystem::path> orphans; ///< folders of points that the sweep has no more

  [[nodiscard]] Index count(PointState state) const;
  /// How much longer points took than predicted; 1 where none is done.
  [[nodiscard]] double slowness() const;
};

/// By rank 0 alone. `speed` scales the predictions.
[[nodiscard]] SweepView view_sweep(const SweepPoints& points, const std::filesystem::path& folder,
                                   SweepCosts& costs, const Speed& speed = {});

/// "24 points of policy.keep, meta.seed in DIR: 10 done, 1 failed, 13 left"
[[nodiscard]] std::string overview(const SweepPoints& points, const SweepView& view,
                                   const std::filesystem::path& folder);

/// One line a point: number, hash, predicted core-seconds, state, swept values.
[[nodiscard]] std::string list_text(const SweepPoints& points, const SweepView& view);

/// What is running and failed, and core-hours spent and left.
[[nodiscard]] std::string status_text(const SweepPoints& points, const SweepView& view);

/// "2 of 24 points failed: 3 (message), 7 (message); ..." @return "" if none has
[[nodiscard]] std::string failures_text(const SweepPoints& points, const std::vector<PointStatus>& statuses);

} // namespace metasieve
