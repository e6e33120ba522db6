#include "methods/assess.hpp"

#include "tasks/corruption.hpp"
#include "tasks/generate.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace metasieve {
namespace {

// Rows (y, y_clean, z, kept):
//   z = 0: (0,0,kept) (0,1,kept) (1,1,rejected) (1,0,rejected) (1,1,kept)
//   z = 1: (0,1,rejected) (0,1,kept) (0,0,rejected) (0,1,rejected)
struct Fixture {
  Labels y{{0, 0, 1, 1, 1, 0, 0, 0, 0}};
  Labels clean{{0, 1, 1, 0, 1, 1, 1, 0, 1}};
  Labels group{{0, 0, 0, 0, 0, 1, 1, 1, 1}};
  Vector weights = Vector{{1, 1, 0, 0, 1, 0, 1, 0, 0}};

  [[nodiscard]] Split train() const { return {MatrixF(9, 0), y, group, clean}; }
};

TEST(Detection, agrees_with_counts_by_hand) {
  const Fixture f;

  const DetectionReport report = detect(f.weights, f.train());

  EXPECT_EQ(report.all(), (Detection{9, 5, 5, 3}));
  EXPECT_EQ(report.of_group(0), (Detection{5, 2, 2, 1}));
  EXPECT_EQ(report.of_group(1), (Detection{4, 3, 3, 2}));
  EXPECT_EQ(report.hidden_positives(), (Detection{6, 3, 4, 2}));
  EXPECT_EQ(report.false_positives(), (Detection{3, 2, 1, 1}));
  EXPECT_EQ(report.cell[0][0], (Detection{2, 0, 1, 0}));
  EXPECT_EQ(report.cell[1][0], (Detection{3, 2, 1, 1}));
  EXPECT_NEAR(report.all().precision(), 3.0 / 5, 1e-15);
  EXPECT_NEAR(report.hidden_positives().recall(), 2.0 / 4, 1e-15);
}

TEST(Detection, empty_cells_and_sets_are_undefined_not_zero) {
  const Fixture f;

  const DetectionReport report = detect(f.weights, f.train());

  EXPECT_TRUE(std::isnan(report.cell[0][0].precision())); // none of its rows is rejected
  EXPECT_EQ(report.cell[0][0].recall(), 0.0);
  EXPECT_TRUE(std::isnan(report.cell[1][1].recall()));
  const DetectionReport clean = detect(f.weights, {MatrixF(9, 0), f.clean, f.group, f.clean});
  EXPECT_TRUE(std::isnan(clean.all().recall()));
  EXPECT_EQ(clean.all().precision(), 0.0);
  EXPECT_EQ(detect(Vector(0), Split{}).all(), Detection{});
}

TEST(Detection, a_soft_selection_rejects_nothing) {
  const Fixture f;

  const Detection soft = detect(f.weights.array() + 1e-9, f.train()).all();

  EXPECT_EQ(soft, (Detection{9, 0, 5, 0}));
}

TEST(Corruption, is_read_from_the_metadata) {
  Metadata m;
  m.n_train = 100;
  const auto kind = [&](double noise, int adversarial, double bias) {
    m.noise_rate = noise;
    m.adversarial = static_cast<std::uint8_t>(adversarial);
    m.label_bias = bias;
    return to_string(corruption_of(m));
  };

  EXPECT_EQ(kind(0, 0, 0), "none");
  EXPECT_EQ(kind(0, 1, 0), "none");
  EXPECT_EQ(kind(0.009, 0, 0), "none"); // of 100 rows, none
  EXPECT_EQ(kind(0.1, 0, 0), "uniform");
  EXPECT_EQ(kind(0.1, 1, 0), "adversarial");
  EXPECT_EQ(kind(0.001, 1, 0.2), "bias");
  EXPECT_EQ(kind(0.1, 0, 0.2), "uniform_bias");
  EXPECT_EQ(kind(0.1, 1, 0.2), "adversarial_bias");
}

TEST(Corruption, flips_that_nobody_asked_for_are_given) {
  Task task;
  task.train.y = task.train.y_clean = Labels{{0, 1, 1}};

  EXPECT_EQ(corruption_of(task), Corruption::none);
  task.train.y = Labels{{0, 0, 1}};
  EXPECT_EQ(corruption_of(task), Corruption::given);
  EXPECT_EQ(to_string(Corruption::given), "given");
}

TEST(Corruption, false_positives_and_flips_in_the_other_group_are_never_of_label_bias) {
  Family family;
  family.samples = {2000, 2000};
  family.label_noise = {0, 0};
  family.label_bias = {0.4, 0.4};
  family.disadvantaged = Disadvantaged::random;
  for (std::uint64_t id = 0; id < 4; ++id) {
    const Task task = generate_task(family, Seed{3}, TaskId{id});
    const auto disadvantaged = static_cast<std::size_t>(task.metadata.disadvantaged);

    const DetectionReport report = detect(Vector::Ones(task.train.rows()), task.train);

    EXPECT_EQ(corruption_of(task), Corruption::bias);
    EXPECT_EQ(report.false_positives().flipped, 0);
    EXPECT_EQ(report.of_group(1 - disadvantaged).flipped, 0);
    EXPECT_GT(report.cell[0][disadvantaged].flipped, 0);
  }
}

} // namespace
} // namespace metasieve
