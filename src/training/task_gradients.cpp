#include "training/task_gradients.hpp"

#include "parallel/for_each.hpp"

namespace metasieve {

TaskGradients::TaskGradients(const MetaOptions& options, Precision precision)
    : options_(options), precision_(precision) {}

void TaskGradients::begin(const Policy& policy, std::uint64_t step) {
  policy_ = &policy;
  step_ = step;
  while (std::ssize(of_thread_) < thread_count()) of_thread_.emplace_back();
  if (precision_ == Precision::float32) packed_.pack(policy);
}

const MetaGradient& TaskGradients::of(const PreparedTask& task) {
  Memory& memory = of_thread_[static_cast<std::size_t>(thread_index())];
  if (precision_ == Precision::float32) return memory.fast(task, *policy_, packed_, options_, step_);
  return memory.reference = task_meta_gradient(task, *policy_, options_, step_);
}

} // namespace metasieve
