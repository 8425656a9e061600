// What lies behind a specification, by whatever path.
#include "storage/host_entity.h"

#include <filesystem>

#include "tests/support/test.h"
#include "tests/support/temporary_file.h"

using namespace ia64::storage;
namespace fs = std::filesystem;

TEST_CASE("host entity: a file is the same by every path, link and wrapper", "[stores]") {
  const ia64::testing::TemporaryFile file(512), other(512);
  const std::string link = file.path + ".link", hard = file.path + ".hard";
  fs::create_symlink(file.path, link);
  fs::create_hard_link(file.path, hard);
  const auto entity = host_entity("file:" + file.path);
  CHECK_FALSE(entity.empty());
  for (const std::string& path : {fs::absolute(file.path).string(), "./" + file.path, link, hard}) CHECK(host_entity("file:" + path) == entity);
  for (const std::string before : {"ro:file:", "direct:ro:short:threads:file:", "delay:5:fault:read=io/3,write=torn/9:file:", "qcow2:"})
    CHECK(host_entity(before + file.path) == entity);
  CHECK(host_entity("file:" + other.path) != entity);
  fs::remove(link), fs::remove(hard);
}

TEST_CASE("host entity: what is no file or device of this host has none", "[stores]") {
  const ia64::testing::TemporaryFile file(512);
  for (const std::string spec : {"file:.", "null:1G", "nbd:nbd://server/disk", "attach:iscsi://server/target/1", "file:", "file", "", "delay:5", "ro:",
                                 "ro:ro:ro", "null:."})
    CHECK(host_entity(spec).empty());
  CHECK(host_entity("null:" + file.path).empty());  // a size that happens to be the name of a file
  CHECK(host_entity("overlay:file:" + file.path).empty());
}

TEST_CASE("host entity: device nodes count by their number", "[stores]") {
  CHECK(host_entity("null:/dev/null") == host_entity("attach:/dev/null"));
  CHECK(host_entity("disk:/dev/null") != host_entity("disk:/dev/zero"));
}
