#pragma once

#include "fairness/outer_loss.hpp"
#include "features/meta_features.hpp"

namespace metasieve {

/// Weights of the training rows, [n] in (0, 2), by "Identifying and Correcting Label Bias in Machine
/// Learning" (Jiang and Nachum 2020, arXiv:1901.04966, algorithm 1): 2 sigmoid(m) where y = 1 and 2
/// sigmoid(-m) where y = 0, with a multiplier m of each group (Gap::dp) or of each label in a group
/// (Gap::eo). m starts at 0; each round fits a logistic regression with the weights, and adds to m twice what
/// the rate of its positive decisions on the training rows lacks of that of all groups. The authors'
/// programme has this step and 100 rounds; here rounds also end once no rate is more than .001 off, or when a
/// fit diverges. Labels are as observed. Any number of groups; one group has weights 1.
[[nodiscard]] Vector jiang_nachum_weights(const PreparedTask& task, Gap gap, double ridge);

} // namespace metasieve
