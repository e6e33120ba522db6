#pragma once

#include "studies/sweep.hpp"
#include "studies/sweep_points.hpp"

namespace metasieve {

/// Collective: DIR/sweep.h5 and DIR/sweep.csv, one row a point, from the results in the points' folders.
/// @throws AgreedError
void collect_sweep(const Communicator& comm, const SweepRequest& request, const SweepPoints& points);

} // namespace metasieve
