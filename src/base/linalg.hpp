#pragma once

#include <Eigen/Core>

#include <cmath>
#include <cstdint>

namespace metasieve {

using Index = Eigen::Index; ///< signed

/// Row-major: a row is one sample, and samples are what is gathered, read and written.
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixF = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;
using Labels = Eigen::Matrix<std::uint8_t, Eigen::Dynamic, 1>; ///< each 0 or 1; groups: 0..K-1

/// In what the hot path computes: float64 is the reference, float32 the fast form that tests hold to it.
enum class Precision { float32, float64 };

/// 1 / (1 + exp(-f)), element by element.
template <class Derived>
[[nodiscard]] auto sigmoid(const Eigen::ArrayBase<Derived>& f) {
  return (1.0 + (-f).exp()).inverse();
}

[[nodiscard]] inline double sigmoid(double f) { return 1.0 / (1.0 + std::exp(-f)); }

} // namespace metasieve

#ifdef METASIEVE_ALIGNMENT // of the installed library
static_assert(
    EIGEN_MAX_ALIGN_BYTES == METASIEVE_ALIGNMENT,
    "compile with the instruction set that metasieve was built for (its option METASIEVE_NATIVE): Eigen "
    "frees memory by how it aligns it");
#endif

namespace metasieve {

/// Half-open [begin, end).
struct Range {
  Index begin = 0;
  Index end = 0;

  [[nodiscard]] Index size() const noexcept { return end - begin; }
  [[nodiscard]] bool contains(Index i) const noexcept { return begin <= i && i < end; }
  friend bool operator==(const Range&, const Range&) = default;
};

} // namespace metasieve
