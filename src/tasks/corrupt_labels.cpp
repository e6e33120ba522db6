#include "tasks/corrupt_labels.hpp"

#include "base/text.hpp"
#include "inner/design.hpp"
#include "tasks/corruption.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

namespace metasieve {
namespace {

using Kind = LabelCorruption::Kind;

constexpr std::array<std::string_view, 6> kind_names{"none",   "flips",       "hidden",
                                                     "groups", "lowest_loss", "clustered"};
constexpr double largest_group_rate = 0.3;
// Steps of the stream of flips; step 0 chooses rows.
constexpr std::uint64_t rates_of_groups = 1, centre_of_cluster = 2;

bool has_rate(Kind kind) { return kind != Kind::none && kind != Kind::groups; }

using PerGroup = std::array<Index, most_groups>;

/// Rows of each group, or those of label 1.
PerGroup count_rows(const Labels& group, const Labels& counted) {
  PerGroup count{};
  for (Index i = 0; i < group.size(); ++i) count[group(i)] += counted(i);
  return count;
}

/// The first left[z] candidates of each group z in a random order.
std::vector<Index> first_rows(const Stream& stream, const Labels& group, const Labels& candidate,
                              PerGroup left) {
  std::vector<Index> rows;
  for (const Index i : permutation(stream, group.size()))
    if (candidate(i) == 1 && left[group(i)]-- > 0) rows.push_back(i);
  return rows;
}

/// The positives that `hidden` hides. group: by_first_row.
std::vector<Index> hidden_rows(const Labels& y, const Labels& group, double share, Seed seed, TaskId id) {
  const PerGroup rows = count_rows(group, Labels::Ones(y.size())), positives = count_rows(group, y);
  const Index all = y.cast<Index>().sum();
  PerGroup hidden{};
  for (std::size_t z = 0; z < hidden.size(); ++z)
    if (positives[z] * y.size() < all * rows[z]) hidden[z] = flip_count(share, positives[z]);
  return first_rows(Stream(seed, Draw::label_bias, id), group, y, hidden);
}

/// The rows that `groups` flips. group: by_first_row; larger groups draw their rates first.
std::vector<Index> rows_of_groups(const Labels& group, Seed seed, TaskId id) {
  const Labels every = Labels::Ones(group.size());
  const PerGroup rows = count_rows(group, every);
  std::array<std::size_t, most_groups> order{};
  for (std::size_t z = 0; z < order.size(); ++z) order[z] = z;
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t z) { return rows[z]; });
  const Stream rates(seed, Draw::flips, id, rates_of_groups);
  PerGroup flips{};
  for (std::size_t k = 0; k < order.size(); ++k)
    flips[order[k]] =
        flip_count(rates.uniform(static_cast<Index>(k), 0.0, largest_group_rate), rows[order[k]]);
  return first_rows(Stream(seed, Draw::flips, id), group, every, flips);
}

/// The `count` rows nearest to a random one, ties by index.
std::vector<Index> rows_of_cluster(const Split& train, Index count, Seed seed, TaskId id) {
  const Standardizer scale = fit_standardizer(train, false);
  const Index n = train.rows();
  const Index centre = Stream(seed, Draw::flips, id, centre_of_cluster).below(0, n);
  Vector distance = Vector::Zero(n);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < train.columns(); ++j) {
      const double step = (static_cast<double>(train.x(i, j)) - static_cast<double>(train.x(centre, j))) *
                          scale.inverse_scale(j);
      distance(i) += step * step;
    }
  std::vector<Index> order = all_rows(n);
  std::ranges::stable_sort(order, {}, [&](Index i) { return distance(i); });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

} // namespace

std::string to_string(const LabelCorruption& corruption) {
  const std::string name(kind_names[static_cast<std::size_t>(corruption.kind)]);
  return has_rate(corruption.kind) ? name + ":" + number_text(corruption.rate) : name;
}

std::optional<LabelCorruption> parse_label_corruption(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto name = std::ranges::find(kind_names, text.substr(0, colon));
  if (name == kind_names.end()) return std::nullopt;
  LabelCorruption found{static_cast<Kind>(name - kind_names.begin()), 0.0};
  if (has_rate(found.kind) != (colon != std::string_view::npos)) return std::nullopt;
  if (!has_rate(found.kind)) return found;
  found.rate = parse_number<double>(text.substr(colon + 1)).value_or(-1.0);
  const bool is_legal =
      found.rate >= 0.0 && (found.kind == Kind::hidden ? found.rate <= 1.0 : found.rate < 0.5);
  return is_legal ? std::optional(found) : std::nullopt;
}

Labels corrupt_labels(const Split& train, const LabelCorruption& corruption, Seed seed, TaskId id) {
  const Index n = train.rows(), count = flip_count(corruption.rate, n);
  if (!corruption.changes_labels() || n == 0) return train.y;
  const auto flipped = [&](const Labels& y, double rate) {
    return flip_labels(y, uniform_rows(n, flip_count(rate, n), seed, id));
  };
  switch (corruption.kind) {
  case Kind::hidden:
    return flipped(
        flip_labels(train.y, hidden_rows(train.y, by_first_row(train.group), corruption.rate, seed, id)),
        flips_beside_hidden);
  case Kind::groups: return flip_labels(train.y, rows_of_groups(by_first_row(train.group), seed, id));
  case Kind::lowest_loss: return flip_labels(train.y, lowest_loss_rows(train, count));
  case Kind::clustered: return flip_labels(train.y, rows_of_cluster(train, count, seed, id));
  default: return flipped(train.y, corruption.rate);
  }
}

} // namespace metasieve
