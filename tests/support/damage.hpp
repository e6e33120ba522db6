#pragma once

#include "base/linalg.hpp"
#include "hdf5/attribute.hpp"
#include "hdf5/handles.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

/// Ways to damage a good file. For one rank alone.
namespace metasieve::test {

inline void edit(const std::filesystem::path& path, const std::function<void(hid_t)>& change) {
  h5::initialise();
  h5::File file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), "H5Fopen");
  change(file.get());
  file.close();
}

/// Value `index` of a one- or two-dimensional data set.
template <class T>
void set_value(hid_t file, const std::string& name, std::size_t index, T value) {
  const h5::DataSet data_set(H5Dopen2(file, name.c_str(), H5P_DEFAULT), "H5Dopen");
  const h5::DataSpace space(H5Dget_space(data_set.get()), "H5Dget_space");
  std::vector<T> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get())));
  h5::check(H5Dread(data_set.get(), h5::type_of<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
            "H5Dread");
  values.at(index) = value;
  h5::check(H5Dwrite(data_set.get(), h5::type_of<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
            "H5Dwrite");
}

/// Replaces a data set by one of this shape.
template <class T>
void replace(hid_t file, const std::string& name, const std::vector<hsize_t>& extents,
             const std::vector<T>& values) {
  h5::check(H5Ldelete(file, name.c_str(), H5P_DEFAULT), "H5Ldelete");
  const h5::DataSpace space(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
                            "H5Screate");
  const h5::DataSet data_set(
      H5Dcreate2(file, name.c_str(), h5::type_of<T>(), space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
      "H5Dcreate");
  if (!values.empty())
    h5::check(H5Dwrite(data_set.get(), h5::type_of<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
              "H5Dwrite");
}

/// A data set of texts of variable length, as h5py writes them. It takes the place of one that is there.
inline void write_texts(hid_t file, const std::string& name, const std::vector<const char*>& texts) {
  if (H5Lexists(file, name.c_str(), H5P_DEFAULT) > 0)
    h5::check(H5Ldelete(file, name.c_str(), H5P_DEFAULT), "H5Ldelete");
  const h5::DataType type(H5Tcopy(H5T_C_S1), "H5Tcopy");
  h5::check(H5Tset_size(type.get(), H5T_VARIABLE), "H5Tset_size");
  h5::check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "H5Tset_cset");
  const hsize_t extent = texts.size();
  const h5::DataSpace space(H5Screate_simple(1, &extent, nullptr), "H5Screate");
  const h5::DataSet data_set(
      H5Dcreate2(file, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
      "H5Dcreate");
  h5::check(H5Dwrite(data_set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()), "H5Dwrite");
}

/// An attribute of texts of variable length, as h5py writes them. It takes the place of one that is there.
inline void set_variable_texts(hid_t file, const std::string& name, const std::vector<const char*>& texts) {
  if (h5::has_attribute(file, name)) h5::check(H5Adelete(file, name.c_str()), "H5Adelete");
  const h5::DataType type(H5Tcopy(H5T_C_S1), "H5Tcopy");
  h5::check(H5Tset_size(type.get(), H5T_VARIABLE), "H5Tset_size");
  h5::check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "H5Tset_cset");
  h5::write_attribute(file, name, type.get(), texts.size(), texts.data(), false);
}

/// Gives a data set a checksum attribute of this value.
inline void set_checksum(hid_t file, const std::string& name, std::uint64_t value) {
  const h5::DataSet data_set(H5Dopen2(file, name.c_str(), H5P_DEFAULT), "H5Dopen");
  if (h5::has_attribute(data_set.get(), "checksum"))
    h5::check(H5Adelete(data_set.get(), "checksum"), "H5Adelete");
  h5::write_attribute(data_set.get(), "checksum", value);
}

inline void remove(hid_t file, const std::string& name) {
  h5::check(H5Ldelete(file, name.c_str(), H5P_DEFAULT), "H5Ldelete");
}

template <class Value>
void set_attribute(hid_t file, const std::string& name, const Value& value) {
  if (h5::has_attribute(file, name)) h5::check(H5Adelete(file, name.c_str()), "H5Adelete");
  h5::write_attribute(file, name, value);
}

/// Files, data sets and so on that HDF5 still holds open.
inline Index open_ids() { return H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL); }

} // namespace metasieve::test
