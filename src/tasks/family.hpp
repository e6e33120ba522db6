#pragma once

#include "base/random.hpp"
#include "tasks/task.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// Closed interval; a task draws from it uniformly (group_odds: log-uniformly; samples, features, groups,
/// factors: integers, both ends included).
struct Interval {
  double low = 0;
  double high = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// The draw `index` of `stream`, log-uniform in the interval; its end where both ends are equal.
[[nodiscard]] double log_uniform(const Stream& stream, Index index, Interval range);

/// What features and labels are made by: make_classification, or table_labels and table_columns.
enum class BaseProblem { clusters, tabular };

enum class Disadvantaged { minority, random }; ///< `minority`: every group but 0

/// Least share of the rows of each group but group 0, where there are more than two.
inline constexpr double least_group_share = 0.02;

/// Ranges of the knobs of the generator. Defaults: the `seed` family. The knobs after `base` have no effect
/// on `clusters`.
struct Family {
  std::string name = "seed";
  Interval samples{100, 10000};
  Interval features{5, 20};
  Interval label_noise{0, 0.3};
  Interval minority{0.1, 0.9};
  Interval positive{0.2, 0.8};
  Interval separability{0.5, 2.0}; ///< of clusters, see ClassificationShape; of a table, see table_labels
  double biased_fraction = 0.7;
  Interval group_odds{2.25, 2.25};
  Disadvantaged disadvantaged = Disadvantaged::minority;
  Interval feature_shift{0, 0};
  Interval label_bias{0, 0};
  double adversarial_fraction = 0;
  Interval groups{2, 2};
  BaseProblem base = BaseProblem::clusters;
  Interval factors{2, 10};
  Interval discrete_fraction{0.2, 0.8};
  Interval skewed_fraction{0, 0.8};
  double interaction_fraction = 0.3;
  friend bool operator==(const Family&, const Family&) = default;
};

/// @throws ConfigError naming `family.NAME.knob`, its value and the domain, if a knob is out of its domain,
/// or if there may be more groups than the least `minority` or the fewest samples allow.
void validate(const Family& family);

/// Names of the knobs in the order of a family file: samples, features, ... interaction_fraction.
[[nodiscard]] std::vector<std::string> family_keys();

/// Whether the knob takes whole numbers alone. @throws ConfigError if there is no such knob.
[[nodiscard]] bool is_whole(const std::string& knob);

/// Reads one line `knob = value` of a family file into `family`: `lo:hi`, or one number for lo = hi; a share
/// is one number; `disadvantaged` and `base` are words. @throws ConfigError naming `family.NAME.knob`, the
/// value and what is expected; then `family` is as before.
void set_knob(Family& family, const std::string& knob, const std::string& value);

/// The shortest text from which set_knob makes the same value, bit for bit. @throws ConfigError if there is
/// no such knob.
[[nodiscard]] std::string knob_text(const Family& family, const std::string& knob);

/// The knobs that one task drew. See draw_groups for what its groups are to have.
struct TaskParameters {
  Index samples, train_rows, test_rows, features; ///< test_rows = ceil(0.3 samples)
  double label_noise, minority, positive, separability;
  bool biased;       ///< the groups differ in their positive odds: group_odds is not 1
  double group_odds; ///< of two groups, >= 1: odds of the favoured one over the other; 1 if not biased
  int disadvantaged; ///< of two groups: 0 or 1
  double feature_shift, label_bias;
  bool adversarial;
  Index groups;  ///< K; with one group, all that distinguishes groups is off: minority, shift and bias are 0
  Index factors; ///< of a table: latent variables
  double discrete, skewed; ///< of a table: share of discrete columns, and of skewed ones among the others
  bool interaction;        ///< of a table: the log-odds hold a product of two factors
};

/// Cheap, and enough to predict a task's cost. Depends on (family, seed, id) only. @throws ConfigError as
/// validate(family).
[[nodiscard]] TaskParameters draw_parameters(const Family& family, Seed seed, TaskId id);

/// Families with shares that sum to 1. `name:share,name:share` in a configuration.
struct MixturePart {
  Family family;
  double share = 1;
};
using Mixture = std::vector<MixturePart>;

/// Which part makes task `id`: spread so evenly over the ids that any run of consecutive ids holds the shares
/// to within a few tasks (a golden-ratio sequence). The result refers into `mixture`; shares are normalised.
/// @throws ConfigError if the mixture is empty or a share is negative or not finite.
[[nodiscard]] const Family& family_of(const Mixture& mixture, TaskId id);

} // namespace metasieve
