#pragma once

#include "kernels/meta_gradient.hpp"

#include <deque>

namespace metasieve {

/// The meta-gradients of tasks for one policy after the other, in the precision they were prepared in, by
/// several threads at a time. Each thread keeps its memory.
class TaskGradients {
public:
  explicit TaskGradients(const MetaOptions& options);

  /// For `policy`, which must outlive the calls of `of`, at meta-iteration `step`.
  void begin(const Policy& policy, std::uint64_t step);

  /// Thread-safe. Valid until this thread's next call.
  [[nodiscard]] const MetaGradient& of(const PreparedTask& task);

private:
  MetaOptions options_;
  std::uint64_t step_ = 0;
  kernels::PackedPolicy<> packed_;
  std::deque<kernels::TaskGradient> of_thread_;
};

} // namespace metasieve
