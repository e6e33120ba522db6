#include "cli/training_summary.hpp"

#include "base/text.hpp"
#include "runtime/terminal.hpp"
#include "training/batch_sum.hpp"
#include "training/failures.hpp"

#include <algorithm>
#include <cmath>

namespace metasieve {
namespace {

constexpr std::size_t most_named = 5;

std::string figure(double value) {
  return std::isfinite(value) ? format("%9.4f", value) : std::string("   undef.");
}

std::string table_line(const char* name, double accuracy, double dp_gap, double eo_gap) {
  return format("  %-18s", name) + figure(accuracy) + figure(dp_gap) + figure(eo_gap) + "\n";
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
  const auto best = std::min_element(validation.begin(), validation.end(),
                                     [](const ValidationRow& a, const ValidationRow& b) {
                                       return a.loss < b.loss || (std::isnan(b.loss) && !std::isnan(a.loss));
                                     });
  std::string text =
      heading(format("on %lld validation task(s):", static_cast<long long>(tasks))) +
      "  accuracy   DP gap   EO gap\n" +
      table_line("fit on all rows", last.baseline_accuracy, last.baseline_dp_gap, last.baseline_eo_gap);
  if (first.iteration == 0)
    text += table_line("untrained policy", first.accuracy, first.dp_gap, first.eo_gap);
  text += table_line("trained policy", last.accuracy, last.dp_gap, last.eo_gap);
  if (std::isfinite(best->loss))
    text += format("  lowest validation loss %.4f at iteration %lld, %.4f at the last\n", best->loss,
                   static_cast<long long>(best->iteration), last.loss);
  return text;
}

/// "; 7 task(s) with one class alone among the training labels: 3, 17, ...": from these nothing can be
/// learnt.
std::string one_class_warning(const std::vector<std::uint64_t>& tasks) {
  if (tasks.empty()) return "";
  std::string text =
      "; " + std::to_string(tasks.size()) + " task(s) with one class alone among the training labels: ";
  for (std::size_t i = 0; i < std::min(tasks.size(), most_named); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(tasks[i]);
  return text + (tasks.size() > most_named ? ", ..." : "");
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
         next_line({"metasieve", "evaluate", "--policy", (request.output / "policy.h5").string(), "--suite",
                    "NEW_SUITE", "--output", (request.output / "evaluation.h5").string()});
}

} // namespace metasieve
