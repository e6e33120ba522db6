#include "runtime/resumable_work.hpp"

#include "base/for_each.hpp"
#include "base/stopwatch.hpp"
#include "base/version.hpp"

#include <algorithm>

namespace metasieve {
namespace {

/// Between two looks at whether another rank must stop: long against a piece, or ranks would mostly wait.
constexpr double round_seconds = 30, round_pieces = 20;

} // namespace

std::string deciding_settings(const std::string& resolved) {
  std::string text = "version = " + std::string(version()) + "\ncommit = " + std::string(git_commit()) +
                     "\ncompiler = " __VERSION__ "\nprocessor = " + Eigen::SimdInstructionSetsInUse() + "\n";
  for (const auto& [key, value] : stored_ini(resolved)) text += key + " = " + value + "\n";
  return text;
}

ResumableWork::ResumableWork(const Communicator& comm, const WorkSettings& settings)
    : comm_(comm), journal_(comm, settings.output, settings.key, settings.resume),
      stop_condition_(comm, settings.limits), resumes_(settings.resume), total_(settings.pieces),
      append_every_(60.0 * settings.checkpoint_minutes), last_append_(wall_seconds()) {}

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
  progress.print_line(note());
}

void ResumableWork::run(const PendingPieces& pieces) {
  report_damage();
  if (progress_ != nullptr) progress_->begin_status();
  finished_before_ = finished();
  pending_ = comm_.sum(std::ssize(pieces.ids));
  done_in_call_ = 0;
  std::vector<std::size_t> todo(pieces.ids.size());
  std::vector<std::uint8_t> is_done(todo.size(), 0);
  for (std::size_t k = 0; k < todo.size(); ++k) todo[k] = k;
  for (;;) {
    const double longest = comm_.max(longest_seconds_);
    const double round_end = wall_seconds() + std::max(round_seconds, round_pieces * longest);
    const auto stop_requested = [&] { return stop_condition_.requested(longest); };
    comm_.run_collectively([&] {
      for_each_parallel({0, std::ssize(todo)}, [&](Index i) {
        const std::size_t k = todo[static_cast<std::size_t>(i)];
        if (may_begin(stop_requested(), round_end)) {
          do_one(pieces, k);
          is_done[k] = 1;
        }
        // At a stop not only at the end of the round: other threads may be at work on their pieces for longer
        // than whoever asked for it waits.
        append_if_due(pieces, stop_requested() != Stop::none);
      });
    });
    std::erase_if(todo, [&](std::size_t k) { return is_done[k] != 0; });
    const auto stop = static_cast<Stop>(comm_.max(static_cast<std::int64_t>(stop_requested())));
    if (comm_.sum(std::ssize(todo)) == 0) break;
    if (stop == Stop::none) continue;
    comm_.run_collectively([&] { append(pieces); });
    stop_early(stop, "after " + std::to_string(finished()) + " of " + std::to_string(total_) +
                         " tasks; finished ones are kept in " + journal_.folder().string());
  }
  // The caller may drop these results before the others are made.
  if (finished() < total_) comm_.run_collectively([&] { append(pieces); });
}

/// Collective: pieces of all runs and ranks.
std::int64_t ResumableWork::finished() const {
  return std::ssize(journal_.kept()) - comm_.sum(journal_.damaged_records()) + comm_.sum(done_);
}

bool ResumableWork::may_begin(Stop stop, double round_end) {
  const bool go_on = stop == Stop::none && wall_seconds() < round_end;
  // Even a run without time does one piece, or a job that is queued again and again would never end.
  const bool first = stop == Stop::time_limit && !begun_;
  if (!go_on && !first) return false;
  return !begun_.exchange(true) || go_on;
}

void ResumableWork::do_one(const PendingPieces& pieces, std::size_t k) {
  const double begin = wall_seconds();
  pieces.work(k);
  const std::lock_guard lock(guard_);
  finished_.push_back(k);
  ++done_;
  ++done_in_call_;
  longest_seconds_ = std::max(longest_seconds_, wall_seconds() - begin);
  // This rank's share stands for that of all.
  if (progress_ != nullptr)
    progress_->advance(finished_before_ + pending_ * done_in_call_ / std::ssize(pieces.ids));
}

void ResumableWork::append_if_due(const PendingPieces& pieces, bool at_once) {
  if (append_every_ <= 0 && !at_once) return;
  const std::unique_lock turn(append_guard_, std::try_to_lock); // else another thread is at it
  if (!turn || (!at_once && wall_seconds() - last_append_ < append_every_)) return;
  append(pieces);
  last_append_ = wall_seconds();
}

/// Appends what is finished to the journal.
void ResumableWork::append(const PendingPieces& pieces) {
  std::vector<std::size_t> finished;
  {
    const std::lock_guard lock(guard_);
    finished.swap(finished_);
  }
  std::vector<JournalRecord> records;
  for (const std::size_t k : finished) records.push_back({pieces.ids[k], pieces.result(k)});
  journal_.append(records);
}

/// Collective.
void ResumableWork::report_damage() {
  const std::int64_t damaged = journal_.damaged_files() + comm_.sum(journal_.damaged_records());
  if (progress_ != nullptr && comm_.is_root() && damaged > reported_damage_)
    progress_->warn(journal_.folder().string() + ": " + std::to_string(damaged - reported_damage_) +
                    " damaged record(s); what they held is done again");
  reported_damage_ = damaged;
}

} // namespace metasieve
