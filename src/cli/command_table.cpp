#include "cli/command_table.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace metasieve {

std::string CommandInfo::usage() const {
  std::string text = "metasieve " + name + (takes_keys() ? "" : " " + operand);
  for (const OptionInfo& option : options)
    text += (option.is_required ? " " : " [") + option.text() + (option.is_required ? "" : "]");
  return text;
}

namespace {

std::vector<std::string> with(std::vector<std::string> names, const std::vector<std::string>& more) {
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

} // namespace

const std::vector<CommandInfo>& commands() {
  const std::vector<std::string> training_keys{"suite.", "family.", "policy.", "inner.",
                                               "meta.",  "output.", "run."};
  const OptionInfo config{"config", "FILE",
                          "INI file of keys; any key also as --section.key value, which wins over the file"};
  const OptionInfo suite{"suite", "FILE", "suite file to train on; left out: tasks are generated"};
  const OptionInfo policy{"policy", "FILE", "policy file that train has left", true};
  const OptionInfo folder{"output", "DIR", "folder for the results; made if it is not there", true};
  const OptionInfo resume{"resume", "",
                          "continue a stopped or killed run with this output; begin if there is none"};
  const OptionInfo profile{"profile", "",
                           "at the end a table of where the time went: seconds, share, GFLOP/s, imbalance"};
  const OptionInfo profile_points{"profile", "", "for each point a table of where the time went"};
  const OptionInfo dry_run{"dry-run", "",
                           "check everything, print memory per rank, file sizes and expected time, and stop"};
  static const std::vector<CommandInfo> all{
      {"generate",
       "make a suite of tasks",
       "Makes a suite of tasks and writes it to a file. The same bytes for any number of ranks.",
       "the suite, and FILE.progress.json; until it is done FILE.partial and FILE.lock",
       {config, {"output", "FILE", "suite file to write", true}, resume, profile, dry_run},
       {"suite.tasks", "suite.validation_tasks", "suite.seed", "suite.mixture", "family.",
        "output.checkpoint_minutes", "output.io", "run.max_minutes", "run.margin_minutes"},
       {"suite.tasks", "suite.validation_tasks", "suite.mixture", "suite.seed"},
       {"generate --suite.tasks 240 --output suite.h5",
        "generate --config configs/train.ini --output suite.h5 --dry-run"}},
      {"train",
       "meta-train a policy on a suite",
       "Meta-trains a policy: it learns which training rows to trust, so that a model fitted to these is "
       "accurate and fair. Without --suite the tasks are generated in memory. The same policy for any "
       "number of ranks and threads.",
       "policy.h5, results.h5 (history, validation, timing), checkpoint.h5, progress.json in DIR. The "
       "policy.h5 "
       "and results.h5 of a run that was finished there are kept as #policy.h5.1# and #results.h5.1#, or "
       "with the "
       "next free number",
       {config, folder, suite, resume, profile, dry_run},
       training_keys,
       {"suite.tasks", "suite.mixture", "meta.iterations", "meta.batch", "meta.fairness",
        "meta.fairness_weight", "policy.features", "policy.keep", "inner.use_group", "run.max_minutes"},
       {"train --config configs/quickstart.ini --output run",
        "train --config configs/quickstart.ini --meta.iterations 50 --output short",
        "train --config configs/quickstart.ini --output run --resume"}},
      {"evaluate",
       "compare the policy with other ways to select training rows",
       "Compares the policy with other ways to select training rows, on a suite (--suite) or on real data "
       "sets (--dataset: "
       "files that python3 -m metasieve import makes). Prints the comparison and writes one row per split "
       "and method. Several policies, as of several seeds, are averaged split by split. "
       "On data sets each policy is adapted to the data by its noisy training rows alone (evaluate.adapt), "
       "and "
       "the methods are those that a user may choose from (evaluate.methods).",
       "the evaluation, and FILE.progress.json; until it is done FILE.partial and FILE.lock",
       {config,
        {"policy", "FILE ...", policy.help, true},
        {"suite", "FILE", "suite file to evaluate on: its tasks, which the policy should not have seen"},
        {"dataset", "FILE ...", "data set files to evaluate on"},
        {"output", "FILE", "evaluation file to write", true},
        {"frontier", "", "sweep how much fairness is asked for"},
        resume,
        profile,
        dry_run},
       {"evaluate.", "policy.keep", "policy.temperature", "policy.precision", "inner.", "suite.hold",
        "output.checkpoint_minutes", "output.io", "run."},
       {"evaluate.methods", "evaluate.splits", "evaluate.corruption", "evaluate.fairness", "evaluate.adapt",
        "evaluate.adapt_fairness_weight", "evaluate.seed"},
       {"evaluate --policy run/policy.h5 --suite fresh.h5 --output evaluation.h5",
        "evaluate --policy configs/policy.h5 --dataset compas.h5 adult.h5 --output real.h5"}},
      {"score",
       "score the rows of a data set",
       "Scores the training rows of a data set (a file that python3 -m metasieve import makes): how far the "
       "policy, adapted to these rows, trusts each, its soft keep weight, and whether it is kept, for any "
       "trainer "
       "that takes sample weights. configs/policy.h5 is a policy to begin with.",
       "the scores as HDF5 and, beside it, as CSV, one line a row",
       {config,
        policy,
        {"dataset", "FILE", "data set file", true},
        {"output", "FILE", "scores file to write, as scores.h5; scores.csv goes beside it", true},
        profile,
        dry_run},
       {"evaluate.adapt", "evaluate.adapt_", "evaluate.blend", "evaluate.refit_", "evaluate.fairness",
        "evaluate.seed", "policy.keep", "policy.temperature", "policy.precision", "inner.", "output.io"},
       {"policy.keep", "evaluate.adapt", "evaluate.adapt_fairness_weight", "evaluate.seed"},
       {"score --policy configs/policy.h5 --dataset loans.h5 --output scores.h5"}},
      {"scaling",
       "measure how training scales",
       "Trains on several numbers of ranks and threads and measures where the time goes: [scaling] says "
       "which. A job of R ranks measures the points of at most R ranks, one after the other, and skips "
       "those in DIR/points: larger jobs with the same --output add theirs. Strong scaling trains as the "
       "configuration says (on --suite, if given); weak scaling on scaling.weak_tasks tasks a core.",
       "points/*.h5, scaling.h5 of all of them, progress.json in DIR",
       {config,
        folder,
        suite,
        {"collect", "", "measure nothing: only put the points in DIR together"},
        profile_points,
        dry_run},
       with(training_keys, {"scaling."}),
       {"scaling.kinds", "scaling.ranks", "scaling.threads", "scaling.repeats", "scaling.weak_tasks",
        "meta.iterations", "meta.batch"},
       {"scaling --config configs/scaling.ini --output scaling"}},
      {"sweep",
       "train and evaluate at many settings",
       "Trains and evaluates at each point of [sweep], in DIR/points/HASH: what is done is skipped, what "
       "was stopped or killed continues, and a point that fails does not end the others. Any key of the "
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
        folder,
        {"suite", "FILE", "suite file that all points train on; left out: tasks are generated"},
        {"dataset", "FILE ...", "data set files to evaluate on, instead of held-out tasks"},
        {"list", "", "the points, with their states and rungs"},
        {"point", "N", "run the point of this number alone, as in an array of jobs"},
        {"collect", "", "one row a point with all its results, in DIR/sweep.h5 and DIR/sweep.csv"},
        {"status", "", "what is done, running (and where), failed and left, and core-hours"},
        {"retry", "", "repeat failed points"},
        {"resume", "", "changes nothing: a sweep always continues"},
        profile_points,
        dry_run},
       with(training_keys, {"evaluate.", "sweep."}),
       {"sweep.samples", "sweep.ranks_per_point", "sweep.evaluate_tasks", "sweep.together", "sweep.halving"},
       {"sweep --config configs/sweep.ini --output sweep --list",
        "sweep --config configs/sweep.ini --output sweep", "sweep --output sweep --collect"}},
      {"inspect",
       "say what is in a file",
       "Says what is in a suite, data set, policy, checkpoint, results, evaluation, scores, scaling or "
       "sweep "
       "file. For programs, --json: one object with file, type, bytes, attributes, config (an object of "
       "sections, whose values are text as in an INI file), data_sets (name, type, shape, fields of tables) "
       "and contents, which depend on the type. Undefined numbers are null.",
       "",
       {{"json", "", "as JSON"}},
       {},
       {},
       {"inspect run/policy.h5", "inspect run/results.h5 --json"}},
      {"verify",
       "check every value of a file",
       "Reads all of a file and checks every value, shape, offset and checksum. Names the first fault, and "
       "says whether a run can continue; exit code 3 if there is one.",
       "",
       {},
       {},
       {},
       {"verify run/checkpoint.h5"}},
      {"doctor",
       "check a job and the place of its output",
       "Checks a job before its run: start it on the ranks, threads and nodes of the run, with the folder or "
       "the "
       "file's folder that --output will name. On a small file in DIR, or in the nearest folder above it "
       "that is there, it does what a run does: write together by MPI-IO and through rank 0, read, rename "
       "and lock. It compares the ranks' programs, processors and clocks, and looks at threads, binding, "
       "memory, TMPDIR, disk, and stripes on Lustre. One line a check: name, ok, warning or fault, fact, "
       "and what to set; the last line is the verdict. Exit code 0 without a fault, 3 if the folder has "
       "one, else 2.",
       "",
       {{"patience", "N", "seconds that one check may take (60); one that does not end is a fault"}},
       {},
       {},
       {"doctor runs/one"},
       "DIR"},
  };
  return all;
}

const CommandInfo& find_command(const std::string& name) {
  std::vector<std::string> names;
  for (const CommandInfo& info : commands()) {
    if (info.name == name) return info;
    names.push_back(info.name);
  }
  throw ConfigError("unknown command " + name + ": the commands are " + joined(names));
}

bool acts_on(const std::string& key, const CommandInfo& command) {
  return std::ranges::any_of(command.keys, [&](const std::string& name) {
    return name.ends_with('.') || name.ends_with('_') ? key.starts_with(name) : key == name;
  });
}

std::vector<ConfigKey> keys_of(const CommandInfo& command) {
  std::vector<ConfigKey> keys = config_keys();
  std::erase_if(keys, [&](const ConfigKey& key) { return !acts_on(key.name, command); });
  return keys;
}

} // namespace metasieve
