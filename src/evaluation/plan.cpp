#include "evaluation/plan.hpp"

#include "files/evaluation.hpp"
#include "files/policy.hpp"
#include "training/cost.hpp"

#include <algorithm>
#include <map>

namespace metasieve {
namespace {

/// Steps of a frontier whose configuration gives none: without adaptation it would have no curve.
constexpr Index default_frontier_steps = 60;

void require_one_kind(const EvaluateRequest& request, const std::vector<Policy>& policies) {
  for (std::size_t i = 1; i < policies.size(); ++i) {
    const auto given = [&](const char* key) { return request.config.explicit_keys.contains(key); };
    const std::string names = request.policies[i].string() + " and " + request.policies.front().string();
    if (policies[i].features != policies.front().features)
      throw CollectiveError(ExitCode::usage, "--policy " + names +
                                                 ": trained on different features; compare "
                                                 "policies of one feature set");
    if (policies[i].keep != policies.front().keep && !given("policy.keep"))
      throw CollectiveError(ExitCode::usage,
                            "--policy " + names + ": keep different shares; give --policy.keep");
    if (policies[i].temperature != policies.front().temperature && !given("policy.temperature"))
      throw CollectiveError(ExitCode::usage,
                            "--policy " + names + ": have different temperatures; give --policy.temperature");
    if (policies[i].use_group != policies.front().use_group && !given("inner.use_group"))
      throw CollectiveError(ExitCode::usage, "--policy " + names +
                                                 ": one was trained for a model that sees the "
                                                 "group, one not; give --inner.use_group true or false");
  }
}

/// The methods of evaluate.methods = auto: on a data set those that a user may choose from.
std::vector<Method> chosen_methods(bool on_data_sets) {
  if (on_data_sets)
    return {Method::baseline,  Method::reweighing, Method::roh,    Method::penalised,       Method::threshold,
            Method::meta_hard, Method::meta_soft,  Method::oracle, Method::oracle_penalised};
  std::vector<Method> methods; // trained_* are meta_* there
  for (const std::string& name : method_names())
    if (const Method method = parse_method(name); !name.starts_with("trained_") && !on_request(method))
      methods.push_back(method);
  return methods;
}

/// Sets what `evaluate.adapt` leaves of the adaptation.
void resolve_adaptation(EvaluateConfig& evaluate, bool on_data_sets) {
  if (evaluate.adaptation == Adaptation::always) return;
  if (evaluate.adaptation == Adaptation::automatic && on_data_sets) return;
  evaluate.selection.adapt.steps = 0;
  evaluate.selection.rounds = 0;
}

/// Rough cost of a method on one task, in fits on all its rows.
double fits_of(Method method) {
  switch (method) {
  case Method::roh: return 220.0;
  case Method::penalised:
  case Method::oracle_penalised: return 8.0;
  case Method::threshold:
  case Method::error_parity: return 2.0;
  case Method::jiang_nachum:
  case Method::exponentiated: return 50.0;
  case Method::confident:
  case Method::confident_group: return 6.0;
  case Method::influence: return 3.0;
  case Method::reweight_meta: return 60.0;
  default: return asks_policy(method) ? 2.5 : 1.0;
  }
}

} // namespace

std::vector<Method> EvaluationPlan::methods_on(const TaskSource& source) const {
  std::vector<Method> out = methods;
  if (config.evaluate.methods.empty() && !source.has_clean_labels()) std::erase_if(out, is_oracle);
  return out;
}

double EvaluationPlan::cost(const TaskShape& task) const {
  const EvaluateConfig& evaluate = config.evaluate;
  const auto policies = static_cast<double>(comparison.policies.size());
  double fits = 0;
  bool adapts = false;
  for (const Method method : methods) {
    fits += fits_of(method) * (asks_policy(method) ? policies : 1.0);
    adapts = adapts || method == Method::meta_hard || method == Method::meta_soft;
  }
  double gradients = adapts ? static_cast<double>(evaluate.selection.adapt.steps) : 0.0;
  if (frontier_steps > 0) {
    const auto weights = static_cast<double>(evaluate.frontier.weights.size());
    gradients += weights * static_cast<double>(frontier_steps);
    fits += weights * (policies * 2.0 * fits_of(Method::meta_hard) + fits_of(Method::penalised)) +
            static_cast<double>(evaluate.frontier.tolerances.size()) * fits_of(Method::threshold);
  }
  TaskUse whole = task_use(config, true);
  whole.support = 0;
  const SelectionOptions& selection = evaluate.selection;
  const Index limit = selection.adapt.support, half = task.train_rows / 2;
  const Index rows = limit > 0 ? std::min(limit, half) : half; // each half is adapted on the other
  const bool refits = adapts && selection.agreement == 1.0;    // else hardly ever
  const double preparations = 1.0 + (refits ? policies * static_cast<double>(selection.rounds) : 0.0);
  return preparations * preparation_cost(task, config.policy.features) +
         fits * fit_cost(static_cast<double>(task.train_rows), task.columns) +
         policies * 2.0 * gradients * gradient_cost({rows, rows, task.columns}, whole);
}

std::vector<TaskSource> evaluation_sources(const Communicator& comm, const EvaluateRequest& request) {
  std::vector<TaskSource> sources;
  if (request.suite) sources.push_back(TaskSource::suite(comm, *request.suite));
  std::map<std::string, std::filesystem::path> names; // as files keep them
  const std::vector<LabelCorruption>& corruptions = request.config.evaluate.corruptions;
  std::size_t most_bytes = most_source_bytes; // of a data set's name in them
  for (const LabelCorruption& corruption : corruptions)
    if (corruptions.size() > 1)
      most_bytes = std::min(most_bytes, most_source_bytes - to_string(corruption).size() - 1);
  for (const std::filesystem::path& path : request.datasets) {
    if (path.stem() == "all") // the same on every rank
      throw CollectiveError(ExitCode::usage,
                            "--dataset " + path.string() +
                                ": reports call the union of all sources `all`; rename the file");
    const auto [other, is_new] = names.emplace(path.stem().string().substr(0, most_bytes), path);
    if (!is_new && other->second.stem() == path.stem()) // the same on every rank
      throw CollectiveError(ExitCode::usage, "--dataset " + path.string() + ": two data sets are called " +
                                                 path.stem().string() + "; rename one of the files");
    if (!is_new)
      throw CollectiveError(ExitCode::usage,
                            "--dataset " + other->second.string() + " and " + path.string() +
                                ": their names differ only after the first " + std::to_string(most_bytes) +
                                " bytes, which is all that reports keep; rename one of the files");
    for (TaskSource& source : TaskSource::dataset(comm, path, request.config.evaluate))
      sources.push_back(std::move(source));
  }
  return sources;
}

std::vector<Policy> read_policies(const Communicator& comm, const EvaluateRequest& request) {
  std::vector<Policy> policies;
  for (const std::filesystem::path& file : request.policies)
    policies.push_back(read_file<Policy>(comm, file));
  return policies;
}

EvaluationPlan evaluation_plan(const EvaluateRequest& request, std::vector<Policy> policies) {
  require_one_kind(request, policies);

  EvaluationPlan plan{request.config, {}, {}, 0};
  Config& config = plan.config;
  const auto given = [&](const char* key) { return config.explicit_keys.contains(key); };
  for (Policy& policy : policies) {
    if (given("policy.keep")) policy.keep = request.config.policy.keep;
    if (given("policy.temperature")) policy.temperature = request.config.policy.temperature;
  }
  if (!given("inner.use_group")) config.inner.use_group = policies.front().use_group;
  config.policy = policies.front();
  const bool on_data_sets = !request.datasets.empty();
  resolve_adaptation(config.evaluate, on_data_sets);
  plan.methods = config.evaluate.methods.empty() ? chosen_methods(on_data_sets) : config.evaluate.methods;
  const Index steps = config.evaluate.selection.adapt.steps;
  if (request.frontier) plan.frontier_steps = steps > 0 ? steps : default_frontier_steps;

  const EvaluateConfig& evaluate = config.evaluate;
  plan.comparison = {std::move(policies), initialise(config.policy, evaluate.seed),
                     config.policy.keep,  config.inner.ridge,
                     evaluate.seed,       evaluate.fairness,
                     evaluate.roh_tau,    evaluate.penalty,
                     evaluate.tolerance,  config.selection_options()};
  return plan;
}

} // namespace metasieve
