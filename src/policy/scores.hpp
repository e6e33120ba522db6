#pragma once

#include "base/precision.hpp"
#include "policy/network.hpp"

namespace metasieve {

/// The network's output for each row, without what a pullback needs: features [n, f] -> u [n]. In float32 in
/// blocks of rows, so that memory does not grow with n.
[[nodiscard]] Vector scores(const Policy& policy, const MatrixF& features, Precision precision);

} // namespace metasieve
