#pragma once

#include "base/error.hpp"
#include "parallel/communicator.hpp"

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace metasieve {

/// How far a run is.
struct RunState {
  std::int64_t done = 0, total = 0;
  std::string unit; ///< of these two: iterations, tasks, points
  double seconds_left = 0;
  std::vector<std::pair<std::string, double>> metrics; ///< the latest of each
};

/// A small JSON file for programs that watch a run: what it is, how far, and at last how it ended. Rank 0
/// replaces it as a whole, at most once a second; that it cannot be written harms no run. One that is killed
/// leaves `running` with an `updated` that grows old.
class StatusFile {
public:
  StatusFile() = default; ///< of a run that keeps none
  StatusFile(const Communicator& comm, std::filesystem::path file, std::string command);

  /// Collective: from here on there is a file, though the run may still refuse: if it ends before begin(),
  /// all is as it was.
  void prepare();
  /// Collective: from here on there is a file, for the run may now change what is in its folder.
  void begin();
  /// By rank 0; does nothing on the others, nor before prepare() or begin().
  void update(const RunState& state);

  /// Collective: `work`; says in the file how that ended. What it throws goes on to the caller.
  template <std::invocable Work>
  auto during(Work&& work) -> std::invoke_result_t<Work> {
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
        work();
        end(ExitCode::done, is_root_);
      } else {
        auto result = work();
        end(ExitCode::done, is_root_);
        return result;
      }
    } catch (const AgreedError& error) {
      end(error.code(), is_root_);
      throw;
    } catch (const Error& error) { // of this rank alone, which ends the job
      end(error.code(), true);
      throw;
    } catch (...) {
      end(ExitCode::internal, true);
      throw;
    }
  }

private:
  enum class Stage : std::uint8_t { none, preparing, begun };

  void enter(Stage stage);
  void end(ExitCode code, bool writes);
  void undo() const;
  [[nodiscard]] std::filesystem::path folder() const;
  void write(const char* state, const ExitCode* code) const;

  std::filesystem::path file_; ///< empty: none is kept
  std::string command_, started_;
  int ranks_ = 1, threads_ = 1;
  bool is_root_ = false;
  Stage stage_ = Stage::none;
  std::optional<std::string> before_;       ///< prepare(): what was in the file
  std::vector<std::filesystem::path> made_; ///< and folders that were not there, the innermost first
  double begin_ = 0, written_ = 0;          ///< of wall_seconds()
  RunState state_;
};

/// Where it goes: progress.json in a folder; beside a file, its name with .progress.json after it.
[[nodiscard]] std::filesystem::path status_of_folder(const std::filesystem::path& folder);
[[nodiscard]] std::filesystem::path status_of_file(const std::filesystem::path& file);

} // namespace metasieve
