#include "methods/assess.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace metasieve {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

double share(Index part, Index whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : undefined;
}

} // namespace

double Detection::precision() const { return share(caught, rejected); }
double Detection::recall() const { return share(caught, flipped); }

Detection operator+(const Detection& a, const Detection& b) {
  return {a.rows + b.rows, a.rejected + b.rejected, a.flipped + b.flipped, a.caught + b.caught};
}

Detection DetectionReport::sum(const std::vector<Detection>& cells) {
  return std::accumulate(cells.begin(), cells.end(), Detection{});
}

DetectionReport operator+(const DetectionReport& a, const DetectionReport& b) {
  DetectionReport sum = a;
  for (std::size_t y = 0; y < 2; ++y) {
    std::vector<Detection>& cells = sum.cell[y];
    cells.resize(std::max(cells.size(), b.cell[y].size()));
    for (std::size_t z = 0; z < b.cell[y].size(); ++z) cells[z] = cells[z] + b.cell[y][z];
  }
  return sum;
}

DetectionReport detect(const Vector& weights, const Split& train) {
  DetectionReport report;
  for (std::vector<Detection>& cells : report.cell) cells.resize(static_cast<std::size_t>(train.groups));
  for (Index i = 0; i < weights.size(); ++i) {
    const bool rejected = weights(i) == 0.0, flipped = train.y(i) != train.y_clean(i);
    Detection& cell = report.cell[train.y(i)][train.group(i)];
    cell = cell + Detection{1, rejected, flipped, rejected && flipped};
  }
  return report;
}

namespace {

Metrics undefined_metrics() {
  return {undefined, undefined, undefined, undefined, undefined, undefined,
          undefined, undefined, undefined, undefined, undefined, undefined};
}

} // namespace

FinalFits::FinalFits(const PreparedTask& task, double ridge)
    : task_(task), ridge_(ridge_diagonal(task.probe.beta.size(), ridge)),
      test_(design_matrix(task.test, task.probe.standardizer)) {
  newton_.load(design_matrix(task.train, task.probe.standardizer));
}

Model FinalFits::fit(const Vector& weights, const Labels& labels) {
  std::ranges::copy(labels, newton_.labels().begin());
  std::ranges::copy(weights, newton_.weights().begin());
  const FitStatus status = newton_.fit(task_.probe.beta, ridge_);
  return {weights, test_score(newton_.beta()), status == FitStatus::diverged};
}

Model fit_model(const PreparedTask& task, const Vector& weights, const Labels& labels, double ridge) {
  return FinalFits(task, ridge).fit(weights, labels);
}

Assessment assess(const PreparedTask& task, const Model& model) {
  Assessment out;
  const Eigen::ArrayXd flipped = (task.train.y.array() != task.train.y_clean.array()).cast<double>();
  out.selected = model.weights.sum();
  out.noise_rate_all = flipped.mean();
  out.noise_rate_selected = (flipped * model.weights.array()).sum() / out.selected;
  out.noise_reduction =
      out.noise_rate_all > 0 ? 1.0 - out.noise_rate_selected / out.noise_rate_all : undefined;
  const Vector minority = (task.train.group.array() != 0).cast<double>();
  out.minority_share = model.weights.dot(minority) / out.selected;
  out.detection = detect(model.weights, task.train);
  out.failed = model.failed || !model.score.allFinite();
  if (out.failed) {
    out.metrics = undefined_metrics();
    return out;
  }
  const Split& test = task.test;
  out.cells = cells_of(predictions(model.score), test.y, test.group, test.groups);
  out.metrics = metrics_of(out.cells);
  out.metrics.auc = area_under_roc(model.score, test.y);
  return out;
}

Assessment assess_oracle(const PreparedTask& task, const Model& model) {
  Assessment out = assess(task, model);
  out.noise_rate_selected = 0.0;
  out.noise_reduction = out.noise_rate_all > 0 ? 1.0 : undefined;
  return out;
}

} // namespace metasieve
