#include "base/error.hpp"
#include "io/checkpoint_file.hpp"
#include "run/resume.hpp"
#include "run/stages.hpp"

namespace metasieve {

Range training_tasks(const Config& config, Index total) {
  const Index held_out = config.suite.validation_tasks;
  if (held_out >= total)
    throw AgreedError(ExitCode::usage, "suite.validation_tasks = " + std::to_string(held_out) +
                                           ": the suite has " + std::to_string(total) +
                                           " tasks, so nothing is left to train on; set it below that");
  return {0, total - held_out};
}

std::vector<std::filesystem::path> TrainRequest::output_files() const {
  return {output / "policy.h5", output / "results.h5", output / checkpoint_name,
          output / previous_checkpoint_name};
}

double assessments_per_task(const Config& config) {
  const Index iterations = config.meta.iterations, every = config.meta.validate_every;
  const Index between = every > 0 ? (iterations - 1) / every : 0;
  return static_cast<double>(between + 3); // the baseline, the start and the end too
}

} // namespace metasieve
