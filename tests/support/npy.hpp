#pragma once

#include "base/linalg.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace metasieve::test {

/// A little-endian float32, row-major .npy file of version 1, [n] as [n, 1]. @throws std::runtime_error if it
/// is none.
inline Matrix read_npy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream all;
  all << file.rdbuf();
  const std::string bytes = all.str();
  if (bytes.size() < 10 || bytes.compare(0, 7, "\x93NUMPY\x01") != 0)
    throw std::runtime_error(path + ": not a .npy file of version 1");
  const std::size_t length =
      static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
  const std::string header = bytes.substr(10, length);
  const std::size_t shape = header.find("'shape': (");
  if (header.find("'<f4'") == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos || shape == std::string::npos)
    throw std::runtime_error(path + ": not row-major float32: " + header);
  std::istringstream dimensions(header.substr(shape + 10));
  Index rows = 0, columns = 1;
  char comma = 0;
  dimensions >> rows >> comma;
  if (!(dimensions >> columns)) columns = 1;
  if (bytes.size() != 10 + length + static_cast<std::size_t>(rows * columns) * sizeof(float))
    throw std::runtime_error(path + ": its size does not match its shape");
  std::vector<float> values(static_cast<std::size_t>(rows * columns));
  bytes.copy(reinterpret_cast<char*>(values.data()), values.size() * sizeof(float), 10 + length);
  return Eigen::Map<const MatrixF>(values.data(), rows, columns).cast<double>();
}

} // namespace metasieve::test
