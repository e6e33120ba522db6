#include "studies/sweep_points.hpp"

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "hdf5/raw_file.hpp"
#include "parallel/collective.hpp"
#include "runtime/resumable_work.hpp"

#include <cstring>
#include <unordered_set>

namespace metasieve {
namespace {

constexpr double most_points = 1e6;

void require_few(const std::vector<SweepAxis>& axes) {
  double count = 1;
  for (const SweepAxis& axis : axes) count *= static_cast<double>(axis.size());
  if (count > most_points)
    throw ConfigError(
        format("[sweep]: %.0f points, and at most %.0f are possible; give fewer values", count, most_points));
}

} // namespace

std::string SweepPoint::name() const { return format("%016llx", static_cast<unsigned long long>(hash)); }

SweepInputs sweep_inputs(const Communicator& comm, const SweepConfig& sweep) {
  SweepInputs inputs;
  const auto add = [&](const std::string& name, const std::filesystem::path& file) {
    inputs.key += name + " = " + std::to_string(hash_file(comm, file)) + "\n";
  };
  if (!sweep.suite.empty()) add("--suite", *(inputs.suite = sweep.suite));
  if (sweep.datasets.empty()) return inputs;
  for (const std::string& file : list_items(sweep.datasets))
    add("--dataset " + inputs.datasets.emplace_back(file).stem().string(), file);
  return inputs;
}

SweepPoints::SweepPoints(const Communicator& comm, Config base, SweepInputs inputs)
    : base_(std::move(base)), inputs_(std::move(inputs)) {
  const std::string bytes = from_root(comm, [&] {
    axes_ = sweep_axes(base_.sweep);
    require_few(axes_);
    ByteWriter writer;
    for (const SweepPoint& point : checked()) writer.put(point.combination).put(point.hash);
    return writer.take();
  });
  axes_ = sweep_axes(base_.sweep);
  ByteReader reader(bytes);
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(Index) + sizeof(std::uint64_t)) {
    const auto combination = reader.get<Index>();
    points_.push_back({combination, reader.get<std::uint64_t>()});
  }
}

std::vector<SweepPoint> SweepPoints::checked() const {
  std::vector<SweepPoint> points;
  std::unordered_set<std::uint64_t> seen;
  for (Index i = 0; i < combinations(); ++i) {
    SweepPoint point{i, 0};
    try {
      const Config config = this->config(point);
      if (generates_all() && config.suite.seed == config.sweep.evaluate_seed)
        throw ConfigError("sweep.evaluate_seed = " +
                          std::to_string(static_cast<std::uint64_t>(config.sweep.evaluate_seed)) +
                          ": suite.seed is the same, so the held-out tasks would be those of the training");
      std::string key =
          "command = sweep\n" +
          deciding_settings(resolved_ini(config, evaluates() ? Affects::evaluation : Affects::policy));
      if (inputs_.datasets.empty() && evaluates())
        key += "evaluate_tasks = " + std::to_string(config.sweep.evaluate_tasks) +
               "\nevaluate_seed = " + std::to_string(static_cast<std::uint64_t>(config.sweep.evaluate_seed)) +
               "\n";
      point.hash = hash_text(key + inputs_.key);
    } catch (const ConfigError& error) {
      throw ConfigError("sweep point " + std::to_string(i) + ": " + error.what());
    }
    if (seen.insert(point.hash).second) points.push_back(point);
  }
  return points;
}

Index SweepPoints::combinations() const {
  Index count = 1;
  for (const SweepAxis& axis : axes_) count *= axis.size();
  return count;
}

std::vector<std::string> SweepPoints::keys() const {
  std::vector<std::string> keys;
  for (const SweepAxis& axis : axes_) keys.insert(keys.end(), axis.keys.begin(), axis.keys.end());
  return keys;
}

std::vector<std::string> SweepPoints::values(const SweepPoint& point) const {
  std::vector<std::string> values;
  Index below = combinations();
  for (const SweepAxis& axis : axes_) {
    below /= axis.size();
    const Index place = point.combination / below % axis.size();
    for (const std::vector<std::string>& of_key : axis.values)
      values.push_back(of_key[static_cast<std::size_t>(place)]);
  }
  return values;
}

std::string SweepPoints::text(const SweepPoint& point) const {
  const std::vector<std::string> names = keys(), at = values(point);
  std::string text;
  for (std::size_t k = 0; k < names.size(); ++k) text += (k == 0 ? "" : ", ") + names[k] + " = " + at[k];
  return text;
}

Config SweepPoints::config(const SweepPoint& point) const {
  Config config = base_;
  KeyValues knobs;
  const std::vector<std::string> names = keys(), at = values(point);
  for (std::size_t k = 0; k < names.size(); ++k) {
    set_key(config, names[k], at[k]);
    if (names[k].starts_with("family.")) knobs.emplace_back(names[k], at[k]);
  }
  validate(config, knobs);
  return config;
}

} // namespace metasieve
