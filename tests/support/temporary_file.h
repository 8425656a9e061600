// A file that disappears with the test.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/int_types.h"

namespace ia64::testing {

struct TemporaryFile {
  std::string path = "ivm-test-XXXXXX";
  explicit TemporaryFile(u64 size_bytes) {
    const int fd = mkstemp(path.data());
    if (fd < 0 || ftruncate(fd, static_cast<off_t>(size_bytes)) != 0) std::abort();
    close(fd);
  }
  ~TemporaryFile() { unlink(path.c_str()); }
  std::vector<u8> content() const {
    std::vector<u8> out;
    std::FILE* f = std::fopen(path.c_str(), "rb");
    for (int c; f && (c = std::fgetc(f)) != EOF;) out.push_back(static_cast<u8>(c));
    if (f) std::fclose(f);
    return out;
  }
};

}  // namespace ia64::testing
