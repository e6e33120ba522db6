#pragma once

#include "config/requests.hpp"
#include "parallel/communicator.hpp"
#include "studies/sweep_points.hpp"

#include <string>

namespace metasieve {

/// Collective: writes DIR/sweep.h5 and DIR/sweep.csv, one row a point, from the files in the points' folders.
/// @return what came out, on rank 0. @throws AgreedError
[[nodiscard]] std::string collect_sweep(const Communicator& comm, const SweepRequest& request,
                                        const SweepPoints& points);

} // namespace metasieve
