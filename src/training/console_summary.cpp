#include "training/console_summary.hpp"

#include "base/text.hpp"
#include "runtime/terminal.hpp"
#include "training/batch_sum.hpp"
#include "training/failures.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace metasieve {
namespace {

std::string quoted_if_needed(const std::string& word) {
  constexpr const char* safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(safe) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string heading(const std::string& text) { return painted(STDOUT_FILENO, Paint::bold, text); }

std::string figure(double value) {
  return std::isfinite(value) ? format("%9.4f", value) : std::string("   undef.");
}

std::string table_line(const char* name, double accuracy, double dp_gap, double eo_gap) {
  return format("  %-18s", name) + figure(accuracy) + figure(dp_gap) + figure(eo_gap) + "\n";
}

} // namespace

std::string warning_line(const std::string& text) {
  return painted(STDOUT_FILENO, Paint::yellow, "warning:") + " " + text + "\n";
}

std::string next_line(const std::vector<std::string>& words) {
  std::string text = heading("next:");
  for (const std::string& word : words) text += " " + quoted_if_needed(word);
  return text + "\n";
}

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

} // namespace metasieve
