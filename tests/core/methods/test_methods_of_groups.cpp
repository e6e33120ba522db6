// All methods on tasks of one group, of three and of five.

#include "methods/compare_methods.hpp"
#include "support/grouped_rows.hpp"
#include "support/groups.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace metasieve {
namespace {

using namespace test;

PreparedTask prepared(Task task) {
  return prepare(std::move(task), {FeatureSet::relative, true, 1e-3, Seed{4}});
}

ComparisonOptions options(Gap fairness = Gap::eo) {
  ComparisonOptions out;
  Policy shape;
  shape.features = FeatureSet::relative;
  out.policies = {initialise(shape, Seed{1})};
  out.untrained = initialise(shape, Seed{2});
  out.seed = Seed{9};
  out.fairness = fairness;
  out.penalty = 1.0;
  out.tolerance = 0.02;
  out.selection.adapt.steps = 2;
  out.selection.rounds = 1;
  out.selection.agreement = 1.0;
  out.keep_predictions = true;
  return out;
}

std::vector<Method> every_method() {
  std::vector<Method> methods;
  for (const std::string& name : method_names()) methods.push_back(parse_method(name));
  return methods;
}

TEST(MethodsOfGroups, run_on_any_number_of_groups) {
  ComparisonOptions asked = options();
  asked.tolerance = 0.2;
  for (const Index groups : {1, 3, 5}) {
    const PreparedTask task = prepared(grouped_task(800, groups));
    for (const MethodResult& result : compare_methods(task, every_method(), asked)) {
      const Assessment& a = result.assessment;
      EXPECT_FALSE(a.failed) << to_string(result.method);
      EXPECT_GT(a.metrics.accuracy, 0.55) << to_string(result.method);
      EXPECT_EQ(std::ssize(a.cells[0]), groups);
      for (const double gap : {a.metrics.dp_gap, a.metrics.eo_gap, a.metrics.dp_floor, a.metrics.eo_floor}) {
        if (groups == 1) {
          EXPECT_EQ(gap, 0.0);
        } else {
          EXPECT_GT(gap, 0.0) << to_string(result.method);
        }
      }
    }
  }
}

TEST(MethodsOfGroups, of_one_group_reweighing_is_the_baseline) {
  const PreparedTask task = prepared(grouped_task(400, 1));

  EXPECT_EQ(reweighing_weights(task), Vector::Ones(400));
  EXPECT_EQ(group_weighted(task, Vector::Ones(400)), Vector::Ones(400));
}

TEST(MethodsOfGroups, reweighing_makes_label_and_each_group_independent) {
  const PreparedTask task = prepared(grouped_task(900, 5));

  const Vector w = reweighing_weights(task);

  const Vector y = to_vector(task.train.y);
  EXPECT_NEAR(w.sum(), 900, 1e-8);
  for (std::uint8_t z = 0; z < 5; ++z) {
    const Vector in_group = (task.train.group.array() == z).cast<double>();
    EXPECT_NEAR(w.dot(in_group.cwiseProduct(y)) / w.dot(in_group), y.mean(), 1e-12);
    EXPECT_NEAR(w.dot(in_group), in_group.sum(), 1e-9);
  }
}

TEST(MethodsOfGroups, group_weighted_spares_group_zero_alone) {
  const PreparedTask task = prepared(grouped_task(300, 3));

  const Vector weights = group_weighted(task, Vector::Constant(300, 2.0));

  for (Index i = 0; i < 300; ++i) EXPECT_EQ(weights(i), task.train.group(i) == 0 ? 2.0 : 3.0);
}

// Positives of the groups 1 and 2 are hidden, so that the plain model refuses these too often.
TEST(MethodsOfGroups, fair_peers_of_three_groups_close_the_gap_of_the_test_rows) {
  const PreparedTask task = prepared(grouped_task(3000, 3));
  for (const auto& [fairness, gap] : {std::pair{Gap::eo, &Metrics::eo_gap}, {Gap::dp, &Metrics::dp_gap}}) {
    const std::vector<Method> methods{Method::baseline,     Method::penalised,     Method::threshold,
                                      Method::roh,          Method::jiang_nachum,  Method::influence,
                                      Method::error_parity, Method::exponentiated, Method::confident_group};
    const std::vector<MethodResult> results = compare_methods(task, methods, options(fairness));
    const double plain = results[0].assessment.metrics.*gap;
    for (const MethodResult& result : results)
      if (result.method != Method::baseline) {
        EXPECT_LT(result.assessment.metrics.*gap, 0.6 * plain) << to_string(result.method);
      }
  }
}

TEST(MethodsOfGroups, reweighing_halves_the_parity_gap_of_three_groups) {
  const PreparedTask task = prepared(grouped_task(3000, 3));

  const std::vector<MethodResult> results =
      compare_methods(task, {Method::baseline, Method::reweighing}, options());

  EXPECT_LT(results[1].assessment.metrics.dp_gap, 0.5 * results[0].assessment.metrics.dp_gap);
}

// But for greedy_weighted, which singles out group 0; and for roh of two groups, whose draws are numbered.
TEST(MethodsOfGroups, the_numbers_of_groups_change_no_decision) {
  for (const Index groups : {2, 3, 5}) {
    const PreparedTask task = prepared(grouped_task(400, groups));
    std::vector<Method> methods{Method::baseline,  Method::greedy,          Method::reweighing,
                                Method::penalised, Method::threshold,       Method::random,
                                Method::oracle,    Method::oracle_penalised};
    if (groups > 2) methods.push_back(Method::roh);
    for (int k = static_cast<int>(Method::jiang_nachum); k <= static_cast<int>(Method::reweight_meta); ++k)
      methods.push_back(static_cast<Method>(k));
    const std::vector<MethodResult> before = compare_methods(task, methods, options());
    for (const std::vector<Index>& numbers : other_numbers(groups)) {
      Task other = grouped_task(400, groups);
      other.train.group = renumbered(other.train.group, numbers);
      other.test.group = renumbered(other.test.group, numbers);

      const std::vector<MethodResult> after = compare_methods(prepared(other), methods, options());

      for (std::size_t k = 0; k < methods.size(); ++k) {
        const Assessment &a = before[k].assessment, &b = after[k].assessment;
        EXPECT_EQ(after[k].predicted, before[k].predicted) << to_string(methods[k]);
        EXPECT_EQ(a.selected, b.selected) << to_string(methods[k]);
        EXPECT_EQ(a.metrics.auc, b.metrics.auc) << to_string(methods[k]);
        EXPECT_EQ(a.metrics.eo_floor, b.metrics.eo_floor) << to_string(methods[k]);
      }
    }
  }
}

} // namespace
} // namespace metasieve
