// Pieces of a file on the host's medium, against what filefrag would say of files of a known shape.
#include "storage/host_extents.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/support/test.h"
#include "tests/support/temporary_file.h"

namespace ia64::storage {
namespace {

TEST_CASE("host extents: a hole lies nowhere, separate pieces are counted, a missing file is none") {
  const ia64::testing::TemporaryFile file(64 << 20);
  CHECK_FALSE(host_pieces(file.path + ".missing"));
  const auto empty = host_pieces(file.path);
  if (!empty) return;  // a file system that does not say
  CHECK(*empty == 0);
  const int fd = open(file.path.c_str(), O_RDWR);
  const auto reserve = [&](off_t at) { return fallocate(fd, 0, at, 4096) == 0; };
  REQUIRE(reserve(0));
  CHECK(host_pieces(file.path) == 1u);
  REQUIRE(reserve(4096));
  CHECK(*host_pieces(file.path) <= 2);
  unsigned most = 2;
  for (off_t at = 1 << 20; at < 64 << 20; at += 128 << 10, most++) REQUIRE(reserve(at));  // more pieces than one question answers
  CHECK(*host_pieces(file.path) <= most);
  CHECK(*host_pieces(file.path) >= 1);
  close(fd);
}

}  // namespace
}  // namespace ia64::storage
