#pragma once

#include "base/linalg.hpp"
#include "config/requests.hpp"
#include "features/meta_features.hpp"
#include "files/suite.hpp"
#include "runtime/phases.hpp"
#include "tasks/resample.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <variant>
#include <vector>

namespace metasieve {

/// Where tasks come from: the generator, a suite file (the same bits), or splits of a real data set.
class TaskSource {
public:
  /// The generator, as [suite] and the families say.
  [[nodiscard]] static TaskSource generator(const Config& config);
  /// Collective. A suite file. @throws CollectiveError
  [[nodiscard]] static TaskSource suite(const Communicator& comm, const std::filesystem::path& path);
  /// Collective. A data set file, as [evaluate] says: a source for each of the `corruptions` of the training
  /// labels, or one if the file has clean labels: then its noise is already there. Its tasks are `splits`
  /// random 70/30 splits, or the file's own split; where nothing is left to chance there is one. @throws
  /// CollectiveError
  [[nodiscard]] static std::vector<TaskSource>
  dataset(const Communicator& comm, const std::filesystem::path& path, const EvaluateConfig& config);

  [[nodiscard]] Index task_count() const;
  [[nodiscard]] bool is_generator() const noexcept { return std::holds_alternative<Generator>(source_); }
  [[nodiscard]] TaskShape shape(Index i) const;
  [[nodiscard]] std::vector<TaskShape> shapes(Range ids) const;
  /// Whether its tasks are of families: they are splits of a data set otherwise.
  [[nodiscard]] bool has_families() const noexcept { return !std::holds_alternative<Splits>(source_); }
  /// Where task i comes from: its family, or the data set.
  [[nodiscard]] std::string name(Index i) const;
  /// The numbers of groups that its tasks have, as a file says them; none of generated tasks.
  [[nodiscard]] std::set<Index> group_counts() const;
  /// The data set whose splits the tasks are, with clean labels; none for other sources.
  [[nodiscard]] const Split* table() const noexcept {
    const auto* const splits = std::get_if<Splits>(&source_);
    return splits != nullptr ? splits->rows.get() : nullptr;
  }
  /// Whether its labels before corruption are known: a data set has them only if its file has `y_clean`.
  [[nodiscard]] bool has_clean_labels() const noexcept {
    const auto* const splits = std::get_if<Splits>(&source_);
    return splits == nullptr || splits->has_clean_labels;
  }
  /// The names of the groups of `table()`, by their numbers. [K]
  [[nodiscard]] const std::vector<std::string>& group_names() const {
    return std::get<Splits>(source_).group_names;
  }
  /// The test part that the data set has of its own: 0 train, 1 test; nullptr if it has none.
  [[nodiscard]] const Labels* own_split() const noexcept {
    const auto* const splits = std::get_if<Splits>(&source_);
    return splits != nullptr && splits->how.split ? &*splits->how.split : nullptr;
  }
  /// `cost` of the shape of each task.
  [[nodiscard]] std::vector<double> costs(const std::function<double(const TaskShape&)>& cost) const;
  /// One task, made or read by this rank only. Thread-safe. @throws DataError if a suite file changed
  [[nodiscard]] Task make(Index i) const;
  /// Collective: this rank's tasks, made in parallel or read.
  [[nodiscard]] std::vector<Task> tasks(const Communicator& comm, Range ids,
                                        const std::function<bool()>& stopped = {}) const;

private:
  struct Generator {
    Mixture mixture;
    Seed seed;
    Index count;
  };
  struct Splits {
    std::shared_ptr<const Split> rows; ///< of all sources of the data set
    Resampling how;
    Index count;
    std::vector<std::string> group_names;
    bool has_clean_labels;
  };
  using Source = std::variant<Generator, SuiteReader, Splits>;
  explicit TaskSource(Source source) : source_(std::move(source)) {}

  Source source_;
};

/// The name of a data set's source, at most most_source_bytes: `dataset`, and /CORRUPTION where there are
/// several.
[[nodiscard]] std::string source_name(const std::string& dataset, const LabelCorruption& corruption,
                                      bool is_one_of_several);

/// Collective: refuses a source whose tasks have groups that `features` does not serve. Generated tasks are
/// checked when they are prepared. @throws CollectiveError
void require_groups(const Communicator& comm, const TaskSource& source, FeatureSet features);

/// This rank's part of items 0..costs.size()-1, such that the ranks' costs are balanced.
[[nodiscard]] Range my_range(const Communicator& comm, const std::vector<double>& costs);

/// What `request` trains on: its suite, or the generator. Collective. @throws CollectiveError, also as
/// require_groups
[[nodiscard]] TaskSource training_source(const Communicator& comm, const TrainRequest& request);

} // namespace metasieve
