#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What every file says of itself.
namespace metasieve {

enum class FileType { suite, dataset, policy, checkpoint, results, evaluation, scores, scaling, sweep };

inline constexpr std::array file_type_names{
    std::string_view("metasieve-suite"),   std::string_view("metasieve-dataset"),
    std::string_view("metasieve-policy"),  std::string_view("metasieve-checkpoint"),
    std::string_view("metasieve-results"), std::string_view("metasieve-evaluation"),
    std::string_view("metasieve-scores"),  std::string_view("metasieve-scaling"),
    std::string_view("metasieve-sweep")};

/// The root attribute `filetype`.
[[nodiscard]] constexpr std::string_view to_string(FileType type) {
  return file_type_names[static_cast<std::size_t>(type)];
}

[[nodiscard]] constexpr std::optional<FileType> file_type_of(std::string_view name) {
  for (std::size_t i = 0; i < file_type_names.size(); ++i)
    if (file_type_names[i] == name) return static_cast<FileType>(i);
  return std::nullopt;
}

/// Whether equal contents must give equal bytes: such a file does not say when it was made.
[[nodiscard]] constexpr bool is_reproducible(FileType type) {
  return type == FileType::suite || type == FileType::policy;
}

/// The root attribute `version`. Readers accept any minor version of their major one and of older ones they
/// know.
struct FormatVersion {
  std::int32_t major = 1;
  std::int32_t minor = 0;
};
inline constexpr FormatVersion format_version{1, 0};

/// Energy of the nodes that a run was on, with all else that they did meanwhile.
struct Energy {
  double joules = std::numeric_limits<double>::quiet_NaN(); ///< NaN: unknown
  std::string source = "unknown"; ///< the counters: "pm_counters" or "rapl", see runtime/energy.hpp
};

/// Energy of two parts of a run: unknown if one is, or if other counters counted it.
[[nodiscard]] inline Energy operator+(const Energy& a, const Energy& b) {
  return a.source == b.source ? Energy{a.joules + b.joules, a.source} : Energy{};
}

[[nodiscard]] constexpr double core_hours(std::int64_t ranks, std::int64_t threads, double seconds) {
  return static_cast<double>(ranks) * static_cast<double>(threads) * seconds / 3600.0;
}

/// What a run has taken from the machine.
struct Usage {
  double core_hours = 0; ///< ranks x threads x wall time
  Energy energy = {};
  bool is_of_last_part = false; ///< the run was resumed, and what earlier parts took is not recorded
};

/// The job that writes a file: root attributes of these names, but for texts that are empty.
struct JobMetadata {
  std::int64_t ranks = 1;
  std::int64_t threads = 1; ///< of each rank
  std::int64_t nodes = 1;
  std::string hosts;          ///< names of the nodes, "a, b, c"; of many the first, then "+ 112 more"
  std::string processor;      ///< of rank 0's node
  std::string flags;          ///< that the program was compiled with
  double seconds = 0;         ///< wall time, from the start of the command to the writing
  std::string slurm_job = {}; ///< its id, if it is one
  std::string compiler = {}, mpi = {}, hdf5 = {}; ///< with versions
  std::vector<std::string> inputs = {};           ///< see input_record
  std::optional<Usage> usage = {}; ///< core_hours, energy_joules unless unknown, energy_source, usage_of
};

/// How the ranks write a file that they share. The file has the same bytes.
enum class FileIo {
  collective, ///< all together, through MPI-IO
  gather,     ///< through rank 0, which writes alone and without MPI-IO
};

/// How a file was made: what every file says of it, and how it is written.
struct Provenance {
  std::string config;                            ///< resolved, as INI text, re-runnable
  std::optional<JobMetadata> job = std::nullopt; ///< left out of files that must be reproducible
  FileIo io = FileIo::collective;                ///< the same on every rank
};

/// Now, UTC, ISO 8601 to the second: "2026-01-31T12:00:00Z".
[[nodiscard]] inline std::string utc_now() {
  const std::time_t time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

} // namespace metasieve
