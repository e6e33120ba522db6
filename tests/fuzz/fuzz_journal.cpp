#include "fuzz/harness.hpp"

#include "base/hash.hpp"
#include "evaluation/task_results.hpp"
#include "files/journal.hpp"
#include "files/suite_layout.hpp"

#include "support/sample_files.hpp"

#include <cstdlib>
#include <cstring>

namespace metasieve::fuzz {
namespace {

namespace fs = std::filesystem;

const std::string key = "suite = 17\n"; // NOLINT(cert-err58-cpp)

fs::path journal_file() { return input_file().string() + ".partial/0001-00000.journal"; }

std::vector<std::uint8_t> good_journal() {
  fs::remove(journal_file());
  Journal journal(world(), input_file(), key, true);
  TaskResult result{
      Corruption::none, {MethodResult{}, MethodResult{}}, {MethodResult{}}, {Vector::Constant(3, 0.5)}, {}};
  journal.append(
      std::vector<JournalRecord>{{0, task_bytes(test::sample_task(0))}, {1, bytes_of(result)}, {2, ""}});
  return get_bytes(journal_file());
}

/// A result that fits its checksum is given to both who keep results; one of them at least is another's.
void read() {
  Journal journal(world(), input_file(), key, true);
  std::vector<std::uint64_t> ids;
  for (const JournalPlace& place : journal.kept()) ids.push_back(place.id);
  journal.read(ids, [&](std::uint64_t, const std::string& result) {
    expect_sound(ExitCode::data, [&] {
      const Task task = task_of_bytes(result);
      for (const Split* split : {&task.train, &task.test})
        if (split->y.size() != split->rows() || split->group.size() != split->rows() ||
            split->y_clean.size() != split->rows())
          found("accepted a task that is none");
    });
    expect_sound(ExitCode::data, [&] { static_cast<void>(task_result(result)); });
  });
}

} // namespace

/// An empty input stands for a good journal. METASIEVE_FUZZ_KEEP=FILE keeps a copy of what is read.
bool try_input(Bytes input) {
  const fs::path folder = journal_file().parent_path();
  fs::create_directories(folder);
  static const std::vector<std::uint8_t> good = good_journal();
  put_bytes(journal_file(), input.empty() ? Bytes(good) : input);
  if (const char* copy = std::getenv("METASIEVE_FUZZ_KEEP")) put_bytes(copy, get_bytes(journal_file()));
  expect_sound(ExitCode::usage, read);
  fs::remove_all(folder);
  return true;
}

/// Records are made to fit their checksums. Each: mark, id, size, checksum of the result, checksum of these,
/// result.
void repair_input(std::span<std::uint8_t> input) {
  constexpr std::size_t head = 40;
  const auto hash = [&](std::size_t begin, std::size_t size) {
    return hash_bytes(std::as_bytes(input.subspan(begin, size)));
  };
  const auto put = [&](std::size_t at, std::uint64_t value) {
    std::memcpy(&input[at], &value, sizeof value);
  };
  for (std::size_t at = 0; at + head <= input.size();) {
    std::uint64_t size = 0;
    std::memcpy(&size, &input[at + 16], sizeof size);
    const bool fits = size <= input.size() - at - head;
    if (fits) put(at + 24, hash(at + head, size));
    put(at + 32, hash(at, head - 8));
    if (!fits) return;
    at += head + size;
  }
}

} // namespace metasieve::fuzz
