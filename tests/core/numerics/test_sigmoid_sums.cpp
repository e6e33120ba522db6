#include "numerics/sigmoid_sums.hpp"
#include "support/numerics.hpp"

#include <gtest/gtest.h>

#include <string>

namespace metasieve {
namespace {

using namespace test;

/// Row by row.
struct Plain {
  Vector sums, gradient;

  Plain(const Matrix& x, const std::vector<std::vector<Index>>& parts, const Vector& b, double k,
        const Vector& weights)
      : sums(Vector::Zero(std::ssize(parts))), gradient(Vector::Zero(x.cols())) {
    for (Index c = 0; c < std::ssize(parts); ++c)
      for (const Index row : parts[static_cast<std::size_t>(c)]) {
        const double s = sigmoid(k * x.row(row).dot(b));
        sums(c) += s;
        gradient += weights(c) * k * s * (1.0 - s) * x.row(row).transpose();
      }
  }
};

class SigmoidSumsTest : public ::testing::TestWithParam<std::tuple<Index, Index>> {};

TEST_P(SigmoidSumsTest, are_those_of_the_rows_one_by_one) {
  const auto [rows, columns] = GetParam();
  const Matrix x = normals(rows, columns, 1);
  const Vector b = normals(columns, 2), weights = normals(5, 3);
  std::vector<std::vector<Index>> parts(5); // the fourth stays empty, and every eighth row is in none
  for (Index i = rows; i-- > 0;)
    if (i % 8 != 7) parts[i % 8 == 0 ? 0 : i % 8 < 3 ? 1 : i % 8 < 5 ? 2 : 4].push_back(i);
  SigmoidSums fast(x, parts);
  for (const double k : {4.0, 1.0}) {
    const Plain plain(x, parts, b, k, weights);

    const Vector sums = fast.at(b, k);
    const Vector gradient = fast.gradient(weights);

    EXPECT_LT(relative_error(sums, plain.sums), 1e-13);
    EXPECT_EQ(sums(3), 0.0);
    EXPECT_LT(relative_error(gradient, plain.gradient), 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(shapes, SigmoidSumsTest,
                         ::testing::Combine(::testing::Values<Index>(1, 9, 130, 1001, 3001),
                                            ::testing::Values<Index>(1, 3, 4, 15, 18)),
                         [](const auto& test) {
                           return std::to_string(std::get<0>(test.param)) + "_rows_" +
                                  std::to_string(std::get<1>(test.param)) + "_columns";
                         });

TEST(SigmoidSumsTest, of_huge_logits_are_finite) {
  const Matrix x{{1e200}, {-1e200}, {0.0}};
  SigmoidSums sums(x, {{0, 1, 2}, {0}});

  EXPECT_EQ(sums.at(Vector{{1e100}}, 4.0), (Vector{{1.5, 1.0}}));
}

} // namespace
} // namespace metasieve
