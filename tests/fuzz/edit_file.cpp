#include "fuzz/edit_shapes.hpp"
#include "fuzz/hdf5_target.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace metasieve::fuzz {
namespace {

constexpr std::uint64_t most_bytes = 1 << 16; ///< that an edit writes
constexpr int most_edits = 8;
constexpr std::size_t most_names = 100; ///< of links that lead back to where they come from there is no end

herr_t keep_link(hid_t, const char* name, const H5L_info_t*, void* names) {
  auto& kept = *static_cast<std::vector<std::string>*>(names);
  kept.emplace_back(name);
  return kept.size() < most_names ? 0 : 1;
}

herr_t keep_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

std::vector<std::string> links_of(hid_t file) {
  std::vector<std::string> names;
  H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, keep_link, &names);
  return names;
}

std::vector<std::string> attributes_of(hid_t object) {
  std::vector<std::string> names;
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, keep_attribute, &names);
  return names;
}

/// One of them, or a new name.
std::string pick(Choices& choices, const std::vector<std::string>& names) {
  if (names.empty() || choices.chance(16)) return "new";
  return names[choices.below(std::min<std::size_t>(names.size(), 256))];
}

/// Whether a value of this type points to memory, so that its bytes cannot be made up.
bool has_pointers(hid_t type) {
  switch (H5Tget_class(type)) {
  case H5T_VLEN: return true;
  case H5T_STRING: return H5Tis_variable_str(type) > 0;
  case H5T_ARRAY: return has_pointers(h5::DataType(H5Tget_super(type), "H5Tget_super").get());
  case H5T_COMPOUND:
    for (int i = 0; i < H5Tget_nmembers(type); ++i) {
      const h5::DataType member(H5Tget_member_type(type, static_cast<unsigned>(i)), "H5Tget_member_type");
      if (has_pointers(member.get())) return true;
    }
    return false;
  default: return false;
  }
}

/// Zeros for all values of a type in a space, if they are few and may be made up.
std::vector<std::uint8_t> room_for(hid_t type, hid_t space) {
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  const std::uint64_t size = H5Tget_size(type);
  if (count <= 0 || size == 0 || static_cast<std::uint64_t>(count) > most_bytes / size || has_pointers(type))
    return {};
  return std::vector<std::uint8_t>(static_cast<std::uint64_t>(count) * size);
}

/// HDF5 runs out of memory where it fills a huge chunk or makes very many, and writes beyond it where filters
/// that pack bits do.
bool can_be_written(hid_t creation, hid_t space) {
  const H5D_layout_t layout = H5Pget_layout(creation);
  if (layout != H5D_CHUNKED) return layout == H5D_COMPACT || H5Pget_external_count(creation) == 0;
  std::array<hsize_t, H5S_MAX_RANK> chunk{}, extents{};
  const int rank = H5Pget_chunk(creation, H5S_MAX_RANK, chunk.data());
  H5Sget_simple_extent_dims(space, extents.data(), nullptr);
  double values = 1, chunks = 1;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rank); ++i) {
    values *= static_cast<double>(chunk[i]);
    chunks *= std::ceil(static_cast<double>(extents[i]) / static_cast<double>(chunk[i]));
  }
  bool packs = false;
  for (const H5Z_filter_t filter : {H5Z_FILTER_NBIT, H5Z_FILTER_SCALEOFFSET})
    for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
      unsigned flags = 0;
      std::size_t count = 0;
      packs |= H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &count, nullptr, 0, nullptr,
                              nullptr) == filter;
    }
  return values < static_cast<double>(most_bytes) && chunks < 1000 && !packs;
}

/// A few runs of bytes are overwritten.
void spoil(Choices& choices, std::vector<std::uint8_t>& bytes) {
  for (std::size_t i = 0; i < 1 + choices.below(4); ++i) {
    const std::uint64_t at = choices.number() % bytes.size();
    const std::uint64_t value = choices.number();
    const std::size_t size = std::min<std::size_t>(1U << choices.below(4), bytes.size() - at);
    std::memcpy(bytes.data() + at, &value, size);
  }
}

/// All values zero or one, or what follows in the program.
void fill(Choices& choices, std::vector<std::uint8_t>& bytes) {
  const std::size_t kind = choices.below(4);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = kind < 2 ? static_cast<std::uint8_t>(kind) : kind == 2 ? i & 1U : choices.byte();
}

void change_values(Choices& choices, hid_t file, const std::string& name) {
  const h5::DataSet data_set(H5Dopen2(file, name.c_str(), H5P_DEFAULT), "H5Dopen");
  const h5::DataType type(H5Dget_type(data_set.get()), "H5Dget_type");
  const h5::DataSpace space(H5Dget_space(data_set.get()), "H5Dget_space");
  const h5::PropertyList layout(H5Dget_create_plist(data_set.get()), "H5Dget_create_plist");
  std::vector<std::uint8_t> bytes = room_for(type.get(), space.get());
  if (bytes.empty() || !can_be_written(layout.get(), space.get())) return;
  h5::check(H5Dread(data_set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), "H5Dread");
  spoil(choices, bytes);
  H5Dwrite(data_set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
}

/// Same name; half of the time the same type or the same space.
void replace(Choices& choices, hid_t file, const std::string& name) {
  h5::DataType type;
  h5::DataSpace space;
  {
    const hid_t old = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
    const std::size_t keep = choices.below(4);
    if (old >= 0 && (keep & 1U) != 0) type = h5::DataType(H5Dget_type(old), "H5Dget_type");
    if (old >= 0 && (keep & 2U) != 0) space = h5::DataSpace(H5Dget_space(old), "H5Dget_space");
    if (old >= 0) H5Dclose(old);
  }
  if (!type) type = any_type(choices);
  if (!space) space = any_space(choices);
  const h5::PropertyList layout = any_layout(choices, space.get());
  H5Ldelete(file, name.c_str(), H5P_DEFAULT);
  const h5::PropertyList links = h5::property_list(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links.get(), 1);
  const h5::DataSet data_set(
      H5Dcreate2(file, name.c_str(), type.get(), space.get(), links.get(), layout.get(), H5P_DEFAULT),
      "H5Dcreate");
  std::vector<std::uint8_t> bytes = room_for(type.get(), space.get());
  if (bytes.empty() || !can_be_written(layout.get(), space.get())) return;
  fill(choices, bytes);
  H5Dwrite(data_set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
}

void write_texts(Choices& choices, hid_t attribute, hid_t type, hid_t space) {
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (count <= 0 || count > 64) return;
  const std::string text = choices.text(40);
  const std::vector<const char*> pointers(static_cast<std::size_t>(count),
                                          choices.chance(4) ? nullptr : text.c_str());
  H5Awrite(attribute, type, pointers.data());
}

void replace_attribute(Choices& choices, hid_t object, const std::string& name) {
  h5::DataType type;
  h5::DataSpace space;
  if (H5Aexists(object, name.c_str()) > 0) {
    const h5::Attribute old(H5Aopen(object, name.c_str(), H5P_DEFAULT), "H5Aopen");
    const std::size_t keep = choices.below(4);
    if ((keep & 1U) != 0) type = h5::DataType(H5Aget_type(old.get()), "H5Aget_type");
    if ((keep & 2U) != 0) space = h5::DataSpace(H5Aget_space(old.get()), "H5Aget_space");
    H5Adelete(object, name.c_str());
  }
  if (!type) type = any_type(choices);
  if (!space) space = any_space(choices);
  // HDF5 asks for the memory of an attribute as soon as it is made.
  const auto count = static_cast<std::uint64_t>(H5Sget_simple_extent_npoints(space.get()));
  if (count > most_bytes / std::max<std::uint64_t>(H5Tget_size(type.get()), 1)) return;
  const h5::Attribute attribute(
      H5Acreate2(object, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), "H5Acreate");
  if (H5Tis_variable_str(type.get()) > 0)
    return write_texts(choices, attribute.get(), type.get(), space.get());
  std::vector<std::uint8_t> bytes = room_for(type.get(), space.get());
  if (bytes.empty()) return;
  fill(choices, bytes);
  H5Awrite(attribute.get(), type.get(), bytes.data());
}

void link(Choices& choices, hid_t file, const std::string& name, const std::string& target) {
  if (choices.chance(2)) H5Ldelete(file, name.c_str(), H5P_DEFAULT);
  switch (choices.below(6)) {
  case 0: H5Lcreate_hard(file, target.c_str(), file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT); break;
  case 1:
    // A folder in itself. Not the root: HDF5 crashes when that link is removed again.
    if (const std::size_t slash = name.rfind('/'); slash != std::string::npos)
      H5Lcreate_hard(file, name.substr(0, slash).c_str(), file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
    break;
  case 2: H5Lcreate_soft(("/" + target).c_str(), file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT); break;
  case 3: H5Lcreate_soft(("/" + name).c_str(), file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT); break;
  case 4:
    H5Lcreate_external(choices.chance(2) ? "new.h5" : "/dev/null", target.c_str(), file, name.c_str(),
                       H5P_DEFAULT, H5P_DEFAULT);
    break;
  default: {
    const h5::Group group(H5Gcreate2(file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), "H5Gcreate");
    break;
  }
  }
}

void edit(Choices& choices, hid_t file) {
  const std::vector<std::string> names = links_of(file);
  const std::string name = pick(choices, names);
  switch (choices.below(12)) {
  case 0: H5Ldelete(file, name.c_str(), H5P_DEFAULT); return;
  case 1:
  case 2:
  case 3: return replace(choices, file, name);
  case 4:
  case 5: return change_values(choices, file, name);
  case 6:
    // Where there is one of that name already, HDF5 leaves behind a link without a name.
    if (H5Lexists(file, "new", H5P_DEFAULT) > 0) return;
    H5Lmove(file, name.c_str(), file, "new", H5P_DEFAULT, H5P_DEFAULT);
    return;
  case 7: return link(choices, file, name, pick(choices, names));
  case 8: H5Adelete(file, pick(choices, attributes_of(file)).c_str()); return;
  case 9: {
    const h5::DataSet data_set(H5Dopen2(file, name.c_str(), H5P_DEFAULT), "H5Dopen");
    return replace_attribute(choices, data_set.get(), pick(choices, attributes_of(data_set.get())));
  }
  default: return replace_attribute(choices, file, pick(choices, attributes_of(file)));
  }
}

} // namespace

void edit_file(const std::filesystem::path& path, Bytes program) {
  h5::initialise();
  Choices choices(program);
  const h5::PropertyList access = h5::property_list(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access.get(), choices.chance(2) ? H5F_LIBVER_V18 : H5F_LIBVER_EARLIEST,
                       H5F_LIBVER_LATEST);
  h5::File file(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.get()), "H5Fopen");
  for (int i = 0; i < most_edits && !choices.done(); ++i) {
    try {
      edit(choices, file.get());
    } catch (const h5::IoError&) { // HDF5 refuses the edit
    }
    H5Eclear2(H5E_DEFAULT);
  }
  file.close();
}

} // namespace metasieve::fuzz
