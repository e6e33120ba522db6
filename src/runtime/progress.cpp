#include "runtime/progress.hpp"

#include "base/text.hpp"
#include "runtime/phases.hpp"
#include "runtime/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace metasieve {

namespace {

constexpr double seconds_between = 0.1;        ///< on a terminal
constexpr double seconds_between_lines = 30.0; ///< elsewhere, of what is not told every so many steps
constexpr std::size_t usual_width = 80;

} // namespace

Progress::Progress(ProgressSettings settings)
    : settings_(std::move(settings)), terminal_(settings_.speaks && is_terminal(STDOUT_FILENO)),
      begin_(wall_seconds()), start_(begin_), last_told_(begin_) {
  state_.done = settings_.begun;
  state_.total = settings_.total;
  state_.unit = settings_.what + "s";
  if (settings_.status != nullptr) settings_.status->update(state_);
  if (!terminal_) return;
  const int width = terminal_width(STDOUT_FILENO);
  width_ = width > 0 ? static_cast<std::size_t>(width) : usual_width;
}

Progress::~Progress() { clear_line(); }

void Progress::start() {
  const std::lock_guard lock(guard_);
  start_ = wall_seconds();
}

/// "iteration 20/400"
std::string Progress::count() const {
  return settings_.what +
         format(" %lld/%lld", static_cast<long long>(state_.done), static_cast<long long>(state_.total));
}

bool Progress::is_time() const { return wall_seconds() - last_told_ > seconds_between_lines; }

void Progress::report(std::int64_t done, const std::string& state) {
  const std::lock_guard lock(guard_);
  state_.done = done;
  if (done > settings_.begun)
    state_.seconds_left = (wall_seconds() - start_) * static_cast<double>(state_.total - done) /
                          static_cast<double>(done - settings_.begun);
  const std::int64_t every = settings_.log_every;
  tell(count(), state, every > 0 ? done % every == 0 || done == state_.total : is_time());
}

void Progress::report_phase(const std::string& phase, double share) {
  const std::lock_guard lock(guard_);
  if (share > 0) state_.seconds_left = (wall_seconds() - start_) * (1.0 - share) / share;
  tell(phase + format(" %.0f %%", 100.0 * share), "", is_time());
}

/// `is_due`: where there is no terminal.
void Progress::tell(const std::string& head, const std::string& state, bool is_due) {
  if (settings_.status != nullptr) settings_.status->update(state_);
  const double now = wall_seconds();
  const bool now_on_terminal = now - last_told_ > seconds_between || state_.done == state_.total;
  if (!settings_.speaks || !(terminal_ ? now_on_terminal : is_due)) return;
  last_told_ = now;
  const bool is_known = state_.seconds_left > 0 || state_.done == state_.total;
  const std::string left = is_known ? ", " + duration_text(state_.seconds_left) + " left" : "";
  const std::string middle = state.empty() ? "" : "  " + state;
  if (terminal_) {
    clear_line();
    const std::string line = head + left + middle; // the end may not fit
    std::fputs(line.substr(0, width_ - 1).c_str(), stdout);
    dirty_ = true;
  } else {
    std::printf("%s%s  %s%s\n", head.c_str(), middle.c_str(), duration_text(now - begin_).c_str(),
                left.c_str());
  }
  std::fflush(stdout);
}

void Progress::set_metric(const std::string& name, double value) {
  const std::lock_guard lock(guard_);
  const auto same = [&](const auto& metric) { return metric.first == name; };
  const auto found = std::find_if(state_.metrics.begin(), state_.metrics.end(), same);
  if (found == state_.metrics.end())
    state_.metrics.emplace_back(name, value);
  else
    found->second = value;
  if (settings_.status != nullptr) settings_.status->update(state_);
}

void Progress::say(const std::string& line) {
  if (!settings_.speaks || line.empty()) return;
  const std::lock_guard lock(guard_);
  clear_line();
  std::printf("%s%s", line.c_str(), line.ends_with('\n') ? "" : "\n");
  std::fflush(stdout);
}

void Progress::warn(const std::string& line) {
  const std::lock_guard lock(guard_);
  clear_line();
  std::fflush(stdout);
  std::fprintf(stderr, "metasieve: warning: %s\n", line.c_str());
}

void Progress::clear_line() {
  if (dirty_) std::printf("\r\033[K");
  dirty_ = false;
}

} // namespace metasieve
