#include "io/results_file.hpp"

#include "io/agree.hpp"
#include "io/bytes.hpp"
#include "io/file_reader.hpp"
#include "io/file_writer.hpp"
#include "io/result_records.hpp"

#include <algorithm>

namespace metasieve {
namespace {

std::vector<TimingRow> timing_rows(const std::vector<PhaseSeconds>& timing) {
  std::vector<TimingRow> rows;
  for (const PhaseSeconds& phase : timing)
    for (std::size_t rank = 0; rank < phase.seconds.size(); ++rank)
      rows.push_back({phase.phase, static_cast<std::int64_t>(rank), phase.seconds[rank]});
  return rows;
}

/// Phases in order of appearance, ranks in the order of the rows.
std::vector<PhaseSeconds> phases_of(const std::vector<TimingRow>& rows) {
  std::vector<PhaseSeconds> phases;
  for (const TimingRow& row : rows) {
    auto phase =
        std::find_if(phases.begin(), phases.end(), [&](const auto& p) { return p.phase == row.phase; });
    if (phase == phases.end()) phase = phases.insert(phase, {row.phase, {}});
    phase->seconds.push_back(row.seconds);
  }
  return phases;
}

/// What rank 0 gives; nothing from the others.
template <class T>
std::span<const T> mine(const Communicator& comm, const std::vector<T>& values) {
  return std::span(values).first(comm.is_root() ? values.size() : 0);
}

Matrix read_gradients(const FileReader& file) {
  constexpr const char* name = "/meta_gradient";
  if (!file.contains(name)) return {};
  const std::vector<Index> shape = file.shape(name, 2);
  const std::vector<double> values = file.values<double>(name, 2);
  return Eigen::Map<const Matrix>(values.data(), shape[0], shape[1]);
}

} // namespace

void write_results(const Communicator& comm, const std::filesystem::path& path, const Provenance& provenance,
                   const Results& results) {
  const Index parameters = comm.max(std::int64_t{comm.is_root() ? results.meta_gradient.cols() : 0});
  const std::vector<TimingRow> timing = timing_rows(results.timing);
  write_file(comm, path, FileType::results, provenance, [&](FileWriter& file) {
    file.write("/history", history_records(), mine(comm, results.history),
               {"one record a meta-iteration, from 1: means over the batch; seconds of wall time", ""});
    file.write("/validation", validation_records(), mine(comm, results.validation),
               {"hard selection on the validation tasks, means over tasks where defined; iteration 0 is the "
                "untrained policy",
                ""});
    file.write("/timing", timing_records(), mine(comm, timing),
               {"wall time of each phase on each rank", "s"});
    if (parameters > 0) {
      const auto size = static_cast<std::size_t>(comm.is_root() ? results.meta_gradient.size() : 0);
      file.write("/meta_gradient", std::span(results.meta_gradient.data(), size),
                 {"[iterations, parameters], mean over the batch before clipping", ""}, parameters);
    }
  });
}

Results read_results(const Communicator& comm, const std::filesystem::path& path) {
  const std::string bytes = from_root(comm, [&] {
    const FileReader file(path, FileType::results);
    return ByteWriter()
        .put(history_records().pack(file.records("/history", history_records())))
        .put(validation_records().pack(file.records("/validation", validation_records())))
        .put(timing_records().pack(file.records("/timing", timing_records())))
        .put(read_gradients(file))
        .take();
  });
  ByteReader reader(bytes);
  Results results;
  results.history = history_records().unpack(reader.text());
  results.validation = validation_records().unpack(reader.text());
  results.timing = phases_of(timing_records().unpack(reader.text()));
  results.meta_gradient = reader.array<Matrix>();
  return results;
}

} // namespace metasieve
