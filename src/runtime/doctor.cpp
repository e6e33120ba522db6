#include "runtime/doctor.hpp"

#include "base/for_each.hpp"
#include "base/stopwatch.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "hdf5/reader.hpp"
#include "hdf5/writer.hpp"
#include "parallel/collective.hpp"
#include "runtime/machine.hpp"
#include "runtime/output_checks.hpp"

#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <numeric>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr double little_memory = 1e9, little_disk = 1e9; // bytes: of a rank, of the disk
constexpr double clock_tolerance = 1;                    // seconds

// ------------------------------------------------------- a check, and its line

enum class Verdict { ok, warning, fault };

/// What a check has found: rank 0's texts count, and the worst verdict of all ranks.
struct Check {
  std::string fact;
  Verdict verdict = Verdict::ok;
  std::string remedy{}; ///< what to set, where it is not ok
};

std::string line_of(const std::string& name, const Check& check) {
  constexpr std::array words{"ok", "warning", "fault"};
  const bool advises = check.verdict != Verdict::ok && !check.remedy.empty();
  return format("%-10s %-8s", name.c_str(), words[static_cast<std::size_t>(check.verdict)]) + check.fact +
         (advises ? "; " + check.remedy : "");
}

/// What a process says and removes when a check does not end. Filled before the alarm is set.
struct Hang {
  std::string words;
  std::vector<std::string> files;
  std::string folder;
  int code = 0;
};

Hang& hang() {
  static Hang of_this_process;
  return of_this_process;
}

/// Only what a signal handler may call.
extern "C" void end_hanging_check(int) {
  const Hang& what = hang();
  const ssize_t said = ::write(STDOUT_FILENO, what.words.data(), what.words.size());
  for (const std::string& file : what.files) ::unlink(file.c_str());
  ::rmdir(what.folder.c_str());
  ::_exit(said < 0 ? static_cast<int>(ExitCode::data) : what.code);
}

/// Folder for the trials, on rank 0; removed with all that is in it.
class TrialFolder {
public:
  explicit TrialFolder(const Communicator& comm) : comm_(comm) {}
  ~TrialFolder() {
    std::error_code ignored;
    if (comm_.is_root() && !path_.empty()) fs::remove_all(path_, ignored);
  }
  TrialFolder(const TrialFolder&) = delete;
  TrialFolder& operator=(const TrialFolder&) = delete;

  /// Collective: makes it below `parent` and waits until every rank sees it. @throws CollectiveError
  void make(const fs::path& parent) {
    path_ = comm_.broadcast((parent / (".metasieve." + std::to_string(getpid()) + ".doctor")).string());
    on_root(comm_, [&] {
      std::error_code error;
      fs::create_directory(path_, error);
      if (error) throw DataError("cannot write " + path_.string() + ": " + error.message());
      hang().folder = path_.string();
      for (const fs::path& file : {values(), fs::path(values().string() + ".part"), lock(), block()})
        hang().files.push_back(file.string());
    });
    comm_.run_collectively([&] { require_visible(path_); });
  }

  [[nodiscard]] fs::path values() const { return path_ / "values.h5"; }
  [[nodiscard]] fs::path lock() const { return path_ / "lock"; }
  [[nodiscard]] fs::path block() const { return path_ / "block"; }

private:
  const Communicator& comm_;
  fs::path path_;
};

/// Runs checks one after the other, prints their lines and counts.
class Examination {
public:
  Examination(const Communicator& comm, const DoctorRequest& request,
              const std::function<void(const std::string&)>& print)
      : comm_(comm), request_(request), print_(print) {
    std::signal(SIGALRM, end_hanging_check);
  }

  /// Collective. `code`: of a fault; `remedy`: where the check throws a CollectiveError, or does not end.
  /// @return whether there is no fault
  bool run(const std::string& name, ExitCode code, const std::string& remedy,
           const std::function<Check()>& work) {
    watch(name, code, remedy);
    Check check;
    try {
      check = work();
    } catch (const CollectiveError& error) {
      check = {error.what(), Verdict::fault, remedy};
    }
    check.verdict = static_cast<Verdict>(comm_.max(static_cast<std::int64_t>(check.verdict)));
    ::alarm(0);
    print_(line_of(name, check));
    if (check.verdict == Verdict::warning) warned_.push_back(name);
    if (check.verdict != Verdict::fault) return true;
    faults_.push_back(name);
    folder_at_fault_ = folder_at_fault_ || code == ExitCode::data;
    return false;
  }

  /// The last line. @throws CollectiveError if there was a fault
  void conclude() const {
    const std::string warned = warned_.empty() ? "" : "warnings: " + joined(warned_);
    if (faults_.empty())
      return print_(
          line_of("verdict", {warned.empty() ? "a run can write here" : "a run can write here, " + warned}));
    const std::string faults = "faults: " + joined(faults_) + (warned.empty() ? "" : "; " + warned);
    print_(line_of("verdict", {faults, Verdict::fault}));
    throw CollectiveError(folder_at_fault_ ? ExitCode::data : ExitCode::usage,
                          "doctor " + request_.folder.string() + ": " + faults);
  }

private:
  /// Rank 0 is the first to give up: it removes the trials, and its end ends the other ranks.
  void watch(const std::string& name, ExitCode code, const std::string& remedy) const {
    const std::string fact = "does not end within " + std::to_string(request_.patience) + " s";
    hang().words = line_of(name, {fact, Verdict::fault, remedy}) + "\n" +
                   line_of("verdict", {"faults: " + name, Verdict::fault}) + "\n";
    hang().code = static_cast<int>(folder_at_fault_ ? ExitCode::data : code);
    ::alarm(request_.patience + (comm_.is_root() ? 0U : 5U));
  }

  const Communicator& comm_;
  const DoctorRequest& request_;
  const std::function<void(const std::string&)>& print_;
  std::vector<std::string> warned_, faults_;
  bool folder_at_fault_ = false;
};

// ------------------------------------------------------- the job

/// The way round Open MPI's OMPIO.
std::string use_romio() {
  const std::string name = mpi_version().starts_with("Open MPI v5") ? "romio341" : "romio321";
  return "set OMPI_MCA_io=" + name + ", or --output.io gather";
}

/// Collective: whether all ranks have the same text, and if not, which rank has another.
Check alike(const Communicator& comm, const std::string& mine, Verdict unlike, const std::string& remedy) {
  const std::vector<std::string> texts = split(comm.gather(mine + "\n"), '\n');
  const std::vector<std::string> hosts = split(comm.gather(host_name() + "\n"), '\n');
  const auto other = std::ranges::find_if(texts, [&](const std::string& text) { return text != texts[0]; });
  if (other == texts.end()) return {texts[0]};
  const auto rank = other - texts.begin();
  return {"rank " + std::to_string(rank) + " (" + hosts[static_cast<std::size_t>(rank)] + ") has " + *other +
              ", rank 0 (" + hosts[0] + ") has " + texts[0],
          unlike, remedy};
}

std::string program_text() {
  return "metasieve " + std::string(version()) + " (commit " + std::string(git_commit()) +
         "), flags " METASIEVE_FLAGS;
}

Check check_threads(const Communicator& comm) {
  const std::int64_t ranks = comm.size(), threads = comm.max(std::int64_t{thread_count()});
  const Placement where = placement(comm, comm.size(), static_cast<int>(threads));
  const auto nodes = std::ssize(where.hosts);
  Check check{std::to_string(ranks) + " rank(s) x " + std::to_string(threads) + " thread(s) on " +
              std::to_string(where.cores) + " core(s) of " + std::to_string(nodes) + " node(s), " +
              mpi_version() + ", thread level " + mpi_thread_level()};
  if (!where.oversubscribed) return check;
  check.verdict = Verdict::warning;
  const std::string t = std::to_string(threads);
  if (ranks * threads <= nodes * comm.max(std::int64_t{node_processors()}))
    check.remedy = "ranks are bound to too few cores: mpirun --map-by slot:PE=" + t + " --bind-to core";
  else
    check.remedy = "more threads than cores: set OMP_NUM_THREADS=" +
                   std::to_string(std::max<std::int64_t>(where.cores / ranks, 1)) +
                   (ranks > where.cores ? ", and at most " + std::to_string(where.cores) + " ranks" : "");
  return check;
}

Check check_memory(const Communicator& comm) {
  const double mine = available_bytes() / comm.ranks_on_node();
  const double least = -comm.max(-mine);
  if (!std::isfinite(least)) return {"free memory is unknown"};
  return {gigabytes(least) + " free for each rank, on the fullest node",
          least < little_memory ? Verdict::warning : Verdict::ok,
          "fewer ranks on each node; metasieve train --dry-run says what a run takes"};
}

Check check_temporary_folder(const Communicator& comm) {
  const char* const variable = std::getenv("TMPDIR");
  const fs::path folder = variable == nullptr || *variable == '\0' ? "/tmp" : variable;
  comm.run_collectively([&] {
    const fs::path trial = folder / (".metasieve." + std::to_string(getpid()) + ".doctor");
    RawFile file = RawFile::create(trial);
    ::unlink(trial.c_str());
    file.append(std::string(4096, '\0'));
  });
  return {folder.string() + " can be written by every rank"};
}

double clock_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void send(const Communicator& comm, std::span<const std::byte> bytes, int to) {
  Sends sends(comm);
  sends.add(bytes, to);
  sends.finish();
}

/// Rank 0 asks the clock of every other rank; of several answers the quickest counts.
Check check_clocks(const Communicator& comm) {
  double greatest = 0;
  for (int rank = 1; rank < comm.size(); ++rank) {
    double quickest = std::numeric_limits<double>::infinity(), difference = 0, theirs = 0;
    const auto answer = std::as_writable_bytes(std::span(&theirs, 1));
    for (int ping = 0; ping < 5; ++ping)
      if (comm.is_root()) {
        const double sent = clock_seconds();
        send(comm, answer, rank);
        comm.receive(answer, rank);
        const double back = clock_seconds();
        if (back - sent >= quickest) continue;
        quickest = back - sent;
        difference = std::max(0.0, std::abs(theirs - 0.5 * (sent + back)) - 0.5 * quickest);
      } else if (comm.rank() == rank) {
        comm.receive(answer, 0);
        theirs = clock_seconds();
        send(comm, answer, 0);
      }
    greatest = std::max(greatest, difference);
  }
  if (comm.size() == 1) return {"one rank, nothing to compare"};
  return {format("differ by at most %.3f s", greatest),
          greatest > clock_tolerance ? Verdict::warning : Verdict::ok,
          "times in logs and progress.json do not fit together: have the nodes set their clocks (NTP)"};
}

// ------------------------------------------------------- the folder

struct FileSystem {
  std::string name;
  bool is_lustre = false, is_parallel = false; ///< Lustre; Lustre or GPFS
};

/// Collective: the file system that rank 0 sees, the same on every rank.
FileSystem file_system(const Communicator& comm, const fs::path& folder) {
  struct statfs status {};
  const bool known = ::statfs(folder.c_str(), &status) == 0;
  const auto magic = static_cast<std::uint64_t>(comm.max(
      comm.is_root() && known ? static_cast<std::int64_t>(static_cast<std::uint32_t>(status.f_type)) : 0));
  constexpr std::array names{
      std::pair{0x0BD00BD0U, "lustre"}, std::pair{0x47504653U, "gpfs"},      std::pair{0x6969U, "nfs"},
      std::pair{0x19830326U, "beegfs"}, std::pair{0x00C36400U, "ceph"},      std::pair{0xAAD7AAEAU, "panfs"},
      std::pair{0x01021994U, "tmpfs"},  std::pair{0x794C7630U, "overlayfs"}, std::pair{0xEF53U, "ext"},
      std::pair{0x58465342U, "xfs"},    std::pair{0x9123683EU, "btrfs"}};
  for (const auto& [number, name] : names)
    if (number == magic) return {name, number == 0x0BD00BD0U, number == 0x0BD00BD0U || number == 0x47504653U};
  return {format("of type 0x%lx", static_cast<unsigned long>(magic))};
}

/// The checks of a place that can be written at all.
class Place {
public:
  Place(const Communicator& comm, const fs::path& folder) : comm_(comm), folder_(folder), trial_(comm) {}

  /// Makes the folder of the trials in DIR, or in the nearest folder above it that is there.
  Check open() {
    require_writable(comm_, {folder_ / "output.h5"});
    there_ = comm_.broadcast(existing_folder(folder_ / "output.h5").string());
    trial_.make(there_);
    system_ = file_system(comm_, there_);
    return {folder_.string() + " can be written, and every rank sees it; file system " + system_.name};
  }

  Check space() {
    on_root(comm_, [&] {
      RawFile file = RawFile::create(trial_.block());
      file.append(std::string(256 * 1024, '\0'));
      file.sync();
    });
    on_root(comm_, [&] { fs::remove(trial_.block()); });
    const double free =
        -comm_.max(comm_.is_root() ? -free_bytes(there_) : -std::numeric_limits<double>::infinity());
    if (!std::isfinite(free)) return {"free disk space is unknown"};
    return {gigabytes(free) + " free", free < little_disk ? Verdict::warning : Verdict::ok,
            "make room, or give another --output; --dry-run says what a run takes"};
  }

  /// What keeps a second run from the same output.
  Check locks() {
    const FolderLock of_folder(comm_, folder_);
    std::optional<FileLock> lock;
    on_root(comm_, [&] { lock = FileLock::try_lock(trial_.lock()); });
    const char* const hdf5 = std::getenv("HDF5_USE_FILE_LOCKING");
    const std::string setting =
        ", HDF5_USE_FILE_LOCKING " + (hdf5 == nullptr ? "is not set" : "= " + std::string(hdf5));
    if (comm_.size() == 1)
      return {"no other run is there; two ranks would show whether a lock keeps others out" + setting};
    std::int64_t free = 0; // ranks that a lock of rank 0 does not keep out
    comm_.run_collectively([&] { require_visible(trial_.lock()); });
    free = comm_.sum(std::int64_t{!comm_.is_root() && !FileLock::is_held(trial_.lock())});
    if (free == 0) return {"no other run is there; a lock of rank 0 keeps the others out" + setting};
    return {"a lock of rank 0 does not keep out " + std::to_string(free) + " other rank(s)" + setting,
            Verdict::warning,
            "give each run an --output of its own, and set HDF5_USE_FILE_LOCKING=FALSE for programs that "
            "read the files"};
  }

  [[nodiscard]] bool is_lustre() const { return system_.is_lustre; }

  Check stripes() {
    std::string count;
    on_root(comm_, [&] {
      std::string quoted;
      for (const char c : there_.string()) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
      count = first_line_of("timeout 20 lfs getstripe -d -c '" + quoted + "' 2>/dev/null");
    });
    count = comm_.broadcast(count);
    if (!parse_number<Index>(count)) return {"unknown: lfs getstripe says nothing"};
    return {"stripe count " + count, count == "1" && comm_.size() > 1 ? Verdict::warning : Verdict::ok,
            "lfs setstripe -c -1 " + folder_.string() + " before large suites are written"};
  }

  /// Writes, renames and reads a file as a run does; the last of several ranks has no rows.
  Check write(FileIo io) {
    Stopwatch watch;
    const bool idle = comm_.size() > 1 && comm_.rank() == comm_.size() - 1;
    std::vector<double> mine(idle ? 0 : 1000);
    std::iota(mine.begin(), mine.end(), static_cast<double>(comm_.exclusive_sum(std::ssize(mine))));
    const std::int64_t total = comm_.sum(std::ssize(mine));
    write_file(comm_, trial_.values(), FileType::results, {"", std::nullopt, io},
               [&](FileWriter& file) { file.write("/values", std::span<const double>(mine), {}); });
    comm_.run_collectively([&] {
      const std::vector<double> all =
          FileReader(trial_.values(), FileType::results).values<double>("/values", 1);
      bool same = std::ssize(all) == total;
      for (std::size_t i = 0; i < all.size(); ++i) same = same && all[i] == static_cast<double>(i);
      if (!same) throw DataError(trial_.values().string() + ": what is read is not what was written");
    });
    const double seconds = comm_.max(watch.seconds());
    on_root(comm_, [&] { fs::remove(trial_.values()); });
    if (io == FileIo::gather)
      return {format("rank 0 wrote, renamed and read a file of all ranks in %.2f s", seconds)};
    const char* const chosen = std::getenv("OMPI_MCA_io");
    const bool may_hang = chosen == nullptr && system_.is_parallel && mpi_version().starts_with("Open MPI");
    return {format("%d rank(s) wrote, renamed and read a file together in %.2f s", comm_.size(), seconds) +
                ", OMPI_MCA_io " + (chosen == nullptr ? "is not set" : "= " + std::string(chosen)),
            may_hang ? Verdict::warning : Verdict::ok,
            "Open MPI's OMPIO has hung in collective writes on " + system_.name + ": " + use_romio()};
  }

private:
  const Communicator& comm_;
  fs::path folder_, there_; ///< DIR; it, or what is there of its path, absolute
  TrialFolder trial_;
  FileSystem system_;
};

void examine_folder(const Communicator& comm, const fs::path& folder, Examination& examination) {
  Place place(comm, folder);
  const auto check = [&](const std::string& name, const std::string& remedy,
                         const std::function<Check()>& work) {
    return examination.run(name, ExitCode::data, remedy, work);
  };
  if (!check("folder", "give another --output, which this user can write and all nodes share",
             [&] { return place.open(); }))
    return;
  const bool has_room = check("disk", "make room, or give another --output", [&] { return place.space(); });
  check("locks", "", [&] { return place.locks(); });
  if (place.is_lustre()) check("stripes", "the file system does not answer", [&] { return place.stripes(); });
  if (!has_room) return;
  const bool gathers = check("gather", "give another --output", [&] { return place.write(FileIo::gather); });
  if (gathers)
    examination.run("mpi-io", ExitCode::usage, use_romio(), [&] { return place.write(FileIo::collective); });
}

} // namespace

void doctor(const Communicator& comm, const DoctorRequest& request,
            const std::function<void(const std::string&)>& print) {
  Examination examination(comm, request, print);
  const auto check = [&](const std::string& name, const std::string& remedy,
                         const std::function<Check()>& work) {
    return examination.run(name, ExitCode::usage, remedy, work);
  };
  check("program", "",
        [&] { return alike(comm, program_text(), Verdict::fault, "start one build on all nodes"); });
  check("processor", "", [&] {
    return alike(comm, processor_model(), Verdict::warning,
                 "build with -DMETASIEVE_NATIVE=OFF, or results differ in the last bits");
  });
  check("threads", "", [&] { return check_threads(comm); });
  check("memory", "", [&] { return check_memory(comm); });
  check("tmpdir", "set TMPDIR to a folder on each node that can be written",
        [&] { return check_temporary_folder(comm); });
  check("clocks", "", [&] { return check_clocks(comm); });
  examine_folder(comm, request.folder, examination);
  examination.conclude();
}

} // namespace metasieve
