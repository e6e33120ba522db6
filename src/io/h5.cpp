#include "io/h5.hpp"

#include <algorithm>
#include <string_view>

namespace metasieve::h5 {
namespace {

/// Keeps the first entry that says something: the walk starts at the most specific one.
herr_t keep_first(unsigned, const H5E_error2_t* entry, void* text) {
  auto& kept = *static_cast<std::string*>(text);
  if (kept.empty() && entry->desc != nullptr) kept = entry->desc;
  return 0;
}

/// HDF5 hides the reason of the operating system among addresses and times: "... error message = 'No space
/// left on device', buf = 0x55...".
std::string reason_in(const std::string& description) {
  constexpr std::string_view mark = "error message = '";
  const auto begin = description.find(mark);
  if (begin == std::string::npos) return description;
  const auto end = description.find('\'', begin + mark.size());
  return description.substr(begin + mark.size(), end == std::string::npos ? end : end - begin - mark.size());
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

bool given_up = false;

} // namespace

void give_up_file() noexcept { given_up = true; }
bool gave_up_file() noexcept { return given_up; }

void initialise() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

void fail(const char* call) {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &text);
  H5Eclear2(H5E_DEFAULT);
  throw IoError(std::string(call) + " failed" + (text.empty() ? "" : ": " + one_line(reason_in(text))));
}

PropertyList property_list(hid_t list_class) { return {H5Pcreate(list_class), "H5Pcreate"}; }

DataType text_type(std::size_t size) {
  DataType type(H5Tcopy(H5T_C_S1), "H5Tcopy");
  check(H5Tset_size(type.get(), std::max<std::size_t>(size, 1)), "H5Tset_size");
  check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "H5Tset_strpad");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "H5Tset_cset");
  return type;
}

std::string describe_type(hid_t type) {
  const std::string bits = std::to_string(8 * H5Tget_size(type));
  switch (H5Tget_class(type)) {
  case H5T_INTEGER: return (H5Tget_sign(type) == H5T_SGN_NONE ? "uint" : "int") + bits;
  case H5T_FLOAT: return "float" + bits;
  case H5T_STRING: return "text";
  case H5T_COMPOUND: return "compound";
  case H5T_ENUM: return "enumeration (or bool)";
  case H5T_ARRAY: return "array";
  default: return "an unusual type";
  }
}

} // namespace metasieve::h5
