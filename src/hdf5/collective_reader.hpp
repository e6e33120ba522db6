#pragma once

#include "hdf5/handles.hpp"
#include "hdf5/readahead.hpp"
#include "parallel/communicator.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace metasieve {

/// Takes this rank's values [range) from `from`.
using ValueSink = std::function<void(Range values, const std::byte* from)>;

/// The file of `read_together`. Open only what a FileReader on rank 0 has found sound.
class CollectiveFile {
public:
  /// Collective. @throws AgreedError
  CollectiveFile(const Communicator& comm, const std::filesystem::path& path);
  ~CollectiveFile();
  CollectiveFile(const CollectiveFile&) = delete;
  CollectiveFile& operator=(const CollectiveFile&) = delete;

  /// Collective. Hands the values `mine` (an empty range is legal) of a one-dimensional data set, which must
  /// have exactly the type `type`, to `sink`, piece by piece. Every rank gives the same name and type.
  /// @throws AgreedError, also for what `sink` throws.
  void read(const std::string& name, hid_t type, Range mine, const ValueSink& sink);

  /// Collective. @throws AgreedError
  void close();

  /// Whether every transfer so far was a collective one, by HDF5's own account.
  [[nodiscard]] bool all_collective() const noexcept { return all_collective_; }

private:
  void transfer(hid_t data_set, hid_t type, Range values, std::byte* to);
  void step(const std::string& name, const std::function<void()>& work) const;

  const Communicator& comm_;
  std::filesystem::path path_;
  h5::File file_;
  PageHints hints_;
  std::vector<std::byte> staged_; ///< what was read last
  bool all_collective_ = true;
};

/// Collective. Opens the file on all ranks, lets `work` read from it (the same calls on all ranks), closes
/// it.
/// @throws AgreedError
void read_together(const Communicator& comm, const std::filesystem::path& path,
                   const std::function<void(CollectiveFile&)>& work);

} // namespace metasieve
