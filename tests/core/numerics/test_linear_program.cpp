#include "numerics/linear_program.hpp"
#include "support/numerics.hpp"

namespace metasieve {
namespace {

using namespace test;

TEST(LinearProgram, by_hand) {
  // max 3x + 5y subject to x <= 4, 2y <= 12, 3x + 2y <= 18: (2, 6).
  const LinearProgram program{Matrix{{1, 0}, {0, 2}, {3, 2}}, Vector{{4, 12, 18}}, Vector{{-3, -5}}};
  EXPECT_LT((minimise(program) - Vector{{2, 6}}).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(LinearProgram, last_variable_makes_it_feasible_where_the_others_cannot) {
  // min x + 10 s subject to x <= 1, -x - s <= -3: x = 1, s = 2.
  const LinearProgram program{Matrix{{1, 0}, {-1, -1}}, Vector{{1, -3}}, Vector{{1, 10}}};
  EXPECT_LT((minimise(program) - Vector{{1, 2}}).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(LinearProgram, solution_is_feasible_and_no_random_point_is_better) {
  for (std::uint64_t salt = 1; salt <= 20; ++salt) {
    const Matrix rows = normals(8, 5, salt).cwiseAbs();
    const LinearProgram program{rows, Vector::Ones(8), normals(5, salt + 100)};

    const Vector x = minimise(program);

    EXPECT_GE(x.minCoeff(), 0.0);
    EXPECT_LE((rows * x).maxCoeff(), 1.0 + 1e-9);
    for (std::uint64_t k = 0; k < 200; ++k) {
      Vector other = normals(5, 1000 * salt + k).cwiseMax(0.0);
      if ((rows * other).maxCoeff() > 0.0) other /= (rows * other).maxCoeff(); // on the border
      EXPECT_LE(program.cost.dot(x), program.cost.dot(other) + 1e-9);
    }
  }
}

TEST(LinearProgram, ties_do_not_cycle) {
  // Beale's example, on which the rule of the largest coefficient cycles: the optimum is -0.05.
  const LinearProgram program{Matrix{{0.25, -60, -0.04, 9}, {0.5, -90, -0.02, 3}, {0, 0, 1, 0}},
                              Vector{{0, 0, 1}}, Vector{{-0.75, 150, -0.02, 6}}};
  EXPECT_NEAR(program.cost.dot(minimise(program)), -0.05, 1e-12);
}

} // namespace
} // namespace metasieve
