#pragma once

#include "base/random.hpp"
#include "base/split.hpp"
#include "tasks/task.hpp"

#include <string_view>
#include <vector>

namespace metasieve {

/// floor(rate * rows): how many labels a noise rate flips.
[[nodiscard]] Index flip_count(double rate, Index rows);

/// `count` distinct rows of 0..rows-1, uniformly at random. 0 <= count <= rows.
[[nodiscard]] std::vector<Index> uniform_rows(Index rows, Index count, Seed seed, TaskId id);

/// The `count` rows of lowest loss under a logistic fit (ridge 1e-3, without the group) of the clean labels
/// of `train`, ties by index: the flips that mislead a loss-based filter most. 0 <= count <= n.
[[nodiscard]] std::vector<Index> lowest_loss_rows(const Split& train, Index count);

/// `y` [n] with the listed rows turned over.
[[nodiscard]] Labels flip_labels(const Labels& y, const std::vector<Index>& rows);

/// `y` [n] in which each positive of a group that is `disadvantaged` [K] became 0 with probability
/// `probability`: the labelling bias of Blum and Stangl (2019, arXiv:1912.01094).
[[nodiscard]] Labels hide_positives(const Labels& y, const Labels& group,
                                    const std::vector<bool>& disadvantaged, double probability, Seed seed,
                                    TaskId id);

/// How the labels of a task were corrupted. A file stores which labels are wrong, not why: after label bias,
/// a hidden positive of a disadvantaged group may come from either step, so kinds of corruption can be
/// distinguished between tasks, not between rows. Two facts help within a `*_bias` task: every false
/// positive, and every flip in another group, is of the first step; and hidden positives of disadvantaged
/// groups are mostly of the second where label_bias is well above noise_rate. given: other
/// wrong labels of a data set, those that it has beside its clean ones, or those of `groups` and `clustered`
/// (tasks/corrupt_labels.hpp).
enum class Corruption { none, uniform, adversarial, bias, uniform_bias, adversarial_bias, given };

inline constexpr int corruption_kinds = 7;

[[nodiscard]] std::string_view to_string(Corruption corruption);

/// What was asked for: a label bias may have hidden no label by chance.
[[nodiscard]] Corruption corruption_of(const Metadata& metadata);

/// The corruption of its metadata, or `given` where the metadata asks for none and training labels differ
/// from the clean ones.
[[nodiscard]] Corruption corruption_of(const Task& task);

} // namespace metasieve
