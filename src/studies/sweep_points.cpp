#include "studies/sweep_points.hpp"

#include "base/hash.hpp"
#include "base/text.hpp"
#include "hdf5/raw_file.hpp"
#include "parallel/collective.hpp"
#include "runtime/output_checks.hpp"
#include "runtime/resumable_work.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <unordered_set>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr double most_points = 1e6;
constexpr std::array<std::string_view, 7> state_names{"left", "running", "died",  "waiting",
                                                      "done", "dropped", "failed"};

/// Lines "name = hash of the contents" of the files of a sweep. Collective.
std::string hashes_of_files(const Communicator& comm, const SweepPoints& points) {
  std::string lines;
  const auto add = [&](const std::string& name, const fs::path& file) {
    lines += name + " = " + std::to_string(hash_file(comm, file)) + "\n";
  };
  if (points.suite()) add("--suite", *points.suite());
  for (const fs::path& file : points.datasets()) add("--dataset " + file.stem().string(), file);
  return lines;
}

/// Calls `use(name, member)` for each member of a status but its state.
void for_each_member(auto& status, const auto& use) {
  use("values", status.values);
  use("message", status.message);
  use("place", status.place);
  use("job", status.job);
  use("attempts", status.attempts);
  use("code", status.code);
  use("ranks", status.ranks);
  use("threads", status.threads);
  use("seconds", status.seconds);
  use("core_seconds", status.core_seconds);
  use("files", status.files);
  use("losses", status.losses);
  use("row", status.row);
}

std::string losses_text(const std::vector<double>& losses) {
  std::vector<std::string> words;
  for (const double loss : losses) words.push_back(number_text(loss));
  return joined(words, ",");
}

std::vector<double> parse_losses(const std::string& text) {
  std::vector<double> losses;
  if (text.empty()) return losses;
  for (const std::string& word : split(text, ','))
    losses.push_back(parse_number<double>(word).value_or(std::numeric_limits<double>::quiet_NaN()));
  return losses;
}

/// The state that the decided rungs give a point, beside what its own file says.
PointState decided_state(PointState state, Standing::State standing) {
  if (state == PointState::running) return state;
  if (standing == Standing::State::dropped) return PointState::dropped;
  if (standing == Standing::State::waits && state != PointState::failed) return PointState::waiting;
  return state;
}

} // namespace

SweepPoints::SweepPoints(const Communicator& comm, Config base) : base_(std::move(base)) {
  const std::string files = hashes_of_files(comm, *this);
  run_collectively_on_file(comm, [&] {
    axes_ = sweep_axes(base_.sweep);
    if (const auto count = static_cast<double>(combinations()); count > most_points)
      throw ConfigError(format("[sweep]: %.0f points, and at most %.0f are possible; give fewer values",
                               count, most_points));
    std::unordered_set<std::uint64_t> seen;
    for (Index i = 0; i < combinations(); ++i) {
      try {
        points_.push_back({i, 0, 0});
        const Config point = config(size() - 1);
        points_.back().hash = hash_of(point, files);
        points_.back().iterations = point.meta.iterations;
        if (!seen.insert(points_.back().hash).second) points_.pop_back();
      } catch (const ConfigError& error) {
        throw ConfigError("sweep point " + std::to_string(i) + ": " + error.what());
      }
    }
    const auto fewest = std::ranges::min_element(points_, {}, &Point::iterations);
    halving_ = Halving::of(base_.sweep.halving, base_.sweep.rungs, size(), fewest->iterations);
    for (Index i = 0; halving_.rungs > 1 && i < size(); ++i) {
      std::string key = "point = " + name(i) + "\nrungs =";
      for (const Index end : rungs(i)) key += " " + std::to_string(end);
      points_[static_cast<std::size_t>(i)].hash = hash_text(key + "\n");
    }
  });
}

std::uint64_t SweepPoints::hash_of(const Config& config, const std::string& files) const {
  const SweepConfig& sweep = base_.sweep;
  if (config.suite.validation_tasks == 0 && (sweep.halving > 1 || sweep.keep == Keep::table))
    throw ConfigError(
        (sweep.halving > 1 ? "sweep.halving = " + std::to_string(sweep.halving)
                           : std::string("sweep.keep = table")) +
        ": it ranks by the loss on the validation tasks, so suite.validation_tasks must be > 0");
  std::string key =
      "command = sweep\n" +
      deciding_settings(resolved_ini(config, evaluates() ? Affects::evaluation : Affects::policy));
  if (evaluates() && datasets().empty()) {
    if (!suite() && config.suite.seed == base_.sweep.evaluate_seed)
      throw ConfigError(
          "sweep.evaluate_seed = " + std::to_string(static_cast<std::uint64_t>(base_.sweep.evaluate_seed)) +
          ": suite.seed is the same, so the held-out tasks would be those of the training");
    key += "evaluate_tasks = " + std::to_string(base_.sweep.evaluate_tasks) +
           "\nevaluate_seed = " + std::to_string(static_cast<std::uint64_t>(base_.sweep.evaluate_seed)) +
           "\n";
  }
  return hash_text(key + files);
}

std::optional<fs::path> SweepPoints::suite() const {
  return base_.sweep.suite.empty() ? std::nullopt : std::optional<fs::path>(base_.sweep.suite);
}

std::vector<fs::path> SweepPoints::datasets() const {
  if (base_.sweep.datasets.empty()) return {};
  const std::vector<std::string> files = list_items(base_.sweep.datasets);
  return {files.begin(), files.end()};
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

std::vector<std::string> SweepPoints::values(Index i) const {
  std::vector<std::string> values;
  Index below = combinations();
  for (const SweepAxis& axis : axes_) {
    below /= axis.size();
    const Index place = at(i).combination / below % axis.size();
    for (const std::vector<std::string>& of_key : axis.values)
      values.push_back(of_key[static_cast<std::size_t>(place)]);
  }
  return values;
}

std::string SweepPoints::text(Index i) const {
  std::vector<std::string> settings = keys();
  const std::vector<std::string> here = values(i);
  for (std::size_t k = 0; k < settings.size(); ++k) settings[k] += " = " + here[k];
  return joined(settings);
}

std::string SweepPoints::name(Index i) const {
  return format("%016llx", static_cast<unsigned long long>(at(i).hash));
}

Config SweepPoints::config(Index i) const {
  Config config = base_;
  KeyValues knobs;
  const std::vector<std::string> names = keys(), here = values(i);
  for (std::size_t k = 0; k < names.size(); ++k) {
    set_key(config, names[k], here[k]);
    if (names[k].starts_with("family.")) knobs.emplace_back(names[k], here[k]);
  }
  validate(config, knobs);
  return config;
}

std::string_view to_string(PointState state) { return state_names[static_cast<std::size_t>(state)]; }

PointStatus read_status(const fs::path& point) {
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : stored_ini(text_if_any(point / "status.txt").value_or("")))
    values[name] = value;
  PointStatus status;
  const auto* const state = std::find(state_names.begin(), state_names.end(), values["state"]);
  if (state == state_names.end()) return status;
  status.state = static_cast<PointState>(state - state_names.begin());
  for_each_member(status, [&]<class Member>(const char* name, Member& member) {
    if constexpr (std::is_same_v<Member, std::string>)
      member = values[name];
    else if constexpr (std::is_same_v<Member, std::vector<double>>)
      member = parse_losses(values[name]);
    else
      member = parse_number<Member>(values[name]).value_or(member);
  });
  if (status.state == PointState::running && !FileLock::is_held(point / "claim"))
    status.state = PointState::died;
  return status;
}

std::vector<PointStatus> read_statuses(const fs::path& sweep, const SweepPoints& points,
                                       const std::function<bool(const PointStatus&)>& is_open) {
  std::vector<PointStatus> statuses;
  std::vector<Contender> contenders;
  for (Index i = 0; i < points.size(); ++i) {
    statuses.push_back(read_status(points.folder(sweep, i)));
    const PointStatus& status = statuses.back();
    const bool trains = status.state < PointState::waiting ||
                        (status.state == PointState::failed && is_open && is_open(status));
    contenders.push_back({status.losses, !trains});
    statuses.back().point = points.label(i);
  }
  const std::vector<Standing> decided = standings(points.halving(), contenders);
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    statuses[i].state = decided_state(statuses[i].state, decided[i].state);
    statuses[i].rungs = decided[i].rungs;
  }
  return statuses;
}

void write_status(const fs::path& point, const PointStatus& status) {
  std::string text = "state = " + std::string(to_string(status.state)) + "\n";
  for_each_member(status, [&]<class Member>(const char* name, const Member& member) {
    std::string value;
    if constexpr (std::is_same_v<Member, std::string>)
      std::replace_copy(member.begin(), member.end(), std::back_inserter(value), '\n', ' ');
    else if constexpr (std::is_same_v<Member, std::vector<double>>)
      value = losses_text(member);
    else
      value = number_text(member);
    text += std::string(name) + " = " + value + "\n";
  });
  replace_text(point / "status.txt", text);
}

std::uint64_t files_hash(const fs::path& point, std::int64_t row) {
  if (row > 0) return hash_text(text_if_any(point / row_name).value_or(""));
  return hash_text(text_if_any(point / "results.h5").value_or("") +
                   text_if_any(point / "evaluation.h5").value_or(""));
}

PointGroups::PointGroups(const Communicator& comm, Index ranks_per_point)
    : count(ranks_per_point == 0 || ranks_per_point > comm.size()
                ? 1
                : comm.size() / static_cast<int>(ranks_per_point)),
      number(comm.rank() * count / comm.size()), mine(comm.split(number)) {}

} // namespace metasieve
