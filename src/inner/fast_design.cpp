#include "inner/fast_design.hpp"

#include "base/simd.hpp"

#include <array>
#include <cstring>

namespace metasieve {
namespace {

using namespace Eigen::internal;
using namespace simd;

using P = Packet<float>;
constexpr int size = static_cast<int>(lanes<P>);
using Block = PacketBlock<P, size>;

/// Up to `size` values of a row, zeros beyond.
P load_part(const float* from, Index values) {
  if (values >= size) return ploadu<P>(from);
  alignas(EIGEN_MAX_ALIGN_BYTES) std::array<float, size> part{};
  std::memcpy(part.data(), from, static_cast<std::size_t>(values) * sizeof(float));
  return pload<P>(part.data());
}

/// to[i] = (values[i] - mean) scale, in T.
template <class T>
void store_scaled(T* to, const P& values, double mean, double scale, Index count) {
  alignas(EIGEN_MAX_ALIGN_BYTES) std::array<float, size> lane;
  pstore(lane.data(), values);
  const T centre = static_cast<T>(mean), factor = static_cast<T>(scale);
  const auto of = [&](std::size_t i) { return (static_cast<T>(lane[i]) - centre) * factor; };
  if (count == size)
    for (std::size_t i = 0; i < size; ++i) to[i] = of(i);
  else
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) to[i] = of(i);
}

} // namespace

template <class T>
void fill_design(const Split& split, const Standardizer& standardizer, std::span<const Index> rows,
                 std::span<T* const> columns) {
  const Index n = rows.empty() ? split.rows() : std::ssize(rows), d = split.columns();
  const auto inputs = static_cast<std::size_t>(standardizer.mean.size());
  const auto row = [&](Index i) { return rows.empty() ? i : rows[static_cast<std::size_t>(i)]; };
  const float* const x = split.x.data();
  const float* const end = x + split.x.size();
  for (Index begin = 0; begin < n; begin += size) {
    const Index count = std::min<Index>(size, n - begin);
    for (Index first = 0; first < d; first += size) {
      Block block;
      for (int i = 0; i < size; ++i) {
        const float* const from = x + row(std::min(begin + i, n - 1)) * d + first;
        // What is read beyond the row is another column's, and left out.
        block.packet[i] =
            end - from >= size ? ploadu<P>(from) : load_part(from, std::min<Index>(size, d - first));
      }
      ptranspose(block);
      for (Index j = first; j < std::min(first + size, d); ++j)
        store_scaled(columns[static_cast<std::size_t>(j)] + begin, block.packet[j - first],
                     standardizer.mean(j), standardizer.inverse_scale(j), count);
    }
  }
  if (standardizer.use_group) {
    const double mean = standardizer.mean(d), scale = standardizer.inverse_scale(d);
    const std::array<T, 2> of{static_cast<T>((0.0 - mean) * scale), static_cast<T>((1.0 - mean) * scale)};
    T* const to = columns[inputs - 1];
    for (Index i = 0; i < n; ++i) to[i] = of[split.group(row(i))];
  }
  std::fill_n(columns[inputs], n, T{1});
}

template void fill_design(const Split&, const Standardizer&, std::span<const Index>, std::span<float* const>);
template void fill_design(const Split&, const Standardizer&, std::span<const Index>,
                          std::span<double* const>);

} // namespace metasieve
