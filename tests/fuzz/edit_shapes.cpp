#include "fuzz/edit_shapes.hpp"

#include <algorithm>
#include <vector>

namespace metasieve::fuzz {
namespace {

hid_t any_number(Choices& choices) {
  const std::array numbers{H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_STD_U8LE,    H5T_STD_I64LE,
                           H5T_STD_U64LE,  H5T_STD_I8LE,   H5T_STD_I32LE,   H5T_STD_I16BE,
                           H5T_STD_U32BE,  H5T_STD_I64BE,  H5T_IEEE_F32BE,  H5T_IEEE_F64BE,
                           H5T_STD_B16LE,  H5T_UNIX_D32LE, H5T_STD_REF_OBJ, H5T_NATIVE_LDOUBLE};
  return numbers[choices.below(numbers.size())];
}

/// An integer with unused bits, or a float of few bits.
h5::DataType odd_number(Choices& choices) {
  h5::DataType type(H5Tcopy(choices.chance(2) ? H5T_STD_I32LE : H5T_IEEE_F32LE), "H5Tcopy");
  if (H5Tget_class(type.get()) == H5T_INTEGER) {
    H5Tset_precision(type.get(), 1 + choices.below(32));
    H5Tset_size(type.get(), 1 + choices.below(16));
    H5Tset_offset(type.get(), choices.below(32));
  } else {
    H5Tset_fields(type.get(), 15, 10, 5, 0, 10);
    H5Tset_precision(type.get(), 16);
    H5Tset_ebias(type.get(), choices.below(64));
    H5Tset_size(type.get(), 2);
  }
  return type;
}

h5::DataType any_text(Choices& choices) {
  h5::DataType type(H5Tcopy(H5T_C_S1), "H5Tcopy");
  H5Tset_size(type.get(), choices.chance(3) ? H5T_VARIABLE : 1 + choices.below(64));
  H5Tset_strpad(type.get(), static_cast<H5T_str_t>(choices.below(3)));
  H5Tset_cset(type.get(), choices.chance(2) ? H5T_CSET_UTF8 : H5T_CSET_ASCII);
  return type;
}

h5::DataType compound(Choices& choices, int depth) {
  h5::DataType type(H5Tcreate(H5T_COMPOUND, 64), "H5Tcreate");
  const std::array names{"task_id", "n_train", "family", "iteration", "loss", "other"};
  for (std::size_t i = 0, at = 0; i < 1 + choices.below(4); ++i) {
    const h5::DataType member = any_type(choices, depth + 1);
    H5Tinsert(type.get(), names[choices.below(names.size())], at,
              member.get()); // a second one of a name fails
    at += H5Tget_size(member.get());
  }
  return type;
}

h5::DataType enumeration(Choices& choices) {
  h5::DataType type(H5Tenum_create(choices.chance(2) ? H5T_STD_I8LE : H5T_STD_U64BE), "H5Tenum_create");
  const std::array<std::int64_t, 2> values{0, 1};
  H5Tenum_insert(type.get(), "FALSE", &values[0]);
  H5Tenum_insert(type.get(), "TRUE", &values[1]);
  return type;
}

} // namespace

h5::DataType any_type(Choices& choices, int depth) {
  switch (depth > 2 ? 0 : choices.below(16)) {
  case 8: return odd_number(choices);
  case 9:
  case 10: return any_text(choices);
  case 11: return compound(choices, depth);
  case 12: return enumeration(choices);
  case 13: {
    const h5::DataType base = any_type(choices, depth + 1);
    const std::array<hsize_t, 2> extents{1 + choices.below(4), 1 + choices.below(4)};
    return {H5Tarray_create2(base.get(), 1 + static_cast<unsigned>(choices.below(2)), extents.data()),
            "H5Tarray_create"};
  }
  case 14: {
    const h5::DataType base = any_type(choices, depth + 1);
    return {H5Tvlen_create(base.get()), "H5Tvlen_create"};
  }
  case 15: return {H5Tcreate(H5T_OPAQUE, 1 + choices.below(16)), "H5Tcreate"};
  default: return {H5Tcopy(any_number(choices)), "H5Tcopy"};
  }
}

h5::DataSpace any_space(Choices& choices) {
  const std::size_t kind = choices.below(8);
  if (kind == 6) return {H5Screate(H5S_SCALAR), "H5Screate"};
  if (kind == 7) return {H5Screate(H5S_NULL), "H5Screate"};
  const int rank = kind < 4 ? 1 : kind == 4 ? 2 : 1 + static_cast<int>(choices.below(4));
  std::array<hsize_t, 4> extents{}, most{};
  for (std::size_t i = 0; i < extents.size(); ++i) {
    extents[i] = choices.number();
    most[i] = choices.chance(4) ? H5S_UNLIMITED : extents[i];
  }
  return {H5Screate_simple(rank, extents.data(), most.data()), "H5Screate_simple"};
}

h5::PropertyList any_layout(Choices& choices, hid_t space) {
  h5::PropertyList creation = h5::property_list(H5P_DATASET_CREATE);
  const int rank = H5Sget_simple_extent_ndims(space);
  switch (choices.below(6)) {
  case 1: H5Pset_layout(creation.get(), H5D_COMPACT); break;
  case 2:
  case 3: {
    std::array<hsize_t, 4> chunk{1, 1, 1, 1};
    for (hsize_t& extent : chunk) extent = std::clamp<hsize_t>(choices.number(), 1, 0xffffffff);
    if (rank > 0) H5Pset_chunk(creation.get(), rank, chunk.data());
    const std::size_t filters = choices.below(64);
    if ((filters & 1U) != 0) H5Pset_shuffle(creation.get());
    if ((filters & 2U) != 0) H5Pset_deflate(creation.get(), 1);
    if ((filters & 4U) != 0) H5Pset_fletcher32(creation.get());
    if ((filters & 8U) != 0) H5Pset_scaleoffset(creation.get(), H5Z_SO_INT, 0);
    if ((filters & 16U) != 0) H5Pset_nbit(creation.get());
    break;
  }
  case 4:
    H5Pset_external(creation.get(), choices.chance(2) ? "/dev/zero" : "new.h5", 0,
                    choices.chance(2) ? H5F_UNLIMITED : choices.number());
    break;
  case 5: {
    const std::uint64_t fill = choices.number();
    H5Pset_fill_value(creation.get(), H5T_NATIVE_UINT64, &fill);
    break;
  }
  default: break;
  }
  if (choices.chance(8)) H5Pset_attr_phase_change(creation.get(), 0, 0); // attributes apart from the header
  return creation;
}

} // namespace metasieve::fuzz
