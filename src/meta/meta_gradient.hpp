#pragma once

#include "fairness/outer_loss.hpp"
#include "features/meta_features.hpp"
#include "inner/inner_fit.hpp"
#include "policy/network.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace metasieve {

struct MetaOptions {
  InnerOptions inner;
  OuterOptions outer;
  Index support = 600; ///< support rows drawn per step; 0: all
  Seed seed{};         ///< of the drawing
};

/// Where a task failed numerically.
enum class TaskFailure : std::uint8_t {
  none,
  one_class, ///< all training labels alike: nothing can be learnt
  probe,     ///< the fit on all rows diverged
  policy,    ///< its output is not finite
  inner_fit, ///< diverged, or singular
  gradient,  ///< or loss, not finite
  validation ///< of a validation task: no score, or no fit on the rows it selects
};
inline constexpr std::array<std::string_view, 7> task_failures{
    "none", "one_class", "probe", "policy", "inner_fit", "gradient", "validation"};

/// d outer / d theta of one task.
struct MetaGradient {
  double loss = 0, accuracy_loss = 0, fairness_loss = 0;
  Vector d_theta; ///< [p]
  TaskFailure failure = TaskFailure::none;
  // Wall time.
  double policy_seconds = 0; ///< network and keep weights, forward and backward
  double inner_seconds = 0;  ///< the rest: inner fit and outer loss, forward and backward
};

/// Why no gradient can be had of a task whatever the policy: one_class or probe; none if it can.
[[nodiscard]] TaskFailure failure_beforehand(const PreparedTask& task);

/// The whole chain for one task at meta-iteration `step`: features -> policy -> weights -> inner fit -> query
/// loss, and back. A pure function of its arguments, but for the seconds. A numerical failure is said in
/// `failure` (and NaN), not an exception.
[[nodiscard]] MetaGradient task_meta_gradient(const PreparedTask& task, const Policy& policy,
                                              const MetaOptions& options, std::uint64_t step);

} // namespace metasieve
