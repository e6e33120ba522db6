#pragma once

#include "config/sweep_grammar.hpp"
#include "parallel/communicator.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace metasieve {

/// One combination of values of the axes.
struct SweepPoint {
  Index combination;  ///< its number among all
  std::uint64_t hash; ///< of all that decides its results

  [[nodiscard]] std::string name() const; ///< 16 hexadecimal digits: its folder in DIR/points
};

/// The files of a sweep, and a hash of the contents of each.
struct SweepInputs {
  std::optional<std::filesystem::path> suite;
  std::vector<std::filesystem::path> datasets;
  std::string key; ///< lines "name = value"
};

/// Collective. @throws AgreedError (exit code 3) naming a file that cannot be read
[[nodiscard]] SweepInputs sweep_inputs(const Communicator& comm, const SweepConfig& sweep);

/// The points of a sweep: pure functions of its configuration, so every rank makes those that it needs.
class SweepPoints {
public:
  /// Collective: rank 0 checks every point and hashes it; of points that decide the same results only the
  /// first is kept. @throws AgreedError (exit code 2) naming point, key, value and what would be right
  SweepPoints(const Communicator& comm, Config base, SweepInputs inputs);

  [[nodiscard]] const std::vector<SweepPoint>& all() const noexcept { return points_; }
  [[nodiscard]] const SweepPoint& at(Index i) const { return points_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] Index size() const { return std::ssize(points_); }
  [[nodiscard]] Index combinations() const; ///< points that decide the same results included
  [[nodiscard]] const SweepInputs& inputs() const noexcept { return inputs_; }
  [[nodiscard]] std::vector<std::string> keys() const; ///< the swept ones
  /// The value of each swept key at this point.
  [[nodiscard]] std::vector<std::string> values(const SweepPoint& point) const;
  /// "policy.keep = 0.7, meta.batch = 8"
  [[nodiscard]] std::string text(const SweepPoint& point) const;
  /// @throws ConfigError
  [[nodiscard]] Config config(const SweepPoint& point) const;
  /// Whether its policy is to be evaluated.
  [[nodiscard]] bool evaluates() const { return !inputs_.datasets.empty() || base_.sweep.evaluate_tasks > 0; }

private:
  [[nodiscard]] std::vector<SweepPoint> checked() const;
  /// Whether the tasks of both training and evaluation are generated.
  [[nodiscard]] bool generates_all() const {
    return !inputs_.suite && inputs_.datasets.empty() && base_.sweep.evaluate_tasks > 0;
  }

  Config base_;
  SweepInputs inputs_;
  std::vector<SweepAxis> axes_;
  std::vector<SweepPoint> points_;
};

} // namespace metasieve
