#include "base/split.hpp"

namespace metasieve {

Split gather(const Split& split, const std::vector<Index>& rows) {
  return {split.x(rows, Eigen::all), split.y(rows), split.group(rows), split.y_clean(rows)};
}

} // namespace metasieve
