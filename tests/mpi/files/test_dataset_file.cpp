#include "files/dataset.hpp"

#include "support/collective_error.hpp"
#include "support/damage.hpp"
#include "support/sample_files.hpp"
#include "support/scratch.hpp"

#include <limits>

namespace metasieve {
namespace {

using test::contains;

class DatasetFile : public testing::Test {
protected:
  DatasetFile() {
    write_file(comm_, path_, {}, data_);
    good_ = test::bytes_of(path_);
  }

  void change(const std::function<void(hid_t)>& work) {
    comm_.barrier();
    if (comm_.is_root()) test::put_bytes(path_, good_), test::edit(path_, work);
    comm_.barrier();
  }

  std::string error_after(const std::function<void(hid_t)>& work) {
    change(work);
    const std::string message =
        test::collective_error(comm_, [&] { static_cast<void>(read_dataset(comm_, path_)); });
    EXPECT_TRUE(message.starts_with(path_.string() + ": ")) << message;
    EXPECT_EQ(test::open_ids(), 0) << message;
    return message;
  }

  Communicator comm_;
  test::Scratch scratch_{comm_};
  std::filesystem::path path_ = scratch_ / "sample.h5";
  Dataset data_ = test::sample_dataset();
  std::string good_;
};

TEST_F(DatasetFile, comes_back_bit_for_bit_on_all_ranks) {
  const Dataset read = read_dataset(comm_, path_);
  EXPECT_EQ(read.name, "sample");
  EXPECT_TRUE(read.x == data_.x);
  EXPECT_TRUE(read.y == data_.y);
  EXPECT_TRUE(read.group == data_.group);
  EXPECT_TRUE(read.y_clean && *read.y_clean == *data_.y_clean);
  EXPECT_TRUE(read.split && *read.split == *data_.split);
  EXPECT_EQ(read.feature_names, data_.feature_names);
  EXPECT_EQ(read.group_name, "female");
  EXPECT_EQ(read.positive_label, "bad credit");
  EXPECT_EQ(read.source_sha256, "0123");
}

TEST_F(DatasetFile, what_is_optional_may_be_missing) {
  change([](hid_t f) {
    test::remove(f, "/split");
    test::remove(f, "/y_clean");
    for (const char* name : {"feature_names", "source", "group_name"})
      h5::check(H5Adelete(f, name), "H5Adelete");
  });
  const Dataset read = read_dataset(comm_, path_);
  EXPECT_FALSE(read.split || read.y_clean);
  EXPECT_TRUE(read.feature_names.empty() && read.source.empty());
}

TEST_F(DatasetFile, other_types_of_numbers_are_converted) {
  std::vector<double> x(60);
  std::vector<std::int32_t> y(20);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.25 * static_cast<double>(i);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = i % 2 == 0;
  change([&](hid_t f) { test::replace(f, "/x", {20, 3}, x), test::replace(f, "/y", {20}, y); });
  const Dataset read = read_dataset(comm_, path_);
  EXPECT_EQ(read.x(19, 2), 0.25F * 59);
  EXPECT_EQ(read.y(0), 1);
}

TEST_F(DatasetFile, features) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_PRED2(contains, error_after([&](hid_t f) { test::set_value(f, "/x", 17, nan); }),
               "/x: row 5, column 2 is NaN; features must be finite");
  EXPECT_PRED2(contains, error_after([](hid_t f) {
                 test::replace(f, "/x", {20, 3}, std::vector<double>(60, 1e300));
               }),
               "/x: row 0, column 0 is infinite or too large for float32");
  EXPECT_PRED2(contains, error_after([](hid_t f) {
                 test::replace<float>(f, "/x", {0, 3}, {});
               }),
               "/x: has no rows");
  EXPECT_PRED2(contains, error_after([](hid_t f) {
                 test::replace<float>(f, "/x", {20, 0}, {});
               }),
               "/x: has no columns");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::replace(f, "/x", {60}, std::vector<float>(60)); }),
               "/x: has shape [60]; must have 2 dimensions");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::remove(f, "/x"); }), "/x: is missing");
}

TEST_F(DatasetFile, labels_and_groups) {
  const auto with = [&](const char* name, std::vector<std::int64_t> values) {
    return error_after([&](hid_t f) { test::replace(f, name, {values.size()}, values); });
  };
  std::vector<std::int64_t> minus(20, 0), big(20, 1);
  minus[3] = -1, big[19] = 256;
  EXPECT_PRED2(contains, with("/y", minus), "/y: row 3 is -1; must be 0 or 1");
  EXPECT_PRED2(contains, with("/z", big), "/z: row 19 is 256; must be 0 or 1");
  EXPECT_PRED2(contains, with("/y", std::vector<std::int64_t>(20, 1)),
               "/y: all values are 1: one class alone");
  EXPECT_PRED2(contains, with("/z", std::vector<std::int64_t>(20, 0)),
               "/z: all values are 0: one group alone");
  EXPECT_PRED2(contains, with("/split", std::vector<std::int64_t>(20, 0)), "/split: all values are 0");
  EXPECT_PRED2(contains, with("/y", {0, 1}), "/y: has 2 values; must have the 20 rows of x");
  EXPECT_PRED2(contains, with("/y_clean", {0, 1}), "/y_clean: has 2 values");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::replace(f, "/y", {20}, std::vector<double>(20)); }),
               "/y: has type float64; must be integers");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::remove(f, "/z"); }), "/z: is missing");
}

TEST_F(DatasetFile, names) {
  const std::vector<std::string> two{"a", "b"};
  EXPECT_PRED2(contains, error_after([&](hid_t f) { test::set_attribute(f, "feature_names", two); }),
               "'feature_names' has 2 names; x has 3 columns");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::set_attribute(f, "source", 1.0); }),
               "attribute 'source' is float64");
}

} // namespace
} // namespace metasieve
