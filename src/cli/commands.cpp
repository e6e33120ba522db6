#include "cli/commands.hpp"

#include "base/version.hpp"
#include "cli/evaluation_summary.hpp"
#include "cli/help.hpp"
#include "cli/options.hpp"
#include "cli/training_summary.hpp"
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
  return line.list      ? SweepAction::list
         : line.status  ? SweepAction::status
         : line.collect ? SweepAction::collect
         : line.point   ? SweepAction::one_point
                        : SweepAction::run;
}

/// Without --config: that which the folder has kept.
std::optional<std::filesystem::path> sweep_config(const Communicator& comm, const CommandLine& line) {
  if (line.config) return line.config;
  const std::filesystem::path kept = *line.output / "sweep.ini";
  comm.agree([&] {
    std::error_code error;
    if (comm.is_root() && !std::filesystem::exists(kept, error))
      throw ConfigError("sweep needs --config, for there is no " + kept.string() + " of an earlier run");
  });
  return kept;
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
  if (line.suite) overrides.emplace_back("sweep.suite", line.suite->string());
  std::string datasets;
  for (const std::filesystem::path& file : line.datasets)
    datasets += (datasets.empty() ? "" : "; ") + file.string();
  if (!datasets.empty()) overrides.emplace_back("sweep.datasets", datasets);
  SweepRequest request{load_sweep(comm, sweep_config(comm, line), overrides), *line.output};
  note_renamed_keys(comm, request.config);
  request.action = action_of(line);
  request.point = line.point.value_or(0);
  request.retry = line.retry;
  request.profile = line.profile;
  print(comm, line.dry_run ? plan(comm, request) : sweep(comm, request));
}

void run_stage(const Communicator& comm, const CommandLine& line) {
  const Config config = load_config(comm, line.config, line.overrides);
  note_renamed_keys(comm, config);
  if (line.command == "generate") {
    const GenerateRequest request{config, *line.output, line.resume, line.profile};
    return print(comm, line.dry_run ? plan(comm, request)
                                    : summary_of(request, generate(comm, request), comm.size()));
  }
  if (line.command == "train") {
    TrainRequest request{config, *line.output, line.suite, line.resume};
    request.profile = line.profile;
    return print(comm, line.dry_run ? plan(comm, request)
                                    : summary_of(request, train(comm, request), comm.size(), thread_count()));
  }
  if (line.command == "scaling") {
    const ScalingRequest request{config, *line.output, line.suite, line.collect, line.profile};
    return print(comm, line.dry_run ? plan(comm, request) : scale(comm, request));
  }
  if (line.command == "score") {
    const ScoreRequest request{config, line.policies.front(), line.datasets.front(), *line.output,
                               line.profile};
    return print(comm, line.dry_run ? plan(comm, request) : summary_of(request, score(comm, request)));
  }
  const EvaluateRequest request{config,       line.policies, line.suite,  line.datasets,
                                *line.output, line.frontier, line.resume, line.profile};
  if (line.dry_run) return print(comm, plan(comm, request));
  const Evaluated evaluated = evaluate(comm, request);
  print(comm, summary_of(request, evaluated, comm.size(), thread_count()));
  require_few_failed(evaluated);
}

} // namespace

void run_command(const Communicator& comm, const std::vector<std::string>& arguments) {
  CommandLine line;
  comm.agree([&] { line = parse_command_line(arguments); });
  if (line.version) return print(comm, version_text());
  if (line.help) {
    std::string text;
    comm.agree([&] { text = help_text(line.topic); });
    return print(comm, text);
  }
  if (line.command == "inspect")
    return print(comm,
                 line.json ? inspect_json(comm, line.files.front()) : inspect_file(comm, line.files.front()));
  if (line.command == "verify") return print(comm, verify_file(comm, line.files.front()));
  if (line.command == "sweep") return run_sweep(comm, line);
  run_stage(comm, line);
}

} // namespace metasieve
