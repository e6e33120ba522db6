#include "files/scaling.hpp"

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
      fields.emplace_back(std::string(scaling_phases.at(k)) + suffix, seconds);
    }
  fields.emplace_back("imbalance", &ScalingRow::imbalance);
  fields.emplace_back("shard_imbalance", &ScalingRow::shard_imbalance);
  fields.emplace_back("allreduce_share", &ScalingRow::allreduce_share);
  fields.emplace_back("policy_hash", &ScalingRow::policy_hash);
  fields.emplace_back("oversubscribed", &ScalingRow::oversubscribed);
  return fields;
}

/// Checks what the tables and figures of a study divide by, and distinguish.
void check_points(const FileReader& file, const Scaling& scaling) {
  for (std::size_t i = 0; i < scaling.points.size(); ++i) {
    const ScalingRow& row = scaling.points[i];
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

template <>
const FileLayout<Scaling>& layout_of<Scaling>() {
  static const auto layout =
      FileLayout<Scaling>(FileType::scaling)
          .attribute_of_every_file("config", &Scaling::config)
          .attribute_of_every_file("git_commit", &Scaling::commit)
          .attribute("suite", &Scaling::suite)
          .attribute("hosts", &Scaling::hosts)
          .attribute("machines", &Scaling::machines)
          .table(
              "/points", &Scaling::points, records_of_training(point_fields()),
              {"one record a training: times in seconds; phases as least, mean and most over the ranks, of "
               "the whole training; work: predicted seconds of one core an iteration"})
          .read_only(check_points)
          .table("/timing", &Scaling::timing,
                 records_of_training<ScalingSeconds>({{"phase", 16, &ScalingSeconds::phase},
                                                      {"rank", &ScalingSeconds::rank},
                                                      {"seconds", &ScalingSeconds::seconds}}),
                 {"wall time of each phase of each training on each rank", "s"})
          .table("/iterations", &Scaling::iterations,
                 records_of_training<ScalingIteration>(
                     {{"iteration", &ScalingIteration::iteration}, {"seconds", &ScalingIteration::seconds}}),
                 {"wall time of each iteration of each training, without validation and checkpoints", "s"});
  return layout;
}

void write_scaling(const Communicator& comm, const std::filesystem::path& path, const Scaling& scaling,
                   JobMetadata job, FileIo io) {
  job.hosts.clear();
  write_file(comm, path, {scaling.config, std::move(job), io}, scaling);
}

} // namespace metasieve
