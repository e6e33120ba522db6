#include "runtime/resumable_work.hpp"

#include "base/version.hpp"
#include "parallel/for_each.hpp"
#include "runtime/phases.hpp"

#include <algorithm>
#include <cstdio>

namespace metasieve {
namespace {

/// Between two looks at whether another rank must stop: long against a piece, or ranks would mostly wait.
constexpr double round_seconds = 30, round_pieces = 20;

/// Of results that are copied before they go to the journal: a rank's tasks may fill its memory.
constexpr std::size_t most_bytes = std::size_t{64} << 20;

/// Stops early enough for the longest piece to end in time. Twice what is predicted: that is for a fast
/// processor.
RunConfig limits_before(RunConfig limits, double longest_seconds) {
  const double minutes = 2.0 * longest_seconds / 60.0;
  limits.margin_minutes += minutes;
  if (limits.max_minutes > 0) limits.max_minutes = std::max(limits.max_minutes - minutes, 1e-9);
  return limits;
}

} // namespace

std::string deciding_settings(const std::string& resolved) {
  std::string text = "version = " + std::string(version()) + "\ncommit = " + std::string(git_commit()) +
                     "\ncompiler = " __VERSION__ "\nprocessor = " + Eigen::SimdInstructionSetsInUse() + "\n";
  for (const auto& [key, value] : stored_ini(resolved)) text += key + " = " + value + "\n";
  return text;
}

ResumableWork::ResumableWork(const Communicator& comm, const WorkSettings& settings)
    : comm_(comm), journal_(comm, settings.output, settings.key, settings.resume),
      stop_condition_(comm, limits_before(settings.limits, settings.longest_seconds)),
      resumes_(settings.resume), total_(settings.pieces), append_every_(60.0 * settings.checkpoint_minutes),
      last_append_(wall_seconds()), most_waiting_bytes_(settings.most_waiting_bytes) {}

std::string ResumableWork::note() const {
  const std::string folder = journal_.folder().string();
  if (!resumes_)
    return journal_.found_folder() ? "removed " + folder + " of an earlier run: starting from the beginning"
                                   : "";
  if (journal_.kept().empty()) return "nothing to resume in " + folder + ": starting from the beginning";
  return "resuming: " + std::to_string(kept()) + " of " + std::to_string(total_) + " tasks are kept in " +
         folder;
}

void ResumableWork::report_to(Progress& progress) {
  progress_ = &progress;
  if (const std::string text = note(); !text.empty()) progress.say(text);
}

bool ResumableWork::keeps(std::uint64_t id) const {
  const auto& kept = journal_.kept();
  return std::binary_search(kept.begin(), kept.end(), JournalPlace{id, 0, 0, 0},
                            [](const JournalPlace& a, const JournalPlace& b) { return a.id < b.id; });
}

void ResumableWork::run(const PendingPieces& pieces) {
  report_damage();
  if (progress_ != nullptr) progress_->begin_status();
  std::vector<std::size_t> todo(pieces.ids.size());
  std::vector<std::uint8_t> is_done(todo.size(), 0);
  for (std::size_t k = 0; k < todo.size(); ++k) todo[k] = k;
  for (;;) {
    const double longest = comm_.max(longest_seconds_);
    const double round_end = wall_seconds() + std::max(round_seconds, round_pieces * longest);
    comm_.agree([&] {
      for_each_parallel({0, std::ssize(todo)}, [&](Index i) {
        const std::size_t k = todo[static_cast<std::size_t>(i)];
        if (may_begin(round_end)) {
          do_one(pieces, k);
          is_done[k] = 1;
        }
        // At a stop not only at the end of the round: other threads may be at work on their pieces for longer
        // than whoever asked for it waits.
        append_if_due(pieces, stop_condition_.requested() != Stop::none);
      });
    });
    std::erase_if(todo, [&](std::size_t k) { return is_done[k] != 0; });
    const auto stop = static_cast<Stop>(comm_.max(static_cast<std::int64_t>(stop_condition_.requested())));
    if (comm_.sum(std::ssize(todo)) == 0) break;
    if (stop == Stop::none) continue;
    comm_.agree([&] { keep_finished(pieces); });
    stop_early(stop, "after " + std::to_string(finished()) + " of " + std::to_string(total_) +
                         " tasks; finished ones are kept in " + journal_.folder().string());
  }
  if (finished() == total_) return;
  // Of other pieces to come; these results the caller may not hold on to.
  comm_.agree([&] {
    to_records(pieces, [&](JournalRecord record) {
      waiting_bytes_ += record.result.size();
      waiting_.push_back(std::move(record));
    });
    if (waiting_bytes_ > most_waiting_bytes_) keep_finished(pieces);
  });
}

/// Collective: pieces of all runs and ranks.
std::int64_t ResumableWork::finished() const {
  return std::ssize(journal_.kept()) - comm_.sum(journal_.damaged_records()) + comm_.sum(done_);
}

bool ResumableWork::may_begin(double round_end) {
  const Stop stop = stop_condition_.requested();
  const bool go_on = stop == Stop::none && wall_seconds() < round_end;
  // Even a run without time does one piece, or a job that is queued again and again would never end.
  const bool first = stop == Stop::time_limit && !begun_;
  if (!go_on && !first) return false;
  return !begun_.exchange(true) || go_on;
}

void ResumableWork::do_one(const PendingPieces& pieces, std::size_t k) {
  const double cost = progress_ != nullptr && pieces.cost ? pieces.cost(k) : 0.0;
  if (cost > 0) progress_->begin(pieces.kind, cost);
  const double begin = wall_seconds();
  pieces.work(k);
  const double end = wall_seconds();
  if (cost > 0) {
    progress_->end(pieces.kind, cost);
    progress_->report_share("");
  }
  {
    const std::lock_guard lock(guard_);
    finished_.push_back(k);
    ++done_;
    longest_seconds_ = std::max(longest_seconds_, end - begin);
  }
}

void ResumableWork::append_if_due(const PendingPieces& pieces, bool at_once) {
  if (append_every_ <= 0 && !at_once) return;
  const std::unique_lock turn(append_guard_, std::try_to_lock); // else another thread is at it
  if (!turn || (!at_once && wall_seconds() - last_append_ < append_every_)) return;
  keep_finished(pieces);
  last_append_ = wall_seconds();
}

void ResumableWork::to_records(const PendingPieces& pieces, const std::function<void(JournalRecord)>& take) {
  std::vector<std::size_t> finished;
  {
    const std::lock_guard lock(guard_);
    finished.swap(finished_);
  }
  for (const std::size_t k : finished) take({pieces.ids[k], pieces.result(k)});
}

void ResumableWork::keep_finished(const PendingPieces& pieces) {
  std::vector<JournalRecord> records = std::move(waiting_);
  waiting_.clear();
  waiting_bytes_ = 0;
  std::size_t bytes = 0;
  to_records(pieces, [&](JournalRecord record) {
    bytes += record.result.size();
    records.push_back(std::move(record));
    if (bytes < most_bytes) return;
    journal_.append(records);
    records.clear();
    bytes = 0;
  });
  journal_.append(records);
}

/// Collective.
void ResumableWork::report_damage() {
  const std::int64_t damaged = journal_.damaged_files() + comm_.sum(journal_.damaged_records());
  if (comm_.is_root() && damaged > reported_)
    std::fprintf(stderr, "metasieve: %s: %lld damaged record(s); what they held is done again\n",
                 journal_.folder().c_str(), static_cast<long long>(damaged - reported_));
  reported_ = damaged;
}

} // namespace metasieve
