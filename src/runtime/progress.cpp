#include "runtime/progress.hpp"

#include "base/stopwatch.hpp"
#include "base/text.hpp"
#include "runtime/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace metasieve {
namespace {

constexpr double seconds_between_frames = 0.1; ///< on a terminal
constexpr double seconds_between_lines = 30.0; ///< of a log

void write(const std::string& text, std::FILE* file = stdout) {
  std::fputs(text.c_str(), file);
  std::fflush(file);
}

} // namespace

Progress::Progress(ProgressSettings settings)
    : settings_(std::move(settings)), on_terminal_(!settings_.is_quiet && is_terminal(STDOUT_FILENO)),
      width_(on_terminal_ ? terminal_width(STDOUT_FILENO) : 0), begin_(wall_seconds()), steps_begin_(begin_),
      last_shown_(begin_) {
  state_.done = settings_.begun;
  state_.total = settings_.total;
  state_.unit = settings_.what + "s";
  if (settings_.status != nullptr) settings_.status->update(state_);
}

Progress::~Progress() { clear_line(); }

bool Progress::is_time() const {
  return wall_seconds() - last_shown_ > (on_terminal_ ? seconds_between_frames : seconds_between_lines);
}

void Progress::advance(std::int64_t done, const std::string& state) {
  const std::lock_guard lock(guard_);
  state_.done = done;
  const bool last = done == state_.total, by_count = settings_.log_every > 0 && !on_terminal_;
  const bool due = by_count ? last || done % settings_.log_every == 0 : is_time() || (last && on_terminal_);
  const std::string head = format("%s %lld/%lld", settings_.what.c_str(), static_cast<long long>(done),
                                  static_cast<long long>(state_.total));
  render(head, state, steps_begin_,
         static_cast<double>(done - settings_.begun) / static_cast<double>(state_.total - settings_.begun),
         due);
}

void Progress::advance_phase(const std::string& phase, double share) {
  const std::lock_guard lock(guard_);
  steps_begin_ = wall_seconds();
  render(phase + format(" %.0f %%", 100.0 * share), "", begin_, share, is_time());
}

/// `share` of the work was done in the time from `since` until now.
void Progress::render(const std::string& head, const std::string& state, double since, double share,
                      bool is_due) {
  const double now = wall_seconds();
  if (share > 0) state_.seconds_left = (now - since) * std::max(1.0 / share - 1.0, 0.0);
  if (settings_.status != nullptr) settings_.status->update(state_);
  if (settings_.is_quiet || !is_due) return;
  last_shown_ = now;
  const std::string left = duration_text(state_.seconds_left) + " left";
  const std::string middle = state.empty() ? "" : "  " + state;
  clear_line();
  if (on_terminal_)
    write((head + ", " + left + middle).substr(0, width_ - 1)); // the end may not fit
  else
    write(head + middle + "  " + duration_text(now - begin_) + ", " + left + "\n");
  has_line_ = on_terminal_;
}

void Progress::set_metric(const std::string& name, double value) {
  const std::lock_guard lock(guard_);
  const auto found = std::find_if(state_.metrics.begin(), state_.metrics.end(),
                                  [&](const auto& metric) { return metric.first == name; });
  if (found == state_.metrics.end())
    state_.metrics.emplace_back(name, value);
  else
    found->second = value;
  if (settings_.status != nullptr) settings_.status->update(state_);
}

void Progress::print_line(const std::string& line) {
  if (settings_.is_quiet || line.empty()) return;
  const std::lock_guard lock(guard_);
  clear_line();
  write(line.ends_with('\n') ? line : line + "\n");
}

void Progress::warn(const std::string& line) {
  const std::lock_guard lock(guard_);
  clear_line();
  write("metasieve: " + line + "\n", stderr);
}

void Progress::clear_line() {
  if (has_line_) write("\r\033[K");
  has_line_ = false;
}

} // namespace metasieve
