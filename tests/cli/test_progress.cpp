#include "base/text.hpp"
#include "runtime/progress.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace metasieve {
namespace {

/// What was done, of which kind, and how long it took.
struct Step {
  std::size_t kind;
  double work, seconds;
};

/// Largest error of the predicted end, of the whole time, over the reports after the first tenth.
double worst_error(const std::vector<double>& work, const std::vector<Step>& steps) {
  const double total = std::accumulate(steps.begin(), steps.end(), 0.0,
                                       [](double sum, const Step& step) { return sum + step.seconds; });
  TimeLeft left(work);
  double worst = 0, now = 0;
  for (const Step& step : steps) {
    left.add(step.kind, step.work, step.seconds);
    now += step.seconds;
    if (now >= 0.1 * total) worst = std::max(worst, std::abs(now + left.seconds() - total) / total);
  }
  EXPECT_NEAR(left.seconds(), 0.0, 1e-9 * total); // all is done
  EXPECT_NEAR(left.share(), 1.0, 1e-9);
  return worst;
}

/// Work by kind of all steps.
std::vector<double> work_of(const std::vector<Step>& steps, std::size_t kinds) {
  std::vector<double> work(kinds, 0.0);
  for (const Step& step : steps) work[step.kind] += step.work;
  return work;
}

/// Durations as a machine of one's own has them: what is predicted scatters by a tenth, as in the recorded
/// evaluation below, and now and then a step takes twice its time.
class Machine {
public:
  double time(double seconds) {
    const double twice = rare_(random_) < 0.02 ? 2.0 : 1.0;
    return seconds * twice * std::exp(0.1 * normal_(random_));
  }

private:
  std::mt19937 random_{1};
  std::normal_distribution<double> normal_;
  std::uniform_real_distribution<double> rare_;
};

TEST(TimeLeft, OfATrainingWithValidationsAndCheckpointsIsRightToATenth) {
  // As the main job on two ranks: 450 tasks are prepared, an iteration takes 0.08 s; each kind is predicted
  // to 20 %, but for checkpoints, whose disk nobody knows.
  Machine machine;
  std::vector<Step> steps;
  for (int task = 0; task < 450; ++task) steps.push_back({3, 0.1, machine.time(0.1)});
  for (int t = 1; t <= 400; ++t) {
    steps.push_back({0, 0.08, machine.time(0.09)});
    if (t % 10 == 0) steps.push_back({1, 0.2, machine.time(0.24)});
    if (t % 100 == 0) steps.push_back({2, 0.03, machine.time(0.3)});
  }

  EXPECT_LT(worst_error(work_of(steps, 4), steps), 0.1);
}

TEST(TimeLeft, OfBatchesOfDifferentCostIsRightToATenth) {
  // Few iterations whose tasks are made anew for each visit: their cost differs a hundredfold.
  Machine machine;
  std::mt19937 random(2);
  std::lognormal_distribution<double> cost(0.0, 1.5);
  std::vector<Step> steps;
  for (int t = 0; t < 60; ++t) {
    const double work = cost(random);
    steps.push_back({0, work, machine.time(0.7 * work)});
  }

  EXPECT_LT(worst_error(work_of(steps, 1), steps), 0.1);

  std::vector<Step> counted = steps; // what counting them would say
  for (Step& step : counted) step.work = 1.0;
  EXPECT_GT(worst_error(work_of(counted, 1), counted), 0.1);
}

TEST(TimeLeft, OfARecordedEvaluationIsRightToATenth) {
  // Tasks of two ranks that evaluated a suite, as they came: predicted seconds, and those of the processor.
  using Recorded = std::vector<std::pair<double, double>>;
  for (const Recorded& recorded : {Recorded{{0.204, 0.199},
                                            {0.770, 0.667},
                                            {0.662, 0.589},
                                            {0.291, 0.278},
                                            {0.695, 0.604},
                                            {0.280, 0.249},
                                            {0.203, 0.209},
                                            {0.724, 0.579},
                                            {0.222, 0.188},
                                            {0.450, 0.391}},
                                   Recorded{{0.279, 0.225},
                                            {0.202, 0.193},
                                            {0.423, 0.408},
                                            {0.471, 0.459},
                                            {0.351, 0.338},
                                            {0.488, 0.405},
                                            {0.350, 0.290},
                                            {0.441, 0.357},
                                            {0.215, 0.168},
                                            {0.297, 0.245},
                                            {0.069, 0.044},
                                            {0.382, 0.286},
                                            {0.522, 0.506},
                                            {0.037, 0.026}}}) {
    std::vector<Step> steps;
    for (const auto& [predicted, seconds] : recorded) steps.push_back({0, predicted, seconds});

    EXPECT_LT(worst_error(work_of(steps, 1), steps), 0.1);
  }
}

TEST(TimeLeft, OfAnEvaluationOfDataSetsOfDifferentSizesIsRightToATenth) {
  // 10 splits each of 1,000, 6,000 and 30,000 rows; then the tables. Predicted in other units.
  Machine machine;
  std::vector<Step> steps;
  const std::vector<double> seconds{0.6, 4.0, 21.0};
  for (std::size_t source = 0; source < seconds.size(); ++source)
    for (int split = 0; split < 10; ++split)
      steps.push_back({source, 1e9 * seconds[source], machine.time(1.05 * seconds[source])});
  steps.push_back({3, 2e9, machine.time(3.0)});

  EXPECT_LT(worst_error(work_of(steps, 4), steps), 0.1);
}

TEST(TimeLeft, OfASuiteThatIsWrittenInTurnsIsRightToATenth) {
  Machine machine;
  std::mt19937 random(3);
  std::uniform_real_distribution<double> rows(100, 10000);
  std::vector<Step> steps;
  for (int turn = 0; turn < 12; ++turn) {
    double bytes = 0;
    for (int task = 0; task < 200; ++task) {
      const double size = rows(random);
      bytes += 60.0 * size;
      steps.push_back({0, 4e-7 * size, machine.time(6e-7 * size)});
    }
    steps.push_back({1, 3e-9 * bytes, machine.time(9e-9 * bytes)}); // a slow disk
  }

  EXPECT_LT(worst_error(work_of(steps, 2), steps), 0.1);
}

TEST(TimeLeft, OfKindsThatWereNotMeasuredFollowsTheOthers) {
  TimeLeft left({10.0, 5.0});

  EXPECT_EQ(left.seconds(), 0.0); // nothing is known
  left.add(0, 5.0, 10.0);
  EXPECT_DOUBLE_EQ(left.seconds(), 2.0 * (5.0 + 5.0));
  left.add(1, 1.0, 10.0);
  EXPECT_DOUBLE_EQ(left.seconds(), 2.0 * 5.0 + 10.0 * 4.0);
  left.close(1);
  EXPECT_DOUBLE_EQ(left.seconds(), 2.0 * 5.0);
  EXPECT_DOUBLE_EQ(left.share_of(0), 0.5);
  left.add(0, 7.0, 10.0); // more than was predicted
  EXPECT_EQ(left.seconds(), 0.0);
}

TEST(DurationText, IsWhatAPersonWouldSay) {
  EXPECT_EQ(duration_text(0.44), "0.4 s");
  EXPECT_EQ(duration_text(9.96), "10 s");
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(7500), "2 h 05 min");
  EXPECT_EQ(duration_text(277200), "3 d 05 h");
}

} // namespace
} // namespace metasieve
