#include "runtime/progress.hpp"

#include "base/text.hpp"
#include "runtime/phases.hpp"
#include "runtime/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace metasieve {

TimeLeft::TimeLeft(const std::vector<double>& work) {
  for (const double predicted : work) kinds_.push_back({predicted, 0.0, 0.0});
}

void TimeLeft::add(std::size_t kind, double work, double seconds) {
  kinds_.at(kind).done += work;
  kinds_.at(kind).seconds += seconds;
}

void TimeLeft::close(std::size_t kind) { kinds_.at(kind).work = kinds_.at(kind).done; }

double TimeLeft::seconds() const {
  double done = 0, spent = 0;
  for (const Kind& kind : kinds_) {
    done += kind.done;
    spent += kind.seconds;
  }
  if (done <= 0) return 0;
  double left = 0;
  for (const Kind& kind : kinds_) {
    const double pace = kind.done > 0 ? kind.seconds / kind.done : spent / done;
    left += std::max(kind.work - kind.done, 0.0) * pace;
  }
  return left;
}

double TimeLeft::share() const {
  double spent = 0;
  for (const Kind& kind : kinds_) spent += kind.seconds;
  return spent > 0 ? spent / (spent + seconds()) : 0.0; // what is done has taken time
}

double TimeLeft::share_of(std::size_t kind) const {
  const Kind& of = kinds_.at(kind);
  return of.work > 0 ? std::min(of.done / of.work, 1.0) : 1.0;
}

namespace {

constexpr double seconds_between = 0.1;        ///< on a terminal
constexpr double seconds_between_lines = 30.0; ///< elsewhere, of what is not told every so many steps
constexpr std::size_t usual_width = 80;

} // namespace

Progress::Progress(ProgressSettings settings)
    : settings_(std::move(settings)), left_(settings_.work), in_flight_(settings_.work.size()),
      finished_(settings_.work.size()), accounted_(settings_.work.size()),
      terminal_(settings_.speaks && is_terminal(STDOUT_FILENO)), begin_(wall_seconds()), last_event_(begin_),
      last_told_(begin_) {
  state_.done = settings_.begun;
  state_.total = settings_.total;
  state_.unit = settings_.what + "s";
  if (settings_.status != nullptr) settings_.status->update(state_);
  if (!terminal_) return;
  const int width = terminal_width(STDOUT_FILENO);
  width_ = width > 0 ? static_cast<std::size_t>(width) : usual_width;
}

Progress::~Progress() { clear_line(); }

void Progress::begin(std::size_t kind, double work) {
  const std::lock_guard lock(guard_);
  in_flight_.at(kind) += work;
}

void Progress::end(std::size_t kind, double work) {
  const std::lock_guard lock(guard_);
  in_flight_.at(kind) -= work;
  finished_.at(kind) += work;
  account(kind);
}

void Progress::did(std::size_t kind, double work) {
  const std::lock_guard lock(guard_);
  finished_.at(kind) += work;
  account(kind);
}

void Progress::close(std::size_t kind) {
  const std::lock_guard lock(guard_);
  account(kind);
  left_.close(kind);
}

/// What other threads are at is half done, on average. Time without work is of no kind: it comes once.
void Progress::account(std::size_t kind) {
  const double now = wall_seconds();
  const double work = finished_.at(kind) + 0.5 * in_flight_.at(kind);
  if (work > accounted_.at(kind)) left_.add(kind, work - accounted_.at(kind), now - last_event_);
  accounted_.at(kind) = work;
  last_event_ = now;
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
  const bool due = settings_.log_every > 0 ? done % settings_.log_every == 0 : is_time();
  tell(count(), state, due || done == state_.total);
}

void Progress::report_share(const std::string& state) {
  const std::lock_guard lock(guard_);
  const double steps = left_.share() * static_cast<double>(state_.total - settings_.begun);
  state_.done = settings_.begun + static_cast<std::int64_t>(steps);
  tell(count(), state, is_time());
}

void Progress::report_phase(const std::string& phase, std::size_t kind) {
  const std::lock_guard lock(guard_);
  tell(phase + format(" %.0f %%", 100.0 * left_.share_of(kind)), "", is_time());
}

/// `is_due`: where there is no terminal.
void Progress::tell(const std::string& head, const std::string& state, bool is_due) {
  state_.seconds_left = left_.seconds();
  if (settings_.status != nullptr) settings_.status->update(state_);
  const double now = wall_seconds();
  const bool now_on_terminal = now - last_told_ > seconds_between || state_.done == state_.total;
  if (!settings_.speaks || !(terminal_ ? now_on_terminal : is_due)) return;
  last_told_ = now;
  const std::string left = duration_text(state_.seconds_left) + " left";
  const std::string middle = state.empty() ? "" : "  " + state;
  if (terminal_) {
    clear_line();
    const std::string line = head + ", " + left + middle; // the end may not fit
    std::fputs(line.substr(0, width_ - 1).c_str(), stdout);
    dirty_ = true;
  } else {
    std::printf("%s%s  %s, %s\n", head.c_str(), middle.c_str(), duration_text(now - begin_).c_str(),
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
  if (!settings_.speaks) return;
  const std::lock_guard lock(guard_);
  clear_line();
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void Progress::clear_line() {
  if (dirty_) std::printf("\r\033[K");
  dirty_ = false;
}

} // namespace metasieve
