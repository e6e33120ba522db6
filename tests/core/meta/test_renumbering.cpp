// How groups are numbered changes nothing: not a bit of features, scores, selections and weights.

#include "kernels/meta_features.hpp"
#include "methods/methods.hpp"
#include "methods/selection.hpp"
#include "support/groups.hpp"
#include "tasks/generate.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace metasieve {
namespace {

using namespace test;

/// A task with groups 0..groups-1, of which the last has no row for training where `absent`.
Task task_of(Index groups, bool absent) {
  Family family;
  family.samples = {420, 420};
  family.features = {6, 6};
  family.label_noise = {0.2, 0.2};
  Task task = generate_task(family, Seed{11}, TaskId{5});
  task.train = with_groups(std::move(task.train), absent ? groups - 1 : groups, 6);
  task.train.groups = groups;
  task.test = with_groups(std::move(task.test), groups, 7);
  return task;
}

Task renumbered(Task task, const std::vector<Index>& numbers) {
  for (Split* const split : {&task.train, &task.test}) split->group = test::renumbered(split->group, numbers);
  return task;
}

class Renumbering : public ::testing::TestWithParam<std::tuple<Index, Precision, bool, FeatureSet>> {
protected:
  [[nodiscard]] static PreparedTask prepared(Task task) {
    return kernels::prepare(std::move(task), {set(), true, 1e-3, Seed{11}, precision()});
  }
  [[nodiscard]] static Index groups() { return std::get<0>(GetParam()); }
  [[nodiscard]] static Precision precision() { return std::get<1>(GetParam()); }
  [[nodiscard]] static FeatureSet set() { return std::get<3>(GetParam()); }
  [[nodiscard]] static Task task() { return task_of(groups(), std::get<2>(GetParam())); }
  [[nodiscard]] static Policy policy() {
    Policy shape;
    shape.features = set();
    shape.hidden = {8, 4};
    return initialise(shape, Seed{2});
  }
};

TEST_P(Renumbering, changes_no_bit_of_probe_and_features) {
  const PreparedTask before = prepared(task());

  for (const std::vector<Index>& numbers : other_numbers(groups())) {
    const PreparedTask after = prepared(renumbered(task(), numbers));

    EXPECT_NE(after.train.group, before.train.group);
    EXPECT_EQ(after.probe.beta, before.probe.beta);
    EXPECT_EQ(after.features, before.features);
    const FeatureOptions options{set(), 1e-3, Seed{11}, before.id};
    EXPECT_EQ(kernels::meta_features(after.train, after.probe, options, precision()),
              kernels::meta_features(before.train, before.probe, options, precision()));
  }
}

TEST_P(Renumbering, changes_no_bit_of_a_selection) {
  struct Settings {
    Index rounds, steps;
    Gap gap;
    double agreement = 1.0; // rounds; 0: a blend
  };
  const PreparedTask before = prepared(task());
  for (const std::vector<Index>& numbers : other_numbers(groups())) {
    const PreparedTask after = prepared(renumbered(task(), numbers));
    for (const auto& [rounds, steps, gap, agreement] :
         {Settings{0, 3, Gap::dp}, {2, 0, Gap::none}, {1, 2, Gap::eo}, {0, 3, Gap::eo, 0.0}}) {
      SelectionOptions options;
      options.rounds = rounds;
      options.agreement = agreement;
      options.adapt.steps = steps;
      options.adapt.outer = {AccuracyLoss::zero_one, gap, 1.0};

      const Selection selection = policy_selection(before, policy(), options);
      const Selection now = policy_selection(after, policy(), options);

      EXPECT_EQ(blends(before, policy(), options), agreement == 0.0);
      EXPECT_EQ(now.score, selection.score) << rounds << " rounds, " << steps << " steps";
      EXPECT_EQ(highest(now.score, 0.7), highest(selection.score, 0.7));
      EXPECT_EQ(now.weights, selection.weights);
      EXPECT_EQ(now.hidden.share, selection.hidden.share);
      const Index group = selection.hidden.group;
      EXPECT_EQ(group >= 0, agreement == 0.0 && groups() - std::get<2>(GetParam()) > 1);
      EXPECT_EQ(now.hidden.group, group < 0 ? -1 : numbers[static_cast<std::size_t>(group)]);
    }
  }
}

TEST_P(Renumbering, groups_themselves_do_matter) {
  const PreparedTask before = prepared(task_of(groups(), false));
  Task other = task_of(groups(), false);
  other.train.group.reverseInPlace();

  EXPECT_NE(prepared(std::move(other)).features, before.features);
}

std::string case_name(const ::testing::TestParamInfo<Renumbering::ParamType>& tested) {
  const auto& [groups, precision, absent, set] = tested.param;
  return std::to_string(groups) + (precision == Precision::float32 ? "_groups_float32" : "_groups_float64") +
         (absent ? "_one_absent" : "") + (set == FeatureSet::fair ? "_fair" : "");
}

INSTANTIATE_TEST_SUITE_P(all, Renumbering,
                         ::testing::Combine(::testing::Values<Index>(2, 3, 5),
                                            ::testing::Values(Precision::float32, Precision::float64),
                                            ::testing::Bool(),
                                            ::testing::Values(FeatureSet::relative, FeatureSet::fair)),
                         case_name);

} // namespace
} // namespace metasieve
