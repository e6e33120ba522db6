#include "features/prepared_task.hpp"

#include <utility>

namespace metasieve {

PreparedTask prepare(Task task, const PrepareOptions& options) {
  const Corruption corruption = corruption_of(task);
  PreparedTask out{task.id, std::move(task.train), std::move(task.test), {},
                   {},      options.seed,          corruption,           options.precision};
  out.probe = fit_probe(out.train, options.use_group, options.ridge);
  out.features = meta_features(out.train, out.probe,
                               {options.features, options.ridge, options.seed, out.id, options.precision})
                     .cast<float>();
  return out;
}

} // namespace metasieve
