#include "cli/commands.hpp"

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
#include "parallel/for_each.hpp"
#include "studies/dry_run.hpp"
#include "studies/scaling.hpp"
#include "studies/sweep.hpp"
#include "studies/sweep_report.hpp"
#include "training/generate.hpp"
#include "training/trainer.hpp"

#include <boost/version.hpp>

#include <cstdio>

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
  const Config config = load_config(comm, line.value("config"), line.overrides);
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

} // namespace

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
  if (line.command == "sweep") return run_sweep(comm, line);
  run_stage(comm, line);
}

} // namespace metasieve
