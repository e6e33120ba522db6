#pragma once

#include "base/split.hpp"
#include "features/neighbours.hpp"
#include "numerics/registers.hpp"
#include "numerics/tiles.hpp"

#include <array>
#include <optional>
#include <span>
#include <vector>

namespace metasieve::kernels {

/// The labels of the nearest references of blocks of rows, from distances in single precision and a bound of
/// their rounding error. Rows that this leaves open, because references are (almost) equally far, get the few
/// candidates to look at more closely.
class NeighbourFilter {
public:
  static constexpr Index block = simd::panel_width<>; ///< rows of a block
  static constexpr Index nearest = neighbour_count;

  /// `references`: rows of train, each once.
  NeighbourFilter(const Split& train, const Standardizer& standardizer, std::span<const Index> references);

  /// Looks at rows begin..begin+block-1 of train.
  void search(Index begin);

  /// How many of the nearest of row begin+i are labelled 1; nothing if that is open.
  [[nodiscard]] std::optional<Index> positives(Index i) const {
    return rows_[static_cast<std::size_t>(i)].positives;
  }

  /// If it is: places in `references`, in no order, that hold the nearest and all that are as far as the last
  /// of these. They may hold the row itself.
  [[nodiscard]] std::span<const std::int32_t> candidates(Index i) const {
    const auto count = static_cast<std::size_t>(rows_[static_cast<std::size_t>(i)].candidates);
    return {candidates_.data() + i * count_, count};
  }

private:
  struct Row { ///< of the block
    double half_square = 0.0;
    double margin = 0.0;
    std::optional<Index> positives;
    Index candidates = 0;
  };

  void pack_references(std::span<const Index> references);
  void load_rows(Index begin);
  void measure();
  void bound();
  void rank(Index begin, Index half);
  void collect(Index begin, Index half);
  Index near_places(Index half);
  void take_everything(Index i);
  [[nodiscard]] Index ordinal(Index place) const;
  double copy_standardised(Index row, float sign, float* to, Index stride) const;

  const Split& train_;
  const Standardizer& standardizer_;
  Index count_, tiles_;
  std::vector<bool> is_reference_; ///< [n]
  bool in_range_ = true;           ///< squares of all references are far from overflow

  simd::Buffer<float> reference_;   ///< [places, d], standardised; a place for each row of each tile
  simd::Buffer<float> half_square_; ///< [places], of these rows, rounded up; infinite in empty places
  simd::Buffer<float> label_;       ///< [places]: all bits 0 but the last, the label
  simd::Buffer<float> row_;         ///< [d, block], negated
  simd::Buffer<float> distance_;    ///< [places, block]: half the squared one, less the row's share
  simd::Buffer<float> least_;       ///< [tiles * parts, block]: the minimum of each part of a tile
  simd::Buffer<float> group_least_; ///< [groups, block]: of the tiles that are equal modulo `groups`
  simd::Buffer<float> threshold_;   ///< [block]
  simd::Buffer<std::int32_t> near_parts_, near_; ///< parts and places that near_places() found
  std::array<Row, block> rows_;
  std::vector<std::int32_t> candidates_; ///< [block, count], or none while nothing was open
};

/// metasieve::neighbour_agreement with the same bits, in a fraction of its time.
[[nodiscard]] Vector neighbour_agreement(const Split& train, const Standardizer& standardizer,
                                         std::span<const Index> references);

} // namespace metasieve::kernels
