// The file of the EFI variables: one run has it at a time.
#include "machine/nvram_file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;
namespace fs = std::filesystem;

TEST_CASE("nvram file: two runs on one file, by whatever name of it, are refused; changes and the end of the first alter that rightly", "[machine]") {
  const fs::path folder = fs::temp_directory_path() / ("ivm-nvram-" + std::to_string(getpid()));
  fs::create_directories(folder / "in");
  const std::string path = (folder / "nvram").string();
  auto opened = NvramFile::open(path);
  REQUIRE(opened);
  std::optional<NvramFile> first(std::move(*opened));
  for (const fs::path& other : {folder / "nvram", folder / "in" / ".." / "nvram"}) {
    auto second = NvramFile::open(other.string());
    REQUIRE(!second);
    CHECK(second.error().kind == ErrorKind::Locked);
    CHECK(second.error().message.find("another run uses it") != std::string::npos);
  }
  REQUIRE(first->save({1, 2, 3}));  // replaces the file
  CHECK(!NvramFile::open(path));
  CHECK(NvramFile::open((folder / "nvram2").string()));
  CHECK(NvramFile::open(""));
  first.reset();
  auto again = NvramFile::open(path);
  REQUIRE(again);
  CHECK(again->image() == std::vector<u8>{1, 2, 3});
  fs::remove_all(folder);
}
