// Files beside plain write + fsync and read of the same bytes, one after the other in each repeat, so that a
// disk that slows down slows both. "cold": the pages of the file are dropped from the cache before each
// reading (posix_fadvise), of both; "cached": the file has just been read. Files go to METASIEVE_BENCH_DIR,
// or here. Also under mpirun; then the plain one is rank 0's alone.

#include "files/checkpoint.hpp"
#include "files/policy.hpp"
#include "files/results.hpp"
#include "files/suite.hpp"
#include "files/verify.hpp"
#include "hdf5/raw_file.hpp"
#include "support/sample_files.hpp"

#include <benchmark/benchmark.h>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>

namespace metasieve {
namespace {

namespace fs = std::filesystem;

/// Set by main, for as long as MPI runs.
const Communicator* the_world = nullptr;
const Communicator& world() { return *the_world; }

fs::path folder() {
  const char* const given = std::getenv("METASIEVE_BENCH_DIR");
  return given == nullptr ? fs::current_path() : fs::path(given);
}

double seconds_now() {
  return 1e-9 * static_cast<double>(std::chrono::steady_clock::now().time_since_epoch() /
                                    std::chrono::nanoseconds(1));
}

/// Seconds of `work`, from when all ranks begin to when all have done.
double seconds_of(const std::function<void()>& work) {
  world().barrier();
  const double begin = seconds_now();
  work();
  return world().max(seconds_now() - begin);
}

void require(bool done) {
  if (!done) throw DataError("a plain call failed");
}

/// Closes what it opens.
void with_file(const fs::path& path, int flags, const std::function<bool(int)>& work) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  require(file >= 0);
  const bool done = work(file);
  ::close(file);
  require(done);
}

void write_plainly(const fs::path& path, const std::string& bytes) {
  with_file(path, O_WRONLY | O_CREAT | O_TRUNC, [&](int file) {
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t count = ::write(file, bytes.data() + at, bytes.size() - at);
      if (count <= 0) return false;
      at += static_cast<std::size_t>(count);
    }
    return ::fsync(file) == 0;
  });
}

/// Into new memory, as a reader's is.
void read_plainly(const fs::path& path, std::size_t size) {
  const auto bytes = std::make_unique_for_overwrite<char[]>(size);
  with_file(path, O_RDONLY, [&](int file) {
    for (std::size_t at = 0; at < size;) {
      const ssize_t count = ::read(file, bytes.get() + at, size - at);
      if (count <= 0) return false;
      at += static_cast<std::size_t>(count);
    }
    return true;
  });
  benchmark::DoNotOptimize(bytes.get());
}

enum class Pages { cached, cold };

void set_pages(const fs::path& path, Pages pages) {
  if (world().is_root())
    with_file(path, O_RDONLY, [&](int file) {
      return pages == Pages::cached ||
             (::fsync(file) == 0 && ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0);
    });
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Runs both in turns and counts: MB/s of the median repeat of each, and the share of the plain one's that
/// ours reaches, by the medians and by the fastest repeats. `ready` comes before each, untimed.
void compare(benchmark::State& state, double megabytes, const std::function<void()>& ready,
             const std::function<void()>& ours, const std::function<void()>& plain) {
  std::vector<double> of_ours, of_plain;
  for (auto _ : state) {
    const bool ours_first = of_ours.size() % 2 == 0;
    for (const bool is_ours : {ours_first, !ours_first}) {
      ready();
      (is_ours ? of_ours : of_plain).push_back(seconds_of(is_ours ? ours : plain));
    }
    state.SetIterationTime(of_ours.back());
  }
  const auto fastest = [](const std::vector<double>& all) {
    return *std::min_element(all.begin(), all.end());
  };
  state.counters["MB"] = megabytes;
  state.counters["MB/s"] = megabytes / median(of_ours);
  state.counters["plain_MB/s"] = megabytes / median(of_plain);
  state.counters["of_plain"] = median(of_plain) / median(of_ours);
  state.counters["of_plain_fastest"] = fastest(of_plain) / fastest(of_ours);
}

// -------------------------------------------------------------------------------------------- what is
// written

/// This rank's share of a suite: tasks of 3,400 + 1,457 rows of 13 columns, of random values.
std::vector<Task> tasks_of_suite(Index count) {
  std::vector<Task> tasks;
  const Range mine = test::share(world(), count);
  for (Index id = mine.begin; id < mine.end; ++id) {
    Task task = test::sample_task(static_cast<std::uint64_t>(id));
    task.metadata.n_train = 3400;
    task.metadata.n_test = 1457;
    task.metadata.n_samples = 3400 + 1457;
    task.metadata.n_features = 13;
    const Stream stream(Seed{1}, Draw::covariates, TaskId{static_cast<std::uint64_t>(id)});
    task.train = test::sample_split(stream, 3400, 13);
    task.test = test::sample_split(stream, 1457, 13);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

/// A file of ours and one of the same bytes, written in turns, then removed.
class Pair {
public:
  explicit Pair(std::function<void(const fs::path&)> write) : write_(std::move(write)) {
    if (world().is_root()) fs::create_directories(folder_);
    world().barrier();
    write_(ours_);
    bytes_ = bytes_of(ours_);
    if (world().is_root()) write_plainly(plain_, bytes_);
  }
  ~Pair() {
    world().barrier();
    if (world().is_root()) fs::remove_all(folder_);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void compare_writing(benchmark::State& state) {
    const auto ready = [&] {
      world().barrier();
      if (!world().is_root()) return;
      fs::remove(ours_);
      fs::remove(plain_);
      ::sync();
    };
    compare(
        state, megabytes(), ready, [&] { write_(ours_); },
        [&] {
          if (world().is_root()) write_plainly(plain_, bytes_);
        });
  }

  void compare_reading(benchmark::State& state, Pages pages,
                       const std::function<void(const fs::path&)>& read) {
    const auto ready = [&] {
      set_pages(ours_, pages);
      set_pages(plain_, pages);
    };
    compare(
        state, megabytes(), ready, [&] { read(ours_); },
        [&] {
          if (world().is_root()) read_plainly(plain_, bytes_.size());
        });
  }

private:
  [[nodiscard]] double megabytes() const { return 1e-6 * static_cast<double>(bytes_.size()); }

  std::function<void(const fs::path&)> write_;
  fs::path folder_ = folder() / "bench_files", ours_ = folder_ / "ours.h5", plain_ = folder_ / "plain";
  std::string bytes_;
};

const Provenance provenance{"[suite]\ntasks = 240\n"};

void suite_write(benchmark::State& state) {
  const std::vector<Task> tasks = tasks_of_suite(state.range(0));
  Pair([&](const fs::path& path) { write_suite(world(), path, provenance, tasks); }).compare_writing(state);
}

void suite_read(benchmark::State& state, Pages pages) {
  Pair pair(
      [&](const fs::path& path) { write_suite(world(), path, provenance, tasks_of_suite(state.range(0))); });
  pair.compare_reading(state, pages, [](const fs::path& path) {
    const SuiteReader reader(world(), path);
    benchmark::DoNotOptimize(reader.read(test::share(world(), reader.task_count())).data());
  });
}

/// As of a default training: full, 400 iterations.
Checkpoint checkpoint_of_training() {
  Checkpoint checkpoint;
  checkpoint.policy.theta = Vector::Ones(parameter_count(checkpoint.policy));
  checkpoint.adam.first_moment = checkpoint.adam.second_moment = checkpoint.policy.theta;
  checkpoint.adam.step = checkpoint.policy.trained_iterations = 400;
  for (std::int64_t i = 1; i <= 400; ++i)
    checkpoint.results.history.push_back({i, 0.5, 0.25, 0.25, 1e-3, 0, 0, 0.01});
  return checkpoint;
}

void policy_write(benchmark::State& state) {
  const Policy policy = checkpoint_of_training().policy;
  Pair([&](const fs::path& path) { write_file(world(), path, provenance, policy); }).compare_writing(state);
}

void checkpoint_write(benchmark::State& state) {
  const Checkpoint checkpoint = checkpoint_of_training();
  Pair([&](const fs::path& path) { write_checkpoint(world(), path, {}, checkpoint); }).compare_writing(state);
}

void results_write(benchmark::State& state) {
  const Results results = checkpoint_of_training().results;
  Pair([&](const fs::path& path) { write_file(world(), path, provenance, results); }).compare_writing(state);
}

void suites(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(240)->UseManualTime()->Iterations(11)->Unit(benchmark::kMillisecond);
}
void larger_suites(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(960)->UseManualTime()->Iterations(5)->Unit(benchmark::kMillisecond);
}
void small_files(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseManualTime()->Iterations(21)->Unit(benchmark::kMillisecond);
}

BENCHMARK(suite_write)->Apply(suites);
BENCHMARK_CAPTURE(suite_read, cold, Pages::cold)->Apply(suites);
BENCHMARK_CAPTURE(suite_read, cached, Pages::cached)->Apply(suites);
// What a file costs, whatever its size, counts for less in larger ones.
BENCHMARK(suite_write)->Apply(larger_suites);
BENCHMARK_CAPTURE(suite_read, cold, Pages::cold)->Apply(larger_suites);
BENCHMARK_CAPTURE(suite_read, cached, Pages::cached)->Apply(larger_suites);
BENCHMARK(policy_write)->Apply(small_files);
BENCHMARK(checkpoint_write)->Apply(small_files);
BENCHMARK(results_write)->Apply(small_files);

} // namespace
} // namespace metasieve

int main(int argc, char** argv) {
  using namespace metasieve;
  if (const auto code = serve_file_check(argc, argv)) return *code;
  const Environment mpi(argc, argv);
  const Communicator comm;
  the_world = &comm;
  benchmark::Initialize(&argc, argv);
  struct Silent : benchmark::BenchmarkReporter {
    bool ReportContext(const Context&) override { return true; }
    void ReportRuns(const std::vector<Run>&) override {}
  } silent;
  if (comm.is_root())
    benchmark::RunSpecifiedBenchmarks();
  else
    benchmark::RunSpecifiedBenchmarks(&silent);
}
