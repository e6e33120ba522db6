#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace metasieve {

enum class FileType { suite, dataset, policy, checkpoint, results, evaluation, scores, scaling, sweep };

inline constexpr std::array file_type_names{
    std::string_view("metasieve-suite"),   std::string_view("metasieve-dataset"),
    std::string_view("metasieve-policy"),  std::string_view("metasieve-checkpoint"),
    std::string_view("metasieve-results"), std::string_view("metasieve-evaluation"),
    std::string_view("metasieve-scores"),  std::string_view("metasieve-scaling"),
    std::string_view("metasieve-sweep")};

/// The root attribute `filetype`.
[[nodiscard]] constexpr std::string_view to_string(FileType type) {
  return file_type_names[static_cast<std::size_t>(type)];
}

[[nodiscard]] constexpr std::optional<FileType> file_type_of(std::string_view name) {
  for (std::size_t i = 0; i < file_type_names.size(); ++i)
    if (file_type_names[i] == name) return static_cast<FileType>(i);
  return std::nullopt;
}

/// Whether equal contents must give equal bytes: such a file does not say when it was made.
[[nodiscard]] constexpr bool is_reproducible(FileType type) {
  return type == FileType::suite || type == FileType::policy;
}

/// The root attribute `version`. Readers accept any minor version of their major one and of older ones they
/// know.
struct FormatVersion {
  std::int32_t major = 1;
  std::int32_t minor = 0;
};
inline constexpr FormatVersion format_version{1, 0};

} // namespace metasieve
