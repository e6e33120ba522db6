#pragma once

#include "files/evaluation.hpp"

#include <string>

namespace metasieve::test {

/// A result with these values, half of whose predictions are positive; all other numbers are 0.
inline EvaluationRow row(const std::string& source, std::int64_t split, const std::string& method,
                         double accuracy, double dp_gap) {
  EvaluationRow out{};
  out.source = source;
  out.split = split;
  out.method = method;
  out.metrics.accuracy = accuracy;
  out.metrics.dp_gap = dp_gap;
  out.metrics.positive_rate = 0.5;
  return out;
}

} // namespace metasieve::test
