#include "files/scaling.hpp"

#include "base/bytes.hpp"
#include "files/foreign_file.hpp"
#include "files/result_records.hpp"
#include "hdf5/reader.hpp"
#include "hdf5/writer.hpp"

#include <cmath>

namespace metasieve {
namespace {

/// Fields that say which training a record is of.
template <class Record>
std::vector<h5::Field<Record>> training_fields() {
  return {h5::text<Record>("kind", 16, &Record::kind), h5::number<Record>("ranks", &Record::ranks),
          h5::number<Record>("threads", &Record::threads), h5::number<Record>("repeat", &Record::repeat)};
}

const h5::Records<ScalingRow>& point_records() {
  static const h5::Records<ScalingRow> records([] {
    std::vector<h5::Field<ScalingRow>> fields = training_fields<ScalingRow>();
    const auto add = [&](const std::string& name, auto member) {
      fields.push_back(h5::number<ScalingRow>(name, member));
    };
    add("nodes", &ScalingRow::nodes);
    add("tasks", &ScalingRow::tasks);
    add("batch", &ScalingRow::batch);
    add("iterations", &ScalingRow::iterations);
    add("parameters", &ScalingRow::parameters);
    add("seconds", &ScalingRow::seconds);
    add("seconds_per_iteration", &ScalingRow::seconds_per_iteration);
    add("work", &ScalingRow::work);
    for (std::size_t k = 0; k < scaling_phases.size(); ++k) {
      const std::string phase(scaling_phases.at(k));
      add(
          phase + "_min", [k](auto& row) -> auto& { return row.phases[k].min; });
      add(
          phase + "_mean", [k](auto& row) -> auto& { return row.phases[k].mean; });
      add(
          phase + "_max", [k](auto& row) -> auto& { return row.phases[k].max; });
    }
    add("imbalance", &ScalingRow::imbalance);
    add("shard_imbalance", &ScalingRow::shard_imbalance);
    add("allreduce_share", &ScalingRow::allreduce_share);
    add("policy_hash", &ScalingRow::policy_hash);
    add("oversubscribed", &ScalingRow::oversubscribed);
    return fields;
  }());
  return records;
}

const h5::Records<ScalingSeconds>& scaling_timing_records() {
  static const h5::Records<ScalingSeconds> records([] {
    std::vector<h5::Field<ScalingSeconds>> fields = training_fields<ScalingSeconds>();
    fields.push_back(h5::text<ScalingSeconds>("phase", 16, &ScalingSeconds::phase));
    fields.push_back(h5::number<ScalingSeconds>("rank", &ScalingSeconds::rank));
    fields.push_back(h5::number<ScalingSeconds>("seconds", &ScalingSeconds::seconds));
    return fields;
  }());
  return records;
}

const h5::Records<ScalingIteration>& iteration_records() {
  static const h5::Records<ScalingIteration> records([] {
    std::vector<h5::Field<ScalingIteration>> fields = training_fields<ScalingIteration>();
    fields.push_back(h5::number<ScalingIteration>("iteration", &ScalingIteration::iteration));
    fields.push_back(h5::number<ScalingIteration>("seconds", &ScalingIteration::seconds));
    return fields;
  }());
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
                   RunFacts run) {
  run.hosts.clear();
  write_file(comm, path, FileType::scaling, {scaling.config, std::move(run)}, [&](FileWriter& file) {
    const auto same = [&](const std::vector<std::string>& mine) { // on every rank
      return ByteReader(comm.broadcast(ByteWriter().put(mine).take())).texts();
    };
    file.attribute("suite", comm.broadcast(scaling.suite));
    file.attribute("hosts", same(scaling.hosts));
    file.attribute("machines", same(scaling.machines));
    const auto write = [&](const char* name, const auto& records, const auto& table, const Meaning& meaning) {
      file.write(name, records, std::span(table).first(comm.is_root() ? table.size() : 0), meaning);
    };
    write("/points", point_records(), scaling.points,
          {"one record a training: times in seconds; phases as least, mean and most over the ranks, of the "
           "whole training; work: predicted seconds of one core an iteration",
           ""});
    write("/timing", scaling_timing_records(), scaling.timing,
          {"wall time of each phase of each training on each rank", "s"});
    write("/iterations", iteration_records(), scaling.iterations,
          {"wall time of each iteration of each training, without validation and checkpoints", "s"});
  });
}

std::string scaling_content(const std::filesystem::path& path) {
  const FileReader file(path, FileType::scaling);
  const std::vector<ScalingRow> points = file.records("/points", point_records());
  check(file, points);
  ByteWriter writer;
  writer.put(file.text("config")).put(file.text("suite")).put(file.text("git_commit"));
  writer.put(file.texts("hosts")).put(file.texts("machines"));
  return writer.put(point_records().pack(points))
      .put(scaling_timing_records().pack(file.records("/timing", scaling_timing_records())))
      .put(iteration_records().pack(file.records("/iterations", iteration_records())))
      .take();
}

Scaling read_scaling(const Communicator& comm, const std::filesystem::path& path) {
  const std::string bytes = content_of(comm, Content::scaling, path);
  ByteReader reader(bytes);
  Scaling scaling;
  scaling.config = reader.text();
  scaling.suite = reader.text();
  scaling.commit = reader.text();
  scaling.hosts = reader.texts();
  scaling.machines = reader.texts();
  scaling.points = point_records().unpack(reader.text());
  scaling.timing = scaling_timing_records().unpack(reader.text());
  scaling.iterations = iteration_records().unpack(reader.text());
  return scaling;
}

} // namespace metasieve
