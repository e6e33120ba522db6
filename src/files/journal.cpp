#include "files/journal.hpp"

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "parallel/collective.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

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

/// The result that lies there, unless it is damaged.
std::optional<std::string> read_result(const RawFile& file, const JournalPlace& place) {
  std::string result = file.read(place.offset, place.size);
  if (std::ssize(result) != place.size || hash_text(result) != place.hash) return std::nullopt;
  return result;
}

/// Places by id; a piece that was done twice has its later result.
using Places = std::map<std::uint64_t, JournalPlace>;

/// Adds the places of the records of file `number`. Reads heads alone: results may be large, and are checked
/// when they are read. @return whether the file is damaged. @throws ConfigError: another key
bool find_records(const fs::path& folder, const std::string& name, std::int64_t number,
                  const std::string& key, Places& places) {
  const RawFile file = RawFile::open(folder / name);
  const std::int64_t size = file.size();
  for (std::int64_t offset = 0; offset != size;) {
    RecordHead head{};
    const Found found = read_head(file, offset, size, head);
    if (found != Found::whole) return found == Found::damaged;
    const JournalPlace place{head.id, number, offset + head_bytes, head.size, head.result_hash};
    if (offset == 0) {
      const std::optional<std::string> other = read_result(file, place);
      if (!other || head.id != key_id) return true;
      if (*other != key)
        throw ConfigError("--resume: the finished work in " + folder.string() +
                          " was made with other settings (" + differing_names(key, *other) +
                          "); give those settings again, or start again without --resume");
    } else {
      places[head.id] = place;
    }
    offset += head_bytes + head.size; // of what is whole: it ends within the file
  }
  return false;
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
    const std::vector<std::string> files = journal_names(folder_); // in the order of the runs
    Places places;
    std::int64_t damaged_files = 0, last_run = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
      std::int64_t run = 0;
      if (std::sscanf(files[i].c_str(), "%9ld-", &run) == 1) last_run = std::max(last_run, run);
      damaged_files += find_records(folder_, files[i], static_cast<std::int64_t>(i), key_, places);
    }
    ByteWriter out;
    out.put(files).put(damaged_files).put(last_run).put(std::int64_t{std::ssize(places)});
    for (const auto& [id, place] : places) out.put(place);
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

const JournalPlace* Journal::find(std::uint64_t id) const {
  const auto place = std::ranges::lower_bound(kept_, id, {}, &JournalPlace::id);
  return place != kept_.end() && place->id == id ? &*place : nullptr;
}

void Journal::read(std::span<const std::uint64_t> ids, const Take& take) {
  std::vector<JournalPlace> wanted;
  for (const std::uint64_t id : ids)
    if (const JournalPlace* place = find(id)) wanted.push_back(*place);
  std::ranges::sort(wanted, {},
                    [](const JournalPlace& place) { return std::pair(place.file, place.offset); });
  std::optional<RawFile> file;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const JournalPlace& place = wanted[i];
    if (i == 0 || wanted[i - 1].file != place.file)
      file.emplace(RawFile::open(folder_ / files_[static_cast<std::size_t>(place.file)]));
    if (const std::optional<std::string> result = read_result(*file, place))
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

std::string differing_names(const std::string& a, const std::string& b) {
  std::map<std::string, std::array<std::string, 2>> lines;
  for (const std::size_t side : {0U, 1U})
    for (const std::string& line : split(side == 0 ? a : b, '\n'))
      lines[line.substr(0, line.find(" ="))][side] = line;
  std::vector<std::string> names;
  for (const auto& [name, sides] : lines)
    if (sides[0] != sides[1]) names.push_back(name);
  return first_few(std::move(names));
}

} // namespace metasieve
