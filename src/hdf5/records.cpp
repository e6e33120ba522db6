#include "hdf5/records.hpp"

#include <memory>

namespace metasieve::h5 {
namespace {

std::string class_of(const FieldLayout& field) {
  return field.number == nullptr ? "text" : describe_type(field.number());
}

bool is_alike(hid_t member, const FieldLayout& field) {
  const H5T_class_t found = H5Tget_class(member);
  if (field.number == nullptr) return found == H5T_STRING && H5Tis_variable_str(member) == 0;
  const H5T_class_t wanted = H5Tget_class(field.number());
  // HDF5 would clip a negative integer to zero without a word.
  return found == wanted && (wanted != H5T_INTEGER || H5Tget_sign(member) == H5Tget_sign(field.number()));
}

/// HDF5 copies fields from where a damaged file says that they are, even far outside the record.
void require_fields_inside(hid_t compound) {
  const std::size_t size = H5Tget_size(compound);
  const int count = check(H5Tget_nmembers(compound), "H5Tget_nmembers");
  for (unsigned i = 0; i < static_cast<unsigned>(count); ++i) {
    const DataType member(H5Tget_member_type(compound, i), "H5Tget_member_type");
    const std::size_t begin = H5Tget_member_offset(compound, i), bytes = H5Tget_size(member.get());
    if (begin > size || bytes > size - begin)
      throw DataError("field " + std::to_string(i) + " lies outside of its record: damaged");
  }
}

} // namespace

DataType compound_type(const std::vector<FieldLayout>& fields) {
  const std::size_t size = fields.back().offset + fields.back().size;
  DataType compound(H5Tcreate(H5T_COMPOUND, size), "H5Tcreate");
  for (const FieldLayout& field : fields) {
    const DataType text = field.number == nullptr ? text_type(field.size) : DataType();
    const hid_t member = field.number == nullptr ? text.get() : field.number();
    check(H5Tinsert(compound.get(), field.name.c_str(), field.offset, member), "H5Tinsert");
  }
  return compound;
}

void require_fields(hid_t file_type, const std::vector<FieldLayout>& fields) {
  if (H5Tget_class(file_type) != H5T_COMPOUND)
    throw DataError("has type " + describe_type(file_type) + "; must be a compound of " +
                    std::to_string(fields.size()) + " fields, the first '" + fields.front().name + "'");
  require_fields_inside(file_type);
  for (const FieldLayout& field : fields) {
    const int index = H5Tget_member_index(file_type, field.name.c_str());
    if (index < 0) {
      H5Eclear2(H5E_DEFAULT);
      if (field.optional) continue;
      throw DataError("has no field '" + field.name + "'");
    }
    const DataType member(H5Tget_member_type(file_type, static_cast<unsigned>(index)), "H5Tget_member_type");
    if (!is_alike(member.get(), field))
      throw DataError("field '" + field.name + "' is " + describe_type(member.get()) + "; must be " +
                      class_of(field));
  }
}

std::vector<FieldLayout> fields_of(hid_t file_type) {
  if (H5Tget_class(file_type) != H5T_COMPOUND)
    throw DataError("has type " + describe_type(file_type) + "; must be a compound");
  require_fields_inside(file_type);
  std::vector<FieldLayout> fields;
  const auto count = static_cast<unsigned>(check(H5Tget_nmembers(file_type), "H5Tget_nmembers"));
  for (unsigned i = 0; i < count; ++i) {
    const DataType member(H5Tget_member_type(file_type, i), "H5Tget_member_type");
    const std::unique_ptr<char, herr_t (*)(void*)> name(H5Tget_member_name(file_type, i), H5free_memory);
    if (!name) throw DataError("field " + std::to_string(i) + " has no name: damaged");
    FieldLayout field{name.get(), sizeof(double), nullptr};
    switch (H5Tget_class(member.get())) {
    case H5T_INTEGER:
      field.number =
          H5Tget_sign(member.get()) == H5T_SGN_NONE ? &type_of<std::uint64_t> : &type_of<std::int64_t>;
      break;
    case H5T_FLOAT: field.number = &type_of<double>; break;
    case H5T_STRING: field.size = H5Tget_size(member.get()); break;
    default:
      throw DataError("field '" + field.name + "' is " + describe_type(member.get()) +
                      "; must be a number or text");
    }
    if (!fields.empty()) field.offset = fields.back().offset + fields.back().size;
    fields.push_back(std::move(field));
  }
  if (fields.empty()) throw DataError("has no fields: damaged");
  return fields;
}

std::string padded_text(const std::string& name, const std::byte* bytes, std::size_t size) {
  const char* begin = reinterpret_cast<const char*>(bytes);
  const std::size_t length = strnlen(begin, size);
  if (length == size)
    throw DataError("text in field '" + name + "' does not end; must have at most " +
                    std::to_string(size - 1) + " characters");
  return {begin, length};
}

} // namespace metasieve::h5
