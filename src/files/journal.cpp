#include "files/journal.hpp"

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "parallel/collective.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <sstream>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t magic = 0x314c4e4a5645534dULL; // "MSEVJNL1"
constexpr std::uint64_t key_id = ~std::uint64_t{0};    // of the first record of a file, which is the key
constexpr const char* extension = ".journal";

/// Goes before each result.
struct RecordHead {
  std::uint64_t magic, id;
  std::int64_t size;
  std::uint64_t result_hash, head_hash; // head_hash: of the members before it
};
static_assert(sizeof(RecordHead) == 40 && std::is_trivially_copyable_v<RecordHead>);
constexpr std::int64_t head_bytes = sizeof(RecordHead);

std::uint64_t hash_of(const void* data, std::size_t size) {
  return hash_bytes(std::span(static_cast<const std::byte*>(data), size));
}

std::uint64_t own_hash(const RecordHead& head) { return hash_of(&head, offsetof(RecordHead, head_hash)); }

std::string bytes_of(std::uint64_t id, const std::string& result) {
  RecordHead head{magic, id, std::ssize(result), hash_text(result), 0};
  head.head_hash = own_hash(head);
  return std::string(reinterpret_cast<const char*>(&head), sizeof head) + result;
}

enum class Found { whole, unfinished, damaged };

/// The head at `offset`. whole: its result ends within the file too.
Found read_head(const RawFile& file, std::int64_t offset, std::int64_t file_size, RecordHead& head) {
  const std::string bytes = file.read(offset, head_bytes);
  if (std::ssize(bytes) < head_bytes) return Found::unfinished;
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.magic != magic || head.head_hash != own_hash(head) || head.size < 0) return Found::damaged;
  return head.size > file_size - offset - head_bytes ? Found::unfinished : Found::whole;
}

/// The result that lies at `offset`, unless it is damaged.
std::optional<std::string> read_result(const RawFile& file, std::int64_t offset, std::int64_t size,
                                       std::uint64_t hash) {
  std::string result = file.read(offset, size);
  if (std::ssize(result) != size || hash_text(result) != hash) return std::nullopt;
  return result;
}

bool before(const JournalPlace& a, const JournalPlace& b) { return a.id < b.id; }

/// What rank 0 finds in the files of a folder.
struct Scan {
  std::vector<std::string> files;
  std::vector<JournalPlace> places;
  std::int64_t damaged_files = 0, last_run = 0;

  /// Reads heads alone: results may be large, and are checked when they are read. @throws ConfigError:
  /// another key
  void add(const fs::path& folder, const std::string& name, const std::string& key);
};

void Scan::add(const fs::path& folder, const std::string& name, const std::string& key) {
  files.push_back(name);
  std::int64_t run = 0;
  if (std::sscanf(name.c_str(), "%9ld-", &run) == 1) last_run = std::max(last_run, run);
  const RawFile file = RawFile::open(folder / name);
  const std::int64_t size = file.size();
  RecordHead head{};
  Found found = read_head(file, 0, size, head);
  if (found == Found::whole) {
    const std::optional<std::string> other = read_result(file, head_bytes, head.size, head.result_hash);
    if (!other || head.id != key_id)
      found = Found::damaged;
    else if (*other != key)
      throw ConfigError("--resume: the finished work in " + folder.string() +
                        " was made with other settings (" + differing_names(key, *other) +
                        "); give those settings again, or start again without --resume");
  }
  std::int64_t offset = 0;
  while (found == Found::whole) {
    offset += head_bytes + head.size; // of what is whole: it ends within the file
    if (offset == size) break;
    found = read_head(file, offset, size, head);
    if (found == Found::whole)
      places.push_back({head.id, std::ssize(files) - 1, offset + head_bytes, head.size, head.result_hash});
  }
  if (found == Found::damaged) ++damaged_files;
}

std::vector<std::string> journal_names(const fs::path& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator each(folder, error), end; !error && each != end; each.increment(error))
    if (each->path().extension() == extension) names.push_back(each->path().filename().string());
  if (error) throw DataError("cannot read " + folder.string() + ": " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

/// The journals, and the folder unless a user has put something else into it.
void remove_journals(const fs::path& folder) {
  std::error_code error, not_empty;
  for (const std::string& name : journal_names(folder))
    if (!fs::remove(folder / name, error) && error)
      throw DataError("cannot remove " + (folder / name).string() + ": " + error.message());
  fs::remove(folder, not_empty);
}

} // namespace

Journal::Journal(const Communicator& comm, const fs::path& output, std::string key, bool resume)
    : comm_(comm), folder_(output.string() + ".partial"), key_(std::move(key)) {
  const std::string found = run_on_root_and_broadcast(comm, [&] {
    std::error_code error;
    const fs::file_status there = fs::status(folder_, error);
    if (fs::exists(there) && !fs::is_directory(there))
      throw DataError("cannot write " + folder_.string() + ": it is no folder");
    if (fs::exists(there) && !resume) remove_journals(folder_);
    return std::string(fs::exists(there) ? "folder" : "");
  });
  found_folder_ = !found.empty();
  if (found_folder_ && resume) find_kept(comm);
}

void Journal::find_kept(const Communicator& comm) {
  const std::string bytes = run_on_root_and_broadcast(comm, [&] {
    Scan scan;
    for (const std::string& name : journal_names(folder_)) scan.add(folder_, name, key_);
    // A piece that was done twice has its later result; files are in the order of the runs.
    std::reverse(scan.places.begin(), scan.places.end());
    std::stable_sort(scan.places.begin(), scan.places.end(), before);
    const auto same = [](const JournalPlace& a, const JournalPlace& b) { return a.id == b.id; };
    scan.places.erase(std::unique(scan.places.begin(), scan.places.end(), same), scan.places.end());
    ByteWriter out;
    out.put(scan.files).put(scan.damaged_files).put(scan.last_run).put(std::int64_t{std::ssize(scan.places)});
    for (const JournalPlace& place : scan.places) out.put(place);
    return out.take();
  });
  comm.run_collectively([&] {
    ByteReader reader(bytes);
    files_ = reader.texts();
    damaged_files_ = reader.get<std::int64_t>();
    run_ = reader.get<std::int64_t>() + 1;
    kept_.resize(static_cast<std::size_t>(reader.get<std::int64_t>()));
    for (JournalPlace& place : kept_) place = reader.get<JournalPlace>();
  });
}

void Journal::read(std::span<const std::uint64_t> ids, const Take& take) {
  std::vector<JournalPlace> wanted;
  for (const std::uint64_t id : ids) {
    const auto place = std::lower_bound(kept_.begin(), kept_.end(), JournalPlace{id}, before);
    if (place != kept_.end() && place->id == id) wanted.push_back(*place);
  }
  std::sort(wanted.begin(), wanted.end(), [](const JournalPlace& a, const JournalPlace& b) {
    return std::pair(a.file, a.offset) < std::pair(b.file, b.offset);
  });
  std::optional<RawFile> file;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const JournalPlace& place = wanted[i];
    if (i == 0 || wanted[i - 1].file != place.file)
      file.emplace(RawFile::open(folder_ / files_[static_cast<std::size_t>(place.file)]));
    const std::optional<std::string> result = read_result(*file, place.offset, place.size, place.hash);
    if (result)
      take(place.id, *result);
    else
      ++damaged_records_;
  }
}

void Journal::append(std::span<const JournalRecord> records) {
  if (records.empty()) return;
  const bool first = !mine_;
  if (first) {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) throw DataError("cannot write " + folder_.string() + ": " + error.message());
    std::array<char, 64> name{};
    std::snprintf(name.data(), name.size(), "%04ld-%05d%s", static_cast<long>(run_), comm_.rank(), extension);
    mine_.emplace(RawFile::create(folder_ / name.data()));
    mine_->append(bytes_of(key_id, key_));
  }
  for (const JournalRecord& record : records) mine_->append(bytes_of(record.id, record.result));
  mine_->sync();
  if (!first) return;
  sync_folder(folder_);
  sync_folder(fs::absolute(folder_).parent_path());
}

void Journal::remove() {
  mine_.reset();
  comm_.barrier(); // a network file system keeps what is still open under another name
  std::error_code error;
  if (comm_.is_root() && fs::exists(folder_, error)) {
    try {
      remove_journals(folder_);
    } catch (const DataError&) {
      // OUTPUT is whole: what is left does no harm.
    }
  }
  comm_.barrier();
}

std::string differing_names(const std::string& a, const std::string& b, int most) {
  std::map<std::string, std::array<std::string, 2>> values;
  for (const std::size_t side : {0U, 1U}) {
    std::istringstream lines(side == 0 ? a : b);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t equals = line.find(" = ");
      values[line.substr(0, equals)][side] = "=" + line; // unlike that of a line that is missing
    }
  }
  std::string names;
  for (const auto& [name, lines] : values) {
    if (lines[0] == lines[1]) continue;
    if (most-- == 0) return names + ", ...";
    names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

} // namespace metasieve
