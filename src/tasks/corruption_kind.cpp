#include "tasks/corruption_kind.hpp"

#include "tasks/corruption.hpp"

#include <array>

namespace metasieve {

std::string_view to_string(Corruption corruption) {
  constexpr std::array<std::string_view, corruption_kinds> names{
      "none", "uniform", "adversarial", "bias", "uniform_bias", "adversarial_bias", "given"};
  return names[static_cast<std::size_t>(corruption)];
}

Corruption corruption_of(const Metadata& metadata) {
  const bool flips = flip_count(metadata.noise_rate, metadata.n_train) > 0;
  const bool bias = metadata.label_bias > 0.0;
  if (!flips) return bias ? Corruption::bias : Corruption::none;
  if (metadata.adversarial != 0) return bias ? Corruption::adversarial_bias : Corruption::adversarial;
  return bias ? Corruption::uniform_bias : Corruption::uniform;
}

Corruption corruption_of(const Task& task) {
  const Corruption asked = corruption_of(task.metadata);
  const bool differ = task.train.y != task.train.y_clean;
  return asked == Corruption::none && differ ? Corruption::given : asked;
}

} // namespace metasieve
