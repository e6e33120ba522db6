#include "cli/evaluation_summary.hpp"

#include "base/text.hpp"
#include "cli/comparison_table.hpp"
#include "runtime/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace metasieve {
namespace {

std::string bold(const std::string& text) { return painted(STDOUT_FILENO, Paint::bold, text); }

/// "+2.03 points", "-77 %"
std::string change(const SummaryRow& row) {
  if (row.metric != "accuracy")
    return std::isfinite(row.baseline_relative) ? format("%+.0f %%", 100.0 * row.baseline_relative)
                                                : std::string("undefined");
  std::string text = format("%+.2f points", 100.0 * row.baseline_change);
  if (std::isfinite(row.baseline_change_low))
    text += format(" [%+.2f, %+.2f]", 100.0 * row.baseline_change_low, 100.0 * row.baseline_change_high);
  return text;
}

/// The policy's hard selection against the fit on all rows, a line a source (that of all sources alone, where
/// there is one), and what the names of the methods mean.
std::string closing(const std::vector<SummaryRow>& summary, double keep) {
  const bool pooled =
      std::any_of(summary.begin(), summary.end(), [](const SummaryRow& row) { return row.source == "all"; });
  std::string text;
  for (const SummaryRow& row : summary) {
    if (row.method != "meta_hard" || (pooled && row.source != "all")) continue;
    if (row.metric == "accuracy")
      text += bold("the policy on " + row.source + ":") + " accuracy " + change(row);
    else if (row.metric == "dp_gap")
      text += ", DP gap " + change(row);
    else if (row.metric == "eo_gap")
      text += ", EO gap " + change(row) + " against the fit on all rows\n";
  }
  return text +
         format(
             "  meta_hard keeps the %.0f %% of rows that the policy trusts most, meta_soft weighs all; "
             "untrained_*: before training\n  greedy ... threshold: other ways to select or weigh; oracle*: "
             "told the clean labels, as nobody is\n",
             100.0 * keep);
}

/// Which policies were compared, and how they were adapted.
std::string policies_text(const EvaluateRequest& request, const Config& config) {
  const std::size_t others = request.policies.size() - 1;
  std::string text =
      "policy " + request.policies.front().string() +
      (others > 0 ? " and " + std::to_string(others) + " more" : "") + ": " +
      std::string(to_string(config.policy.features)) + format(", keep %g, ", config.policy.keep) +
      (config.inner.use_group ? "the model sees the group\n" : "the model does not see the group\n");
  const EvaluateConfig& evaluate = config.evaluate;
  if (evaluate.adapt.steps > 0 || evaluate.rounds > 0)
    text += format("meta_*: adapted by %ld steps at fairness weight %g, %ld rounds\n",
                   static_cast<long>(evaluate.adapt.steps), evaluate.adapt.outer.fairness_weight,
                   static_cast<long>(evaluate.rounds));
  return text;
}

} // namespace

std::string summary_of(const EvaluateRequest& request, const Evaluated& evaluated, int ranks, int threads) {
  const Config& config = evaluated.config;
  std::string text =
      policies_text(request, config) + "\n" +
      comparison_table(evaluated.tables, config.evaluate.fairness == Gap::dp ? "dp_gap" : "eo_gap");
  if (request.frontier) text += frontier_table(evaluated.tables.frontier);
  if (evaluated.failed > 0)
    text += warning_line(format("%ld of %ld fits failed", static_cast<long>(evaluated.failed),
                                static_cast<long>(evaluated.fits)));
  text += "\n" + closing(evaluated.tables.summary, config.policy.keep) + "wrote " + request.output.string() +
          "\n";
  if (request.profile) text += profile_table(evaluated.profile);
  return text +
         format("  in %s on %d rank(s) x %d thread(s)\n", duration_text(evaluated.seconds).c_str(), ranks,
                threads) +
         next_line({"python3", "analysis/plot_comparison.py", request.output.string(), "--output",
                    "comparison.png"});
}

std::string summary_of(const ScoreRequest& request, const Scored& scored) {
  std::array<std::array<std::array<long, 2>, 2>, 2> count{}; // [y][z][selected]
  long trained = 0, selected = 0;
  for (const ScoreRow& row : scored.rows) {
    if (std::isnan(row.score)) continue;
    ++count[row.y][row.group][row.selected];
    ++trained;
    selected += row.selected;
  }
  std::string text = request.profile ? profile_table(scored.profile) : "";
  text += format("%ld of %ld training rows kept\n", selected, trained);
  for (const std::size_t y : {0U, 1U})
    for (const std::size_t z : {0U, 1U})
      text += format("  label %zu, group %zu: %ld of %ld\n", y, z, count[y][z][1],
                     count[y][z][0] + count[y][z][1]);
  const std::vector<std::filesystem::path> files = request.output_files();
  return text + "wrote " + files.front().string() + " and " + files.back().string() +
         "\n  give `weight` to any trainer as its sample weight, or train on the rows that are `selected`;\n"
         "  analysis/score_example.py does so with scikit-learn\n";
}

} // namespace metasieve
