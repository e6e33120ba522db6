#pragma once

#include "features/meta_features.hpp"
#include "policy/network.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace metasieve {

/// What is compared, by its name in configurations and files. Most are ways to weight training rows before
/// the same final fit, a logistic regression to convergence; roh, penalised, threshold, exponentiated and
/// error_parity make their own model, as published, and massaging its own labels.
enum class Method {
  baseline,         ///< all rows
  greedy,           ///< the floor(keep n) rows of lowest probe loss
  greedy_weighted,  ///< greedy, the rows of all groups but group 0 weighted 1.5
  reweighing,       ///< P(y)P(z)/P(y,z) (Kamiran and Calders 2012, doi:10.1007/s10115-011-0463-8)
  roh,              ///< the sampler of Roh et al. (2021), and the model that it trains: fit_roh
  penalised,        ///< all rows, with a fairness penalty in the fit: fit_penalised
  threshold,        ///< all rows, then one threshold per group (Hardt et al. 2016): choose_thresholds
  jiang_nachum,     ///< weights against label bias (Jiang and Nachum 2020): jiang_nachum_weights
  confident,        ///< confident learning (Northcutt et al. 2021), pruned and weighted: confident_weights
  confident_group,  ///< the same within each group
  exponentiated,    ///< reductions (Agarwal et al. 2018): fit_exponentiated
  massaging,        ///< all rows, with relabelled ones (Kamiran and Calders 2009): massaged_labels
  influence,        ///< weights by influence functions (Li and Liu 2022): influence_weights
  error_parity,     ///< all rows, then random thresholds (Cruz and Hardt 2024): choose_error_parity
  reweight_meta,    ///< free weights by meta-gradients (Ren et al. 2018): reweight_meta_weights
  random,           ///< floor(keep n) random rows
  untrained_hard,   ///< a freshly initialised policy, its floor(keep n) rows of highest score
  untrained_soft,   ///< its keep weights
  trained_hard,     ///< the trained policy as it is, the floor(keep n) rows of highest score
  trained_soft,     ///< its keep weights
  meta_hard,        ///< the trained policy, with the rounds and the adaptation that were asked for
  meta_soft,        ///< its keep weights
  oracle,           ///< all rows with their clean labels
  oracle_penalised, ///< penalised on the clean labels: a ceiling
};

[[nodiscard]] std::string_view to_string(Method method);
/// Every method's name, in the order of the enumeration.
[[nodiscard]] std::vector<std::string> method_names();
/// @throws ConfigError listing the names if `name` is none of them.
[[nodiscard]] Method parse_method(const std::string& name);

/// Whether it asks a trained policy, so that each policy gives it another result.
[[nodiscard]] bool asks_policy(Method method);
/// Whether it selects or weights rows of noisy labels by something that was learnt or published: what a user
/// can choose from. Not random, untrained, oracle; not penalised, threshold and others that select nothing.
[[nodiscard]] bool selects_rows(Method method);
/// Whether it knows the clean labels.
[[nodiscard]] bool is_oracle(Method method);
/// Whether a user would choose it in place of the adapted policy.
[[nodiscard]] bool is_peer(Method method);
/// Whether it is compared only where it is asked for.
[[nodiscard]] bool on_request(Method method);

/// 1 for the floor(keep n) (at least 1) rows of highest score, ties by index; 0 for the others. score [n].
[[nodiscard]] Vector highest(const Vector& score, double keep);

/// The network's output for the training rows of a task: u [n], higher is more trusted.
[[nodiscard]] Vector policy_score(const PreparedTask& task, const Policy& policy);

// Training weights of each row, [n] >= 0: 0 or 1 for a hard selection.
[[nodiscard]] Vector greedy_weights(const PreparedTask& task, double keep);
[[nodiscard]] Vector group_weighted(const PreparedTask& task, const Vector& weights); ///< x 1.5 but group 0
[[nodiscard]] Vector reweighing_weights(const PreparedTask& task);
[[nodiscard]] Vector random_weights(const PreparedTask& task, double keep, Seed seed);
/// The policy's keep weights of rows that it scores `u` [n].
[[nodiscard]] Vector soft_weights(const Policy& policy, const Vector& u);

} // namespace metasieve
