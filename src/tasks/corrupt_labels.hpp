#pragma once

#include "base/random.hpp"
#include "base/split.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace metasieve {

/// How the training labels of a data set are made wrong, to see how methods cope.
struct LabelCorruption {
  enum class Kind {
    none,
    flips,  ///< floor(rate n) labels, uniformly at random
    hidden, ///< of each group whose positive rate is below that of all rows, floor(rate P) of its P positives
            ///< become negative; then 5 % flips among all rows
    groups, ///< each group has a flip rate of its own, uniform in [0, 0.3)
    lowest_loss, ///< the floor(rate n) labels of lowest loss under a logistic regression on the clean labels
    clustered    ///< the floor(rate n) labels nearest to a random row, in standardised columns
  };
  Kind kind = Kind::flips;
  double rate = 0.1;

  /// Whether any label may change.
  [[nodiscard]] bool changes_labels() const noexcept {
    return kind == Kind::hidden || kind == Kind::groups || (kind != Kind::none && rate > 0.0);
  }
  friend bool operator==(const LabelCorruption&, const LabelCorruption&) = default;
};

/// Flips that `hidden` makes beside what it hides.
inline constexpr double flips_beside_hidden = 0.05;

/// "flips:0.1", "hidden:0.3", "groups", "lowest_loss:0.1", "clustered:0.1" or "none".
[[nodiscard]] std::string to_string(const LabelCorruption& corruption);

/// The corruption that to_string writes so; none if the text is something else, or its rate is not in [0,
/// 0.5) or, of `hidden`, in [0, 1].
[[nodiscard]] std::optional<LabelCorruption> parse_label_corruption(std::string_view text);

/// The labels of `train` with the corruption, [n]: a pure function of its arguments that does not depend on
/// how groups are numbered.
[[nodiscard]] Labels corrupt_labels(const Split& train, const LabelCorruption& corruption, Seed seed,
                                    TaskId id);

} // namespace metasieve
