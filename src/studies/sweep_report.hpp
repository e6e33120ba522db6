#pragma once

#include "config/requests.hpp"
#include "parallel/communicator.hpp"
#include "studies/sweep_points.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// How many points have this state.
[[nodiscard]] Index count(const std::vector<PointStatus>& statuses, PointState state);

/// "24 points of policy.keep, meta.seed in DIR: 10 done, 1 failed, 13 left", and notes, a line each.
[[nodiscard]] std::string overview(const SweepPoints& points, const std::vector<PointStatus>& statuses,
                                   const std::filesystem::path& folder);

/// One line a point: number, hash, state, rungs passed where there are several, swept values.
[[nodiscard]] std::string list_text(const SweepPoints& points, const std::vector<PointStatus>& statuses);

/// Points that run, died or failed, points that have passed each of several rungs, core-hours spent, and with
/// one rung core-hours left at the pace of the done points.
[[nodiscard]] std::string status_text(const SweepPoints& points, const std::vector<PointStatus>& statuses);

/// "2 of 24 points failed: 3 (HASH): MESSAGE; ..." @return "" if none has
[[nodiscard]] std::string failures_text(const std::vector<PointStatus>& statuses);

/// Collective: estimates memory, disk and time of a sweep, without writing anything. @throws CollectiveError
[[nodiscard]] std::string plan(const Communicator& comm, const SweepRequest& request);

/// Collective: writes DIR/sweep.h5 and DIR/sweep.csv, one row a point, from the files in the points' folders.
/// @return a summary, on rank 0. @throws CollectiveError
[[nodiscard]] std::string collect_sweep(const Communicator& comm, const SweepRequest& request,
                                        const SweepPoints& points);

} // namespace metasieve
