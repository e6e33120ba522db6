#include "files/dataset.hpp"
#include "files/verify.hpp"
#include "hdf5/checksum.hpp"

#include "support/collective_error.hpp"
#include "support/damage.hpp"
#include "support/sample_files.hpp"
#include "support/scratch.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <span>

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

TEST_F(DatasetFile, two_groups_without_names) {
  EXPECT_EQ(read_dataset(comm_, path_).group_names, (std::vector<std::string>{"not female", "female"}));
  change([](hid_t f) { h5::check(H5Adelete(f, "group_name"), "H5Adelete"); });
  EXPECT_EQ(read_dataset(comm_, path_).group_names, (std::vector<std::string>{"0", "1"}));
  EXPECT_PRED2(contains,
               error_after([](hid_t f) { test::replace(f, "/z", {20}, std::vector<std::int64_t>(20, 1)); }),
               "/z: all values are 1: one group alone");
}

TEST_F(DatasetFile, one_group) {
  const std::vector<std::string> one{"everybody"};
  const auto is_one = [&](const char* name) {
    const Dataset read = read_dataset(comm_, path_);
    return read.group_names == std::vector<std::string>{name} && read.group == Labels::Zero(20);
  };
  change([](hid_t f) { test::remove(f, "/z"), h5::check(H5Adelete(f, "group_name"), "H5Adelete"); });
  EXPECT_TRUE(is_one("all"));
  change([&](hid_t f) { test::remove(f, "/z"), test::set_attribute(f, "group_names", one); });
  EXPECT_TRUE(is_one("everybody"));
  change([&](hid_t f) {
    test::replace(f, "/z", {20}, std::vector<std::int64_t>(20, 0));
    test::set_attribute(f, "group_names", one);
  });
  EXPECT_TRUE(is_one("everybody"));
  EXPECT_PRED2(contains, error_after([&](hid_t f) { test::set_attribute(f, "group_names", one); }),
               "/z: row 0 is 1; must be 0, as there is one group");
}

/// A data set with three groups.
class GroupsFile : public DatasetFile {
protected:
  GroupsFile() {
    data_ = test::sample_groups();
    write_file(comm_, path_, {}, data_);
    good_ = test::bytes_of(path_);
  }
  std::string error_of(const std::vector<std::string>& names) {
    return error_after([&](hid_t f) { test::set_attribute(f, "group_names", names); });
  }
};

TEST_F(GroupsFile, comes_back_with_its_names) {
  const Dataset read = read_dataset(comm_, path_);
  EXPECT_EQ(read.group_names, (std::vector<std::string>{"White", "größer", "Black"}));
  EXPECT_TRUE(read.group == data_.group);
  EXPECT_PRED2(contains, verify_file(comm_, path_), "sound metasieve-dataset file");
  EXPECT_PRED2(contains, inspect_file(comm_, path_), "White, größer, Black");
}

/// As h5py writes them.
TEST_F(GroupsFile, names_may_have_variable_length) {
  change([](hid_t f) {
    test::set_variable_texts(f, "group_names", {"a", "a longer name, with a comma", "größer"});
  });
  EXPECT_EQ(read_dataset(comm_, path_).group_names,
            (std::vector<std::string>{"a", "a longer name, with a comma", "größer"}));
}

TEST_F(GroupsFile, as_many_groups_as_there_may_be) {
  const auto rows = 2 * most_groups;
  std::vector<std::string> names;
  std::vector<std::int64_t> group, y;
  for (Index i = 0; i < rows; ++i) group.push_back(i % most_groups), y.push_back(i % 3 == 0);
  for (Index k = 0; k < most_groups; ++k) names.push_back("group " + std::to_string(k));
  const auto write = [&](hid_t f) {
    test::replace(f, "/x", {static_cast<hsize_t>(rows), 3},
                  std::vector<double>(static_cast<std::size_t>(3 * rows), 0.5));
    test::replace(f, "/y", {static_cast<hsize_t>(rows)}, y);
    test::replace(f, "/z", {static_cast<hsize_t>(rows)}, group);
    test::remove(f, "/y_clean"), test::remove(f, "/split");
    test::set_attribute(f, "group_names", names);
  };
  change(write);
  EXPECT_EQ(std::ssize(read_dataset(comm_, path_).group_names), most_groups);
  names.emplace_back("one too many");
  EXPECT_PRED2(contains, error_after(write), "attribute 'group_names' has 65 names; must have 1 to 64");
}

TEST_F(GroupsFile, groups_and_names_that_cannot_be) {
  EXPECT_PRED2(contains, error_of({"White", "", "Black"}), "'group_names' has no name for group 1");
  EXPECT_PRED2(contains, error_of({"White", "Black", "White"}), "'group_names' has the name 'White' twice");
  EXPECT_PRED2(contains, error_of({"White", "Black"}), "/z: row 2 is 2; must be 0 or 1");
  EXPECT_PRED2(contains, error_of({"White", "Asian", "Black", "Other"}),
               "/z: group 'Other' has no rows; leave it out of group_names");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::set_value<std::int64_t>(f, "/z", 4, 3); }),
               "/z: row 4 is 3; must be 0 to 2, as there are 3 groups");
  EXPECT_PRED2(contains,
               error_after([](hid_t f) { test::replace(f, "/z", {20}, std::vector<std::int64_t>(20, -1)); }),
               "/z: row 0 is -1; must be 0 to 2");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::remove(f, "/z"); }), "/z: is missing");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::set_attribute(f, "group_names", 1.0); }),
               "attribute 'group_names' is float64");
  EXPECT_PRED2(contains, error_after([](hid_t f) {
                 test::set_variable_texts(f, "group_names", {"two", "names"});
               }),
               "/z: row 2 is 2; must be 0 or 1");
}

/// A data set with row numbers, ids and weights.
class TableFile : public DatasetFile {
protected:
  TableFile() {
    data_ = test::sample_table();
    write_file(comm_, path_, {}, data_);
    good_ = test::bytes_of(path_);
  }
};

TEST_F(TableFile, comes_back_bit_for_bit_on_all_ranks) {
  const Dataset read = read_dataset(comm_, path_);
  ASSERT_TRUE(read.row && read.id && read.weight);
  EXPECT_TRUE(*read.row == *data_.row);
  EXPECT_EQ(*read.id, *data_.id);
  EXPECT_TRUE(*read.weight == *data_.weight);
}

TEST_F(TableFile, ids_may_have_any_length) {
  const std::string longest(most_id_bytes, 'x');
  std::vector<const char*> texts(20, "7b");
  texts[0] = "";
  texts[19] = longest.c_str();
  change([&](hid_t f) { test::write_texts(f, "/id", texts); });
  const Dataset read = read_dataset(comm_, path_);
  EXPECT_EQ(*read.id, std::vector<std::string>(texts.begin(), texts.end()));
  EXPECT_PRED2(contains, inspect_file(comm_, path_), "xxx");
}

TEST_F(TableFile, row_numbers_ids_and_weights_of_wrong_form) {
  const auto with_rows = [&](const std::vector<std::int64_t>& values) {
    return error_after([&](hid_t f) { test::replace(f, "/row", {values.size()}, values); });
  };
  const auto with_weight = [&](double value) {
    return error_after([&](hid_t f) { test::set_value(f, "/weight", 3, value); });
  };
  std::vector<std::int64_t> rows(20);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  EXPECT_PRED2(contains, with_rows({0, 1}), "/row: has 2 values; must have the 20 rows of x");
  rows[19] = 4;
  EXPECT_PRED2(contains, with_rows(rows), "/row: has the row number 4 twice");
  rows[19] = -1;
  EXPECT_PRED2(contains, with_rows(rows), "/row: has the row number -1; must be 0 or more");
  for (const double value : {-1.0, test::undefined, HUGE_VAL})
    EXPECT_PRED2(contains, with_weight(value), "must be finite and not negative") << value;
  EXPECT_PRED2(contains, with_weight(-0.5), "/weight: row 3 is -0.5; must be");
  EXPECT_PRED2(contains, error_after([](hid_t f) {
                 test::write_texts(f, "/id", {"a", "b"});
               }),
               "/id: has 2 values; must have the 20 rows of x");
  EXPECT_PRED2(contains,
               error_after([](hid_t f) { test::replace(f, "/id", {20}, std::vector<std::int64_t>(20)); }),
               "/id: has type int64; must be text");
  const std::string long_one(most_id_bytes + 1, 'x');
  std::vector<const char*> texts(20, "7b");
  texts[5] = long_one.c_str();
  EXPECT_PRED2(contains, error_after([&](hid_t f) { test::write_texts(f, "/id", texts); }),
               "/id: row 5 has 1025 bytes; must be at most 1024");
}

/// h5py, not this program, writes ids of variable length: truncated anywhere, or with wrong bytes where they
/// are.
TEST_F(TableFile, damaged_ids_are_refused_or_read) {
  std::vector<const char*> texts(20, "an id of some length");
  change([&](hid_t f) { test::write_texts(f, "/id", texts); });
  const std::string good = test::bytes_of(path_);
  const std::size_t heap = good.find("GCOL"); // global heap of the texts
  ASSERT_NE(heap, std::string::npos);
  for (std::size_t at = heap; at < heap + 64; at += 3) {
    std::string bad = good;
    for (std::size_t i = at; i < std::min(at + 3, bad.size()); ++i) bad[i] = '\xff';
    comm_.barrier();
    if (comm_.is_root()) test::put_bytes(path_, bad);
    comm_.barrier();
    try {
      EXPECT_EQ(std::ssize(*read_dataset(comm_, path_).id), 20);
    } catch (const CollectiveError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(path_.string() + ": ")) << error.what();
    }
    EXPECT_EQ(test::open_ids(), 0);
  }
}

TEST_F(TableFile, a_value_that_changed_does_not_fit_its_checksum) {
  const std::string message = error_after([&](hid_t f) {
    test::set_value(f, "/y", 1, static_cast<std::uint8_t>(1)); // was 0, and both are legal
  });
  EXPECT_PRED2(contains, message, "/y: does not fit its checksum");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::set_value(f, "/weight", 0, 0.2); }),
               "/weight: does not fit its checksum");
  EXPECT_PRED2(contains, error_after([](hid_t f) { test::set_value<std::int64_t>(f, "/row", 0, 5000); }),
               "/row: does not fit its checksum");
}

/// As analysis/ writes it: the sum of the bytes of "a\0bc\0...".
TEST_F(TableFile, checksum_of_ids_of_any_length) {
  std::vector<const char*> texts(20, "bc");
  texts[0] = "a";
  std::string bytes;
  for (const char* text : texts) bytes.append(text, std::strlen(text) + 1);
  const std::uint64_t sum = checksum(0, 1, std::as_bytes(std::span(bytes)));
  change([&](hid_t f) { test::write_texts(f, "/id", texts), test::set_checksum(f, "/id", sum); });
  EXPECT_EQ(std::ssize(*read_dataset(comm_, path_).id), 20);
  EXPECT_PRED2(contains, verify_file(comm_, path_), "8 checksums fit");
  EXPECT_PRED2(contains, error_after([&](hid_t f) {
                 test::write_texts(f, "/id", texts), test::set_checksum(f, "/id", sum + 1);
               }),
               "/id: does not fit its checksum");
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
