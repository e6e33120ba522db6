#include "files/scaling.hpp"

#include "files/foreign_file.hpp"
#include "hdf5/reader.hpp"
#include "hdf5/writer.hpp"

#include <cmath>

namespace metasieve {
namespace {

/// The fields that say which training a record is of, and `more`.
template <class Record>
h5::Records<Record> records_of_training(const std::vector<h5::Field<Record>>& more) {
  std::vector<h5::Field<Record>> fields{{"kind", 16, &Record::kind},
                                        {"ranks", &Record::ranks},
                                        {"threads", &Record::threads},
                                        {"repeat", &Record::repeat}};
  fields.insert(fields.end(), more.begin(), more.end());
  return h5::Records<Record>(std::move(fields));
}

std::vector<h5::Field<ScalingRow>> point_fields() {
  std::vector<h5::Field<ScalingRow>> fields{{"nodes", &ScalingRow::nodes},
                                            {"tasks", &ScalingRow::tasks},
                                            {"batch", &ScalingRow::batch},
                                            {"iterations", &ScalingRow::iterations},
                                            {"parameters", &ScalingRow::parameters},
                                            {"seconds", &ScalingRow::seconds},
                                            {"seconds_per_iteration", &ScalingRow::seconds_per_iteration},
                                            {"work", &ScalingRow::work}};
  constexpr std::array spreads{std::pair("_min", &Spread::min), std::pair("_mean", &Spread::mean),
                               std::pair("_max", &Spread::max)};
  for (std::size_t k = 0; k < scaling_phases.size(); ++k)
    for (const auto& [suffix, member] : spreads) {
      const auto seconds = [k, of = member](auto& row) -> decltype(auto) { return (row.phases[k].*of); };
      fields.push_back({std::string(scaling_phases.at(k)) + suffix, seconds});
    }
  fields.push_back({"imbalance", &ScalingRow::imbalance});
  fields.push_back({"shard_imbalance", &ScalingRow::shard_imbalance});
  fields.push_back({"allreduce_share", &ScalingRow::allreduce_share});
  fields.push_back({"policy_hash", &ScalingRow::policy_hash});
  fields.push_back({"oversubscribed", &ScalingRow::oversubscribed});
  return fields;
}

const h5::Records<ScalingRow>& point_records() {
  static const h5::Records<ScalingRow> records = records_of_training<ScalingRow>(point_fields());
  return records;
}

const h5::Records<ScalingSeconds>& phase_records() {
  static const h5::Records<ScalingSeconds> records =
      records_of_training<ScalingSeconds>({{"phase", 16, &ScalingSeconds::phase},
                                           {"rank", &ScalingSeconds::rank},
                                           {"seconds", &ScalingSeconds::seconds}});
  return records;
}

const h5::Records<ScalingIteration>& iteration_records() {
  static const h5::Records<ScalingIteration> records = records_of_training<ScalingIteration>(
      {{"iteration", &ScalingIteration::iteration}, {"seconds", &ScalingIteration::seconds}});
  return records;
}

/// What the tables and figures of a study divide by, and tell apart.
void check(const FileReader& file, const std::vector<ScalingRow>& points) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    const ScalingRow& row = points[i];
    const auto require = [&](bool sound, const std::string& what) {
      if (!sound) file.fail("/points", "row " + std::to_string(i) + ": " + what);
    };
    require(row.kind == "strong" || row.kind == "weak", "kind '" + row.kind + "' must be strong or weak");
    require(row.ranks >= 1 && row.threads >= 1 && row.nodes >= 1, "ranks, threads and nodes must be >= 1");
    require(row.repeat >= 1 && row.iterations >= 1, "repeat and iterations must be >= 1");
    require(row.tasks >= 1 && row.batch >= 1, "tasks and batch must be >= 1");
    for (const double value : {row.seconds, row.seconds_per_iteration, row.work})
      require(std::isfinite(value) && value > 0, "seconds and work must be > 0");
  }
}

} // namespace

void write_scaling(const Communicator& comm, const std::filesystem::path& path, const Scaling& scaling,
                   JobMetadata job) {
  job.hosts.clear();
  write_file_on_root(comm, path, FileType::scaling, {scaling.config, std::move(job)}, [&](FileWriter& file) {
    file.attribute("suite", scaling.suite);
    file.attribute("hosts", scaling.hosts);
    file.attribute("machines", scaling.machines);
    file.write(
        "/points", point_records(), std::span(scaling.points),
        {"one record a training: times in seconds; phases as least, mean and most over the ranks, of the "
         "whole training; work: predicted seconds of one core an iteration",
         ""});
    file.write("/timing", phase_records(), std::span(scaling.timing),
               {"wall time of each phase of each training on each rank", "s"});
    file.write("/iterations", iteration_records(), std::span(scaling.iterations),
               {"wall time of each iteration of each training, without validation and checkpoints", "s"});
  });
}

Scaling read_scaling(const std::filesystem::path& path) {
  const FileReader file(path, FileType::scaling);
  Scaling scaling;
  scaling.config = file.text("config");
  scaling.suite = file.text("suite");
  scaling.commit = file.text("git_commit");
  scaling.hosts = file.texts("hosts");
  scaling.machines = file.texts("machines");
  scaling.points = file.records("/points", point_records());
  check(file, scaling.points);
  scaling.timing = file.records("/timing", phase_records());
  scaling.iterations = file.records("/iterations", iteration_records());
  return scaling;
}

Scaling read_scaling(const Communicator& comm, const std::filesystem::path& path) {
  return read_foreign_file(comm, path, FileType::scaling, [](const auto& p) { return read_scaling(p); });
}

} // namespace metasieve
