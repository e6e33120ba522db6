#include "files/suite.hpp"

#include "support/collective_error.hpp"
#include "support/damage.hpp"
#include "support/sample_files.hpp"
#include "support/scratch.hpp"

#include <limits>

namespace metasieve {
namespace {

using test::contains;

/// A good suite of 6 tasks, to be damaged.
class DamagedSuite : public testing::Test {
protected:
  DamagedSuite() {
    write_suite(comm_, path_, {"[suite]\n"}, test::sample_tasks(test::share(comm_, 6)));
    good_ = test::bytes_of(path_);
  }

  /// The error of reading all of the suite after rank 0 has made `change` to it; the suite is good again
  /// after.
  std::string error_after(const std::function<void(hid_t)>& change) {
    comm_.barrier();
    if (comm_.is_root()) test::edit(path_, change);
    return error();
  }

  std::string error_of_bytes(const std::string& bytes) {
    comm_.barrier();
    if (comm_.is_root()) test::put_bytes(path_, bytes);
    return error();
  }

  std::string error() {
    comm_.barrier();
    const std::string message = test::collective_error(comm_, [&] {
      const SuiteReader reader(comm_, path_);
      static_cast<void>(reader.read(test::share(comm_, reader.task_count())));
    });
    EXPECT_TRUE(message.starts_with(path_.string() + ": ")) << message;
    EXPECT_EQ(test::open_ids(), 0) << message;
    comm_.barrier();
    if (comm_.is_root()) test::put_bytes(path_, good_);
    return message;
  }

  Communicator comm_;
  test::Scratch scratch_{comm_};
  std::filesystem::path path_ = scratch_ / "suite.h5";
  std::string good_;
};

/// Gives all records of /metadata this value in one field.
void set_field(hid_t file, const char* field, hid_t type, const void* value) {
  const h5::DataSet data_set(H5Dopen2(file, "/metadata", H5P_DEFAULT), "H5Dopen");
  const std::size_t size = H5Tget_size(type);
  const h5::DataType one(H5Tcreate(H5T_COMPOUND, size), "H5Tcreate");
  h5::check(H5Tinsert(one.get(), field, 0, type), "H5Tinsert");
  std::string values;
  for (int i = 0; i < 6; ++i) values.append(static_cast<const char*>(value), size);
  h5::check(H5Dwrite(data_set.get(), one.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "H5Dwrite");
}

TEST_F(DamagedSuite, values) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  EXPECT_PRED2(contains, error_after([&](hid_t f) { test::set_value(f, "/train/x", 17, nan); }),
               "/train/x: task 2, value 6 is NaN; features must be finite");
  EXPECT_PRED2(contains, error_after([&](hid_t f) { test::set_value(f, "/test/x", 0, -infinity); }),
               "/test/x: task 0, value 0 is infinite");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::set_value<std::uint8_t>(f, "/train/y", 4, 2); }),
               "/train/y: task 1, row 1 is 2; must be 0 or 1");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::set_value<std::uint8_t>(f, "/train/z", 0, 255); }),
               "/train/z: task 0, row 0 is 255");
  EXPECT_PRED2(contains,
               error_after([](hid_t f) { test::set_value<std::uint8_t>(f, "/test/y_clean", 0, 9); }),
               "/test/y_clean: task 0");
}

TEST_F(DamagedSuite, groups_that_a_task_does_not_have) {
  write_suite(comm_, path_, {"[suite]\n"}, test::sample_tasks_of_five_groups(test::share(comm_, 6)));
  good_ = test::bytes_of(path_);

  EXPECT_PRED2(contains, error_after([](hid_t f) { test::set_value<std::uint8_t>(f, "/train/z", 0, 5); }),
               "/train/z: task 0, row 0 is 5; must be less than the number of groups, 5");
  const std::int64_t five = 5;
  EXPECT_PRED2(contains, error_after([&](hid_t f) { set_field(f, "disadvantaged", H5T_STD_I64LE, &five); }),
               "disadvantaged is 5; must be a group: below 5");
}

TEST_F(DamagedSuite, offsets) {
  for (const char* name : {"/train/row_offset", "/test/x_offset"}) {
    const auto with = [&](std::size_t index, std::uint64_t value) {
      return error_after([&](hid_t f) { test::set_value(f, name, index, value); });
    };
    EXPECT_PRED2(contains, with(0, 1), std::string(name) + ": starts at 1; must be 0");
    EXPECT_PRED2(contains, with(2, 1), std::string(name) + ": task 1: goes from");
    EXPECT_PRED2(contains, with(6, std::uint64_t{1} << 60), name);
    EXPECT_PRED2(contains, with(3, ~std::uint64_t{0}), name);
  }
  EXPECT_PRED2(contains,
               error_after([](hid_t f) { test::replace<std::uint64_t>(f, "/train/x_offset", {0}, {}); }),
               "/train/x_offset: has 0 values; must have one more than the 6 tasks");
}

TEST_F(DamagedSuite, shapes) {
  const auto with = [&](const char* name, const std::vector<hsize_t>& extents) {
    return error_after(
        [&](hid_t f) { test::replace<float>(f, name, extents, std::vector<float>(12, 0.5F)); });
  };
  EXPECT_PRED2(contains, with("/train/x", {3, 4}), "/train/x: has shape [3, 4]; must have 1 dimension");
  EXPECT_PRED2(contains, with("/train/x", {12}), "/train/x_offset: ends at");
  EXPECT_PRED2(contains, error_after([](hid_t f) {
                 test::replace<std::uint8_t>(f, "/test/z", {2}, {0, 1});
               }),
               "/test/z: has 2 values; must have the");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::remove(f, "/test/y"); }), "/test/y: is missing");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::remove(f, "/train"); }), "/train/x: is missing");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::remove(f, "/metadata"); }), "/metadata: is missing");
}

/// 2^60 values asked for, none stored: must be refused before any memory is asked for.
TEST_F(DamagedSuite, extents_beyond_the_file) {
  const hsize_t huge = hsize_t{1} << 60;
  const auto unwritten = [&](bool chunked) {
    return error_after([&](hid_t file) {
      test::remove(file, "/train/x");
      const h5::DataSpace space(H5Screate_simple(1, &huge, nullptr), "H5Screate_simple");
      const h5::PropertyList creation = h5::property_list(H5P_DATASET_CREATE);
      const hsize_t chunk = 1000;
      if (chunked) h5::check(H5Pset_chunk(creation.get(), 1, &chunk), "H5Pset_chunk");
      const h5::DataSet data_set(
          H5Dcreate2(file, "/train/x", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
          "H5Dcreate");
    });
  };
  EXPECT_PRED2(contains, unwritten(false), "/train/x: has fewer bytes in the file than its shape asks for");
  EXPECT_PRED2(contains, unwritten(true), "/train/x: has fewer bytes in the file than its shape asks for");
}

/// As older programs wrote them with output.compress.
TEST_F(DamagedSuite, values_in_chunks) {
  const std::string message = error_after([&](hid_t file) {
    test::remove(file, "/train/y");
    const hsize_t count = 4;
    const h5::DataSpace space(H5Screate_simple(1, &count, nullptr), "H5Screate_simple");
    const h5::PropertyList creation = h5::property_list(H5P_DATASET_CREATE);
    h5::check(H5Pset_chunk(creation.get(), 1, &count), "H5Pset_chunk");
    h5::check(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), "H5Pset_alloc_time");
    const h5::DataSet data_set(
        H5Dcreate2(file, "/train/y", H5T_STD_U8LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
        "H5Dcreate");
  });
  EXPECT_PRED2(contains, message, "/train/y: is compressed or in chunks; unpack the suite with h5repack");
}

TEST_F(DamagedSuite, values_kept_in_another_file) {
  const std::string message = error_after([&](hid_t file) {
    test::remove(file, "/train/x");
    const hsize_t count = 4;
    const h5::DataSpace space(H5Screate_simple(1, &count, nullptr), "H5Screate_simple");
    const h5::PropertyList creation = h5::property_list(H5P_DATASET_CREATE);
    h5::check(H5Pset_external(creation.get(), path_.c_str(), 0, 16), "H5Pset_external");
    const h5::DataSet data_set(
        H5Dcreate2(file, "/train/x", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
        "H5Dcreate");
  });
  EXPECT_PRED2(contains, message, "/train/x: keeps its values in other files");
}

TEST_F(DamagedSuite, types) {
  const std::vector<double> doubles(12, 0.5);
  EXPECT_PRED2(contains, error_after([&](hid_t f) { test::replace(f, "/train/x", {12}, doubles); }),
               "/train/x: has type float64; must be float32, little-endian");
  EXPECT_PRED2(contains, error_after([&](hid_t f) { test::replace(f, "/train/y", {12}, doubles); }),
               "/train/y: has type float64; must be uint8");
  EXPECT_PRED2(contains, error_after([&](hid_t f) { test::replace(f, "/train/row_offset", {12}, doubles); }),
               "/train/row_offset: has type float64; must be uint64");
  EXPECT_PRED2(contains, error_after([&](hid_t f) { test::replace(f, "/metadata", {12}, doubles); }),
               "/metadata: has type float64; must be a compound");
  EXPECT_PRED2(contains, error_after([](hid_t f) {
                 test::remove(f, "/test/x");
                 const h5::Group group(H5Gcreate2(f, "/test/x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                                       "H5Gcreate");
               }),
               "/test/x: is no data set");
}

TEST_F(DamagedSuite, metadata) {
  const auto with = [&](const char* field, hid_t type, const void* value) {
    return error_after([&](hid_t file) { set_field(file, field, type, value); });
  };
  const std::int64_t zero = 0, huge = std::numeric_limits<std::int64_t>::max(), lowest = -huge - 1;
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_PRED2(contains, with("task_id", H5T_STD_I64LE, &zero), "ids must be consecutive");
  EXPECT_PRED2(contains, with("n_train", H5T_STD_I64LE, &zero), "must be at least 1");
  EXPECT_PRED2(contains, with("n_train", H5T_STD_I64LE, &huge), "n_samples must be n_train + n_test");
  EXPECT_PRED2(contains, with("n_samples", H5T_STD_I64LE, &lowest), "n_samples must be n_train + n_test");
  EXPECT_PRED2(contains, with("n_features", H5T_STD_I64LE, &huge), "/train/x_offset: task 0");
  EXPECT_PRED2(contains, with("n_features", H5T_STD_I64LE, &lowest), "n_features is -9223372036854775808");
  EXPECT_PRED2(contains, with("label_bias", H5T_IEEE_F64LE, &infinity), "a rate is infinite");
  EXPECT_PRED2(contains, with("disadvantaged", H5T_STD_I64LE, &huge), "must be a group: below 2");
  const std::int64_t one = 1, many = most_groups + 1;
  EXPECT_PRED2(contains, with("groups", H5T_STD_I64LE, &zero), "task 0: groups is 0; must be 1 to 64");
  EXPECT_PRED2(contains, with("groups", H5T_STD_I64LE, &many), "task 0: groups is 65; must be 1 to 64");
  EXPECT_PRED2(contains, with("groups", H5T_STD_I64LE, &lowest), "must be 1 to 64");
  EXPECT_PRED2(contains, with("groups", H5T_STD_I64LE, &one),
               "is 1; must be less than the number of groups, 1");
  const std::string endless(32, 'x');
  const auto endless_family = [&](hid_t file) {
    set_field(file, "family", h5::text_type(32).get(), endless.data());
  };
  EXPECT_PRED2(contains, error_after(endless_family), "/metadata: text in field 'family' does not end");
}

TEST_F(DamagedSuite, root_attributes) {
  const auto with = [&](const char* name, const auto& value) {
    return error_after([&](hid_t f) { test::set_attribute(f, name, value); });
  };
  const auto without = [&](const char* name) {
    return error_after([&](hid_t f) { h5::check(H5Adelete(f, name), "H5Adelete"); });
  };
  const std::vector<std::int64_t> newer{2, 0}, old{0, 9}, three{1, 0, 0};
  EXPECT_PRED2(contains, with("version", newer), "install a newer metasieve");
  EXPECT_PRED2(contains, with("version", old), "must be [major, minor]");
  EXPECT_PRED2(contains, with("version", three), "must be [major, minor]");
  EXPECT_PRED2(contains, with("version", std::string("1.0")), "attribute 'version' is text");
  EXPECT_PRED2(contains, with("filetype", std::string("metasieve-policy")), "must be metasieve-suite");
  EXPECT_PRED2(contains, with("filetype", std::string("other")), "not a file of metasieve");
  EXPECT_PRED2(contains, with("filetype", 1.0), "attribute 'filetype' is float64");
  EXPECT_PRED2(contains, without("complete"), "was never finished");
  EXPECT_PRED2(contains, without("filetype"), "attribute 'filetype' is missing");
  EXPECT_PRED2(contains, without("version"), "attribute 'version' is missing");
}

TEST_F(DamagedSuite, a_newer_minor_version_with_more_in_it_is_read) {
  comm_.barrier();
  if (comm_.is_root())
    test::edit(path_, [](hid_t file) {
      const std::vector<std::int64_t> version{1, 7};
      test::set_attribute(file, "version", version);
      test::set_attribute(file, "unheard_of", 1.0);
    });
  comm_.barrier();
  EXPECT_EQ(SuiteReader(comm_, path_).task_count(), 6);
}

TEST_F(DamagedSuite, no_hdf5_at_all) {
  EXPECT_PRED2(contains, error_of_bytes(""), "is empty (0 bytes)");
  EXPECT_PRED2(contains, error_of_bytes("id,age,label\n1,2,3\n"), "is no HDF5 file");
  std::string noise(5000, '\0');
  for (std::size_t i = 0; i < noise.size(); ++i)
    noise[i] = static_cast<char>(Stream(Seed{5}, Draw::policy, TaskId{}).bits(static_cast<Index>(i)));
  EXPECT_PRED2(contains, error_of_bytes(noise), "is no HDF5 file");
}

TEST_F(DamagedSuite, truncated_at_any_length) {
  for (std::size_t length = 1; length < good_.size(); length += 1 + good_.size() / 60) {
    const std::string message = error_of_bytes(good_.substr(0, length));
    EXPECT_TRUE(contains(message, "truncated or damaged") || contains(message, "is no HDF5 file")) << message;
  }
}

/// Any single byte of the part that is not plain data may be wrong: an error or the same suite, no crash.
TEST_F(DamagedSuite, flipped_bytes_of_the_structure_do_no_harm) {
  int refused = 0;
  for (std::size_t at = 8; at < good_.size(); at += 1 + good_.size() / 300) {
    std::string bytes = good_;
    bytes[at] = static_cast<char>(~bytes[at]);
    comm_.barrier();
    if (comm_.is_root()) test::put_bytes(path_, bytes);
    comm_.barrier();
    try {
      const SuiteReader reader(comm_, path_);
      static_cast<void>(reader.read(test::share(comm_, reader.task_count())));
    } catch (const CollectiveError& error) {
      ++refused;
      EXPECT_EQ(error.code(), ExitCode::data) << "byte " << at << ": " << error.what();
    }
  }
  EXPECT_GT(refused, 10);
  EXPECT_EQ(test::open_ids(), 0);
}

TEST_F(DamagedSuite, not_there) {
  comm_.barrier();
  if (comm_.is_root()) std::filesystem::remove(path_);
  EXPECT_PRED2(contains, error(), "no such file");
  comm_.barrier();
  if (comm_.is_root()) std::filesystem::rename(path_, path_.string() + ".part");
  EXPECT_PRED2(contains, error(), "suite.h5.part is there: the run that writes it has not finished");
  comm_.barrier();
  if (comm_.is_root()) std::filesystem::remove(path_), std::filesystem::create_directory(path_);
  EXPECT_PRED2(contains, error(), "is a folder");
}

} // namespace
} // namespace metasieve
