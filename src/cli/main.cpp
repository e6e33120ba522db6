#include "base/for_each.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/console_summary.hpp"
#include "cli/help.hpp"
#include "cli/options.hpp"
#include "config/load.hpp"
#include "config/requests.hpp"
#include "evaluation/evaluate.hpp"
#include "evaluation/score.hpp"
#include "files/verify.hpp"
#include "hdf5/handles.hpp"
#include "parallel/communicator.hpp"
#include "runtime/doctor.hpp"
#include "runtime/stop_condition.hpp"
#include "runtime/terminal.hpp"
#include "studies/dry_run.hpp"
#include "studies/scaling.hpp"
#include "studies/sweep.hpp"
#include "studies/sweep_report.hpp"
#include "training/generate.hpp"
#include "training/trainer.hpp"

#include <boost/version.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <thread>

namespace metasieve {
namespace {

std::string version_text() {
  return "metasieve " + std::string(version()) + " (commit " + std::string(git_commit()) + ")\n" + //
         "compiler " __VERSION__ ", flags " METASIEVE_FLAGS "\n" +                                 //
         "MPI      " + mpi_version() + "\n" +                                                      //
         "HDF5     " + hdf5_version() + "\n" +                                                     //
         "Eigen    " + std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
         std::to_string(EIGEN_MINOR_VERSION) + ", vectors " + Eigen::SimdInstructionSetsInUse() + "\n" +
         "Boost    " + std::to_string(BOOST_VERSION / 100000) + "." +
         std::to_string(BOOST_VERSION / 100 % 1000) + "." + std::to_string(BOOST_VERSION % 100) + "\n";
}

void print(const Communicator& comm, const std::string& text) {
  if (comm.is_root()) std::fputs(text.c_str(), stdout);
}

SweepAction action_of(const CommandLine& line) {
  return line.has("list")      ? SweepAction::list
         : line.has("status")  ? SweepAction::status
         : line.has("collect") ? SweepAction::collect
         : line.has("point")   ? SweepAction::one_point
                               : SweepAction::run;
}

/// Without --config: the file that the folder has kept.
std::filesystem::path sweep_config(const Communicator& comm, const CommandLine& line) {
  const std::filesystem::path kept = *line.value("output") / "sweep.ini";
  comm.run_collectively([&] {
    std::error_code error;
    if (!line.has("config") && comm.is_root() && !std::filesystem::exists(kept, error))
      throw ConfigError("sweep needs --config, for there is no " + kept.string() + " of an earlier run");
  });
  return line.value("config").value_or(kept);
}

/// Says which keys were given under an old name.
void note_renamed_keys(const Communicator& comm, const Config& config) {
  if (!comm.is_root()) return;
  for (const auto& [old, current] : renamed_keys())
    if (config.explicit_keys.contains(old))
      std::fprintf(stderr, "metasieve: note: %s is now called %s\n", old.c_str(), current.c_str());
}

void run_sweep(const Communicator& comm, const CommandLine& line) {
  KeyValues overrides = line.overrides;
  if (line.has("suite")) overrides.emplace_back("sweep.suite", line.value("suite")->string());
  std::vector<std::string> datasets;
  for (const std::filesystem::path& file : line.values("dataset")) datasets.push_back(file.string());
  if (!datasets.empty()) overrides.emplace_back("sweep.datasets", joined(datasets, "; "));
  SweepRequest request{load_sweep(comm, sweep_config(comm, line), overrides), *line.value("output")};
  note_renamed_keys(comm, request.config);
  request.action = action_of(line);
  if (line.has("point")) request.point = parse_number<Index>(line.value("point")->string()).value();
  request.retry = line.has("retry");
  request.profile = line.has("profile");
  print(comm, line.has("dry-run") ? plan(comm, request) : sweep(comm, request));
}

void run_stage(const Communicator& comm, const CommandLine& line) {
  const bool generates = line.command == "generate" || line.command == "scaling" ||
                         (line.command == "train" && !line.has("suite"));
  const Config config = load_config(comm, line.value("config"), line.overrides,
                                    generates ? FamilyUse::needed : FamilyUse::if_any);
  note_renamed_keys(comm, config);
  const std::filesystem::path output = *line.value("output");
  const bool resume = line.has("resume"), profile = line.has("profile");
  const int ranks = comm.size(), threads = thread_count();
  // The plan of this request, or what work() returns.
  const auto print_plan_or = [&](const auto& request, const auto& work) {
    print(comm, line.has("dry-run") ? plan(comm, request) : work());
  };
  if (line.command == "generate") {
    const GenerateRequest request{config, output, resume, profile};
    print_plan_or(request, [&] { return summary_of(request, generate(comm, request), ranks); });
  } else if (line.command == "train") {
    TrainRequest request{config, output, line.value("suite"), resume};
    request.profile = profile;
    print_plan_or(request, [&] { return summary_of(request, train(comm, request), ranks, threads); });
  } else if (line.command == "scaling") {
    const ScalingRequest request{config, output, line.value("suite"), line.has("collect"), profile};
    print_plan_or(request, [&] { return scale(comm, request); });
  } else if (line.command == "score") {
    const ScoreRequest request{config, *line.value("policy"), *line.value("dataset"), output, profile};
    print_plan_or(request, [&] { return summary_of(request, score(comm, request)); });
  } else {
    const EvaluateRequest request{config,
                                  line.values("policy"),
                                  line.value("suite"),
                                  line.values("dataset"),
                                  output,
                                  line.has("frontier"),
                                  resume,
                                  profile};
    if (line.has("dry-run")) return print(comm, plan(comm, request));
    const Evaluated evaluated = evaluate(comm, request);
    print(comm, summary_of(request, evaluated, ranks, threads));
    require_few_failed(evaluated);
  }
}

void examine(const Communicator& comm, const CommandLine& line) {
  DoctorRequest request{line.files.front()};
  if (line.has("patience"))
    request.patience = parse_number<unsigned>(line.value("patience")->string()).value();
  doctor(comm, request, [&](const std::string& text) {
    print(comm, text + "\n");
    std::fflush(stdout); // a check may take long, or end the process
  });
}

/// Collective: runs what the command line asks. arguments: without the program's name.
/// @throws CollectiveError where all ranks fail with the same error; any other exception is one rank's own.
void run_command(const Communicator& comm, const std::vector<std::string>& arguments) {
  CommandLine line;
  comm.run_collectively([&] { line = parse_command_line(arguments); });
  if (line.version) return print(comm, version_text());
  if (line.help) {
    std::string text;
    comm.run_collectively([&] { text = help_text(line.topic); });
    return print(comm, text);
  }
  if (line.command == "inspect") return print(comm, inspect_file(comm, line.files.front(), line.has("json")));
  if (line.command == "verify") return print(comm, verify_file(comm, line.files.front()));
  if (line.command == "doctor") return examine(comm, line);
  if (line.command == "sweep") return run_sweep(comm, line);
  run_stage(comm, line);
}

/// One line, whatever is in the names and values that it quotes.
void report(const std::string& where, std::string message) {
  for (char& c : message)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  const std::string name = painted(STDERR_FILENO, Paint::red, "metasieve:");
  std::fprintf(stderr, "%s %s%s\n", name.c_str(), where.c_str(), message.c_str());
}

} // namespace
} // namespace metasieve

int main(int argc, char** argv) {
  using namespace metasieve;
  if (const auto code = serve_file_check(argc, argv))
    return *code; // this process reads a file for another one
  if (const auto text =
          text_without_mpi(std::span(argv + 1, static_cast<std::size_t>(std::max(argc, 1) - 1)))) {
    std::fputs(text->c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : static_cast<int>(ExitCode::data);
  }
  // At once, for MPI takes its time. Other commands end soon, and may be killed.
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "generate" || command == "train" || command == "evaluate" || command == "sweep" ||
      command == "scaling")
    catch_stop_signals();
  std::signal(SIGXFSZ, SIG_IGN); // a limit on file sizes becomes an error that names the file
  const Environment mpi(argc, argv);
  const Communicator comm;
  try {
    run_command(comm, {argv + 1, argv + argc});
    return static_cast<int>(ExitCode::done);
  } catch (const CollectiveError& error) { // the same on every rank: all leave in step
    if (comm.is_root()) report("", error.what());
    if (comm.max(std::int64_t{h5::gave_up_file()}) > 0) { // one rank's or all; MPI_Finalize would crash
      comm.barrier();
      std::fflush(nullptr);
      std::_Exit(static_cast<int>(error.code()));
    }
    return static_cast<int>(error.code());
  } catch (
      const std::exception& error) { // this rank's own: the others may wait in a collective call for ever
    // Where many ranks fail at once, as of one full node, the first to speak ends the job for all.
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(50 * comm.rank(), 1000)));
    const bool memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
    report("rank " + std::to_string(comm.rank()) + " on " + host_name() + ": ",
           memory ? "out of memory: use more nodes or fewer ranks a node" : error.what());
    const auto* known = dynamic_cast<const Error*>(&error);
    comm.abort(known != nullptr ? known->code() : ExitCode::internal);
  }
}
