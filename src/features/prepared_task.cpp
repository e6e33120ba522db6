#include "features/prepared_task.hpp"

#include <utility>

namespace metasieve {

PreparedTask with_probe(Task task, const PrepareOptions& options) {
  const Corruption corruption = corruption_of(task);
  PreparedTask out{task.id, std::move(task.train), std::move(task.test), {}, {}, options.seed, corruption};
  out.probe = fit_probe(out.train, options.use_group, options.ridge);
  return out;
}

FeatureOptions feature_options(const PrepareOptions& options, TaskId id) {
  return {options.features, options.ridge, options.seed, id};
}

PreparedTask prepare(Task task, const PrepareOptions& options) {
  PreparedTask out = with_probe(std::move(task), options);
  out.features = meta_features(out.train, out.probe, feature_options(options, out.id)).cast<float>();
  return out;
}

} // namespace metasieve
