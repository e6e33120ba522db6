#pragma once

#include "config/config.hpp"

#include <string>
#include <vector>

namespace metasieve {

/// Keys that are walked in step, and what they are at each place.
struct SweepAxis {
  std::vector<std::string> keys;                ///< section.key
  std::vector<std::vector<std::string>> values; ///< [keys][size]

  [[nodiscard]] Index size() const { return std::ssize(values.front()); }
};

/// The words of a list, without the blanks around them: divided at `;` if there is any outside of
/// parentheses, else at `,`.
[[nodiscard]] std::vector<std::string> list_items(const std::string& list);

/// The axes of [sweep], whose product are the points, the last one fastest. Each swept key is an axis of its
/// list of values; the keys of a group of `together` share one; so do all keys that are `uniform(low, high)`
/// or `log(low, high)`, with `samples` values each, drawn at random or as a Latin hypercube (McKay, Beckman
/// and Conover 1979). A draw is a pure function of seed, key and place; keys of whole numbers get whole ones.
/// @throws ConfigError naming key, value and what would be right
[[nodiscard]] std::vector<SweepAxis> sweep_axes(const SweepConfig& sweep);

} // namespace metasieve
