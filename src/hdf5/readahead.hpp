#pragma once

#include <cstdint>
#include <filesystem>

namespace metasieve {

/// Tells the system what to write to disk, or to read from it, while the program goes on, so that the flush
/// at the end, or the next reading, has little left to wait for. Hints: where none can be given nothing is
/// lost. Move-only.
class PageHints {
public:
  PageHints() = default;
  explicit PageHints(const std::filesystem::path& path);
  ~PageHints();
  PageHints(PageHints&& other) noexcept;
  PageHints& operator=(PageHints&& other) noexcept;

  /// `size` bytes from `offset` on, which a process of this node has handed to the system, can go to disk.
  void written(std::uint64_t offset, std::uint64_t size) const noexcept;
  /// `size` bytes from `offset` on will soon be read by this node.
  void needed(std::uint64_t offset, std::uint64_t size) const noexcept;

private:
  int file_ = -1;
};

} // namespace metasieve
