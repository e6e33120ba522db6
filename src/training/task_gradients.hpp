#pragma once

#include "base/precision.hpp"
#include "kernels/meta_gradient.hpp"

#include <deque>

namespace metasieve {

/// The meta-gradients of tasks for one policy after the other, in the precision asked for, by several threads
/// at a time. Each thread keeps its memory.
class TaskGradients {
public:
  TaskGradients(const MetaOptions& options, Precision precision);

  /// For `policy`, which must outlive the calls of `of`, at meta-iteration `step`.
  void begin(const Policy& policy, std::uint64_t step);

  /// Thread-safe. Valid until this thread's next call.
  [[nodiscard]] const MetaGradient& of(const PreparedTask& task);

private:
  /// Of one thread.
  struct Memory {
    FastMetaGradient fast;
    MetaGradient reference;
  };

  MetaOptions options_;
  Precision precision_;
  const Policy* policy_ = nullptr;
  std::uint64_t step_ = 0;
  PackedPolicy<> packed_;
  std::deque<Memory> of_thread_;
};

} // namespace metasieve
