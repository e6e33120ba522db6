#include "training/task_source.hpp"

#include "base/for_each.hpp"
#include "base/text.hpp"
#include "files/dataset.hpp"
#include "files/evaluation.hpp"
#include "parallel/partition.hpp"
#include "tasks/generate.hpp"

namespace metasieve {
namespace {

TaskId id_of(Index i) { return TaskId{static_cast<std::uint64_t>(i)}; }

} // namespace

TaskSource TaskSource::generator(const Config& config) {
  return TaskSource(Generator{mixture(config), config.suite.seed, config.suite.tasks});
}

TaskSource TaskSource::suite(const Communicator& comm, const std::filesystem::path& path) {
  return TaskSource(SuiteReader(comm, path));
}

std::vector<TaskSource> TaskSource::dataset(const Communicator& comm, const std::filesystem::path& path,
                                            const EvaluateConfig& config) {
  Dataset data = read_dataset(comm, path);
  const bool has_clean_labels = data.y_clean.has_value();
  Labels clean = has_clean_labels ? *data.y_clean : data.y;
  const auto rows =
      std::make_shared<const Split>(Split{std::move(data.x), std::move(data.y), std::move(data.group),
                                          std::move(clean), std::ssize(data.group_names)});
  const std::vector<LabelCorruption> corruptions =
      has_clean_labels ? std::vector{LabelCorruption{LabelCorruption::Kind::none, 0.0}} : config.corruptions;
  std::vector<TaskSource> sources;
  for (const LabelCorruption& corruption : corruptions) {
    const bool chance = !data.split || corruption.changes_labels();
    sources.push_back(TaskSource(Splits{
        rows,
        {source_name(data.name, corruption, corruptions.size() > 1), corruption, config.seed, data.split},
        chance ? config.splits : 1,
        data.group_names,
        has_clean_labels}));
  }
  return sources;
}

Index TaskSource::task_count() const {
  if (const auto* generator = std::get_if<Generator>(&source_)) return generator->count;
  if (const auto* splits = std::get_if<Splits>(&source_)) return splits->count;
  return std::get<SuiteReader>(source_).task_count();
}

TaskShape TaskSource::shape(Index i) const {
  if (const auto* generator = std::get_if<Generator>(&source_)) {
    const TaskParameters drawn =
        draw_parameters(family_of(generator->mixture, id_of(i)), generator->seed, id_of(i));
    return {drawn.train_rows, drawn.test_rows, drawn.features};
  }
  if (const auto* splits = std::get_if<Splits>(&source_)) {
    const Index rows = splits->rows->rows();
    const Index test = splits->how.split ? splits->how.split->cast<Index>().sum() : test_rows(rows);
    return {rows - test, test, splits->rows->columns()};
  }
  const Metadata& known = std::get<SuiteReader>(source_).metadata()[static_cast<std::size_t>(i)];
  return {known.n_train, known.n_test, known.n_features};
}

std::vector<TaskShape> TaskSource::shapes(Range ids) const {
  std::vector<TaskShape> shapes;
  shapes.reserve(static_cast<std::size_t>(ids.size()));
  for (Index i = ids.begin; i < ids.end; ++i) shapes.push_back(shape(i));
  return shapes;
}

std::string TaskSource::name(Index i) const {
  if (const auto* generator = std::get_if<Generator>(&source_))
    return family_of(generator->mixture, id_of(i)).name;
  if (const auto* splits = std::get_if<Splits>(&source_)) return splits->how.name;
  return std::get<SuiteReader>(source_).metadata()[static_cast<std::size_t>(i)].family;
}

std::set<Index> TaskSource::group_counts() const {
  if (const auto* splits = std::get_if<Splits>(&source_)) return {splits->rows->groups};
  std::set<Index> counts;
  if (const auto* reader = std::get_if<SuiteReader>(&source_))
    for (const Metadata& task : reader->metadata()) counts.insert(task.groups);
  return counts;
}

std::vector<double> TaskSource::costs(const std::function<double(const TaskShape&)>& cost) const {
  std::vector<double> costs;
  for (Index i = 0; i < task_count(); ++i) costs.push_back(cost(shape(i)));
  return costs;
}

Task TaskSource::make(Index i) const {
  if (const auto* reader = std::get_if<SuiteReader>(&source_)) return reader->read_alone(i);
  if (const auto* splits = std::get_if<Splits>(&source_))
    return resample(*splits->rows, splits->how, static_cast<std::uint64_t>(i));
  const auto& generator = std::get<Generator>(source_);
  return generate_task(family_of(generator.mixture, id_of(i)), generator.seed, id_of(i));
}

std::vector<Task> TaskSource::tasks(const Communicator& comm, Range ids,
                                    const std::function<bool()>& stopped) const {
  if (const auto* reader = std::get_if<SuiteReader>(&source_)) return reader->read(ids);
  std::vector<Task> made(static_cast<std::size_t>(ids.size()));
  comm.run_collectively([&] {
    for_each_parallel(ids, [&](Index i) {
      if (!stopped || !stopped()) made[static_cast<std::size_t>(i - ids.begin)] = make(i);
    });
  });
  return made;
}

std::string source_name(const std::string& dataset, const LabelCorruption& corruption,
                        bool is_one_of_several) {
  if (!is_one_of_several) return dataset;
  const std::string ending = "/" + to_string(corruption);
  return cut_text(dataset, most_source_bytes - ending.size()) + ending;
}

void require_groups(const Communicator& comm, const TaskSource& source, FeatureSet features) {
  comm.run_collectively([&] {
    for (const Index groups : source.group_counts()) require_groups(features, groups);
  });
}

TaskSource training_source(const Communicator& comm, const TrainRequest& request) {
  TaskSource source =
      request.suite ? TaskSource::suite(comm, *request.suite) : TaskSource::generator(request.config);
  require_groups(comm, source, request.config.policy.features);
  return source;
}

Range my_range(const Communicator& comm, const std::vector<double>& costs) {
  return balanced_shards(costs, comm.size())[static_cast<std::size_t>(comm.rank())];
}

} // namespace metasieve
