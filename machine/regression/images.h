// Private disk images of a test.
#pragma once

#include <string>

#include "base/result.h"
#include "machine/regression/test_file.h"

namespace ia64::machine::regression {

/// A copy that shares the blocks of `from` where the file system can, and keeps its holes where not.
Result<void> copy_image(const std::string& from, const std::string& to);
/// An empty overlay over a file, or over a store such as "qcow2:PATH".
Result<void> make_overlay(const std::string& over, const std::string& to);
/// A file of zeroes without blocks.
Result<void> make_empty(const std::string& path, u64 size_bytes);
/// SHA-256 of a file, in hexadecimal digits.
Result<std::string> sha256_of_file(const std::string& path);

}  // namespace ia64::machine::regression
