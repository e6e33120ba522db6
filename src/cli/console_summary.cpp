#include "cli/console_summary.hpp"

#include "base/text.hpp"
#include "cli/comparison_table.hpp"
#include "evaluation/findings.hpp"
#include "runtime/terminal.hpp"
#include "training/batch_sum.hpp"
#include "training/failures.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace metasieve {
namespace {

std::string table_line(const char* name, double accuracy, double dp_gap, double eo_gap) {
  std::string line = format("  %-18s", name);
  for (const double value : {accuracy, dp_gap, eo_gap})
    line += std::isfinite(value) ? format("%9.4f", value) : std::string("   undef.");
  return line + "\n";
}

/// A line for tasks that a training left out, and one for those that it clipped; "" if there are none.
std::string training_warnings(const Results& results, std::int64_t failed) {
  std::int64_t clipped = 0;
  for (const HistoryRow& row : results.history) clipped += row.clipped_tasks;
  std::string text;
  if (!results.failures.empty())
    text += warning_line(std::to_string(failed) + " task fits failed and were left out: " +
                         failures_text(results.failures) + "; see /failures of results.h5");
  if (clipped > 0)
    text += warning_line(format("%lld task gradients were clipped at norm %g",
                                static_cast<long long>(clipped), BatchSum::bound));
  return text;
}

/// The first and the last validation beside the fit on all rows, a line each; "" without validation.
std::string validation_table(const std::vector<ValidationRow>& validation, std::int64_t tasks) {
  if (validation.empty()) return "";
  const ValidationRow &first = validation.front(), &last = validation.back();
  const auto best = std::ranges::min_element(validation, [](const ValidationRow& a, const ValidationRow& b) {
    return a.loss < b.loss || (std::isnan(b.loss) && !std::isnan(a.loss));
  });
  std::string text =
      heading("on " + std::to_string(tasks) + " validation task(s):") + "  accuracy   DP gap   EO gap\n" +
      table_line("fit on all rows", last.baseline_accuracy, last.baseline_dp_gap, last.baseline_eo_gap);
  if (first.iteration == 0)
    text += table_line("untrained policy", first.accuracy, first.dp_gap, first.eo_gap);
  text += table_line("trained policy", last.accuracy, last.dp_gap, last.eo_gap);
  if (std::isfinite(best->loss))
    text += format("  lowest validation loss %.4f at iteration %lld, %.4f at the last\n", best->loss,
                   static_cast<long long>(best->iteration), last.loss);
  return text;
}

/// "; 7 task(s) with only one class among the training labels: 3, 17, ...": nothing can be learnt from them.
std::string one_class_warning(const std::vector<std::uint64_t>& tasks) {
  if (tasks.empty()) return "";
  std::vector<std::string> names;
  for (const std::uint64_t task : tasks) names.push_back(std::to_string(task));
  return "; " + std::to_string(tasks.size()) +
         " task(s) with only one class among the training labels: " + first_few(names);
}

/// Which policies were compared, and how they were adapted.
std::string policies_text(const EvaluateRequest& request, const Config& config) {
  const std::size_t others = request.policies.size() - 1;
  std::string text =
      "policy " + request.policies.front().string() +
      (others > 0 ? " and " + std::to_string(others) + " more" : "") + ": " +
      std::string(to_string(config.policy.features)) + format(", keep %g, ", config.policy.keep) +
      (config.inner.use_group ? "the model sees the group\n" : "the model does not see the group\n");
  const SelectionOptions& selection = config.evaluate.selection;
  if (selection.adapt.steps > 0 || selection.rounds > 0)
    text +=
        format("meta_*: adapted by %ld steps at fairness weight %g, %ld rounds%s\n",
               static_cast<long>(selection.adapt.steps), selection.adapt.outer.fairness_weight,
               static_cast<long>(selection.rounds),
               selection.blend && selection.adapt.steps > 0 ? "; averaged with the policy as trained" : "");
  return text;
}

/// "12.3 kJ": three figures.
std::string energy_text(double joules) {
  constexpr std::array<const char*, 5> units{"J", "kJ", "MJ", "GJ", "TJ"};
  std::size_t unit = 0;
  for (; joules >= 999.5 && unit + 1 < units.size(); ++unit) joules /= 1000;
  return format("%.3g %s", joules, units[unit]);
}

/// A line on what the run has taken from the machine.
std::string usage_line(const Usage& usage) {
  const Energy& energy = usage.energy;
  return format(usage.core_hours < 100 ? "used %.3g core-hours" : "used %.0f core-hours", usage.core_hours) +
         (std::isnan(energy.joules) ? ", energy unknown"
          : energy.source == "rapl" ? ", " + energy_text(energy.joules) + " in the processors of whole nodes"
                                    : ", " + energy_text(energy.joules) + " on whole nodes") +
         (usage.is_of_last_part ? "; what the run took before it was resumed is not known\n" : "\n");
}

} // namespace

std::string summary_of(const GenerateRequest& request, const Generated& generated, int ranks) {
  const bool profiled = !generated.profile.phases.empty();
  return format("wrote %s: %lld tasks, %lld rows; made in %.2f s, written in %.2f s on %d rank(s), at most "
                "%.0f MB on one",
                request.output.c_str(), static_cast<long long>(generated.tasks),
                static_cast<long long>(generated.rows), generated.make_seconds, generated.write_seconds,
                ranks, 1e-6 * generated.peak_bytes) +
         one_class_warning(generated.one_class) + "\n" + (profiled ? profile_table(generated.profile) : "") +
         usage_line(generated.usage) +
         next_line({"metasieve", "train", "--suite", request.output.string(), "--output", "DIR"});
}

std::string summary_of(const TrainRequest& request, const Trained& trained, int ranks, int threads) {
  const Results& results = trained.results;
  std::string text;
  if (trained.has_trained)
    text = request.profile ? profile_table(trained.profile) : timing_table(results.timing);
  return text + training_warnings(results, trained.failed_fits) +
         validation_table(results.validation, request.config.suite.validation_tasks) +
         format(
             "wrote %s, results.h5 and checkpoint.h5 (%ld iterations, %d rank(s) x %d thread(s), %.1f s, at "
             "most %.0f MB on a rank)\n",
             (request.output / "policy.h5").c_str(), static_cast<long>(request.config.meta.iterations), ranks,
             threads, trained.seconds, 1e-6 * trained.peak_bytes) +
         usage_line(trained.usage) +
         next_line({"metasieve", "evaluate", "--policy", (request.output / "policy.h5").string(), "--suite",
                    "NEW_SUITE", "--output", (request.output / "evaluation.h5").string()});
}

std::string summary_of(const EvaluateRequest& request, const Evaluated& evaluated, int ranks, int threads) {
  const Config& config = evaluated.config;
  const EvaluationTables& tables = evaluated.tables;
  std::string text = policies_text(request, config) + "\n" +
                     comparison_table(tables, config.evaluate.fairness == Gap::dp ? "dp_gap" : "eo_gap");
  if (request.frontier) text += frontier_table(tables);
  if (evaluated.failed > 0)
    text += warning_line(format("%ld of %ld fits failed", static_cast<long>(evaluated.failed),
                                static_cast<long>(evaluated.fits)));
  text +=
      "\n" + policy_against_baseline(tables) +
      format("  meta_hard keeps the %.0f %% of rows that the policy trusts most, meta_soft weighs all; "
             "untrained_*: before training\n  greedy ... threshold: other ways to select or weigh; oracle*: "
             "sees the clean labels, which no user has\n",
             100.0 * config.policy.keep) +
      "wrote " + request.output.string() + "\n";
  if (request.profile) text += profile_table(evaluated.profile);
  return text +
         format("  in %s on %d rank(s) x %d thread(s)\n", duration_text(evaluated.seconds).c_str(), ranks,
                threads) +
         usage_line(evaluated.usage) +
         next_line({"python3", "-m", "metasieve", "plot", "comparison", request.output.string(), "--output",
                    "comparison.png"});
}

std::string summary_of(const ScoreRequest& request, const Scored& scored) {
  const std::vector<std::string>& groups = scored.group_names;
  std::vector<std::array<std::array<long, 2>, 2>> count(groups.size()); // [z][y][selected]
  long trained = 0, selected = 0;
  for (const ScoreRow& row : scored.scores.rows) {
    if (std::isnan(row.score)) continue;
    ++count[row.group][row.y][row.selected];
    ++trained;
    selected += row.selected;
  }
  std::string text = request.profile ? profile_table(scored.profile) : "";
  text += format("%ld of %ld training rows kept\n", selected, trained);
  for (const std::size_t y : {0U, 1U})
    for (std::size_t z = 0; z < groups.size(); ++z)
      text += format("  label %zu", y) + (groups.size() > 1 ? format(", group %zu", z) : "") +
              (groups.size() > 2 ? " (" + groups[z] + ")" : "") +
              format(": %ld of %ld\n", count[z][y][1], count[z][y][0] + count[z][y][1]);
  const ScoreTable& scores = scored.scores;
  const std::string hidden =
      hidden_positives_text(scores.hidden_group, scores.hidden_share, scores.hidden_evidence);
  if (!hidden.empty()) text += hidden + "\n";
  const std::vector<std::filesystem::path> files = request.output_files();
  return text + "wrote " + files.front().string() + " and " + files.back().string() +
         "\n  give `weight` to any trainer as its sample weight, or train on the rows that are `selected`;\n"
         "  in Python metasieve.SievedClassifier does so\n";
}

} // namespace metasieve
