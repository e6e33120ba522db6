#include "selectors/contest.hpp"

#include "selectors/penalised.hpp"
#include "selectors/roh.hpp"
#include "selectors/threshold.hpp"

#include <functional>
#include <optional>

namespace metasieve {
namespace {

/// A task with what several methods need of it.
class Arena {
public:
  Arena(const PreparedTask& task, const ContestOptions& options) : task_(task), options_(options) {}

  [[nodiscard]] Assessment of_weights(const Vector& weights) const {
    return assess(task_, fit_model(task_, weights, task_.train.y, options_.ridge));
  }

  [[nodiscard]] Assessment roh() const {
    RohOptions roh;
    roh.fairness = options_.fairness == Gap::dp ? RohFairness::dp : RohFairness::eqodds;
    roh.tau = options_.roh_tau > 0 ? options_.roh_tau : share_of_clean_labels();
    roh.seed = options_.seed;
    roh.task = task_.id;
    const RohFit fit =
        fit_roh(train_design(), task_.train.y, task_.train.group, scaled_to(task_.train.rows(), roh));
    return assess(task_, {fit.selected, test_score(fit.beta), fit.status == FitStatus::diverged});
  }

  [[nodiscard]] Assessment penalised(double weight) const {
    return assess(task_, penalised_model(task_.train.y, weight));
  }
  [[nodiscard]] Assessment oracle_penalised() const {
    return assess_oracle(task_, penalised_model(task_.train.y_clean, options_.penalty));
  }

  [[nodiscard]] Assessment threshold(double tolerance) const {
    const Matrix x = train_design();
    const Vector ones = Vector::Ones(x.rows());
    const LogisticFit fit = fit_logistic(x, to_vector(task_.train.y), ones, task_.probe.beta,
                                         ridge_diagonal(x.cols(), options_.ridge));
    if (fit.status == FitStatus::diverged || !fit.beta.allFinite()) return assess(task_, {ones, {}, true});
    const GroupThresholds thresholds =
        choose_thresholds(x * fit.beta, task_.train.y, task_.train.group, options_.fairness, tolerance);
    return assess(task_, {ones, apply(thresholds, test_score(fit.beta), task_.test.group), false});
  }

  [[nodiscard]] Assessment oracle() const {
    const Vector ones = Vector::Ones(task_.train.rows());
    return assess_oracle(task_, fit_model(task_, ones, task_.train.y_clean, options_.ridge));
  }

private:
  [[nodiscard]] Matrix train_design() const { return design_matrix(task_.train, task_.probe.standardizer); }
  [[nodiscard]] Vector test_score(const Vector& beta) const {
    return design_matrix(task_.test, task_.probe.standardizer) * beta;
  }
  [[nodiscard]] double share_of_clean_labels() const {
    return (task_.train.y.array() == task_.train.y_clean.array()).cast<double>().mean();
  }
  [[nodiscard]] Model penalised_model(const Labels& labels, double weight) const {
    const LogisticFit fit =
        fit_penalised(train_design(), labels, task_.train.group, {options_.fairness, weight, options_.ridge});
    return {Vector::Ones(labels.size()), test_score(fit.beta), fit.status == FitStatus::diverged};
  }

  const PreparedTask& task_;
  const ContestOptions& options_;
};

/// The scores that several methods of one policy share, made when the first asks.
class Scores {
public:
  Scores(const PreparedTask& task, const Policy& policy, const SelectionOptions& options)
      : task_(task), policy_(policy), options_(options) {}

  const Vector& plain() {
    if (!plain_) plain_ = policy_score(task_, policy_);
    return *plain_;
  }
  const Vector& selected() {
    if (!selected_) selected_ = selection_score(task_, policy_, options_);
    return *selected_;
  }

private:
  const PreparedTask& task_;
  const Policy& policy_;
  const SelectionOptions& options_;
  std::optional<Vector> plain_, selected_;
};

Vector policy_weights(Method method, const Policy& policy, Scores& scores) {
  switch (method) {
  case Method::trained_hard:
  case Method::untrained_hard: return highest(scores.plain(), policy.keep);
  case Method::trained_soft:
  case Method::untrained_soft: return soft_weights(policy, scores.plain());
  case Method::meta_hard: return highest(scores.selected(), policy.keep);
  default: return soft_weights(policy, scores.selected());
  }
}

Assessment assess_peer(Method method, const PreparedTask& task, const ContestOptions& options) {
  const Arena arena(task, options);
  switch (method) {
  case Method::greedy: return arena.of_weights(greedy_weights(task, options.keep));
  case Method::greedy_weighted:
    return arena.of_weights(group_weighted(task, greedy_weights(task, options.keep)));
  case Method::reweighing: return arena.of_weights(reweighing_weights(task));
  case Method::roh: return arena.roh();
  case Method::penalised: return arena.penalised(options.penalty);
  case Method::threshold: return arena.threshold(options.tolerance);
  case Method::random: return arena.of_weights(random_weights(task, options.keep, options.seed));
  case Method::oracle: return arena.oracle();
  case Method::oracle_penalised: return arena.oracle_penalised();
  default: return arena.of_weights(Vector::Ones(task.train.rows()));
  }
}

} // namespace

std::vector<Entry> contest(const PreparedTask& task, const std::vector<Method>& methods,
                           const ContestOptions& options, const std::function<void(Method)>& done) {
  const Arena arena(task, options);
  Scores untrained(task, options.untrained, options.selection);
  std::vector<Scores> trained;
  for (const Policy& policy : options.policies) trained.emplace_back(task, policy, options.selection);

  std::vector<Entry> entries;
  for (const Method method : methods) {
    if (asks_policy(method)) {
      for (std::size_t p = 0; p < options.policies.size(); ++p)
        entries.push_back({method, static_cast<Index>(p), 0.0,
                           arena.of_weights(policy_weights(method, options.policies[p], trained[p]))});
    } else if (method == Method::untrained_hard || method == Method::untrained_soft) {
      entries.push_back(
          {method, -1, 0.0, arena.of_weights(policy_weights(method, options.untrained, untrained))});
    } else {
      entries.push_back({method, -1, 0.0, assess_peer(method, task, options)});
    }
    if (done) done(method);
  }
  return entries;
}

std::vector<Entry> frontier(const PreparedTask& task, const FrontierSettings& settings,
                            const ContestOptions& options) {
  const Arena arena(task, options);
  std::vector<Entry> entries;
  for (std::size_t p = 0; p < options.policies.size(); ++p) {
    const Policy& policy = options.policies[p];
    const PreparedTask seen = after_rounds(task, policy, options.selection);
    AdaptOptions adaptation = options.selection.adapt;
    for (const double weight : settings.weights) {
      adaptation.outer.fairness_weight = weight;
      const Vector u = policy_score(seen, adapt(policy, seen, adaptation));
      const auto number = static_cast<Index>(p);
      entries.push_back({Method::meta_hard, number, weight, arena.of_weights(highest(u, policy.keep))});
      entries.push_back({Method::meta_soft, number, weight, arena.of_weights(soft_weights(policy, u))});
    }
  }
  for (const double weight : settings.weights)
    entries.push_back({Method::penalised, -1, weight, arena.penalised(weight)});
  for (const double tolerance : settings.tolerances)
    entries.push_back({Method::threshold, -1, tolerance, arena.threshold(tolerance)});
  return entries;
}

} // namespace metasieve
