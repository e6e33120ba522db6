#pragma once

#include "tasks/task.hpp"

#include <string_view>

namespace metasieve {

/// How the labels of a task were corrupted. A file stores which labels are wrong, not why: after label bias,
/// a hidden positive of the disadvantaged group may come from either step, so kinds of corruption are told
/// apart between tasks, not between rows. Two facts help within a `*_bias` task: every false positive, and
/// every flip in the other group, is of the first step; and hidden positives of the disadvantaged group are
/// mostly of the second where label_bias is well above noise_rate. given: the flips of a data set that tells
/// its clean labels; nobody knows what made them.
enum class Corruption { none, uniform, adversarial, bias, uniform_bias, adversarial_bias, given };

inline constexpr int corruption_kinds = 7;

[[nodiscard]] std::string_view to_string(Corruption corruption);

/// What was asked for: a label bias may have hidden no label by chance.
[[nodiscard]] Corruption corruption_of(const Metadata& metadata);

/// That of its metadata, or `given` where the metadata asks for none and training labels differ from the
/// clean ones.
[[nodiscard]] Corruption corruption_of(const Task& task);

} // namespace metasieve
