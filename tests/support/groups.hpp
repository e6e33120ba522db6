#pragma once

#include "base/random.hpp"
#include "base/split.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace metasieve::test {

/// Groups 0..groups-1 at random, group 0 the most frequent.
inline Labels random_groups(Index rows, Index groups, std::uint64_t salt) {
  const Stream stream(Seed{salt}, Draw::groups, TaskId{0});
  return Labels::NullaryExpr(rows, [&](Index i) {
    return static_cast<std::uint8_t>(std::pow(stream.uniform(i), 1.4) * static_cast<double>(groups));
  });
}

/// The split with random groups.
inline Split with_groups(Split split, Index groups, std::uint64_t salt) {
  split.groups = groups;
  split.group = random_groups(split.rows(), groups, salt);
  return split;
}

/// Group k becomes numbers[k].
inline Labels renumbered(const Labels& group, const std::vector<Index>& numbers) {
  return group.unaryExpr([&](std::uint8_t k) { return static_cast<std::uint8_t>(numbers[k]); });
}

/// Some of the orders in which `groups` groups can be numbered, never the one they have.
inline std::vector<std::vector<Index>> other_numbers(Index groups) {
  std::vector<std::vector<Index>> out;
  for (std::uint64_t k = 0; std::ssize(out) < std::min<Index>(groups - 1, 3); ++k) {
    std::vector<Index> numbers = permutation(Stream(Seed{k}, Draw::groups, TaskId{1}), groups);
    if (!std::ranges::is_sorted(numbers)) out.push_back(std::move(numbers));
  }
  return out;
}

} // namespace metasieve::test
