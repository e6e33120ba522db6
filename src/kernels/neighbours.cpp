#include "kernels/neighbours.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace metasieve::kernels {
namespace {

using namespace simd;
using P = Register<float>;
constexpr Index step = lanes<P>;

constexpr Index groups = 64, parts = 3, part_rows = tile_rows<> / parts;
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr double square_limit = 1e30; // beyond, products in single precision could overflow

/// Half a squared distance |a - b|^2 / 2 is measured as h_b - a.b with h = |.|^2 / 2, which leaves out the
/// h_a that all distances of a row share. In single precision, u = 2^-24, this errs by less than (d + 4) / 2
/// u (|a| + |b|)^2: u (|a| + |b|)^2 because coordinates are rounded, u |b|^2 / 2 because h_b is, and (d + 1)
/// u (|b|^2 / 2 + |a||b|) in d products with two roundings each. c = (d + 4) u, twice that, covers terms of
/// second order, the last bit that is given up for the label, and the rounding of distances in double
/// precision.
double error_constant(Index columns) { return static_cast<double>(columns + 4) * 0x1p-24; }

float rounded_up(double value) { return std::nextafter(static_cast<float>(value), infinity); }

/// The smallest `size` values of each lane, ascending, in registers.
template <Index size>
struct Smallest {
  P at[size];

  Smallest() {
#pragma GCC unroll 17
    for (Index k = 0; k < size; ++k) at[k] = broadcast<P>(infinity);
  }
  void insert(P value) {
#pragma GCC unroll 17
    for (Index k = 0; k < size; ++k) {
      const P larger = max(at[k], value);
      at[k] = min(at[k], value);
      value = larger;
    }
  }
};

} // namespace

NeighbourFilter::NeighbourFilter(const Split& train, const Standardizer& standardizer,
                                 std::span<const Index> references)
    : train_(train), standardizer_(standardizer), count_(std::ssize(references)),
      tiles_((count_ + tile_rows<> - 1) / tile_rows<>),
      is_reference_(static_cast<std::size_t>(train.rows())) {
  for (const Index row : references) is_reference_[static_cast<std::size_t>(row)] = true;
  pack_references(references);
  row_.resize_uninitialized(train.columns() * block);
  distance_.resize_uninitialized(tiles_ * tile_rows<> * block);
  least_.resize_uninitialized(tiles_ * parts * block);
  group_least_.resize_uninitialized(groups * block);
  threshold_.resize_uninitialized(block);
  near_parts_.resize_uninitialized(tiles_ * parts + 1);
  near_.resize_uninitialized(tiles_ * tile_rows<> + 1);
}

/// Standardised columns of a row, times `sign`, to to[0], to[stride] ...; returns the sum of their squares.
double NeighbourFilter::copy_standardised(Index row, float sign, float* to, Index stride) const {
  double square = 0.0;
  for (Index j = 0; j < train_.columns(); ++j) {
    const double centred = static_cast<double>(train_.x(row, j)) - standardizer_.mean(j);
    const auto value = static_cast<float>(centred * standardizer_.inverse_scale(j));
    to[j * stride] = sign * value;
    square += static_cast<double>(value) * static_cast<double>(value);
  }
  return square;
}

/// Neighbours in `references` are in different tiles: so the nearest ones in a sorted data set are spread
/// over many tiles, and the bound from the nearest of each tile is tight.
Index NeighbourFilter::ordinal(Index place) const {
  return place % tile_rows<> * tiles_ + place / tile_rows<>;
}

void NeighbourFilter::pack_references(std::span<const Index> references) {
  const Index d = train_.columns(), places = tiles_ * tile_rows<>;
  float* const out = reference_.fill(places * d, 0.0F);
  half_square_.fill(places, infinity);
  label_.fill(places, 0.0F);
  const double inflation = 1.0 + 4.0 * error_constant(d);
  for (Index place = 0; place < places; ++place) {
    if (ordinal(place) >= count_) continue;
    const Index row = references[static_cast<std::size_t>(ordinal(place))];
    const double square = copy_standardised(row, 1.0F, out + place * d, 1);
    half_square_.data()[place] = rounded_up(0.5 * square * inflation);
    label_.data()[place] = std::bit_cast<float>(std::uint32_t{train_.y(row)});
    in_range_ = in_range_ && square < square_limit;
  }
}

void NeighbourFilter::load_rows(Index begin) {
  float* const out = row_.data();
  const Index d = train_.columns(), filled = std::min(block, train_.rows() - begin);
  std::fill_n(out, d * block, 0.0F);
  for (Index i = 0; i < filled; ++i)
    rows_[static_cast<std::size_t>(i)].half_square =
        0.5 * copy_standardised(begin + i, -1.0F, out + i, block);
}

void NeighbourFilter::measure() {
  const Index d = train_.columns();
  float* const group_least = group_least_.data();
  std::fill_n(group_least, std::min(groups, tiles_) * block, infinity);
  for (Index t = 0; t < tiles_; ++t) {
    Tile<> sums;
    for (Index i = 0; i < tile_rows<>; ++i)
      sums[i][0] = sums[i][1] = broadcast<P>(half_square_.data()[t * tile_rows<> + i]);
    multiply_add(sums, {reference_.data() + t * tile_rows<> * d, d, 1}, row_.data(), block, d);

    float* const distance = distance_.data() + t * tile_rows<> * block;
    for (Index half = 0; half < 2; ++half) {
      float* const group = group_least + t % groups * block + half * step;
      P least_of_group = load<P>(group);
      for (Index part = 0; part < parts; ++part) {
        P least = sums[part * part_rows][half];
        for (Index i = part * part_rows; i < (part + 1) * part_rows; ++i) {
          least = min(least, sums[i][half]);
          store(distance + i * block + half * step, sums[i][half]);
        }
        store(least_.data() + (t * parts + part) * block + half * step, least);
        least_of_group = min(least_of_group, least);
      }
      store(group, least_of_group);
    }
  }
}

/// The least m such that 16 groups, one for each neighbour and one for the row itself, hold a reference that
/// was measured as m or less. As h_b is inflated by 2 c |b|^2, which with 2 c |a|^2 exceeds the error, half
/// the squared distance of these is at most U = m + h_a (1 + 4 c), and so is that of the nearest ones. All
/// within U have |b| <= |a| + sqrt(2 U), and so a measure that is within 3 c reach^2 above and c reach^2
/// below the truth, where reach = 2 |a| + sqrt(2 U). So the nearest are measured as m + 4 c reach^2 at most,
/// and references whose measures differ by more than this margin are in the order of their distances (those
/// beyond U follow anyway).
void NeighbourFilter::bound() {
  const Index group_count = std::min(groups, tiles_);
  float* const threshold = threshold_.data();
  for (Index half = 0; half < 2; ++half) {
    Smallest<nearest + 1> smallest;
    for (Index g = 0; g < group_count; ++g)
      smallest.insert(load<P>(group_least_.data() + g * block + half * step));
    store(threshold + half * step, smallest.at[nearest]);
  }
  const double c = error_constant(train_.columns());
  for (Index i = 0; i < block; ++i) {
    Row& row = rows_[static_cast<std::size_t>(i)];
    const double m = threshold[i], limit = std::max(0.0, m + row.half_square * (1.0 + 4.0 * c));
    const double reach = 2.0 * std::sqrt(2.0 * row.half_square) + std::sqrt(2.0 * limit);
    row.margin = 4.0 * c * reach * reach + 1e-30; // the last for what is too small to be rounded relatively
    threshold[i] = rounded_up(m + 2.0 * row.margin);
  }
}

/// The places with a row of this half of the block within its threshold. Without a branch: whether a place is
/// one cannot be predicted.
Index NeighbourFilter::near_places(Index half) {
  const P threshold = load<P>(threshold_.data() + half * step);
  const float* const least = least_.data() + half * step;
  const float* const distance = distance_.data() + half * step;
  std::int32_t* const near_parts = near_parts_.data();
  std::int32_t* const near = near_.data();
  Index part_count = 0, count = 0;
  for (Index part = 0; part < tiles_ * parts; ++part) {
    near_parts[part_count] = static_cast<std::int32_t>(part);
    part_count += any(less_equal(load<P>(least + part * block), threshold)) ? 1 : 0;
  }
  for (Index k = 0; k < part_count; ++k)
    for (Index i = 0; i < part_rows; ++i) {
      const Index place = near_parts[k] * part_rows + i;
      near[count] = static_cast<std::int32_t>(place);
      count += any(less_equal(load<P>(distance + place * block), threshold)) ? 1 : 0;
    }
  return count;
}

/// Sorts the measures up to the threshold; if the last neighbour is clearly nearer than the reference that
/// follows it, the neighbours are known, and only their labels matter.
void NeighbourFilter::rank(Index begin, Index half) {
  const P all_but_last_bit = broadcast<P>(std::bit_cast<float>(0xFFFFFFFEU));
  const Index count = near_places(half);
  const float* const distances = distance_.data() + half * step;
  const float* const label = label_.data();
  Smallest<nearest + 2> smallest;
  for (Index k = 0; k < count; ++k) {
    const Index place = near_.data()[k];
    const P distance = load<P>(distances + place * block);
    smallest.insert(bit_or(bit_and(distance, all_but_last_bit), broadcast<P>(label[place])));
  }
  std::array<std::array<float, step>, nearest + 2> sorted; // [place][lane]
  for (std::size_t k = 0; k < sorted.size(); ++k) sorted[k] = lane_values(smallest.at[k]);
  const Index filled = std::min(step, train_.rows() - begin);
  for (Index lane = 0; lane < filled; ++lane) {
    Row& row = rows_[static_cast<std::size_t>(half * step + lane)];
    const auto column = static_cast<std::size_t>(lane);
    const bool itself = is_reference_[static_cast<std::size_t>(begin + lane)];
    const std::size_t end = nearest + (itself ? 1 : 0);
    const double last = sorted[end - 1][column];
    const double next = std::min(sorted[end][column], threshold_.data()[half * step + lane]);
    if (!(next - last > row.margin)) continue;
    Index positives = itself ? -Index{train_.y(begin + lane)} : 0;
    for (std::size_t k = 0; k < end; ++k) positives += std::bit_cast<std::uint32_t>(sorted[k][column]) & 1U;
    row.positives = positives;
  }
}

/// Finds the candidates of the rows that rank() left open.
void NeighbourFilter::collect(Index begin, Index half) {
  float* const threshold = threshold_.data() + half * step;
  bool open = false;
  for (Index lane = 0; lane < step; ++lane) {
    const bool known = rows_[static_cast<std::size_t>(half * step + lane)].positives.has_value();
    if (known || begin + lane >= train_.rows())
      threshold[lane] = -infinity;
    else
      open = true;
  }
  if (!open) return;
  candidates_.resize(static_cast<std::size_t>(block * count_));
  const Index count = near_places(half);
  for (Index k = 0; k < count; ++k) {
    const Index place = near_.data()[k];
    const float* const distance = distance_.data() + place * block + half * step;
    for (Index lane = 0; lane < step; ++lane) {
      if (!(distance[lane] <= threshold[lane])) continue;
      const Index i = half * step + lane;
      Row& row = rows_[static_cast<std::size_t>(i)];
      candidates_[static_cast<std::size_t>(i * count_ + row.candidates++)] =
          static_cast<std::int32_t>(ordinal(place));
    }
  }
}

void NeighbourFilter::take_everything(Index i) {
  Row& row = rows_[static_cast<std::size_t>(i)];
  candidates_.resize(static_cast<std::size_t>(block * count_));
  for (row.candidates = 0; row.candidates < count_; ++row.candidates)
    candidates_[static_cast<std::size_t>(i * count_ + row.candidates)] =
        static_cast<std::int32_t>(row.candidates);
  row.positives.reset();
}

void NeighbourFilter::search(Index begin) {
  rows_.fill({});
  const bool measurable = in_range_ && std::min(groups, tiles_) > nearest;
  if (measurable) {
    load_rows(begin);
    measure();
    bound();
    for (Index half = 0; half < 2; ++half) {
      rank(begin + half * step, half);
      collect(begin + half * step, half);
    }
  }
  const Index filled = std::min(block, train_.rows() - begin);
  for (Index i = 0; i < filled; ++i)
    if (!measurable || !(rows_[static_cast<std::size_t>(i)].half_square < square_limit)) take_everything(i);
}

Vector neighbour_agreement(const Split& train, const Standardizer& standardizer,
                           std::span<const Index> references) {
  NeighbourFilter filter(train, standardizer, references);
  Vector agreement(train.rows());
  std::vector<Index> candidates;
  for (Index begin = 0; begin < train.rows(); begin += NeighbourFilter::block) {
    filter.search(begin);
    const Index end = std::min(begin + NeighbourFilter::block, train.rows());
    for (Index row = begin; row < end; ++row) {
      if (const auto positives = filter.positives(row - begin)) {
        const Index same = train.y(row) == 1 ? *positives : neighbour_count - *positives;
        agreement(row) = static_cast<double>(same) / static_cast<double>(neighbour_count);
        continue;
      }
      candidates.clear();
      for (const std::int32_t candidate : filter.candidates(row - begin))
        candidates.push_back(references[static_cast<std::size_t>(candidate)]);
      agreement(row) = agreement_of_row(train, standardizer, row, candidates);
    }
  }
  return agreement;
}

} // namespace metasieve::kernels
