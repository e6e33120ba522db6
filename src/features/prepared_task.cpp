#include "features/prepared_task.hpp"

#include <utility>

namespace metasieve {

PreparedTask prepare(Task task, const PrepareOptions& options) {
  PreparedTask out{task.id, std::move(task.train), std::move(task.test), {}, {}};
  out.probe = fit_probe(out.train, options.use_group, options.ridge);
  out.features = meta_features(out.train, out.probe, {options.features, options.ridge, options.seed, out.id})
                     .cast<float>();
  return out;
}

} // namespace metasieve
