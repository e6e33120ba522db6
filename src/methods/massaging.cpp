#include "methods/massaging.hpp"

#include "base/split.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace metasieve {

Labels massaged_labels(const Vector& score, const Labels& y, const Labels& group) {
  std::array<std::array<std::vector<Index>, 2>, most_groups> rows; // [group][label]
  Index positives = 0;
  for (Index i = 0; i < y.size(); ++i) {
    rows[group(i)][y(i)].push_back(i);
    positives += y(i);
  }

  Labels out = y;
  for (std::array<std::vector<Index>, 2>& own : rows) {
    const Index of_label = std::ssize(own[1]), size = of_label + std::ssize(own[0]);
    if (size == 0) continue;
    const auto missing = std::llround(static_cast<double>(positives * size - of_label * y.size()) /
                                      static_cast<double>(y.size()));
    const std::uint8_t becomes = missing > 0 ? 1 : 0;
    std::vector<Index>& candidates = own[1U - becomes];
    std::ranges::stable_sort(candidates, std::greater{}, [&](Index i) {
      const double towards = becomes == 1 ? score(i) : -score(i);
      return std::isnan(towards) ? -std::numeric_limits<double>::infinity() : towards;
    });
    for (std::size_t k = 0; k < static_cast<std::size_t>(std::abs(missing)); ++k)
      out(candidates[k]) = becomes;
  }
  return out;
}

} // namespace metasieve
