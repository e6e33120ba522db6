#include "methods/exponentiated.hpp"

#include "fairness/metrics.hpp"
#include "inner/design.hpp"
#include "methods/parity.hpp"
#include "numerics/linear_program.hpp"
#include "numerics/newton.hpp"

#include <algorithm>
#include <cmath>

namespace metasieve {
namespace {

constexpr int rounds = 50;
constexpr double bound = 10.0; // of the sum of the multipliers, B
constexpr double rate = 0.1;   // of their exponents in a round
constexpr double price = 1e3;  // of a violation, in errors, in the choice of probabilities

/// A classifier that was found.
struct Candidate {
  Vector beta;
  double error = 0;
  Vector deviations; // [C]
};

/// Classification with costs by logistic regression.
class BaseLearner {
public:
  BaseLearner(const Matrix& x, const Labels& y, double ridge)
      : y_(y), ridge_(ridge_diagonal(x.cols(), ridge)), beta_(Vector::Zero(x.cols())) {
    newton_.load(x);
  }

  /// The classifier of least error + d_positive'(its decisions). False if the fit diverged.
  bool fit(const Vector& d_positive, const GroupParity& parity, std::vector<Candidate>& found) {
    const auto rows = static_cast<double>(y_.size());
    for (Index i = 0; i < y_.size(); ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double cost_of_one = 1.0 - 2.0 * y_(i) + rows * d_positive(i); // less that of zero
      newton_.labels()[k] = cost_of_one < 0 ? 1.0 : 0.0;
      newton_.weights()[k] = std::abs(cost_of_one);
    }
    if (newton_.fit(beta_, ridge_) == FitStatus::diverged) return false;
    beta_ = newton_.beta();
    const Labels decisions = predictions(newton_.logits());
    const auto errors = static_cast<double>((decisions.array() != y_.array()).count());
    found.push_back({beta_, errors / rows, parity.deviations(decisions)});
    return true;
  }

private:
  const Labels& y_;
  Vector ridge_, beta_;
  NewtonFit newton_;
};

/// Probabilities of least error + price * max(0, largest deviation - epsilon): a linear program in those of
/// all but the first and in the violation.
Vector saddle_point(const std::vector<Candidate>& found, double epsilon) {
  if (found.size() == 1) return Vector::Ones(1);
  const Index others = std::ssize(found) - 1, cells = found[0].deviations.size();
  LinearProgram program{Matrix(2 * cells + 1, others + 1), Vector(2 * cells + 1), Vector(others + 1)};
  program.limit << Vector::Constant(cells, epsilon) - found[0].deviations,
      Vector::Constant(cells, epsilon) + found[0].deviations, 1.0;
  for (Index t = 0; t < others; ++t) {
    const Candidate& other = found[static_cast<std::size_t>(t + 1)];
    const Vector change = other.deviations - found[0].deviations;
    program.rows.col(t) << change, -change, 1.0;
    program.cost(t) = other.error - found[0].error;
  }
  program.rows.col(others) << Vector::Constant(2 * cells, -1.0), 0.0;
  program.cost(others) = price;
  const Vector solution = minimise(program);
  Vector probability(others + 1);
  probability << std::max(0.0, 1.0 - solution.head(others).sum()), solution.head(others);
  return probability / probability.sum();
}

} // namespace

Vector RandomisedClassifier::drawn_score(const Matrix& x, const Stream& stream) const {
  Vector rest = Vector::NullaryExpr(x.rows(), [&](Index i) { return stream.uniform(i); });
  Vector score(x.rows());
  for (std::size_t t = 0; t < beta.size(); ++t) {
    const Vector own = x * beta[t];
    const bool last = t + 1 == beta.size();
    for (Index i = 0; i < rest.size(); ++i) {
      if (rest(i) >= 0.0 && (rest(i) < probability[t] || last)) score(i) = own(i);
      rest(i) -= probability[t]; // below 0 once a row has its classifier
    }
  }
  return score;
}

RandomisedClassifier fit_exponentiated(const Matrix& x, const Labels& y, const Labels& group,
                                       const ReductionOptions& options) {
  const GroupParity parity(y, group, options.gap);
  const double epsilon = 0.5 * options.tolerance;
  const Index cells = parity.cells();
  BaseLearner learner(x, y, options.ridge);
  std::vector<Candidate> found;
  Vector exponent = Vector::Zero(2 * cells);
  for (int t = 0; t < rounds; ++t) {
    const Eigen::ArrayXd scaled = exponent.array().exp();
    const Vector multiplier = bound / (1.0 + scaled.sum()) * scaled;
    const Vector d_positive = parity.pullback(multiplier.head(cells) - multiplier.tail(cells));
    if (!learner.fit(d_positive, parity, found)) break;
    const Vector& deviations = found.back().deviations;
    if (cells == 0 || (t == 0 && deviations.cwiseAbs().maxCoeff() <= epsilon)) break;
    exponent.head(cells).array() += rate * (deviations.array() - epsilon);
    exponent.tail(cells).array() -= rate * (deviations.array() + epsilon);
  }
  if (found.empty()) return {{}, {}, FitStatus::diverged};
  RandomisedClassifier out;
  const Vector probability = saddle_point(found, epsilon);
  for (std::size_t t = 0; t < found.size(); ++t)
    if (const double p = probability(static_cast<Index>(t)); p > 1e-9) {
      out.beta.push_back(found[t].beta);
      out.probability.push_back(p);
    }
  return out;
}

} // namespace metasieve
