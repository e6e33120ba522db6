#pragma once

#include "base/random.hpp"
#include "base/split.hpp"

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

/// `y` [n] in which each positive of group `disadvantaged` became 0 with probability `probability`: the
/// labelling bias of Blum and Stangl (2019, arXiv:1912.01094).
[[nodiscard]] Labels hide_positives(const Labels& y, const Labels& group, int disadvantaged,
                                    double probability, Seed seed, TaskId id);

} // namespace metasieve
