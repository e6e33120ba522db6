#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace metasieve::fuzz {

/// Decisions read from fuzz bytes, one after the other; zeros once they are used up.
class Choices {
public:
  explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool done() const noexcept { return bytes_.empty(); }

  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }
  /// 0 to count - 1; count from 1 to 256.
  std::size_t below(std::size_t count) { return byte() % count; }
  bool chance(std::size_t one_in) { return below(one_in) == one_in - 1; }

  /// Mostly small, sometimes at an edge of some integer type, sometimes anything.
  std::uint64_t number() {
    static constexpr std::array<std::uint64_t, 12> edges{
        0x7f,       0x80,        0xff,        0xffff,      0x7fffffff,         0x80000000,
        0xffffffff, 0x100000001, 1ULL << 40U, 1ULL << 61U, 0x7fffffffffffffff, 0xffffffffffffffff};
    const std::size_t kind = below(32);
    if (kind < 18) return kind;
    if (kind < 18 + edges.size()) return edges[kind - 18];
    std::uint64_t any = 0;
    for (int i = 0; i < (kind == 30 ? 2 : 8); ++i) any = any << 8U | byte();
    return any;
  }

  std::string text(std::size_t most) {
    std::string text(below(most + 1), '\0');
    for (char& c : text) c = static_cast<char>(byte());
    return text;
  }

private:
  std::span<const std::uint8_t> bytes_;
};

} // namespace metasieve::fuzz
