#include "studies/sweep_folder.hpp"

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/stopwatch.hpp"
#include "files/results.hpp"
#include "hdf5/atomic_replace.hpp"
#include "hdf5/reader.hpp"
#include "parallel/communicator.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <ctime>
#include <map>
#include <sstream>
#include <thread>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr const char *status_name = "status.txt", *claim_name = "claim";

/// How long a claim that was just created waits for those who look whether it is locked.
constexpr double patience_seconds = 1;

std::string text_of(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string text_of(auto number) {
  std::array<char, 64> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr};
}

void parse(const std::string& text, std::string& value) { value = text; }
void parse(const std::string& text, auto& number) {
  std::from_chars(text.data(), text.data() + text.size(), number);
}

/// Calls `use(name, member)` for all of a status but its state.
void for_each_member(auto& status, const auto& use) {
  use("values", status.values);
  use("message", status.message);
  use("place", status.place);
  use("job", status.job);
  use("attempts", status.attempts);
  use("code", status.code);
  use("ranks", status.ranks);
  use("threads", status.threads);
  use("seconds", status.seconds);
  use("core_seconds", status.core_seconds);
  use("files", status.files);
}

/// Locks the file, unless another process holds it for longer than `patience`. @return whether one does
bool is_locked_by_another(int file, double patience) {
  const double begin = wall_seconds();
  for (;;) {
    if (::flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return false;
    if (wall_seconds() - begin >= patience) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

bool is_removed(int file) {
  struct stat found {};
  return ::fstat(file, &found) != 0 || found.st_nlink == 0;
}

} // namespace

PointStatus read_status(const fs::path& point) {
  std::map<std::string, std::string> values;
  std::istringstream lines(text_if_any(point / status_name).value_or(""));
  for (std::string line; std::getline(lines, line);)
    if (const std::size_t equals = line.find(" = "); equals != std::string::npos)
      values[line.substr(0, equals)] = line.substr(equals + 3);
  PointStatus status;
  const auto* const state = std::find(point_states.begin(), point_states.end(), values["state"]);
  if (state == point_states.end()) return status;
  status.state = static_cast<PointState>(state - point_states.begin());
  for_each_member(status, [&](const char* name, auto& member) { parse(values[name], member); });
  return status;
}

void write_status(const fs::path& point, const PointStatus& status) {
  std::string text = "state = " + std::string(to_string(status.state)) + "\n";
  for_each_member(status, [&](const char* name, const auto& member) {
    text += std::string(name) + " = " + text_of(member) + "\n";
  });
  replace_text(point / status_name, text);
}

std::string this_place() {
  std::array<char, 32> text{};
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  return host_name() + ", process " + std::to_string(getpid()) + ", since " + text.data();
}

std::optional<PointClaim> PointClaim::take(const fs::path& point, const std::string& job) {
  const fs::path path = point / claim_name;
  PointClaim claim(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  const bool is_new = claim.file_ >= 0;
  if (!is_new && errno != EEXIST)
    throw DataError("cannot write " + path.string() + ": " + std::generic_category().message(errno));
  if (!is_new) {
    if (text_if_any(path) == job) return std::nullopt; // of another group of ranks, whatever its lock says
    claim.file_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  }
  if (claim.file_ < 0 || is_locked_by_another(claim.file_, is_new ? patience_seconds : 0) ||
      is_removed(claim.file_)) // given back meanwhile, and perhaps taken by another
    return std::nullopt;
  claim.path_ = path;
  const auto size = static_cast<ssize_t>(job.size());
  if (::ftruncate(claim.file_, 0) != 0 || ::pwrite(claim.file_, job.data(), job.size(), 0) != size ||
      ::fsync(claim.file_) != 0) // other nodes must see whose it is
    throw DataError("cannot write " + path.string() + ": " + std::generic_category().message(errno));
  return claim;
}

bool PointClaim::is_held(const fs::path& point) {
  const PointClaim found(::open((point / claim_name).c_str(), O_RDWR | O_CLOEXEC));
  return found.file_ >= 0 && is_locked_by_another(found.file_, 0);
}

PointClaim::~PointClaim() {
  if (!path_.empty()) ::unlink(path_.c_str());
  if (file_ >= 0) ::close(file_);
}

std::uint64_t files_hash(const fs::path& point) {
  std::string bytes;
  for (const char* name : {"results.h5", "evaluation.h5"}) bytes += text_if_any(point / name).value_or("");
  return hash_text(bytes);
}

std::optional<PointResult> read_result(const fs::path& point, const PointStatus& status) {
  if (status.state != PointState::done || status.files != files_hash(point)) return std::nullopt;
  PointResult result;
  const FileReader results(point / "results.h5", FileType::results);
  const std::vector<HistoryRow> history = results.records("/history", history_records());
  const std::vector<ValidationRow> validation = results.records("/validation", validation_records());
  if (!history.empty()) result.loss = history.back().loss;
  if (!validation.empty()) result.validation = validation.back();
  std::error_code none;
  if (fs::exists(point / "evaluation.h5", none))
    result.summary =
        FileReader(point / "evaluation.h5", FileType::evaluation).records("/summary", summary_records());
  return result;
}

} // namespace metasieve
