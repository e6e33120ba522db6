#pragma once

#include "config/requests.hpp"
#include "parallel/communicator.hpp"
#include "studies/sweep_folder.hpp"
#include "studies/sweep_points.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace metasieve {

/// A sweep as its folder shows it, on rank 0.
struct SweepView {
  std::vector<PointStatus> statuses;          ///< [points]
  std::vector<std::uint8_t> is_held;          ///< [points]: a process is at work on it
  std::vector<std::filesystem::path> orphans; ///< folders of points that the sweep has no more

  [[nodiscard]] Index count(PointState state) const;
};

/// By rank 0 alone.
[[nodiscard]] SweepView view_sweep(const SweepPoints& points, const std::filesystem::path& folder);

/// "24 points of policy.keep, meta.seed in DIR: 10 done, 1 failed, 13 left", and notes, a line each.
[[nodiscard]] std::string overview(const SweepPoints& points, const SweepView& view,
                                   const std::filesystem::path& folder);

/// One line a point: number, hash, state, swept values.
[[nodiscard]] std::string list_text(const SweepPoints& points, const SweepView& view);

/// What is running and failed, core-hours spent, and core-hours left at the pace of the points that are done.
[[nodiscard]] std::string status_text(const SweepPoints& points, const SweepView& view);

/// "2 of 24 points failed: 3 (message), 7 (message); ..." @return "" if none has
[[nodiscard]] std::string failures_text(const SweepPoints& points, const std::vector<PointStatus>& statuses);

/// Collective. What a dry run tells: points, memory, disk, expected time. Nothing is written. @throws
/// AgreedError
[[nodiscard]] std::string plan(const Communicator& comm, const SweepRequest& request);

} // namespace metasieve
