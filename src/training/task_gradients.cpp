#include "training/task_gradients.hpp"

#include "parallel/for_each.hpp"

namespace metasieve {

TaskGradients::TaskGradients(const MetaOptions& options) : options_(options) {}

void TaskGradients::begin(const Policy& policy, std::uint64_t step) {
  step_ = step;
  while (std::ssize(of_thread_) < thread_count()) of_thread_.emplace_back();
  packed_.pack(policy);
}

const MetaGradient& TaskGradients::of(const PreparedTask& task) {
  return of_thread_[static_cast<std::size_t>(thread_index())](task, packed_, options_, step_);
}

} // namespace metasieve
