#include "methods/compare_methods.hpp"

#include "methods/confident.hpp"
#include "methods/error_parity.hpp"
#include "methods/exponentiated.hpp"
#include "methods/influence.hpp"
#include "methods/jiang_nachum.hpp"
#include "methods/massaging.hpp"
#include "methods/penalised.hpp"
#include "methods/reweight_meta.hpp"
#include "methods/roh.hpp"
#include "methods/selection.hpp"
#include "methods/threshold.hpp"
#include "numerics/newton.hpp"

#include <functional>
#include <optional>

namespace metasieve {
namespace {

/// A task with what several methods need of it.
class MethodRunner {
public:
  MethodRunner(const PreparedTask& task, const ComparisonOptions& options)
      : task_(task), options_(options), fits_(task, options.ridge) {}

  [[nodiscard]] MethodResult result(Method method, Index policy, double setting, const Model& model) const {
    const bool oracle = method == Method::oracle || method == Method::oracle_penalised;
    MethodResult out{method, policy, setting, oracle ? assess_oracle(task_, model) : assess(task_, model),
                     {},     {}};
    if (options_.keep_predictions && !out.assessment.failed)
      out.predicted = (model.score.array() > 0.0).cast<std::uint8_t>();
    if (options_.keep_weights) out.weights = model.weights;
    return out;
  }

  [[nodiscard]] Model of_weights(const Vector& weights) { return fits_.fit(weights, task_.train.y); }
  [[nodiscard]] Model oracle() { return fits_.fit(ones(), task_.train.y_clean); }

  [[nodiscard]] Model roh() {
    RohOptions roh;
    roh.fairness = options_.fairness == Gap::dp ? RohFairness::dp : RohFairness::eqodds;
    roh.tau = options_.roh_tau > 0 ? options_.roh_tau : share_of_clean_labels();
    roh.seed = options_.seed;
    roh.task = task_.id;
    const RohFit fit = fit_roh(train_design(), task_.train.y, task_.train.group, task_.train.groups,
                               scaled_to(task_.train.rows(), roh));
    return {fit.selected, fits_.test_score(fit.beta), fit.status == FitStatus::diverged};
  }

  [[nodiscard]] Model penalised(double weight) { return penalised_model(task_.train.y, weight); }
  [[nodiscard]] Model oracle_penalised() { return penalised_model(task_.train.y_clean, options_.penalty); }

  [[nodiscard]] Model threshold(double tolerance) {
    const Model plain = fits_.fit(ones(), task_.train.y);
    if (plain.failed || !plain.score.allFinite()) return {ones(), {}, true};
    const GroupThresholds thresholds =
        choose_thresholds(fits_.train_score(), task_.train.y, task_.train.group, task_.train.groups,
                          options_.fairness, tolerance);
    return {ones(), apply(thresholds, plain.score, task_.test.group), false};
  }

  [[nodiscard]] Model error_parity() {
    const Model plain = fits_.fit(ones(), task_.train.y);
    if (plain.failed || !plain.score.allFinite()) return {ones(), {}, true};
    const ErrorParity choice = choose_error_parity(fits_.train_score(), task_.train.y, task_.train.group,
                                                   task_.train.groups, options_.fairness, options_.tolerance);
    return {ones(), apply(choice, plain.score, task_.test.group, decisions()), false};
  }

  [[nodiscard]] Model exponentiated() {
    const RandomisedClassifier fit =
        fit_exponentiated(train_design(), task_.train.y, task_.train.group,
                          {options_.fairness, options_.tolerance, options_.ridge});
    if (fit.status == FitStatus::diverged) return {ones(), {}, true};
    return {ones(), fit.drawn_score(design_matrix(task_.test, task_.probe.standardizer), decisions()), false};
  }

  [[nodiscard]] Model massaging() {
    const Vector score = row_logits(train_design(), task_.probe.beta);
    return fits_.fit(ones(), massaged_labels(score, task_.train.y, task_.train.group));
  }

private:
  /// What random decisions on test rows draw from.
  [[nodiscard]] Stream decisions() const { return {options_.seed, Draw::decisions, task_.id}; }
  [[nodiscard]] Vector ones() const { return Vector::Ones(task_.train.rows()); }
  [[nodiscard]] const Matrix& train_design() {
    if (!train_) train_ = design_matrix(task_.train, task_.probe.standardizer);
    return *train_;
  }
  [[nodiscard]] double share_of_clean_labels() const {
    return (task_.train.y.array() == task_.train.y_clean.array()).cast<double>().mean();
  }
  [[nodiscard]] Model penalised_model(const Labels& labels, double weight) {
    const LogisticFit fit =
        fit_penalised(train_design(), labels, task_.train.group, {options_.fairness, weight, options_.ridge});
    return {ones(), fits_.test_score(fit.beta), fit.status == FitStatus::diverged};
  }

  const PreparedTask& task_;
  const ComparisonOptions& options_;
  FinalFits fits_;
  std::optional<Matrix> train_; // made when the first method asks
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
  const Selection& selected() {
    if (!selected_) selected_ = policy_selection(task_, policy_, options_);
    return *selected_;
  }

private:
  const PreparedTask& task_;
  const Policy& policy_;
  const SelectionOptions& options_;
  std::optional<Vector> plain_;
  std::optional<Selection> selected_;
};

Vector policy_weights(Method method, const Policy& policy, Scores& scores) {
  switch (method) {
  case Method::trained_hard:
  case Method::untrained_hard: return highest(scores.plain(), policy.keep);
  case Method::trained_soft:
  case Method::untrained_soft: return soft_weights(policy, scores.plain());
  case Method::meta_hard: return highest(scores.selected().score, policy.keep);
  default: return scores.selected().weights;
  }
}

Model model_of_peer(Method method, MethodRunner& runner, const PreparedTask& task,
                    const ComparisonOptions& options) {
  switch (method) {
  case Method::greedy: return runner.of_weights(greedy_weights(task, options.keep));
  case Method::greedy_weighted:
    return runner.of_weights(group_weighted(task, greedy_weights(task, options.keep)));
  case Method::reweighing: return runner.of_weights(reweighing_weights(task));
  case Method::roh: return runner.roh();
  case Method::penalised: return runner.penalised(options.penalty);
  case Method::threshold: return runner.threshold(options.tolerance);
  case Method::jiang_nachum:
    return runner.of_weights(jiang_nachum_weights(task, options.fairness, options.ridge));
  case Method::confident: return runner.of_weights(confident_weights(task, options.ridge));
  case Method::confident_group: return runner.of_weights(confident_group_weights(task, options.ridge));
  case Method::exponentiated: return runner.exponentiated();
  case Method::massaging: return runner.massaging();
  case Method::influence: return runner.of_weights(influence_weights(task, options.fairness, options.ridge));
  case Method::error_parity: return runner.error_parity();
  case Method::reweight_meta: return runner.of_weights(reweight_meta_weights(task, options.selection.adapt));
  case Method::random: return runner.of_weights(random_weights(task, options.keep, options.seed));
  case Method::oracle: return runner.oracle();
  case Method::oracle_penalised: return runner.oracle_penalised();
  default: return runner.of_weights(Vector::Ones(task.train.rows()));
  }
}

} // namespace

std::vector<MethodResult> compare_methods(const PreparedTask& task, const std::vector<Method>& methods,
                                          const ComparisonOptions& options,
                                          const std::function<void(Method)>& done) {
  MethodRunner runner(task, options);
  Scores untrained(task, options.untrained, options.selection);
  std::vector<Scores> trained;
  for (const Policy& policy : options.policies) trained.emplace_back(task, policy, options.selection);

  std::vector<MethodResult> results;
  for (const Method method : methods) {
    const auto add = [&](Index policy, const Model& model) {
      results.push_back(runner.result(method, policy, 0.0, model));
    };
    if (asks_policy(method)) {
      for (std::size_t p = 0; p < options.policies.size(); ++p)
        add(static_cast<Index>(p),
            runner.of_weights(policy_weights(method, options.policies[p], trained[p])));
    } else if (method == Method::untrained_hard || method == Method::untrained_soft) {
      add(-1, runner.of_weights(policy_weights(method, options.untrained, untrained)));
    } else {
      add(-1, model_of_peer(method, runner, task, options));
    }
    if (done) done(method);
  }
  return results;
}

std::vector<MethodResult> frontier(const PreparedTask& task, const FrontierSettings& settings,
                                   const ComparisonOptions& options) {
  MethodRunner runner(task, options);
  std::vector<MethodResult> results;
  for (std::size_t p = 0; p < options.policies.size(); ++p) {
    const Policy& policy = options.policies[p];
    const std::vector<Selection> selections =
        policy_selections(task, policy, options.selection, settings.weights);
    for (std::size_t k = 0; k < selections.size(); ++k) {
      const auto add = [&](Method method, const Vector& weights) {
        results.push_back(
            runner.result(method, static_cast<Index>(p), settings.weights[k], runner.of_weights(weights)));
      };
      add(Method::meta_hard, highest(selections[k].score, policy.keep));
      add(Method::meta_soft, selections[k].weights);
    }
  }
  for (const double weight : settings.weights)
    results.push_back(runner.result(Method::penalised, -1, weight, runner.penalised(weight)));
  for (const double tolerance : settings.tolerances)
    results.push_back(runner.result(Method::threshold, -1, tolerance, runner.threshold(tolerance)));
  return results;
}

} // namespace metasieve
