#include "cli/command_table.hpp"

#include "base/error.hpp"
#include "config/keys.hpp"

#include <string_view>

namespace metasieve {
namespace {

constexpr OptionInfo config_option{
    "config", "FILE", "INI file of keys; any key also as --section.key value, which wins over the file"};
constexpr OptionInfo suite_option{"suite", "FILE", "suite file to train on; left out: tasks are generated"};
constexpr OptionInfo resume_option{
    "resume", nullptr,
    "go on where a stopped or killed run with this output was; start anew if there is none"};
constexpr OptionInfo dry_run_option{
    "dry-run", nullptr, "check everything, print memory per rank, file sizes and expected time, and stop"};
constexpr OptionInfo profile_option{
    "profile", nullptr, "at the end a table of where the time went: seconds, share, GFLOP/s, imbalance"};
constexpr OptionInfo profile_points_option{"profile", nullptr,
                                           "of each point a table of where the time went"};
constexpr OptionInfo policy_option{"policy", "FILE", "policy file that train has left", true};
constexpr OptionInfo folder_option{"output", "DIR", "folder for the results; made if it is not there", true};

CommandInfo generate_command() {
  return {"generate",
          "make a suite of tasks",
          "[--config FILE] --output FILE [--resume]",
          "Makes a suite of tasks and writes it to a file. The same bytes for any number of ranks.",
          "the suite, and FILE.progress.json; until it is done FILE.partial",
          {config_option,
           {"output", "FILE", "suite file to write", true},
           resume_option,
           profile_option,
           dry_run_option},
          true,
          {"suite.tasks", "suite.validation_tasks", "suite.mixture", "suite.seed"},
          {"generate --suite.tasks 240 --output suite.h5",
           "generate --config configs/train.ini --output suite.h5 --dry-run"}};
}

CommandInfo train_command() {
  return {"train",
          "meta-train a policy on a suite",
          "[--config FILE] --output DIR [--suite FILE] [--resume]",
          "Meta-trains a policy: it learns which training rows to trust, so that a model fitted to these is\n"
          "accurate and fair. Without --suite the tasks are generated in memory. The same policy for any\n"
          "number of ranks and threads.",
          "policy.h5, results.h5 (history, validation, timing), checkpoint.h5, progress.json in DIR",
          {config_option, folder_option, suite_option, resume_option, profile_option, dry_run_option},
          true,
          {"suite.tasks", "suite.mixture", "meta.iterations", "meta.batch", "meta.fairness",
           "meta.fairness_weight", "policy.features", "policy.keep", "inner.use_group", "run.max_minutes"},
          {"train --config configs/quickstart.ini --output run",
           "train --config configs/quickstart.ini --meta.iterations 50 --output short",
           "train --config configs/quickstart.ini --output run --resume"}};
}

CommandInfo evaluate_command() {
  return {
      "evaluate",
      "compare the policy with other ways to select training rows",
      "--policy FILE ... (--suite FILE | --dataset FILE ...) --output FILE [--config FILE] [--frontier] "
      "[--resume]",
      "Compares the policy with other ways to select training rows, on a suite or on real data sets\n"
      "(files that analysis/import_dataset.py makes). Prints the comparison and writes one row per split\n"
      "and method. Several policies, as of several seeds, are averaged split by split.\n"
      "evaluate.adapt_steps adapts them to the data by its noisy training rows alone.",
      "the evaluation, and FILE.progress.json; until it is done FILE.partial",
      {config_option,
       policy_option,
       {"suite", "FILE", "suite file to evaluate on: its tasks, which the policy should not have seen"},
       {"dataset", "FILE", "data set file; several are legal"},
       {"output", "FILE", "evaluation file to write", true},
       {"frontier", nullptr,
        "sweep how much fairness is asked for (in 60 steps where evaluate.adapt_steps is 0)"},
       resume_option,
       profile_option,
       dry_run_option},
      true,
      {"evaluate.methods", "evaluate.splits", "evaluate.label_noise", "evaluate.fairness",
       "evaluate.adapt_steps", "evaluate.seed"},
      {"evaluate --policy run/policy.h5 --suite fresh.h5 --output evaluation.h5",
       "evaluate --policy configs/policy.h5 --dataset compas.h5 adult.h5 --output real.h5"}};
}

CommandInfo score_command() {
  return {
      "score",
      "score the rows of a data set",
      "--policy FILE --dataset FILE --output FILE [--config FILE]",
      "Scores the training rows of a data set (a file that analysis/import_dataset.py makes): how far the\n"
      "policy trusts each, its soft keep weight, and whether it is kept, for any trainer that takes sample\n"
      "weights. configs/policy.h5 is a policy to begin with.",
      "the scores as HDF5 and, beside it, as CSV, one line a row",
      {config_option,
       policy_option,
       {"dataset", "FILE", "data set file", true},
       {"output", "FILE", "scores file to write, as scores.h5; scores.csv goes beside it", true},
       profile_option,
       dry_run_option},
      true,
      {"policy.keep", "evaluate.adapt_steps", "evaluate.refit_rounds", "evaluate.seed"},
      {"score --policy configs/policy.h5 --dataset loans.h5 --output scores.h5"}};
}

CommandInfo scaling_command() {
  return {"scaling",
          "measure how training scales",
          "[--config FILE] --output DIR [--suite FILE] [--collect]",
          "Trains on several numbers of ranks and threads and measures where the time goes: [scaling] says\n"
          "which. A job of R ranks measures the points of at most R ranks, one after the other, and skips\n"
          "those in DIR/points: larger jobs with the same --output add theirs. Strong scaling trains as the\n"
          "configuration says (on --suite, if given); weak scaling on scaling.weak_tasks tasks a core.",
          "points/*.h5, scaling.h5 of all of them, progress.json in DIR",
          {config_option,
           folder_option,
           suite_option,
           {"collect", nullptr, "measure nothing: only put the points in DIR together"},
           profile_points_option,
           dry_run_option},
          true,
          {"scaling.kinds", "scaling.ranks", "scaling.threads", "scaling.repeats", "scaling.weak_tasks",
           "meta.iterations", "meta.batch"},
          {"scaling --config configs/scaling.ini --output scaling"}};
}

CommandInfo sweep_command() {
  return {"sweep",
          "train and evaluate at many settings",
          "--config FILE --output DIR [--suite FILE | --dataset FILE ...] [--list | --point N | --collect | "
          "--status] [--retry]",
          "Trains and evaluates at each point of [sweep], in DIR/points/HASH: what is done is skipped, what\n"
          "was stopped or killed goes on, and a point that fails does not end the others. Any key of the\n"
          "others may be swept:\n"
          "  [sweep]\n"
          "  policy.keep = 0.6, 0.7, 0.8            a list; lists are crossed\n"
          "  policy.hidden = 64,32; 128,64          divided at ; where the values have commas\n"
          "  together = meta.learning_rate, meta.batch     these lists are walked in step, not crossed\n"
          "  meta.clip = log(0.1, 10)               or uniform(LOW, HIGH): `samples` values are drawn, and\n"
          "                                         crossed with the lists",
          "sweep.ini, points/HASH/ (as of train, with evaluation.h5, status.txt and log.txt), progress.json, "
          "and after --collect sweep.h5 and sweep.csv in DIR",
          {{"config", "FILE", "INI file with [sweep]; left out: the sweep that DIR/sweep.ini has kept"},
           folder_option,
           {"suite", "FILE", "suite file that all points train on; left out: tasks are generated"},
           {"dataset", "FILE", "data set file to evaluate on, instead of held-out tasks; several are legal"},
           {"list", nullptr, "the points, with their states"},
           {"point", "N", "make the one of this number alone, as in an array of jobs"},
           {"collect", nullptr, "one row a point of all that was found, in DIR/sweep.h5 and DIR/sweep.csv"},
           {"status", nullptr, "what is done, running, failed and left, and core-hours"},
           {"retry", nullptr, "repeat failed points"},
           {"resume", nullptr, "changes nothing: a sweep always goes on"},
           profile_points_option,
           dry_run_option},
          true,
          {"sweep.samples", "sweep.ranks_per_point", "sweep.evaluate_tasks", "sweep.together"},
          {"sweep --config configs/sweep.ini --output sweep --list",
           "sweep --config configs/sweep.ini --output sweep", "sweep --output sweep --collect"}};
}

} // namespace

const std::vector<CommandInfo>& commands() {
  static const std::vector<CommandInfo> all{
      generate_command(),
      train_command(),
      evaluate_command(),
      score_command(),
      scaling_command(),
      sweep_command(),
      {"inspect",
       "say what is in a file",
       "FILE [--json]",
       "Says what is in a suite, data set, policy, checkpoint, results, evaluation, scores, scaling or "
       "sweep\n"
       "file. For programs, --json: one object with file, type, bytes, attributes, config (an object of\n"
       "sections, whose values are text as in an INI file), data_sets (name, type, shape, fields of tables)\n"
       "and contents, which depend on the type. Undefined numbers are null.",
       nullptr,
       {{"json", nullptr, "as JSON"}},
       false,
       {},
       {"inspect run/policy.h5", "inspect run/results.h5 --json"}},
      {"verify",
       "check every value of a file",
       "FILE",
       "Reads all of a file and checks every value, shape, offset and checksum. Names the first fault, and\n"
       "says whether a run can go on; exit code 3 if there is one.",
       nullptr,
       {},
       false,
       {},
       {"verify run/checkpoint.h5"}},
  };
  return all;
}

const CommandInfo& find_command(const std::string& name) {
  std::string names;
  for (const CommandInfo& info : commands()) {
    if (info.name == name) return info;
    names += (names.empty() ? "" : ", ") + std::string(info.name);
  }
  throw ConfigError("unknown command " + name + ": the commands are " + names);
}

std::vector<ConfigKey> keys_of(const CommandInfo& command) {
  std::vector<ConfigKey> keys;
  if (command.takes_keys) keys = config_keys();
  if (std::string_view(command.name) == "sweep")
    keys.insert(keys.end(), sweep_keys().begin(), sweep_keys().end());
  return keys;
}

std::vector<std::string> values_of(const ConfigKey& key) {
  if (key.name == "evaluate.methods") return method_names();
  if (key.name == "scaling.kinds") return {"strong", "weak"};
  if (key.domain == "true or false") return {"true", "false"};
  constexpr std::string_view bar = " | "; // choices are written so
  std::vector<std::string> values;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = key.domain.find(bar, begin)) != std::string::npos;
       begin = end + bar.size())
    values.push_back(key.domain.substr(begin, end - begin));
  if (!values.empty()) values.push_back(key.domain.substr(begin));
  return values;
}

const std::vector<Explained>& exit_codes() {
  static const std::vector<Explained> all{
      {"0", "done"},
      {"2", "command line or configuration: mend what the message names; nothing was changed"},
      {"3",
       "a file cannot be read or written: mend what the message names (metasieve verify FILE tells more), "
       "then the same command with --resume; the last checkpoint is whole"},
      {"4", "too many tasks failed numerically: see /failures of results.h5; smaller steps, more ridge, or "
            "raise run.max_failed and --resume"},
      {"70", "out of memory: more nodes or fewer ranks a node, then --resume; or a bug: please report it"},
      {"75", "stopped early by a signal or time limit: the same command with --resume goes on"},
      {"any other", "a rank was killed, or mpirun; --resume goes on from the last checkpoint"}};
  return all;
}

const std::vector<Explained>& environment_variables() {
  static const std::vector<Explained> all{
      {"OMP_NUM_THREADS", "threads of each rank; the default, all cores, is too many with several ranks on a "
                          "node"},
      {"NO_COLOR", "if not empty: no colours; there are none anyway where the output is no terminal, or "
                   "TERM=dumb"},
      {"SLURM_JOB_ID, SLURM_JOB_END_TIME",
       "set by SLURM: a run stops run.margin_minutes before its job ends, with a checkpoint"},
      {"METASIEVE_BUILD, METASIEVE_RUN, METASIEVE_EXTRA, ...",
       "of the scripts in jobs/ alone, which say at their top what each does; the program reads none of "
       "them"}};
  return all;
}

const std::vector<Explained>& status_fields() {
  static const std::vector<Explained> all{
      {"command", "train, generate, evaluate, sweep or scaling"},
      {"state", "running; at the end done, stopped (exit code 75) or failed. A run that is killed leaves "
                "running, with an `updated` that grows old"},
      {"done, total, unit",
       "how far it is, earlier sessions included, and in what: iterations, tasks, points. "
       "Tasks are told from the share of rank 0"},
      {"seconds_elapsed, seconds_left", "of this session; what is left is estimated"},
      {"started, updated", "ISO 8601, UTC"},
      {"ranks, threads", "threads of each rank"},
      {"version, commit", "of the program"},
      {"metrics", "the latest loss, validation_loss, validation_accuracy, validation_dp_gap, "
                  "validation_eo_gap of train"},
      {"exit_code", "null while it runs"}};
  return all;
}

const std::vector<Explained>& first_commands() {
  static const std::vector<Explained> all{
      {"metasieve train --config configs/quickstart.ini --output run", "a policy in minutes, in run/"},
      {"metasieve generate --suite.tasks 40 --suite.seed 7 --output fresh.h5", "tasks that it has not seen"},
      {"metasieve evaluate --policy run/policy.h5 --suite fresh.h5 --output e.h5", "does it help?"},
      {"metasieve score --policy configs/policy.h5 --dataset data.h5 --output scores.h5",
       "weights for your own data, by the shipped policy"},
      {"mpirun -n 4 metasieve train ...", "on four ranks: the same bytes, sooner"}};
  return all;
}

const std::vector<Explained>& help_topics() {
  static const std::vector<Explained> all{
      {"COMMAND", "options, keys to begin with and examples of a command; also COMMAND --help"},
      {"keys [SECTION]", "all configuration keys, with meaning, domain and default"},
      {"progress", "what is in progress.json, for programs that watch a run"},
      {"--man", "the manual page, as groff text: metasieve help --man | man -l -"},
      {"--bash-completion", "completions for bash: source <(metasieve help --bash-completion)"}};
  return all;
}

} // namespace metasieve
