#pragma once

#include "files/sweep.hpp"
#include "studies/sweep_points.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace metasieve {

/// The status of each point; called by one rank. A point whose files are not as they were at the end of its
/// last rung becomes `left`: the next run repeats it.
[[nodiscard]] std::vector<PointStatus> checked_statuses(const std::filesystem::path& sweep,
                                                        const SweepPoints& points);

/// Reads the results of all points that have passed a rung, as they were there; called by one rank. One row a
/// point; metrics have the columns with these `endings`.
[[nodiscard]] Sweep sweep_rows(const std::filesystem::path& sweep, const SweepPoints& points,
                               const std::vector<PointStatus>& statuses,
                               const std::set<std::string>& endings);

/// The done point of the least validation loss, of equal ones the first; none if no point is done.
[[nodiscard]] std::optional<Index> best_point(const std::vector<PointStatus>& statuses);

/// Keeps of each point that is done or dropped one row, row.h5, with its status; of the best one so far the
/// policy too. Called by one rank of a job, with a communicator of its own; several jobs may do so at once.
/// @throws DataError
void keep_rows_only(const Communicator& alone, const std::filesystem::path& sweep, const SweepPoints& points,
                    const std::vector<PointStatus>& statuses, double begin);

} // namespace metasieve
