#include "fuzz/hdf5_target.hpp"

#include "files/dataset.hpp"

#include "support/sample_files.hpp"

namespace metasieve::fuzz {
namespace {

void write_good(const std::filesystem::path& path) {
  write_file(world(), path, {"[suite]\n"}, test::sample_dataset());
}

/// What is accepted must be what a fit can be made of.
void read(const std::filesystem::path& path) {
  const Dataset data = read_dataset(world(), path);
  const Index rows = data.x.rows();
  const auto both = [&](const Labels& labels) {
    return labels.size() == rows && labels.maxCoeff() == 1 && labels.minCoeff() == 0;
  };
  const auto groups = std::ssize(data.group_names);
  const auto each_has_rows = [&] {
    for (Index z = 0; z < groups; ++z)
      if ((data.group.array() != static_cast<std::uint8_t>(z)).all()) return false;
    return data.group.size() == rows && data.group.maxCoeff() == groups - 1;
  };
  const bool sound = rows > 0 && data.x.cols() > 0 && data.x.allFinite() && both(data.y) && groups >= 1 &&
                     groups <= most_groups && each_has_rows() && (!data.y_clean || both(*data.y_clean)) &&
                     (!data.split || both(*data.split)) &&
                     (data.feature_names.empty() || std::ssize(data.feature_names) == data.x.cols());
  if (!sound) found("accepted a data set that is none");
}

} // namespace

bool try_input(Bytes input) { return try_hdf5({write_good, read}, input); }

} // namespace metasieve::fuzz
