#pragma once

#include "base/linalg.hpp"
#include "base/text.hpp"
#include "features/meta_features.hpp"
#include "hdf5/file_header.hpp"
#include "meta/meta_gradient.hpp"
#include "methods/compare_methods.hpp"
#include "methods/selection.hpp"
#include "policy/network.hpp"
#include "tasks/corrupt_labels.hpp"
#include "tasks/family.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace metasieve {

/// How a rank holds the tasks of its shard.
enum class Hold {
  memory,
  regenerate, ///< made again from their counters, or read again, each time one is needed
};

struct SuiteConfig {
  Index tasks = 240;
  Index validation_tasks = 40; ///< the last ones of the suite
  Seed seed{1};
  std::string mixture = "seed_random:0.5,biased:0.5"; ///< name:share, comma separated
  Hold hold = Hold::memory;
  bool hold_features = true; ///< with Hold::regenerate
};

enum class InnerMethod { implicit, unrolled, first_order };

struct InnerConfig {
  InnerMethod method = InnerMethod::implicit;
  Unrolled unrolled; ///< steps, step_size, start, precondition
  double ridge = 1e-3;
  bool use_group = true;
};

struct MetaConfig {
  Index iterations = 400;
  Index batch = 16;            ///< tasks per iteration; 0: all
  Index support = 600;         ///< rows per task and iteration; 0: all
  double learning_rate = 3e-3; ///< x 0.3 after 70 % of the iterations
  OuterOptions outer;
  double clip = 10.0; ///< largest norm of the batch mean; 0: off
  Seed seed{1};
  Index validate_every = 50; ///< iterations; 0: only before and after
};

struct OutputConfig {
  Index checkpoint_every = 100;   ///< iterations; 0: none but the last
  double checkpoint_minutes = 15; ///< wall time; 0: off
  Index log_every = 20;           ///< iterations
  bool save_gradients = false;
  FileIo io = FileIo::collective;
};

/// Limits of a run; they change no result.
struct RunConfig {
  double max_minutes = 0;    ///< wall time from the program's start; 0: off
  double margin_minutes = 1; ///< before the end of a SLURM job
  double max_failed = 0.5;   ///< share of task fits that may fail numerically
};

/// Where meta_* are adapted: to data sets, to generated tasks too, or nowhere.
enum class Adaptation { automatic, always, none };

struct EvaluateConfig {
  std::vector<Method> methods; ///< none: evaluation_plan chooses them
  Index splits = 10;
  std::vector<LabelCorruption> corruptions{
      LabelCorruption{}}; ///< of the training labels of data sets, one after another
  Seed seed{0};
  Gap fairness = Gap::eo; ///< dp or eo: of roh, penalised, threshold and the adaptation
  double roh_tau = 0;
  double penalty = 0.1, tolerance = 0.08; ///< settings of penalised and threshold
  Adaptation adaptation = Adaptation::automatic;
  SelectionOptions selection; ///< but for the ridge, and of the adaptation inner, the gap and the seed
  FrontierSettings frontier{{0, 0.03, 0.06, 0.1, 0.2, 0.5}, {0.02, 0.05, 0.08, 0.12, 0.16, 0.25}};
};

enum class ScalingKind { strong, weak };

/// Trainings that a scaling study measures: each kind on each number of ranks and of threads.
struct ScalingConfig {
  std::vector<ScalingKind> kinds{ScalingKind::strong, ScalingKind::weak};
  std::vector<Index> ranks;   ///< empty: powers of two up to the job's ranks, and these
  std::vector<Index> threads; ///< threads of each rank; empty: the job's
  Index repeats = 3;
  Index weak_tasks = 64; ///< training tasks a core in weak scaling
};

enum class Sampling { latin, random };

/// What is kept of a point that is done or dropped: its folder, or its row of the table.
enum class Keep { points, table };

/// Which points a sweep has and how it works through them: [sweep]. Changes no result of any point.
struct SweepConfig {
  KeyValues swept;      ///< section.key -> its values, as text: see sweep_axes()
  std::string together; ///< keys that are walked in step
  Index samples = 0;    ///< points of the sampled keys
  Sampling sampling = Sampling::latin;
  Seed seed{1};              ///< seed of the samples
  Index ranks_per_point = 1; ///< 0: all
  Index attempts = 2;        ///< starts of a point whose process dies
  Index halving = 0;         ///< factor of successive halving; 0 or 1: off
  Index rungs = 0;           ///< of the halving at most; 0: as many as points and iterations allow
  Keep keep = Keep::points;
  Index evaluate_tasks = 40; ///< held-out tasks of the point's own mixture; 0: none
  Seed evaluate_seed{1000000007};
  std::string suite, datasets; ///< files, instead of what is generated
};

/// A policy without weights, whose features serve any number of groups.
[[nodiscard]] inline Policy default_policy() {
  Policy policy;
  policy.features = FeatureSet::relative;
  return policy;
}

/// All settings of a run, in one plain struct for each stage; see config_keys() for the keys.
struct Config {
  SuiteConfig suite;
  Policy policy = default_policy();         ///< shape, keep, temperature; theta empty
  Precision precision = Precision::float32; ///< precision of the network and the features
  InnerConfig inner;
  MetaConfig meta;
  OutputConfig output;
  RunConfig run;
  EvaluateConfig evaluate;
  ScalingConfig scaling;
  SweepConfig sweep;
  std::vector<Family> families;        ///< defined by [family.NAME] sections or files
  std::set<std::string> explicit_keys; ///< keys that the user set, by file or command line

  [[nodiscard]] InnerOptions inner_options() const;
  [[nodiscard]] MetaOptions meta_options() const;
  [[nodiscard]] PrepareOptions prepare_options(Seed of_features) const;
  [[nodiscard]] SelectionOptions selection_options() const;
};

/// Whether a command generates tasks, and so needs the families of the mixture.
enum class FamilyUse { needed, if_any };

/// Checks what involves more than one key; also that the mixture uses the family of each of these
/// `family.NAME.knob`, which would change nothing otherwise. @throws ConfigError
void validate(const Config& config, const KeyValues& knobs = {}, FamilyUse use = FamilyUse::needed);

/// The names in a suite.mixture, with shares. @throws ConfigError if it is not name:share,name:share
[[nodiscard]] std::vector<std::pair<std::string, double>> mixture_names(const std::string& mixture);

/// The family of this name that the configuration defines, or nullptr.
[[nodiscard]] const Family* find_family(const std::vector<Family>& families, const std::string& name);

/// The families of suite.mixture. @throws ConfigError if one of them is not in config.families
[[nodiscard]] Mixture mixture(const Config& config);

} // namespace metasieve
