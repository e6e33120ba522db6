#pragma once

#include "fuzz/harness.hpp"

namespace metasieve::fuzz {

/// One reader of HDF5 files.
struct Hdf5Target {
  void (*write_good)(const std::filesystem::path&); ///< a small file that is accepted
  void (*read)(const std::filesystem::path&);       ///< the reader under test
};

/// An input is a file, if it starts like one, or else a list of edits of the good file (edit_file).
/// METASIEVE_FUZZ_KIND=edits leaves files out: HDF5 itself may fail on what no HDF5 wrote.
/// METASIEVE_FUZZ_KEEP=FILE keeps a copy of what is read.
bool try_hdf5(const Hdf5Target& target, Bytes input);

/// Corrects the checksums of HDF5's version 2 metadata; anything else is left as it is.
void repair_checksums(std::span<std::uint8_t> file);

/// Changes a sound file through HDF5's own calls: removes, renames, links, replaces by other types, shapes
/// and layouts, and changes values, of data sets and attributes alike.
void edit_file(const std::filesystem::path& path, Bytes program);

} // namespace metasieve::fuzz
