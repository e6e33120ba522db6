#include "methods/parity.hpp"

#include <array>

namespace metasieve {

GroupParity::GroupParity(const Labels& y, const Labels& group, Gap gap) : size_(y.size()) {
  if (gap == Gap::none) return;
  constexpr std::uint8_t none = 255;
  std::array<std::array<std::uint8_t, most_groups>, 2> number;
  for (auto& of_reference : number) of_reference.fill(none);
  for (Index i = 0; i < size_; ++i) {
    const std::uint8_t reference = gap == Gap::dp ? 0 : y(i);
    std::uint8_t& own = number[reference][group(i)];
    if (own == none) {
      own = static_cast<std::uint8_t>(rows_.size());
      rows_.push_back(0.0);
      reference_.push_back(reference);
    }
    cell_.push_back(own);
    ++rows_[own];
    ++reference_rows_[reference];
  }
}

Vector GroupParity::deviations(const Labels& positive) const {
  std::vector<double> accepted(rows_.size(), 0.0);
  std::array<double, 2> of_reference{};
  for (std::size_t i = 0; i < cell_.size(); ++i) {
    const double decision = positive(static_cast<Index>(i));
    accepted[cell_[i]] += decision;
    of_reference[reference_[cell_[i]]] += decision;
  }
  return Vector::NullaryExpr(cells(), [&](Index k) {
    const auto c = static_cast<std::size_t>(k);
    return accepted[c] / rows_[c] - of_reference[reference_[c]] / reference_rows_[reference_[c]];
  });
}

Vector GroupParity::pullback(const Vector& d_deviations) const {
  std::array<double, 2> of_reference{};
  for (Index c = 0; c < cells(); ++c)
    of_reference[reference_[static_cast<std::size_t>(c)]] += d_deviations(c);
  Vector d_positive = Vector::Zero(size_);
  for (std::size_t i = 0; i < cell_.size(); ++i) {
    const std::size_t c = cell_[i], r = reference_[c];
    d_positive(static_cast<Index>(i)) =
        d_deviations(static_cast<Index>(c)) / rows_[c] - of_reference[r] / reference_rows_[r];
  }
  return d_positive;
}

} // namespace metasieve
