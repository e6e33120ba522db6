#pragma once

#include "methods/assess.hpp"
#include "methods/methods.hpp"
#include "methods/selection.hpp"

#include <functional>

namespace metasieve {

/// Settings of the methods of a comparison.
struct ComparisonOptions {
  std::vector<Policy> policies; ///< trained, of one feature set
  Policy untrained;
  double keep = 0.7;             ///< share of rows of greedy and random
  double ridge = 1e-3;           ///< of every fit, as when the task was prepared
  Seed seed{};                   ///< of random, roh, and of random decisions
  Gap fairness = Gap::eo;        ///< what the fair peers equalise: dp or eo
  double roh_tau = 0;            ///< share of rows that roh keeps; 0: the true share of clean labels
  double penalty = 0.1;          ///< weight of the gap in penalised
  double tolerance = 0.08;       ///< gap on the training rows that thresholds and exponentiated allow
  SelectionOptions selection;    ///< of meta_hard and meta_soft
  bool keep_predictions = false; ///< MethodResult::predicted
  bool keep_weights = false;     ///< MethodResult::weights
};

/// One method's result on one task.
struct MethodResult {
  Method method{};
  Index policy = -1;  ///< which of the policies; -1: the method asks none
  double setting = 0; ///< of a frontier: weight of the gap, or tolerance
  Assessment assessment;
  Labels predicted; ///< [m] of the test rows; empty if not kept (ComparisonOptions), or if it failed
  Vector weights;   ///< [n] of the training rows; empty if not kept
};

/// `methods` on one task, in their order; those that ask a policy once for each policy. A pure function of
/// its arguments. `done` is called after each method; what methods share is made by the first.
[[nodiscard]] std::vector<MethodResult> compare_methods(const PreparedTask& task,
                                                        const std::vector<Method>& methods,
                                                        const ComparisonOptions& options,
                                                        const std::function<void(Method)>& done = {});

/// How much fairness each point of a frontier asks for.
struct FrontierSettings {
  std::vector<double> weights;    ///< of the gap: in the adaptation's loss, and in penalised; >= 0
  std::vector<double> tolerances; ///< of threshold; >= 0
};

/// The accuracy-fairness frontier of one task: meta_hard and meta_soft of each policy adapted with each
/// weight, penalised with each weight, threshold with each tolerance.
[[nodiscard]] std::vector<MethodResult> frontier(const PreparedTask& task, const FrontierSettings& settings,
                                                 const ComparisonOptions& options);

} // namespace metasieve
