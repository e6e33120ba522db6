#pragma once

#include <cstddef>
#include <vector>

namespace metasieve {

/// Estimates how long work still takes that is of several kinds, as iterations and validations: the cost of
/// each is predicted, in any one unit, and its pace measured; a kind that was not measured yet is taken to
/// go at the pace of all others. Has no clock: it is told what was done, and how long that took.
class TimeLeft {
public:
  /// Predicted work of each kind, at least one; 0 is legal.
  explicit TimeLeft(const std::vector<double>& work);

  /// `work` of a kind took `seconds`. More than was predicted in all is legal.
  void add(std::size_t kind, double work, double seconds);

  /// Nothing more of this kind comes, whatever was predicted.
  void close(std::size_t kind);

  [[nodiscard]] double seconds() const; ///< left; 0 as long as nothing was measured
  [[nodiscard]] double share() const;   ///< of all the time that is over, in [0, 1]
  /// Of the work of a kind that is done, in [0, 1]; 1 if there is none.
  [[nodiscard]] double share_of(std::size_t kind) const;

private:
  struct Kind {
    double work = 0, done = 0, seconds = 0;
  };
  std::vector<Kind> kinds_;
};

} // namespace metasieve
