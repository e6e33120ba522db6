#pragma once

#include "files/file_layout.hpp"
#include "policy/network.hpp"

namespace metasieve {

/// What a policy file and a checkpoint share: root attributes feature_set, hidden, keep, temperature,
/// use_group, trained_iterations, and /layers/0../{weight [in, out], bias [out]} float64. Read, it is a
/// complete policy with finite numbers and consistent shapes. Same bytes for any number of ranks.
template <>
[[nodiscard]] const FileLayout<Policy>& layout_of<Policy>();

} // namespace metasieve
