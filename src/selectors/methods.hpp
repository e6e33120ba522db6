#pragma once

#include "features/prepared_task.hpp"
#include "policy/network.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace metasieve {

/// Ways to weight training rows before the same final fit, by their names in configurations and files.
enum class Method {
  baseline,        ///< all rows
  greedy,          ///< the floor(keep n) rows of lowest probe loss
  greedy_weighted, ///< the same, group 1 weighted 1.5
  reweighing,      ///< P(y)P(z)/P(y,z) (Kamiran and Calders 2012, doi:10.1007/s10115-011-0463-8)
  random,          ///< floor(keep n) random rows
  untrained_hard,  ///< a freshly initialised policy, its floor(keep n) rows of highest score
  untrained_soft,  ///< its keep weights
  meta_hard,       ///< the trained policy, the floor(keep n) rows of highest score
  meta_soft,       ///< its keep weights
  oracle,          ///< all rows with their clean labels
};

[[nodiscard]] std::string_view to_string(Method method);
/// Every method's name, in the order of the enumeration.
[[nodiscard]] std::vector<std::string> method_names();
/// @throws ConfigError listing the names if `name` is none of them.
[[nodiscard]] Method parse_method(const std::string& name);

/// The policies that the selections ask.
struct Selectors {
  const Policy* trained = nullptr;
  const Policy* untrained = nullptr;
  double keep = 0.7;
  Seed seed{}; ///< of the method `random`
};

/// Training weights of each row, [n] >= 0: 0 or 1 for a hard selection.
[[nodiscard]] Vector training_weights(Method method, const PreparedTask& task, const Selectors& selectors);

/// 1 for the floor(keep n) (at least 1) rows of highest score, ties by index; 0 for the others. score [n].
[[nodiscard]] Vector highest(const Vector& score, double keep);

} // namespace metasieve
