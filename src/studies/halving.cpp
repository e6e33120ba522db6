#include "studies/halving.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace metasieve {

Halving Halving::of(Index factor, Index most, Index points, Index fewest_iterations) {
  Halving halving{std::max<Index>(factor, 1)};
  if (halving.factor == 1) return halving;
  const Index room = std::min(points, fewest_iterations);
  for (Index power = factor; power <= room && (most == 0 || halving.rungs < most); power *= factor)
    ++halving.rungs;
  return halving;
}

std::vector<Index> Halving::iterations(Index all) const {
  std::vector<Index> ends;
  Index power = 1;
  for (Index rung = rungs; rung > 0; --rung, power *= factor)
    ends.push_back(std::max<Index>(1, (2 * all + power) / (2 * power)));
  std::reverse(ends.begin(), ends.end());
  return ends;
}

std::vector<Index> Halving::points(Index all) const {
  std::vector<Index> counts{all};
  while (std::ssize(counts) < rungs) counts.push_back((counts.back() + factor - 1) / factor);
  return counts;
}

double Halving::share(Index all) const {
  const std::vector<Index> counts = points(all);
  double share = 0, before = 0;
  for (Index rung = 0; rung < rungs; ++rung) {
    const double end = std::pow(static_cast<double>(factor), static_cast<double>(rung + 1 - rungs));
    share += (end - before) * static_cast<double>(counts[static_cast<std::size_t>(rung)]);
    before = end;
  }
  return share / static_cast<double>(all);
}

double ordered_loss(double loss) { return std::isnan(loss) ? std::numeric_limits<double>::infinity() : loss; }

std::vector<Standing> standings(const Halving& halving, const std::vector<Contender>& points) {
  std::vector<Standing> out(points.size());
  std::vector<std::size_t> members(points.size());
  std::iota(members.begin(), members.end(), std::size_t{0});
  const auto key = [&](std::size_t i, Index rung) {
    return ordered_loss(points[i].losses[static_cast<std::size_t>(rung)]);
  };
  for (Index rung = 0; rung < halving.rungs; ++rung) {
    std::vector<std::size_t> passed;
    bool is_decided = true;
    for (const std::size_t i : members)
      if (std::ssize(points[i].losses) > rung)
        passed.push_back(i);
      else
        is_decided = is_decided && points[i].is_out;
    const bool is_last = rung + 1 == halving.rungs;
    for (const std::size_t i : passed)
      out[i] = {is_last       ? Standing::State::finished
                : !is_decided ? Standing::State::waits
                              : Standing::State::dropped,
                rung + 1};
    if (is_last || !is_decided) break;
    const auto promoted = (std::ssize(members) + halving.factor - 1) / halving.factor;
    std::stable_sort(passed.begin(), passed.end(),
                     [&](std::size_t a, std::size_t b) { return key(a, rung) < key(b, rung); });
    passed.resize(std::min(passed.size(), static_cast<std::size_t>(promoted)));
    std::sort(passed.begin(), passed.end());
    for (const std::size_t i : passed) out[i].state = Standing::State::trains;
    members = std::move(passed);
  }
  return out;
}

} // namespace metasieve
